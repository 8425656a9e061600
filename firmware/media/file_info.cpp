// Encoding and decoding of EFI file information structures. @source EFI 1.10, 11.5
#include "firmware/media/file_info.h"

#include "base/bits.h"
#include "firmware/tables/byte_image.h"

namespace ia64::firmware {

namespace {

constexpr size_t kNameAt = 80, kFileSystemLabelAt = 36;
// Time stamps inside a directory entry.
constexpr size_t kCreateTime = 14, kCreateDate = 16, kAccessDate = 18, kWriteTime = 22, kWriteDate = 24;

fat::Stamp stamp_at(const fat::Slot& s, size_t date, size_t time) {
  return {load_le<u16>(s.raw + date), time ? load_le<u16>(s.raw + time) : u16{0}};
}

void put_name(ByteImage& b, std::u16string_view text) {
  for (const char16_t c : text) b.u16v(c);
  b.u16v(0);
}

std::optional<std::u16string> name_at(std::span<const u8> bytes, size_t at) {
  std::u16string s;
  for (; at + 2 <= bytes.size(); at += 2) {
    const auto c = static_cast<char16_t>(load_le<u16>(&bytes[at]));
    if (c == 0) return s;
    s.push_back(c);
  }
  return {};
}

bool is_zero(const EfiTime& t) {
  return t.year == 0 && t.month == 0 && t.day == 0 && t.hour == 0 && t.minute == 0 && t.second == 0;
}

/// Stores a time unless it is zero ("leave it"). @returns false when it is no valid time
bool put_time(fat::Slot& s, const EfiTime& t, size_t date, size_t time) {
  if (is_zero(t)) return true;
  if (!valid(t)) return false;
  const fat::Stamp stamp = fat::to_stamp(t);
  store_le(s.raw + date, stamp.date);
  if (time) store_le(s.raw + time, stamp.time);
  return true;
}

}  // namespace

FileInfo file_info_of(const fat::Slot& slot, std::u16string_view name, u32 cluster_bytes) {
  FileInfo i;
  i.file_size = slot.is_directory() ? 0 : slot.size();
  i.physical_size = align_up(i.file_size, cluster_bytes);
  i.create = fat::to_efi_time(stamp_at(slot, kCreateDate, kCreateTime));
  i.access = fat::to_efi_time(stamp_at(slot, kAccessDate, 0));
  i.modify = fat::to_efi_time(stamp_at(slot, kWriteDate, kWriteTime));
  i.attributes = slot.attributes() & 0x37;
  i.name = name;
  return i;
}

std::vector<u8> encode(const FileInfo& i) {
  ByteImage b;
  b.u64v(kNameAt + 2 * (i.name.size() + 1)).u64v(i.file_size).u64v(i.physical_size);
  b.raw(&i.create, 16).raw(&i.access, 16).raw(&i.modify, 16).u64v(i.attributes);
  put_name(b, i.name);
  return b.take();
}

std::optional<FileInfo> decode_file_info(std::span<const u8> bytes) {
  if (bytes.size() < kNameAt + 2) return {};
  FileInfo i;
  i.file_size = load_le<u64>(&bytes[8]), i.physical_size = load_le<u64>(&bytes[16]);
  std::memcpy(&i.create, &bytes[24], 16), std::memcpy(&i.access, &bytes[40], 16),
      std::memcpy(&i.modify, &bytes[56], 16);
  i.attributes = load_le<u64>(&bytes[72]);
  const auto name = name_at(bytes, kNameAt);
  if (!name) return {};
  i.name = *name;
  return i;
}

std::optional<fat::Slot> apply_file_info(fat::Slot slot, const FileInfo& info) {
  slot.raw[11] = static_cast<u8>(info.attributes);
  if (!put_time(slot, info.create, kCreateDate, kCreateTime) ||
      !put_time(slot, info.access, kAccessDate, 0) || !put_time(slot, info.modify, kWriteDate, kWriteTime))
    return {};
  return slot;
}

std::vector<u8> encode_file_system_info(bool read_only, u64 volume_bytes, u64 free_bytes, u32 block_bytes,
                                        std::u16string_view label) {
  ByteImage b;
  b.u64v(kFileSystemLabelAt + 2 * (label.size() + 1))
      .u8v(read_only)
      .zeros(7)
      .u64v(volume_bytes)
      .u64v(free_bytes)
      .u32v(block_bytes);
  put_name(b, label);
  return b.take();
}

std::optional<std::u16string> decode_label(std::span<const u8> bytes, size_t offset) {
  return name_at(bytes, offset);
}

std::vector<u8> encode_label(std::u16string_view label) {
  ByteImage b;
  put_name(b, label);
  return b.take();
}

}  // namespace ia64::firmware
