// Fixed-width integer names and the guest address aliases used everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ia64 {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using u128 = unsigned __int128;
using i128 = __int128;

/// A guest physical address, in bytes. Bit 63 (the uncacheable alias) is never set in one.
using GuestPhys = u64;
/// A guest virtual address, in bytes; bits 63:61 are the region number.
using GuestVirt = u64;

}  // namespace ia64
