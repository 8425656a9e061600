// Strings, device paths, scratch buffers and files, as EFI interfaces pass them.
#include "firmware/efi/guest_data.h"

#include <algorithm>

#include "base/endian.h"

namespace ia64::firmware {
namespace {

constexpr size_t kMaxPathBytes = 16 << 10;
constexpr u64 kMaxFileBytes = u64{256} << 20;
constexpr u64 kOpenVolume = 8, kOpen = 8, kClose = 16, kRead = 32,
              kGetInfo = 64;  // offsets of function pointers
constexpr u64 kModeRead = 1, kDirectoryAttribute = 0x10;
constexpr u64 kInfoBytes = 2048;

/// Calls the function whose descriptor pointer lies at `interface + offset`, with the interface as first
/// argument.
EfiStatus call_method(GateCall& call, u64 interface, u64 offset, std::initializer_list<u64> more = {}) {
  u64 descriptor = 0;
  if (!call.read_value(interface + offset, descriptor)) return efi::kDeviceError;
  std::vector<u64> args{interface};
  args.insert(args.end(), more.begin(), more.end());
  return call.call_guest(descriptor, args);
}

/// An EFI_FILE opened through the guest-visible protocol, closed when the object goes.
class File {
 public:
  File(EfiContext& efi, GateCall& call) : efi_(efi), call_(call), scratch_(efi, kInfoBytes + 64) {}
  ~File() noexcept(false) {
    // Not while the fiber is being thrown away: the CPU is gone then.
    if (std::uncaught_exceptions() == 0) close();
  }
  File(const File&) = delete;

  EfiStatus open(EfiHandle device, std::u16string_view path) {
    const auto fs = efi_.handles.find(device, guid::kSimpleFileSystem);
    if (!fs || !scratch_.address()) return fs ? efi::kOutOfResources : efi::kUnsupported;
    if (const auto s = call_method(call_, *fs, kOpenVolume, {out()}); efi_error(s)) return s;
    if (!call_.read_value(out(), file_)) return efi::kDeviceError;
    if (path.empty()) return efi::kSuccess;
    std::u16string name(path);
    if (name.size() * 2 + 2 > kInfoBytes) return efi::kInvalidParameter;
    call_.write(info(), name.c_str(), name.size() * 2 + 2);
    const u64 root = file_;
    const auto s = call_method(call_, root, kOpen, {out(), info(), kModeRead, 0});
    file_ = 0;
    if (!efi_error(s)) (void)call_.read_value(out(), file_);
    (void)call_method(call_, root, kClose);
    return s;
  }

  void close() {
    if (file_) (void)call_method(call_, file_, kClose);
    file_ = 0;
  }

  EfiStatus size(u64& size_bytes, u64& attributes) {
    call_.write_value(out(), kInfoBytes);
    call_.write(out() + 16, &guid::kFileInfo, 16);
    if (const auto s = call_method(call_, file_, kGetInfo, {out() + 16, out(), info()}); efi_error(s))
      return s;
    const bool ok = call_.read_value(info() + 8, size_bytes) && call_.read_value(info() + 72, attributes);
    return ok ? efi::kSuccess : efi::kDeviceError;
  }

  /// Reads into guest memory. @param n in: room; out: bytes read
  EfiStatus read(GuestPhys to, u64& n) {
    call_.write_value(out(), n);
    const auto s = call_method(call_, file_, kRead, {out(), to});
    return call_.read_value(out(), n) ? s : efi::kDeviceError;
  }
  GuestPhys info() const { return scratch_.address() + 64; }
  static constexpr u64 info_bytes() { return kInfoBytes; }

 private:
  GuestPhys out() const { return scratch_.address(); }
  EfiContext& efi_;
  GateCall& call_;
  GuestScratch scratch_;
  u64 file_ = 0;
};

/// Pages for one transfer.
class Pages {
 public:
  Pages(EfiContext& efi, u64 size_bytes)
      : efi_(efi), pages_(align_up(std::max<u64>(size_bytes, 1), efi::kPageSize) / efi::kPageSize) {
    if (efi_error(efi_.memory.allocate(MemoryMap::Allocate::Any, MemoryType::BootServicesData, pages_, base)))
      base = 0;
  }
  ~Pages() {
    if (base) (void)efi_.memory.free(base, pages_);
  }
  Pages(const Pages&) = delete;
  GuestPhys base = 0;

