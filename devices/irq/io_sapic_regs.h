// I/O SAPIC registers. @source Intel 460GX chipset software developer's manual, I/O SAPIC (PID); platform
// reference 3.2
#pragma once

#include "base/int_types.h"

namespace ia64::devices::io_sapic {

inline constexpr u64 kSelect = 0x00;
inline constexpr u64 kWindow = 0x10;
inline constexpr u64 kEoi = 0x40;
inline constexpr u64 kSizeBytes = 0x1000;

inline constexpr u8 kIndexId = 0;
inline constexpr u8 kIndexVersion = 1;
inline constexpr u8 kIndexRte0 = 0x10;  ///< low word of RTE 0; then high word, RTE 1 low, ...

inline constexpr u32 kVersion = 0x20;

// Redirection table entry, low word.
inline constexpr u32 kRteVectorMask = 0xff;
inline constexpr unsigned kRteModeShift = 8;
inline constexpr u32 kRteDeliveryStatus = 1u << 12;  ///< read-only
inline constexpr u32 kRteActiveLow = 1u << 13;
inline constexpr u32 kRteRemoteIrr = 1u << 14;  ///< read-only, level only
inline constexpr u32 kRteLevel = 1u << 15;
inline constexpr u32 kRteMask = 1u << 16;
inline constexpr u32 kRteLowWritable =
    kRteVectorMask | (7u << kRteModeShift) | kRteActiveLow | kRteLevel | kRteMask;
// High word: destination id 31:24, eid 23:16.
inline constexpr u32 kRteHighWritable = 0xffff'0000;

}  // namespace ia64::devices::io_sapic
