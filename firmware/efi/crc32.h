// The CRC-32 of EFI table headers, GPT and NVRAM images (IEEE 802.3, reflected, inverted).
#pragma once

#include <span>

#include "base/int_types.h"

namespace ia64::firmware {

/// CRC-32 over `bytes`. @param seed the result of an earlier part to continue, 0 to start
u32 crc32(std::span<const u8> bytes, u32 seed = 0);

}  // namespace ia64::firmware
