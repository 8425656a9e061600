// AML term encoders and resource descriptors.
#include "firmware/tables/aml.h"

#include "base/invariant.h"

namespace ia64::firmware::aml {

namespace {

// @source ACPI 2.0, 17.2
enum : u8 {
  kNameOp = 0x08,
  kBytePrefix = 0x0a,
  kWordPrefix = 0x0b,
  kDWordPrefix = 0x0c,
  kStringPrefix = 0x0d,
  kQWordPrefix = 0x0e,
  kScopeOp = 0x10,
  kBufferOp = 0x11,
  kPackageOp = 0x12,
  kExtPrefix = 0x5b,
  kDeviceOp = 0x82,
  kProcessorOp = 0x83,
};

void append(Term& to, const Term& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// PkgLength counts itself: its own width is found by trying.
Term with_package_length(std::initializer_list<u8> opcode, const Term& body) {
  Term out(opcode);
  size_t width = 1;
  const size_t limits[] = {0, 0x3f, 0xfff, 0xfffff, 0xfffffff};
  while (body.size() + width > limits[width]) width++;
  const size_t length = body.size() + width;
  if (width == 1) {
    out.push_back(static_cast<u8>(length));
  } else {
    out.push_back(static_cast<u8>((width - 1) << 6 | (length & 0xf)));
    for (size_t i = 1; i < width; i++) out.push_back(static_cast<u8>(length >> (8 * i - 4)));
  }
  append(out, body);
  return out;
}

Term name_string(std::string_view path) {
  Term out;
  if (!path.empty() && path[0] == '\\') {
    out.push_back('\\');
    path.remove_prefix(1);
  }
  INVARIANT(path.size() <= 4);
  for (size_t i = 0; i < 4; i++) out.push_back(static_cast<u8>(i < path.size() ? path[i] : '_'));
  return out;
}

u8 hex_digit(char c) {
  return static_cast<u8>(c <= '9' ? c - '0' : c - 'A' + 10);
}

}  // namespace

Term list(std::initializer_list<Term> terms) {
  Term out;
  for (const auto& t : terms) append(out, t);
  return out;
}

Term integer(u64 value) {
  ByteImage b;
  if (value <= 0xff) return b.u8v(kBytePrefix).u8v(value).take();
  if (value <= 0xffff) return b.u8v(kWordPrefix).u16v(value).take();
  if (value <= 0xffff'ffff) return b.u8v(kDWordPrefix).u32v(value).take();
  return b.u8v(kQWordPrefix).u64v(value).take();
}

Term string(std::string_view text) {
  ByteImage b;
  return b.u8v(kStringPrefix).text(text, text.size() + 1).take();
}

Term package(const std::vector<Term>& elements) {
  INVARIANT(elements.size() <= 255);
  Term body{static_cast<u8>(elements.size())};
  for (const auto& e : elements) append(body, e);
  return with_package_length({kPackageOp}, body);
}

Term buffer(const std::vector<u8>& bytes) {
  return with_package_length({kBufferOp}, list({integer(bytes.size()), bytes}));
}

Term eisa_id(std::string_view id) {
  INVARIANT(id.size() == 7);
  // Three 5-bit letters then four hexadecimal digits, stored most significant byte first.
  const u32 letters =
      u32((id[0] - '@') & 0x1f) << 10 | u32((id[1] - '@') & 0x1f) << 5 | u32((id[2] - '@') & 0x1f);
  const u32 digits = u32{hex_digit(id[3])} << 12 | u32{hex_digit(id[4])} << 8 | u32{hex_digit(id[5])} << 4 |
                     hex_digit(id[6]);
  return ByteImage{}.u8v(kDWordPrefix).u32v(byte_swap(letters << 16 | digits)).take();
}

Term name(std::string_view segment, const Term& value) {
  return list({{kNameOp}, name_string(segment), value});
}

Term scope(std::string_view path, const Term& body) {
  return with_package_length({kScopeOp}, list({name_string(path), body}));
}

Term device(std::string_view segment, const Term& body) {
  return with_package_length({kExtPrefix, kDeviceOp}, list({name_string(segment), body}));
}

Term processor(std::string_view segment, u8 id, const Term& body) {
  return with_package_length({kExtPrefix, kProcessorOp},
                             list({name_string(segment), {id, 0, 0, 0, 0, 0}, body}));
}

namespace {
// @source ACPI 2.0, 6.4.3.5: general flags of address space descriptors
constexpr u8 kConsumer = 1, kMinFixed = 4, kMaxFixed = 8;
constexpr u8 kTypeMemory = 0, kTypeIo = 1, kTypeBus = 2;
constexpr u8 kReadWrite = 1;
constexpr u8 kEntireRange = 3, kTypeTranslation = 0x10, kSparseTranslation = 0x20;
}  // namespace

ResourceTemplate& ResourceTemplate::bus_range(u16 first, u16 last) {
  bytes_.u8v(0x88).u16v(13).u8v(kTypeBus).u8v(kMinFixed | kMaxFixed).u8v(0);
  bytes_.u16v(0).u16v(first).u16v(last).u16v(0).u16v(last - first + 1);
  return *this;
}

ResourceTemplate& ResourceTemplate::address64(u8 type, u8 general_flags, u8 type_flags, u64 base, u64 size,
                                              u64 translation) {
  bytes_.u8v(0x8a).u16v(43).u8v(type).u8v(general_flags | kMinFixed | kMaxFixed).u8v(type_flags);
  bytes_.u64v(0).u64v(base).u64v(base + size - 1).u64v(translation).u64v(size);
  return *this;
}

ResourceTemplate& ResourceTemplate::sparse_port_window(u64 first, u64 count, u64 translation) {
  return address64(kTypeIo, 0, kEntireRange | kTypeTranslation | kSparseTranslation, first, count,
                   translation);
}

ResourceTemplate& ResourceTemplate::memory_window(u64 base, u64 size_bytes) {
  return address64(kTypeMemory, 0, kReadWrite, base, size_bytes, 0);
}

ResourceTemplate& ResourceTemplate::memory64(u64 base, u64 size_bytes) {
  return address64(kTypeMemory, kConsumer, kReadWrite, base, size_bytes, 0);
}

ResourceTemplate& ResourceTemplate::memory32(u32 base, u32 size_bytes) {
  bytes_.u8v(0x86).u16v(9).u8v(kReadWrite).u32v(base).u32v(size_bytes);
  return *this;
}

ResourceTemplate& ResourceTemplate::interrupt(u32 gsi) {
  constexpr u8 kActiveLow = 4;  // level is bit 1 clear, exclusive is bit 3 clear
  bytes_.u8v(0x89).u16v(6).u8v(kConsumer | kActiveLow).u8v(1).u32v(gsi);
  return *this;
}

Term ResourceTemplate::finish() const {
  ByteImage all = bytes_;
  return buffer(all.u8v(0x79).u8v(0).take());  // end tag; checksum 0 means "not checked"
}

}  // namespace ia64::firmware::aml
