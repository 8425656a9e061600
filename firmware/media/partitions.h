// Partition tables: GPT, MBR with logical partitions, and El Torito boot images.
#pragma once

#include <vector>

#include "firmware/efi/guid.h"
#include "firmware/media/block_medium.h"

namespace ia64::firmware {

/// One partition in blocks of its medium; always inside it and not empty.
struct Partition {
  enum class Kind : u8 { Gpt, Mbr, ElTorito };
  Kind kind = Kind::Gpt;
  u32 number = 0;  ///< 1.. for GPT (entry index + 1) and MBR (logical ones from 5); the catalog entry, from
                   ///< 0, for El Torito
  u64 first = 0, count = 0;
  Guid type;          ///< GPT partition type
  Guid unique;        ///< GPT unique partition GUID
  u32 signature = 0;  ///< MBR disk signature
  u8 mbr_type = 0;
};

/// Every partition of the medium in table order, by the first scheme that matches: GPT (its backup when the
/// primary is damaged), El Torito, MBR. Contents are not trusted: bad entries are left out, chains are
/// bounded.
/// @source EFI 1.10, 11.2; El Torito 1.0
std::vector<Partition> find_partitions(BlockMedium& medium);

/// CRC-32 as EFI uses it (polynomial 0x04C11DB7, reflected).
u32 gpt_crc32(std::span<const u8> bytes);

}  // namespace ia64::firmware
