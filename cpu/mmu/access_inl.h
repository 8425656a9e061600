// The fast path of loads and stores: one software TLB look-up, then the host access. Included by core.h only.
#pragma once

#include <emmintrin.h>

#include "base/endian.h"
#include "cpu/core.h"

namespace ia64::cpu {

namespace mmu {
/// One host access of the whole value, so that other threads never see half of it.
template <class T>
inline T host_load(const u8* p) {
  if constexpr (sizeof(T) == 16) {
    return std::bit_cast<T>(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
  } else {
    return *reinterpret_cast<const T*>(p);
  }
}
template <class T>
inline void host_store(u8* p, T v) {
  if constexpr (sizeof(T) == 16) {
    _mm_store_si128(reinterpret_cast<__m128i*>(p), std::bit_cast<__m128i>(v));
  } else {
    *reinterpret_cast<T*>(p) = v;
  }
}
}  // namespace mmu

template <class T>
inline Next Core::load(u64 va, T& value) noexcept {
  T v;
  if (const u8* p = fast_tlb_.read_pointer<sizeof(T)>(va, r_.psr)) [[likely]] {
    v = mmu::host_load<T>(p);
  } else if (load_slow(va, &v, sizeof(T), sizeof(T), sizeof(T) == 16) == Next::Fault) {
    return Next::Fault;
  }
  value = big_endian() ? byte_swap(v) : v;
  return Next::Continue;
}

template <class T>
inline Next Core::store(u64 va, T value) noexcept {
  const T v = big_endian() ? byte_swap(value) : value;
  if (u8* p = fast_tlb_.write_pointer<sizeof(T)>(va, r_.psr)) [[likely]] {
    mmu::host_store<T>(p, v);
    return Next::Continue;
  }
  return store_slow(va, &v, sizeof(T), sizeof(T), sizeof(T) == 16);
}

}  // namespace ia64::cpu
