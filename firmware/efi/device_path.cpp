// EFI device paths: nodes, comparison, text.
#include "firmware/efi/device_path.h"

#include <fmt/format.h>

#include <cstring>

#include "base/endian.h"

namespace ia64::firmware {
namespace {

enum NodeType : u8 { kHardware = 1, kAcpi = 2, kMessaging = 3, kMedia = 4, kEnd = 0x7f };
constexpr size_t kHeader = 4;

class Payload {
 public:
  template <class T>
  Payload& add(T v) {
    const auto* p = reinterpret_cast<const u8*>(&v);
    bytes_.insert(bytes_.end(), p, p + sizeof v);
    return *this;
  }
  operator std::span<const u8>() const { return bytes_; }

 private:
  std::vector<u8> bytes_;
};

struct Node {
  u8 type, subtype;
  std::span<const u8> payload;
  template <class T>
  T get(size_t at) const {
    return at + sizeof(T) <= payload.size() ? load_le<T>(payload.data() + at) : T{};
  }
};

/// Takes the first node off `rest`, which holds whole nodes only.
Node take(std::span<const u8>& rest) {
  const size_t length = load_le<u16>(rest.data() + 2);
  const Node n{rest[0], rest[1], rest.subspan(kHeader, length - kHeader)};
  rest = rest.subspan(length);
  return n;
}

std::string eisa_id(u32 id) {
  if ((id & 0xffff) == 0x41d0) return fmt::format("PNP{:04X}", id >> 16);
  const u16 v = static_cast<u16>((id & 0xff) << 8 | ((id >> 8) & 0xff));
  const auto letter = [&](unsigned shift) { return static_cast<char>('A' - 1 + ((v >> shift) & 31)); };
  return fmt::format("{}{}{}{:02X}{:02X}", letter(10), letter(5), letter(0), (id >> 16) & 0xff, id >> 24);
}

std::string ascii(std::u16string_view s) {
  std::string out;
  for (const char16_t c : s) out += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '?';
  return out;
}

std::u16string utf16_of(std::span<const u8> payload) {
  std::u16string s;
  for (size_t i = 0; i + 1 < payload.size(); i += 2) {
    const char16_t c = load_le<u16>(payload.data() + i);
    if (c == 0) break;
    s += c;
  }
  return s;
}

std::string hex(std::span<const u8> bytes) {
  std::string s;
  for (const u8 b : bytes) s += fmt::format("{:02X}", b);
  return s;
}

Guid guid_at(const Node& n, size_t at) {
  return n.get<Guid>(at);
}

std::string hard_drive_text(const Node& n) {
  const u32 part = n.get<u32>(0);
  switch (n.get<u8>(37)) {
    case 2: return fmt::format("HD(Part{},Sig{})", part, to_text(guid_at(n, 20)));
    case 1: return fmt::format("HD(Part{},Sig{:08X})", part, n.get<u32>(20));
    default: return fmt::format("HD(Part{})", part);
  }
}

std::string vendor_text(const Node& n) {
  const Guid g = guid_at(n, 0);
  const char* name = n.type == kMessaging ? "VenMsg" : n.type == kMedia ? "VenMedia" : "VenHw";
  if (g == guid::kTerminalPcAnsi) return fmt::format("{}(PcAnsi)", name);
  if (g == guid::kTerminalVt100) return fmt::format("{}(Vt100)", name);
  if (g == guid::kTerminalVt100Plus) return fmt::format("{}(Vt100+)", name);
  if (g == guid::kTerminalVtUtf8) return fmt::format("{}(VtUtf8)", name);
  return fmt::format("{}({})", name, to_text(g));
}

std::string uart_text(const Node& n) {
  static constexpr char kParity[] = "DNEOMS";
  const u8 parity = n.get<u8>(13), stop = n.get<u8>(14);
  return fmt::format("Uart({} {}{}{})", n.get<u64>(4), kParity[parity < 6 ? parity : 0], n.get<u8>(12),
                     stop == 3   ? "2"
                     : stop == 2 ? "1.5"
                                 : "1");
}

std::string node_text(const Node& n) {
  switch (n.type << 8 | n.subtype) {
    case kHardware << 8 | 1: return fmt::format("Pci({:X}|{:X})", n.get<u8>(1), n.get<u8>(0));
    case kHardware << 8 | 3:
      return fmt::format("MemMap({}:{:X}-{:X})", n.get<u32>(0), n.get<u64>(4), n.get<u64>(12));
    case kHardware << 8 | 4:
    case kMessaging << 8 | 10:
    case kMedia << 8 | 3: return vendor_text(n);
    case kAcpi << 8 | 1: return fmt::format("Acpi({},{:X})", eisa_id(n.get<u32>(0)), n.get<u32>(4));
    case kMessaging << 8 | 1:
      return fmt::format("Ata({},{})", n.get<u8>(0) ? "Secondary" : "Primary",
                         n.get<u8>(1) ? "Slave" : "Master");
    case kMessaging << 8 | 2: return fmt::format("Scsi(Pun{:X},Lun{:X})", n.get<u16>(0), n.get<u16>(2));
    case kMessaging << 8 | 11:
      return fmt::format("Mac({})", hex(n.payload.first(std::min<size_t>(6, n.payload.size()))));
    case kMessaging << 8 | 14: return uart_text(n);
    case kMedia << 8 | 1: return hard_drive_text(n);
    case kMedia << 8 | 2: return fmt::format("CDROM(Entry{:X})", n.get<u32>(0));
    case kMedia << 8 | 4: return ascii(utf16_of(n.payload));
    default: return fmt::format("Path({},{},{})", n.type, n.subtype, hex(n.payload));
  }
}

}  // namespace

std::optional<DevicePath> DevicePath::parse(std::span<const u8> bytes) {
  DevicePath path;
  size_t at = 0;
  while (at + kHeader <= bytes.size()) {
    const size_t length = load_le<u16>(bytes.data() + at + 2);
    if (length < kHeader || length > bytes.size() - at) return {};
    if ((bytes[at] & 0x7f) == kEnd && bytes[at + 1] == 0xff) return path;
    path.nodes_.insert(path.nodes_.end(), bytes.begin() + at, bytes.begin() + at + length);
    at += length;
  }
  return {};
}

DevicePath& DevicePath::node(u8 type, u8 subtype, std::span<const u8> payload) {
  const u16 length = static_cast<u16>(kHeader + payload.size());
  nodes_.push_back(type), nodes_.push_back(subtype);
  nodes_.push_back(static_cast<u8>(length)), nodes_.push_back(static_cast<u8>(length >> 8));
  nodes_.insert(nodes_.end(), payload.begin(), payload.end());
  return *this;
}

DevicePath& DevicePath::acpi(u32 hid, u32 uid) {
  return node(kAcpi, 1, Payload().add(hid).add(uid));
}
DevicePath& DevicePath::pci(u8 device, u8 function) {
  return node(kHardware, 1, Payload().add(function).add(device));
}
DevicePath& DevicePath::scsi(u16 pun, u16 lun) {
  return node(kMessaging, 2, Payload().add(pun).add(lun));
}

DevicePath& DevicePath::hard_drive_gpt(u32 number, u64 start_lba, u64 lba_count, const Guid& unique) {
  return node(kMedia, 1,
              Payload().add(number).add(start_lba).add(lba_count).add(unique).add(u8{2}).add(u8{2}));
}

DevicePath& DevicePath::hard_drive_mbr(u32 number, u64 start_lba, u64 lba_count, u32 signature) {
  const Guid g{signature, 0, 0, {}};
  return node(kMedia, 1, Payload().add(number).add(start_lba).add(lba_count).add(g).add(u8{1}).add(u8{1}));
}

DevicePath& DevicePath::cdrom(u32 boot_entry, u64 start_sector, u64 sector_count) {
  return node(kMedia, 2, Payload().add(boot_entry).add(start_sector).add(sector_count));
}

DevicePath& DevicePath::uart(u64 baud) {
  return node(kMessaging, 14, Payload().add(u32{0}).add(baud).add(u8{8}).add(u8{1}).add(u8{1}));
}

DevicePath& DevicePath::vendor_messaging(const Guid& g) {
  return node(kMessaging, 10, Payload().add(g));
}
DevicePath& DevicePath::vendor_hardware(const Guid& g) {
  return node(kHardware, 4, Payload().add(g));
}

DevicePath& DevicePath::file16(std::u16string_view path) {
  Payload p;
  for (const char16_t c : path) p.add(c);
  return node(kMedia, 4, p.add(char16_t{0}));
}

DevicePath& DevicePath::file(std::string_view path) {
  return file16(std::u16string(path.begin(), path.end()));
}

DevicePath& DevicePath::append(const DevicePath& other) {
  nodes_.insert(nodes_.end(), other.nodes_.begin(), other.nodes_.end());
  return *this;
}

std::vector<u8> DevicePath::bytes() const {
  std::vector<u8> out = nodes_;
  for (const u8 b : {u8{kEnd}, u8{0xff}, u8{kHeader}, u8{0}}) out.push_back(b);
  return out;
}

bool DevicePath::is_prefix_of(const DevicePath& whole, DevicePath& rest) const {
  if (nodes_.size() > whole.nodes_.size() || std::memcmp(nodes_.data(), whole.nodes_.data(), nodes_.size()))
    return false;
  rest.nodes_.assign(whole.nodes_.begin() + static_cast<std::ptrdiff_t>(nodes_.size()), whole.nodes_.end());
  return true;
}

bool DevicePath::starts_with_hard_drive() const {
  return nodes_.size() >= kHeader && nodes_[0] == kMedia && nodes_[1] == 1;
}

std::optional<std::vector<u8>> DevicePath::hard_drive_node() const {
  for (std::span<const u8> rest = nodes_; !rest.empty();) {
    const auto start = rest;
    const Node n = take(rest);
    if (n.type == kMedia && n.subtype == 1)
      return std::vector<u8>(start.begin(), start.end() - static_cast<std::ptrdiff_t>(rest.size()));
  }
  return {};
}

std::u16string DevicePath::file_path() const {
  std::u16string out;
  for (std::span<const u8> rest = nodes_; !rest.empty();) {
    const Node n = take(rest);
    if (n.type != kMedia || n.subtype != 4) continue;
    const auto part = utf16_of(n.payload);
    if (!out.empty() && out.back() != u'\\' && !part.empty() && part.front() != u'\\') out += u'\\';
    out += part;
  }
  return out;
}

std::string DevicePath::to_text() const {
  std::string out;
  for (std::span<const u8> rest = nodes_; !rest.empty();) {
    const Node n = take(rest);
    if (!out.empty()) out += (n.type & 0x7f) == kEnd ? "," : "/";
    if ((n.type & 0x7f) != kEnd) out += node_text(n);
  }
  return out;
}

}  // namespace ia64::firmware
