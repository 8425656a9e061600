// INQUIRY data: the standard page and the vital product data pages of disks and DVDs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/int_types.h"

namespace ia64::storage::scsi {

/// Peripheral device types. @source SPC-4 6.4.2
inline constexpr u8 kTypeDisk = 0x00, kTypeDvd = 0x05;

/// What a disk or a DVD says about itself. Strings are padded or cut to their fields.
struct DiskIdentity {
  std::string vendor = "HP";  ///< 8 characters
  std::string product =
      "Virtual FileDisk";         ///< 16 characters: Virtual Disk, Virtual LvDisk, Virtual FileDisk
  std::string revision = "0100";  ///< 4 characters
  std::string serial{};           ///< printable; tells disks of one guest apart
  bool parallel_bus = false;      ///< sits on a parallel SCSI bus: announces wide, synchronous, DT transfers
  u32 max_transfer_bytes = 0;     ///< announced on page B0h and enforced; 0: no limit of our own
  u8 device_type = kTypeDisk;     ///< kTypeDisk or kTypeDvd (removable)
  u32 block_bytes = 512;
};

/// Limits announced on page B0h and enforced by the target.
inline constexpr u32 kMaxWriteSameBlocks = 65536;
inline constexpr u32 kMaxUnmapBlocks = 0x10'0000;
inline constexpr u32 kMaxUnmapDescriptors = 255;
inline constexpr u8 kMaxCompareAndWriteBlocks = 128;

/// Standard INQUIRY data, 96 bytes. @source SPC-4 6.4.2
std::vector<u8> standard_inquiry(const DiskIdentity& id);
/// The same for a logical unit that is not there: peripheral qualifier 3, type 1Fh.
std::vector<u8> absent_unit_inquiry();
/// VPD page `page` with its header, or nothing when there is no such page. @source SPC-4 7.8, SBC-3 6.6
std::optional<std::vector<u8>> vital_product_data(u8 page, const DiskIdentity& id);

}  // namespace ia64::storage::scsi
