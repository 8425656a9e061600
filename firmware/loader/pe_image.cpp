// PE32+ loader: nothing in the file is trusted, every offset is checked before use.
#include "firmware/loader/pe_image.h"

#include <algorithm>
#include <cstring>

#include "base/endian.h"

namespace ia64::firmware {
namespace {

constexpr u64 kMaxImage = u64{1} << 28;  // no loader comes near 256 MiB
constexpr u16 kMachineIa64 = 0x200, kMagicPe32Plus = 0x20b;
constexpr unsigned kRelocationDirectory = 5;
enum RelocationType : u16 { kAbsolute = 0, kHigh = 1, kLow = 2, kHighLow = 3, kImm64 = 9, kDir64 = 10 };

template <class T>
bool get(std::span<const u8> file, u64 at, T& v) {
  if (at > file.size() || file.size() - at < sizeof(T)) return false;
  v = load_le<T>(file.data() + at);
  return true;
}

struct Section {
  u32 virtual_size, rva, raw_size, raw_offset;
};

bool place_section(std::span<const u8> file, const Section& s, std::vector<u8>& memory) {
  const u64 space = std::max(s.virtual_size, s.raw_size);
  if (space == 0) return true;
  if (s.rva > memory.size() || (s.virtual_size ? s.virtual_size : s.raw_size) > memory.size() - s.rva)
    return false;
  // What is larger in the file than in memory is alignment padding.
  const u64 n = s.virtual_size ? std::min(s.virtual_size, s.raw_size) : s.raw_size;
  if (n == 0) return true;
  if (s.raw_offset > file.size() || n > file.size() - s.raw_offset) return false;
  std::memcpy(memory.data() + s.rva, file.data() + s.raw_offset, n);
  return true;
}

}  // namespace

PeImage PeImage::parse(std::span<const u8> file, EfiStatus& status) {
  PeImage image;
  status = efi::kUnsupported;
  u16 dos = 0, machine = 0, sections = 0, optional_size = 0, magic = 0, subsystem = 0;
  u32 pe = 0, signature = 0, image_size = 0, header_size = 0, directories = 0;
  if (!get(file, 0, dos) || dos != 0x5a4d || !get(file, 0x3c, pe) || !get(file, pe, signature) ||
      signature != 0x4550)
    return image;
  const u64 coff = u64{pe} + 4, optional = coff + 20;
  if (!get(file, coff, machine) || machine != kMachineIa64) return image;
  if (!get(file, coff + 2, sections) || !get(file, coff + 16, optional_size) || !get(file, optional, magic))
    return image;
  if (magic != kMagicPe32Plus || !get(file, optional + 68, subsystem)) return image;
  switch (subsystem) {
    case 10: image.kind_ = ImageKind::Application; break;
    case 11: image.kind_ = ImageKind::BootDriver; break;
    case 12: image.kind_ = ImageKind::RuntimeDriver; break;
    default: return image;
  }
  status = efi::kLoadError;
  if (!get(file, optional + 16, image.entry_) || !get(file, optional + 24, image.preferred_base_) ||
      !get(file, optional + 56, image_size) || !get(file, optional + 60, header_size) ||
      !get(file, optional + 108, directories) || optional_size < 112)
    return image;
  if (image_size == 0 || image_size > kMaxImage || header_size > image_size || header_size > file.size())
    return image;
  if (image_size < 16 || image.entry_ > image_size - 16) return image;
  image.memory_.resize(align_up(image_size, efi::kPageSize));
  std::memcpy(image.memory_.data(), file.data(), header_size);

  const u64 table = optional + optional_size;
  for (u32 i = 0; i < sections; i++) {
    Section s;
    const u64 at = table + 40 * u64{i} + 8;
    if (!get(file, at, s.virtual_size) || !get(file, at + 4, s.rva) || !get(file, at + 8, s.raw_size) ||
        !get(file, at + 12, s.raw_offset) || !place_section(file, s, image.memory_))
      return image;
  }
  const u64 directory = optional + 112 + 8 * kRelocationDirectory;
  if (directories > kRelocationDirectory && optional_size >= 112 + 8 * (kRelocationDirectory + 1)) {
    if (!get(file, directory, image.relocation_rva_) || !get(file, directory + 4, image.relocation_size_))
      return image;
    const u64 size = image.memory_.size();
    if (image.relocation_rva_ > size || image.relocation_size_ > size - image.relocation_rva_) return image;
  }
  status = efi::kSuccess;
  return image;
}

bool PeImage::apply_block(std::vector<u8>& image, u32 page, std::span<const u8> entries, u64 delta) const {
  for (size_t i = 0; i + 2 <= entries.size(); i += 2) {
    const u16 entry = load_le<u16>(entries.data() + i);
    const u64 at = u64{page} + (entry & 0xfff);
    const auto room = [&](u64 n) { return at <= image.size() && n <= image.size() - at; };
    switch (entry >> 12) {
      case kAbsolute: break;
      case kDir64:
        if (!room(8)) return false;
        store_le(&image[at], load_le<u64>(&image[at]) + delta);
        break;
      case kHighLow:
        if (!room(4)) return false;
        store_le(&image[at], static_cast<u32>(load_le<u32>(&image[at]) + delta));
        break;
      case kImm64: {
        // The offset names the bundle, some tools name the slot in its low bits.
        const u64 bundle = align_down(at, 16);
        if (bundle > image.size() || image.size() - bundle < 16) return false;
        relocate_movl(&image[bundle], delta);
        break;
      }
      default: return false;
    }
  }
  return true;
}

std::vector<u8> PeImage::relocated(u64 base) const {
  std::vector<u8> image = memory_;
  const u64 delta = base - preferred_base_;
  if (delta == 0) return image;
  u64 at = relocation_rva_;
  const u64 end = at + relocation_size_;
  while (end - at >= 8) {
    // The table is read from the unrelocated copy, so a table that relocates itself cannot mislead us.
    const u32 page = load_le<u32>(&memory_[at]), size = load_le<u32>(&memory_[at + 4]);
    if (size == 0) break;  // padding behind the last block
    if (size < 8 || size > end - at) return {};
    if (!apply_block(image, page, std::span(memory_).subspan(at + 8, size - 8), delta)) return {};
    at += size;
  }
  return image;
}

void relocate_movl(u8* bundle, u64 delta) {
  u64 low = load_le<u64>(bundle), high = load_le<u64>(bundle + 8);
  // Slot 1 (the L slot) holds imm41; slot 2: i at 36, imm9d at 35:27, imm5c at 26:22, ic at 21, imm7b at
  // 19:13.
  const u64 imm41 = (low >> 46) | ((high & low_mask(23)) << 18);
  const u64 slot2 = high >> 23;
  u64 v = field(slot2, 13, 7) | field(slot2, 27, 9) << 7 | field(slot2, 22, 5) << 16 |
          field(slot2, 21, 1) << 21 | imm41 << 22 | field(slot2, 36, 1) << 63;
  v += delta;
  u64 s = slot2;
  s = with_field(s, 13, 7, v);
  s = with_field(s, 27, 9, v >> 7);
  s = with_field(s, 22, 5, v >> 16);
  s = with_field(s, 21, 1, v >> 21);
  s = with_field(s, 36, 1, v >> 63);
  const u64 l = field(v, 22, 41);
  low = (low & low_mask(46)) | l << 46;
  high = (s << 23) | (l >> 18);
  store_le(bundle, low);
  store_le(bundle + 8, high);
}

}  // namespace ia64::firmware
