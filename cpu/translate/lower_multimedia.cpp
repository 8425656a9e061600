// Lowering of the parallel integer instructions that the host has too.
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"
#include "cpu/translate/parallel.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;

Value two(L& l, Parallel what, Value a, Value b) { return l.binary(parallel, a, b, static_cast<u64>(what)); }
Value one(L& l, ParallelImm what, Value a, u64 count) {
  return l.unary(parallel_imm, a, static_cast<u64>(what) | count << 8);
}

template <Parallel kWhat>
void r2_r3(L& l, const Insn& i) {
  l.set_gr(i, i.r1, two(l, kWhat, l.gr(i, i.r2), l.gr(i, i.r3)));
}
template <Parallel kWhat>
void r3_r2(L& l, const Insn& i) {
  l.set_gr(i, i.r1, two(l, kWhat, l.gr(i, i.r3), l.gr(i, i.r2)));
}
template <ParallelImm kWhat>
void r2_count(L& l, const Insn& i) {
  l.set_gr(i, i.r1, one(l, kWhat, l.gr(i, i.r2), i.pos));
}
template <ParallelImm kWhat>
void r3_count(L& l, const Insn& i) {
  l.set_gr(i, i.r1, one(l, kWhat, l.gr(i, i.r3), i.pos));
}
template <ParallelImm kWhat>
void r3_only(L& l, const Insn& i) {
  l.set_gr(i, i.r1, one(l, kWhat, l.gr(i, i.r3), 0));
}

/// The host has the shifts by nothing and by a whole element.
template <Parallel kHigh>
void multiply_shift(L& l, const Insn& i) {
  if (i.pos != 0 && i.pos != 16) return l.call(i);
  l.set_gr(i, i.r1, two(l, i.pos ? kHigh : Parallel::MultiplyLow2, l.gr(i, i.r2), l.gr(i, i.r3)));
}
/// The other factors are made zero.
template <u64 kMask>
void multiply_pairs(L& l, const Insn& i) {
  l.set_gr(i, i.r1, two(l, Parallel::MultiplyAdd2, l.binary(and_, l.gr(i, i.r2), l.constant(kMask)), l.gr(i, i.r3)));
}

/// @tparam kMask  the elements at even places
template <unsigned kBits, u64 kMask>
void mix_right(L& l, const Insn& i) {
  const Value odd = l.unary(shl_imm, l.binary(and_, l.gr(i, i.r2), l.constant(kMask)), kBits);
  l.set_gr(i, i.r1, l.binary(or_, odd, l.binary(and_, l.gr(i, i.r3), l.constant(kMask))));
}
template <unsigned kBits, u64 kMask>
void mix_left(L& l, const Insn& i) {
  const Value even = l.binary(and_, l.unary(shr_imm, l.gr(i, i.r3), kBits), l.constant(kMask));
  l.set_gr(i, i.r1, l.binary(or_, l.binary(and_, l.gr(i, i.r2), l.constant(~kMask)), even));
}

