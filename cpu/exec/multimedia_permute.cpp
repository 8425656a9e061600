// Parallel rearrangement: mix, mux, pack, unpack, and the search for a zero element.
// @source SDM vol. 3, mix, mux, pack, unpack, czx
#include <utility>

#include "cpu/exec/handlers.h"
#include "cpu/exec/lanes.h"
#include "cpu/exec/operands.h"

namespace ia64::cpu {

namespace {

// Pairs of elements: of each pair in the result the upper comes from `a`, the lower from `b`, both from place `from(pair)`.
template <class Lane, class From>
u64 interleave(u64 a, u64 b, From from) {
  u64 result = 0;
  for (unsigned pair = 0; pair < kLanes<Lane> / 2; pair++)
    result |= in_lane<Lane>(lane<Lane>(a, from(pair)), 2 * pair + 1) | in_lane<Lane>(lane<Lane>(b, from(pair)), 2 * pair);
  return result;
}
template <class Lane>
u64 mix_left(u64 a, u64 b) {
  return interleave<Lane>(a, b, [](unsigned pair) { return 2 * pair + 1; });
}
template <class Lane>
u64 mix_right(u64 a, u64 b) {
  return interleave<Lane>(a, b, [](unsigned pair) { return 2 * pair; });
}
template <class Lane>
u64 unpack_high(u64 a, u64 b) {
  return interleave<Lane>(a, b, [](unsigned pair) { return pair + kLanes<Lane> / 2; });
}
template <class Lane>
u64 unpack_low(u64 a, u64 b) {
  return interleave<Lane>(a, b, [](unsigned pair) { return pair; });
}

// The elements of `a` fill the low half, those of `b` the high half, each saturated from Wide to Narrow.
template <class Wide, class Narrow>
u64 pack(u64 a, u64 b) {
  u64 result = 0;
  for (unsigned n = 0; n < kLanes<Wide>; n++) {
    result |= in_lane<Narrow>(static_cast<u64>(saturate<Narrow>(lane<Wide>(a, n))), n);
    result |= in_lane<Narrow>(static_cast<u64>(saturate<Narrow>(lane<Wide>(b, n))), n + kLanes<Wide>);
  }
  return result;
}

// Byte permutations by mbtype4: source element of result element 0, 1, ... 7. The decoder lets no other pattern through.
u64 permute_bytes(u64 a, u64 type) {
  static constexpr u8 kBroadcast[8] = {0, 0, 0, 0, 0, 0, 0, 0}, kMix[8] = {0, 4, 2, 6, 1, 5, 3, 7},
                      kShuffle[8] = {0, 4, 1, 5, 2, 6, 3, 7}, kAlternate[8] = {0, 2, 4, 6, 1, 3, 5, 7},
                      kReverse[8] = {7, 6, 5, 4, 3, 2, 1, 0};
  const u8* source = type == 0x0   ? kBroadcast
                     : type == 0x8 ? kMix
                     : type == 0x9 ? kShuffle
                     : type == 0xa ? kAlternate
                                   : kReverse;
  u64 result = 0;
  for (unsigned n = 0; n < 8; n++) result |= in_lane<u8>(lane<u8>(a, source[n]), n);
  return result;
}

// Two bits of mhtype8 select the source of each result element.
u64 permute_halves(u64 a, u64 selectors) {
  u64 result = 0;
  for (unsigned n = 0; n < 4; n++) result |= in_lane<u16>(lane<u16>(a, static_cast<unsigned>(field(selectors, 2 * n, 2))), n);
  return result;
}

// Index of the first zero element counted from the right (or left), or the number of elements.
template <class Lane>
u64 zero_from_right(u64 b) {
  unsigned n = 0;
  while (n < kLanes<Lane> && lane<Lane>(b, n)) n++;
  return n;
}
template <class Lane>
u64 zero_from_left(u64 b) {
  unsigned n = 0;
  while (n < kLanes<Lane> && lane<Lane>(b, kLanes<Lane> - 1 - n)) n++;
  return n;
}

}  // namespace

HANDLER_R2_R3(mix1_l_i2, mix_left<u8>(a, b))
HANDLER_R2_R3(mix2_l_i2, mix_left<u16>(a, b))
HANDLER_R2_R3(mix4_l_i2, mix_left<u32>(a, b))
HANDLER_R2_R3(mix1_r_i2, mix_right<u8>(a, b))
HANDLER_R2_R3(mix2_r_i2, mix_right<u16>(a, b))
HANDLER_R2_R3(mix4_r_i2, mix_right<u32>(a, b))

HANDLER_R2_R3(unpack1_h_i2, unpack_high<u8>(a, b))
HANDLER_R2_R3(unpack2_h_i2, unpack_high<u16>(a, b))
HANDLER_R2_R3(unpack4_h_i2, unpack_high<u32>(a, b))
HANDLER_R2_R3(unpack1_l_i2, unpack_low<u8>(a, b))
HANDLER_R2_R3(unpack2_l_i2, unpack_low<u16>(a, b))
HANDLER_R2_R3(unpack4_l_i2, unpack_low<u32>(a, b))

HANDLER_R2_R3(pack2_sss_i2, (pack<i16, i8>(a, b)))
HANDLER_R2_R3(pack2_uss_i2, (pack<i16, u8>(a, b)))
HANDLER_R2_R3(pack4_sss_i2, (pack<i32, i16>(a, b)))

HANDLER_R2(mux1_i3, permute_bytes(a, i.imm))
HANDLER_R2(mux2_i4, permute_halves(a, i.imm))

HANDLER_R3(czx1_l_i29, zero_from_left<u8>(b))
HANDLER_R3(czx2_l_i29, zero_from_left<u16>(b))
HANDLER_R3(czx1_r_i29, zero_from_right<u8>(b))
HANDLER_R3(czx2_r_i29, zero_from_right<u16>(b))

}  // namespace ia64::cpu
