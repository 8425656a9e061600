// Explicit byte order for memory images: load and store of little- and big-endian integers.
#pragma once

#include <bit>
#include <cstring>

#include "base/int_types.h"

namespace ia64 {

static_assert(std::endian::native == std::endian::little, "the host is x86-64");

constexpr u8 byte_swap(u8 v) { return v; }
constexpr u16 byte_swap(u16 v) { return __builtin_bswap16(v); }
constexpr u32 byte_swap(u32 v) { return __builtin_bswap32(v); }
constexpr u64 byte_swap(u64 v) { return __builtin_bswap64(v); }
inline u128 byte_swap(u128 v) {
  return (static_cast<u128>(byte_swap(static_cast<u64>(v))) << 64) | byte_swap(static_cast<u64>(v >> 64));
}

/// Reads a little-endian T from possibly unaligned memory.
template <class T>
T load_le(const void* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
/// Reads a big-endian T from possibly unaligned memory.
template <class T>
T load_be(const void* p) {
  return byte_swap(load_le<T>(p));
}
template <class T>
void store_le(void* p, T v) {
  std::memcpy(p, &v, sizeof v);
}
template <class T>
void store_be(void* p, T v) {
  store_le<T>(p, byte_swap(v));
}

}  // namespace ia64