 private:
  EfiContext& efi_;
  u64 pages_;
};

}  // namespace

std::optional<std::u16string> read_string16(GateCall& call, u64 at, size_t max_chars) {
  std::u16string s;
  if (at == 0) return {};
  while (s.size() < max_chars) {
    char16_t c = 0;
    if (!call.read_value(at + 2 * s.size(), c)) return {};
    if (c == 0) return s;
    s += c;
  }
  return {};
}

std::optional<DevicePath> read_device_path(GateCall& call, u64 at) {
  std::vector<u8> bytes;
  if (at == 0) return {};
  while (bytes.size() < kMaxPathBytes) {
    u8 header[4];
    const size_t start = bytes.size();
    if (!call.read(at + start, header, 4)) return {};
    const u16 length = load_le<u16>(header + 2);
    if (length < 4) return {};
    bytes.resize(start + length);
    if (!call.read(at + start, bytes.data() + start, length)) return {};
    if ((header[0] & 0x7f) == 0x7f && header[1] == 0xff) return DevicePath::parse(bytes);
  }
  return {};
}

DevicePath device_path_of(EfiContext& efi, EfiHandle handle) {
  const auto at = efi.handles.find(handle, guid::kDevicePath);
  if (!at || *at == 0) return {};
  std::vector<u8> bytes;
  while (bytes.size() < kMaxPathBytes) {
    u8 header[4];
    const size_t start = bytes.size();
    if (efi.bus.read_bytes(*at + start, header, 4) != AccessResult::Ok) return {};
    const u16 length = load_le<u16>(header + 2);
    if (length < 4) return {};
    bytes.resize(start + length);
    if (efi.bus.read_bytes(*at + start, bytes.data() + start, length) != AccessResult::Ok) return {};
    if ((header[0] & 0x7f) == 0x7f && header[1] == 0xff)
      return DevicePath::parse(bytes).value_or(DevicePath{});
  }
  return {};
}

EfiHandle handle_for_path(EfiContext& efi, const DevicePath& path, const Guid& protocol, DevicePath& rest) {
  EfiHandle best = 0;
  for (const EfiHandle h : efi.handles.with(protocol)) {
    const DevicePath own = device_path_of(efi, h);
    DevicePath after;
    if (own.empty() || !own.is_prefix_of(path, after)) continue;
    if (best && after.nodes().size() >= rest.nodes().size()) continue;
    best = h, rest = after;
  }
  if (best || !path.starts_with_hard_drive()) return best;
  const auto wanted = path.hard_drive_node();
  for (const EfiHandle h : efi.handles.with(protocol)) {
    const auto own = device_path_of(efi, h).hard_drive_node();
    if (!own || *own != *wanted) continue;
    rest = *DevicePath::parse([&] {
      auto bytes = path.bytes();
      bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(wanted->size()));
      return bytes;
    }());
    return h;
  }
  return 0;
}

GuestScratch::GuestScratch(EfiContext& efi, u64 size_bytes) : efi_(efi) {
  if (efi_error(efi_.pool.allocate(MemoryType::BootServicesData, size_bytes, address_))) address_ = 0;
}

GuestScratch::~GuestScratch() {
  if (address_) (void)efi_.pool.free(address_);
}

EfiStatus read_file(EfiContext& efi, GateCall& call, EfiHandle device, std::u16string_view path,
                    std::vector<u8>& content) {
  File file(efi, call);
  if (const auto s = file.open(device, path); efi_error(s)) return s;
  u64 size_bytes = 0, attributes = 0;
  if (const auto s = file.size(size_bytes, attributes); efi_error(s)) return s;
  if (attributes & kDirectoryAttribute) return efi::kNotFound;
  if (size_bytes > kMaxFileBytes) return efi::kOutOfResources;
  Pages buffer(efi, size_bytes);
  if (!buffer.base) return efi::kOutOfResources;
  if (const auto s = file.read(buffer.base, size_bytes); efi_error(s)) return s;
  content.resize(std::min(size_bytes, kMaxFileBytes));
  efi.bus.read_bytes(buffer.base, content.data(), content.size());
  return efi::kSuccess;
}

bool file_exists(EfiContext& efi, GateCall& call, EfiHandle device, std::u16string_view path) {
  File file(efi, call);
  return !efi_error(file.open(device, path));
}

EfiStatus list_directory(EfiContext& efi, GateCall& call, EfiHandle device, std::u16string_view path,
                         std::vector<std::u16string>& names) {
  constexpr size_t kMaxEntries = 1000;
  File file(efi, call);
  if (const auto s = file.open(device, path); efi_error(s)) return s;
  while (names.size() < kMaxEntries) {
    u64 n = File::info_bytes();
    if (const auto s = file.read(file.info(), n); efi_error(s)) return s;
    if (n < 82) break;
    u64 attributes = 0;
    (void)call.read_value(file.info() + 72, attributes);
    auto name = read_string16(call, file.info() + 80, 256).value_or(u"");
    if (name.empty() || name == u".") continue;
    if (attributes & kDirectoryAttribute) name += u'\\';
    names.push_back(std::move(name));
  }
  return efi::kSuccess;
}

EfiStatus load_file(EfiContext& efi, GateCall& call, EfiHandle device, const DevicePath& rest,
                    bool boot_policy, std::vector<u8>& content) {
  const auto interface = efi.handles.find(device, guid::kLoadFile);
  if (!interface) return efi::kUnsupported;
  const auto path = rest.bytes();
  GuestScratch scratch(efi, 64 + path.size());
  if (!scratch.address()) return efi::kOutOfResources;
  const GuestPhys size_at = scratch.address(), path_at = scratch.address() + 64;
  call.write(path_at, path.data(), path.size());
  call.write_value(size_at, u64{0});
  auto s = call_method(call, *interface, 0, {path_at, boot_policy, size_at, 0});
  u64 size_bytes = 0;
  if (s != efi::kBufferTooSmall || !call.read_value(size_at, size_bytes))
    return efi_error(s) ? s : efi::kLoadError;
  if (size_bytes > kMaxFileBytes) return efi::kOutOfResources;
  Pages buffer(efi, size_bytes);
  if (!buffer.base) return efi::kOutOfResources;
  s = call_method(call, *interface, 0, {path_at, boot_policy, size_at, buffer.base});
  if (efi_error(s) || !call.read_value(size_at, size_bytes)) return efi_error(s) ? s : efi::kLoadError;
  content.resize(std::min(size_bytes, kMaxFileBytes));
  efi.bus.read_bytes(buffer.base, content.data(), content.size());
  return efi::kSuccess;
}

}  // namespace ia64::firmware