void permute_bytes(L& l, const Insn& i) {
  constexpr u64 kBroadcast = 0, kReverse = 0xb;
  if (i.imm == kReverse) return l.set_gr(i, i.r1, l.unary(swap_bytes, l.gr(i, i.r2)));
  if (i.imm != kBroadcast) return l.call(i);
  l.set_gr(i, i.r1, l.binary(mul, l.unary(zxt8, l.gr(i, i.r2)), l.constant(0x0101'0101'0101'0101)));
}
void permute_halves(L& l, const Insn& i) { l.set_gr(i, i.r1, one(l, ParallelImm::Shuffle2, l.gr(i, i.r2), i.imm)); }

constexpr u64 kEvenBytes = 0x00ff'00ff'00ff'00ff, kEvenHalves = 0x0000'ffff'0000'ffff;

void add_arithmetic(LowerTable& t) {
  using enum Parallel;
  t[&padd1_a9] = r2_r3<Add1>, t[&padd2_a9] = r2_r3<Add2>, t[&padd4_a9] = r2_r3<Add4>;
  t[&padd1_sss_a9] = r2_r3<AddSigned1>, t[&padd2_sss_a9] = r2_r3<AddSigned2>;
  t[&padd1_uuu_a9] = r2_r3<AddUnsigned1>, t[&padd2_uuu_a9] = r2_r3<AddUnsigned2>;
  t[&psub1_a9] = r2_r3<Sub1>, t[&psub2_a9] = r2_r3<Sub2>, t[&psub4_a9] = r2_r3<Sub4>;
  t[&psub1_sss_a9] = r2_r3<SubSigned1>, t[&psub2_sss_a9] = r2_r3<SubSigned2>;
  t[&psub1_uuu_a9] = r2_r3<SubUnsigned1>, t[&psub2_uuu_a9] = r2_r3<SubUnsigned2>;
  t[&pavg1_raz_a9] = r2_r3<Average1>, t[&pavg2_raz_a9] = r2_r3<Average2>;
  t[&pcmp1_eq_a9] = r2_r3<Equal1>, t[&pcmp2_eq_a9] = r2_r3<Equal2>, t[&pcmp4_eq_a9] = r2_r3<Equal4>;
  t[&pcmp1_gt_a9] = r2_r3<Greater1>, t[&pcmp2_gt_a9] = r2_r3<Greater2>, t[&pcmp4_gt_a9] = r2_r3<Greater4>;
  t[&pmin1_u_i2] = r2_r3<MinUnsigned1>, t[&pmax1_u_i2] = r2_r3<MaxUnsigned1>;
  t[&pmin2_i2] = r2_r3<Min2>, t[&pmax2_i2] = r2_r3<Max2>, t[&psad1_i2] = r2_r3<DifferenceSum1>;
  t[&pmpyshr2_i1] = multiply_shift<MultiplyHigh2>, t[&pmpyshr2_u_i1] = multiply_shift<MultiplyHighUnsigned2>;
  t[&pmpy2_r_i2] = multiply_pairs<kEvenHalves>, t[&pmpy2_l_i2] = multiply_pairs<~kEvenHalves>;
}

void add_shifts(LowerTable& t) {
  using P = Parallel;
  using One = ParallelImm;
  t[&pshl2_i7] = r2_r3<P::ShiftLeft2>, t[&pshl4_i7] = r2_r3<P::ShiftLeft4>;
  t[&pshr2_i5] = r3_r2<P::ShiftRight2>, t[&pshr4_i5] = r3_r2<P::ShiftRight4>;
  t[&pshr2_u_i5] = r3_r2<P::ShiftRightUnsigned2>, t[&pshr4_u_i5] = r3_r2<P::ShiftRightUnsigned4>;
  t[&pshl2_i8] = r2_count<One::ShiftLeft2>, t[&pshl4_i8] = r2_count<One::ShiftLeft4>;
  t[&pshr2_i6] = r3_count<One::ShiftRight2>, t[&pshr4_i6] = r3_count<One::ShiftRight4>;
  t[&pshr2_u_i6] = r3_count<One::ShiftRightUnsigned2>, t[&pshr4_u_i6] = r3_count<One::ShiftRightUnsigned4>;
}

void add_rearrangements(LowerTable& t) {
  using enum Parallel;
  using One = ParallelImm;
  t[&mix1_r_i2] = mix_right<8, kEvenBytes>, t[&mix1_l_i2] = mix_left<8, kEvenBytes>;
  t[&mix2_r_i2] = mix_right<16, kEvenHalves>, t[&mix2_l_i2] = mix_left<16, kEvenHalves>;
  t[&pack2_sss_i2] = r2_r3<PackSigned2>, t[&pack2_uss_i2] = r2_r3<PackUnsigned2>, t[&pack4_sss_i2] = r2_r3<PackSigned4>;
  // The register named last gives the lower of each pair.
  t[&unpack1_l_i2] = r3_r2<UnpackLow1>, t[&unpack2_l_i2] = r3_r2<UnpackLow2>, t[&unpack4_l_i2] = r3_r2<UnpackLow4>;
  t[&unpack1_h_i2] = r3_r2<UnpackHigh1>, t[&unpack2_h_i2] = r3_r2<UnpackHigh2>, t[&unpack4_h_i2] = r3_r2<UnpackHigh4>;
  t[&mux1_i3] = permute_bytes, t[&mux2_i4] = permute_halves;
  t[&czx1_r_i29] = r3_only<One::ZeroFromRight1>, t[&czx2_r_i29] = r3_only<One::ZeroFromRight2>;
  t[&czx1_l_i29] = r3_only<One::ZeroFromLeft1>, t[&czx2_l_i29] = r3_only<One::ZeroFromLeft2>;
}

}  // namespace

void add_multimedia_rules(LowerTable& t) {
  add_arithmetic(t);
  add_shifts(t);
  add_rearrangements(t);
}

}  // namespace ia64::cpu::ir
