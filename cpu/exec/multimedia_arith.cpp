// Parallel arithmetic: add, subtract, average, compare, shift, multiply, minimum, maximum, sum of differences.
// @source SDM vol. 3, padd, psub, pavg, pavgsub, pcmp, pshl, pshr, pshladd, pshradd, pmpy, pmpyshr, pmin, pmax, psad
#include "cpu/exec/handlers.h"
#include "cpu/exec/lanes.h"
#include "cpu/exec/operands.h"

namespace ia64::cpu {

namespace {

template <class Lane>
u64 add(u64 a, u64 b) {
  return map_lanes<Lane, Lane>(a, b, [](i64 x, i64 y) { return x + y; });
}
template <class Lane>
u64 subtract(u64 a, u64 b) {
  return map_lanes<Lane, Lane>(a, b, [](i64 x, i64 y) { return x - y; });
}

// The saturation suffix names result, first and second operand; A is the type of result and first, B of the second.
template <class A, class B>
u64 add_saturated(u64 a, u64 b) {
  return map_lanes<A, B>(a, b, [](i64 x, i64 y) { return saturate<A>(x + y); });
}
template <class A, class B>
u64 subtract_saturated(u64 a, u64 b) {
  return map_lanes<A, B>(a, b, [](i64 x, i64 y) { return saturate<A>(x - y); });
}

// The bit shifted out is ORed into the result, unless .raz asks to round away from zero.
template <class Lane>
u64 average(u64 a, u64 b) {
  return map_lanes<Lane, Lane>(a, b, [](i64 x, i64 y) { return (x + y) >> 1 | ((x + y) & 1); });
}
template <class Lane>
u64 average_raz(u64 a, u64 b) {
  return map_lanes<Lane, Lane>(a, b, [](i64 x, i64 y) { return (x + y + 1) >> 1; });
}
template <class Lane>
u64 average_difference(u64 a, u64 b) {
  return map_lanes<Lane, Lane>(a, b, [](i64 x, i64 y) { return (x - y) >> 1 | ((x - y) & 1); });
}

template <class Lane>
u64 equal_mask(u64 a, u64 b) {
  return map_lanes<Lane, Lane>(a, b, [](i64 x, i64 y) { return x == y ? -1 : 0; });
}
template <class Lane>
u64 greater_mask(u64 a, u64 b) {
  return map_lanes<Lane, Lane>(a, b, [](i64 x, i64 y) { return x > y ? -1 : 0; });
}

// Counts at or above the element's size shift everything out (the sign stays when signed).
template <class Lane>
u64 shift_left(u64 a, u64 count) {
  return count >= sizeof(Lane) * 8 ? 0 : map_lanes<Lane>(a, [=](i64 x) { return static_cast<i64>(static_cast<u64>(x) << count); });
}
template <class Lane>
u64 shift_right(u64 a, u64 count) {
  const unsigned n = count > 63 ? 63 : static_cast<unsigned>(count);  // lanes are widened, so 63 empties every size
  return map_lanes<Lane>(a, [=](i64 x) { return x >> n; });
}

// If the shift already overflows, the result is saturated and nothing is added.
u64 shift_left_add(u64 a, u64 b, unsigned count) {
  return map_lanes<i16, i16>(a, b, [=](i64 x, i64 y) {
    const i64 shifted = x * (i64{1} << count), limited = saturate<i16>(shifted);
    return shifted != limited ? limited : saturate<i16>(shifted + y);
  });
}
u64 shift_right_add(u64 a, u64 b, unsigned count) {
  return map_lanes<i16, i16>(a, b, [=](i64 x, i64 y) { return saturate<i16>((x >> count) + y); });
}

// Full 32-bit products of elements `first` and `first` + 2.
u64 multiply_pairs(u64 a, u64 b, unsigned first) {
  const auto product = [&](unsigned n) { return static_cast<u64>(i64{lane<i16>(a, n)} * lane<i16>(b, n)); };
  return in_lane<u32>(product(first), 0) | in_lane<u32>(product(first + 2), 1);
}
template <class Lane>
u64 multiply_shift(u64 a, u64 b, unsigned count) {
  return map_lanes<Lane, Lane>(a, b, [=](i64 x, i64 y) { return (x * y) >> count; });
}

template <class Lane>
u64 minimum(u64 a, u64 b) {
  return map_lanes<Lane, Lane>(a, b, [](i64 x, i64 y) { return x < y ? x : y; });
}
template <class Lane>
u64 maximum(u64 a, u64 b) {
  return map_lanes<Lane, Lane>(a, b, [](i64 x, i64 y) { return x > y ? x : y; });
}

u64 sum_of_differences(u64 a, u64 b) {
  u64 sum = 0;
  for (unsigned n = 0; n < 8; n++) {
    const int d = int{lane<u8>(a, n)} - int{lane<u8>(b, n)};
    sum += static_cast<u64>(d < 0 ? -d : d);
  }
  return sum;
}

}  // namespace

HANDLER_R2_R3(padd1_a9, add<u8>(a, b))
HANDLER_R2_R3(padd2_a9, add<u16>(a, b))
HANDLER_R2_R3(padd4_a9, add<u32>(a, b))
HANDLER_R2_R3(padd1_sss_a9, (add_saturated<i8, i8>(a, b)))
HANDLER_R2_R3(padd2_sss_a9, (add_saturated<i16, i16>(a, b)))
HANDLER_R2_R3(padd1_uuu_a9, (add_saturated<u8, u8>(a, b)))
HANDLER_R2_R3(padd2_uuu_a9, (add_saturated<u16, u16>(a, b)))
HANDLER_R2_R3(padd1_uus_a9, (add_saturated<u8, i8>(a, b)))
HANDLER_R2_R3(padd2_uus_a9, (add_saturated<u16, i16>(a, b)))

HANDLER_R2_R3(psub1_a9, subtract<u8>(a, b))
HANDLER_R2_R3(psub2_a9, subtract<u16>(a, b))
HANDLER_R2_R3(psub4_a9, subtract<u32>(a, b))
HANDLER_R2_R3(psub1_sss_a9, (subtract_saturated<i8, i8>(a, b)))
HANDLER_R2_R3(psub2_sss_a9, (subtract_saturated<i16, i16>(a, b)))
HANDLER_R2_R3(psub1_uuu_a9, (subtract_saturated<u8, u8>(a, b)))
HANDLER_R2_R3(psub2_uuu_a9, (subtract_saturated<u16, u16>(a, b)))
HANDLER_R2_R3(psub1_uus_a9, (subtract_saturated<u8, i8>(a, b)))
HANDLER_R2_R3(psub2_uus_a9, (subtract_saturated<u16, i16>(a, b)))

HANDLER_R2_R3(pavg1_a9, average<u8>(a, b))
HANDLER_R2_R3(pavg2_a9, average<u16>(a, b))
HANDLER_R2_R3(pavg1_raz_a9, average_raz<u8>(a, b))
HANDLER_R2_R3(pavg2_raz_a9, average_raz<u16>(a, b))
HANDLER_R2_R3(pavgsub1_a9, average_difference<u8>(a, b))
HANDLER_R2_R3(pavgsub2_a9, average_difference<u16>(a, b))

HANDLER_R2_R3(pcmp1_eq_a9, equal_mask<u8>(a, b))
HANDLER_R2_R3(pcmp2_eq_a9, equal_mask<u16>(a, b))
HANDLER_R2_R3(pcmp4_eq_a9, equal_mask<u32>(a, b))
HANDLER_R2_R3(pcmp1_gt_a9, greater_mask<i8>(a, b))
HANDLER_R2_R3(pcmp2_gt_a9, greater_mask<i16>(a, b))
HANDLER_R2_R3(pcmp4_gt_a9, greater_mask<i32>(a, b))

HANDLER_R2_R3(pshladd2_a10, shift_left_add(a, b, i.pos))
HANDLER_R2_R3(pshradd2_a10, shift_right_add(a, b, i.pos))

HANDLER_R2_R3(pmpyshr2_i1, multiply_shift<i16>(a, b, i.pos))
HANDLER_R2_R3(pmpyshr2_u_i1, multiply_shift<u16>(a, b, i.pos))
HANDLER_R2_R3(pmpy2_r_i2, multiply_pairs(a, b, 0))
HANDLER_R2_R3(pmpy2_l_i2, multiply_pairs(a, b, 1))

HANDLER_R2_R3(pmin1_u_i2, minimum<u8>(a, b))
HANDLER_R2_R3(pmax1_u_i2, maximum<u8>(a, b))
HANDLER_R2_R3(pmin2_i2, minimum<i16>(a, b))
HANDLER_R2_R3(pmax2_i2, maximum<i16>(a, b))
HANDLER_R2_R3(psad1_i2, sum_of_differences(a, b))

HANDLER_R2_R3(pshr2_i5, shift_right<i16>(b, a))
HANDLER_R2_R3(pshr4_i5, shift_right<i32>(b, a))
HANDLER_R2_R3(pshr2_u_i5, shift_right<u16>(b, a))
HANDLER_R2_R3(pshr4_u_i5, shift_right<u32>(b, a))
HANDLER_R3(pshr2_i6, shift_right<i16>(b, i.pos))
HANDLER_R3(pshr4_i6, shift_right<i32>(b, i.pos))
HANDLER_R3(pshr2_u_i6, shift_right<u16>(b, i.pos))
HANDLER_R3(pshr4_u_i6, shift_right<u32>(b, i.pos))
HANDLER_R2_R3(pshl2_i7, shift_left<u16>(a, b))
HANDLER_R2_R3(pshl4_i7, shift_left<u32>(a, b))
HANDLER_R2(pshl2_i8, shift_left<u16>(a, i.pos))
HANDLER_R2(pshl4_i8, shift_left<u32>(a, i.pos))

}  // namespace ia64::cpu
