// Element-wise operation on the parallel data types: 8 bytes, 4 two-byte or 2 four-byte elements of a general register.
#pragma once

#include "base/bits.h"

namespace ia64::cpu {

/// Element `n` of `v`, element 0 being the least significant, as the (signed or unsigned) type Lane.
template <class Lane>
constexpr Lane lane(u64 v, unsigned n) {
  return static_cast<Lane>(v >> (n * sizeof(Lane) * 8));
}

/// Element `n` in place, zeros elsewhere.
template <class Lane>
constexpr u64 in_lane(u64 value, unsigned n) {
  return (value & low_mask(sizeof(Lane) * 8)) << (n * sizeof(Lane) * 8);
}

template <class Lane>
inline constexpr unsigned kLanes = 8 / sizeof(Lane);

/// The register whose element n is op(a[n], b[n]), cut to the element's size. `op` gets elements widened to i64.
template <class A, class B, class Op>
constexpr u64 map_lanes(u64 a, u64 b, Op op) {
  static_assert(sizeof(A) == sizeof(B));
  u64 result = 0;
  for (unsigned n = 0; n < kLanes<A>; n++)
    result |= in_lane<A>(static_cast<u64>(op(i64{lane<A>(a, n)}, i64{lane<B>(b, n)})), n);
  return result;
}

/// As above with one operand.
template <class Lane, class Op>
constexpr u64 map_lanes(u64 a, Op op) {
  u64 result = 0;
  for (unsigned n = 0; n < kLanes<Lane>; n++) result |= in_lane<Lane>(static_cast<u64>(op(i64{lane<Lane>(a, n)})), n);
  return result;
}

/// `v` forced into the range of the integer type Limit.
template <class Limit>
constexpr i64 saturate(i64 v) {
  constexpr i64 low = static_cast<i64>(static_cast<Limit>(static_cast<Limit>(-1) < 0 ? Limit{1} << (sizeof(Limit) * 8 - 1) : 0));
  constexpr i64 high = static_cast<i64>(static_cast<Limit>(~static_cast<Limit>(low)));
  return v < low ? low : v > high ? high : v;
}

}  // namespace ia64::cpu
