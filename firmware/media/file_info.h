// EFI_FILE_INFO and its relatives as byte images.
#pragma once

#include <optional>

#include "firmware/media/fat_volume.h"

namespace ia64::firmware {

/// The fields of EFI_FILE_INFO. @source EFI 1.10, 11.5 (EFI_FILE_INFO)
struct FileInfo {
  u64 file_size = 0, physical_size = 0;
  EfiTime create{}, access{}, modify{};
  u64 attributes = 0;
  std::u16string name;
};

/// What a directory entry says. @param cluster_bytes rounds the physical size
FileInfo file_info_of(const fat::Slot& slot, std::u16string_view name, u32 cluster_bytes);
std::vector<u8> encode(const FileInfo& info);
/// @returns nothing when the bytes are too short or the name has no end
std::optional<FileInfo> decode_file_info(std::span<const u8> bytes);
/// `slot` with the attributes of `info`, and with those of its times that are not zero.
/// @returns nothing when a time is not a valid one
std::optional<fat::Slot> apply_file_info(fat::Slot slot, const FileInfo& info);

std::vector<u8> encode_file_system_info(bool read_only, u64 volume_bytes, u64 free_bytes, u32 block_bytes,
                                        std::u16string_view label);
/// The label of EFI_FILE_SYSTEM_INFO (offset 36) or EFI_FILE_SYSTEM_VOLUME_LABEL_INFO (offset 0).
std::optional<std::u16string> decode_label(std::span<const u8> bytes, size_t offset);
std::vector<u8> encode_label(std::u16string_view label);

}  // namespace ia64::firmware
