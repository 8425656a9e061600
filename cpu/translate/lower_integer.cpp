// Lowering of integer arithmetic, logic, shifts, bit fields, extensions and moves to and from branch registers.
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"
#include "base/bits.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;

template <Opcode kCode>
void r2_r3(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.binary(kCode, l.gr(i, i.r2), l.gr(i, i.r3)));
}
template <Opcode kCode>
void imm_r3(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.binary(kCode, l.constant(i.imm), l.gr(i, i.r3)));
}
template <Opcode kCode>
void r3_only(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.unary(kCode, l.gr(i, i.r3)));
}

Value extract(L& l, Value v, unsigned pos, unsigned len, Opcode down) {
  if (len == 0) return l.constant(0);
  if (down == shr_imm && pos + len < 64) {
    // A byte, half or word at the bottom, or a mask that fits into an instruction.
    if (pos == 0 && (len == 8 || len == 16 || len == 32)) return l.unary(len == 8 ? zxt8 : len == 16 ? zxt16 : zxt32, v);
    if (len < 32) return l.binary(and_, pos ? l.unary(rotr_imm, v, pos) : v, l.constant(low_mask(len)));
  }
  return l.unary(down, l.unary(shl_imm, v, 64 - pos - len), 64 - len);
}
unsigned clipped_length(const Insn& i) { return i.pos + i.len > 64 ? 64u - i.pos : i.len; }

Value deposit(L& l, const Insn& i, Value into, Value from) {
  const u64 field_mask = low_mask(clipped_length(i));
  const Value field = l.unary(shl_imm, l.binary(and_, from, l.constant(field_mask)), i.pos);
  return l.binary(or_, l.binary(and_, into, l.constant(~(field_mask << i.pos))), field);
}

/// A 32-bit sum in the region that bits 31:30 of the base select.
Value pointer(L& l, Value sum, Value base) {
  const Value region = l.unary(shl_imm, l.unary(shr_imm, l.unary(zxt32, base), 30), 61);
  return l.binary(or_, l.unary(zxt32, sum), region);
}

void add_one(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.binary(add, l.binary(add, l.gr(i, i.r2), l.gr(i, i.r3)), l.constant(1)));
}
void sub_one(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.binary(sub, l.binary(sub, l.gr(i, i.r2), l.gr(i, i.r3)), l.constant(1)));
}
void shift_add(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.binary(add, l.unary(shl_imm, l.gr(i, i.r2), i.pos), l.gr(i, i.r3)));
}
void add_pointer(L& l, const Insn& i) {
  const Value base = l.gr(i, i.r3);
  l.set_gr(i, i.r1, pointer(l, l.binary(add, l.gr(i, i.r2), base), base));
}
void add_pointer_imm(L& l, const Insn& i) {
  const Value base = l.gr(i, i.r3);
  l.set_gr(i, i.r1, pointer(l, l.binary(add, l.constant(i.imm), base), base));
}
void shift_add_pointer(L& l, const Insn& i) {
  const Value base = l.gr(i, i.r3);
  l.set_gr(i, i.r1, pointer(l, l.binary(add, l.unary(shl_imm, l.gr(i, i.r2), i.pos), base), base));
}
void long_immediate(L& l, const Insn& i) { l.set_gr(i, i.r1, l.constant(i.imm)); }

template <Opcode kCode>
void shift_r3_by_r2(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.binary(kCode, l.gr(i, i.r3), l.gr(i, i.r2)));
}
void pair(L& l, const Insn& i) {
  if (i.r2 == i.r3) return l.set_gr(i, i.r1, l.unary(rotr_imm, l.gr(i, i.r2), i.pos));
  l.set_gr(i, i.r1, l.binary(shift_pair, l.gr(i, i.r2), l.gr(i, i.r3), i.pos));
}
template <Opcode kDown>
void extract_field(L& l, const Insn& i) {
  l.set_gr(i, i.r1, extract(l, l.gr(i, i.r3), i.pos, clipped_length(i), kDown));
}
void deposit_zero(L& l, const Insn& i) {
  // A field up to bit 63 needs no mask: the shift drops the rest.
  if (i.pos + clipped_length(i) == 64) return l.set_gr(i, i.r1, l.unary(shl_imm, l.gr(i, i.r2), i.pos));
  const Value from = l.binary(and_, l.gr(i, i.r2), l.constant(low_mask(clipped_length(i))));
  l.set_gr(i, i.r1, l.unary(shl_imm, from, i.pos));
}
void deposit_zero_imm(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.constant((i.imm & low_mask(clipped_length(i))) << i.pos));
}
void deposit_imm(L& l, const Insn& i) { l.set_gr(i, i.r1, deposit(l, i, l.gr(i, i.r3), l.constant(i.imm))); }
void deposit_r2(L& l, const Insn& i) { l.set_gr(i, i.r1, deposit(l, i, l.gr(i, i.r3), l.gr(i, i.r2))); }

void multiply_low(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.binary(mul, l.unary(zxt32, l.gr(i, i.r2)), l.unary(zxt32, l.gr(i, i.r3))));
}
void multiply_shifted(L& l, const Insn& i) {
  const Value product = l.binary(mul, l.unary(shr_imm, l.gr(i, i.r2), 32), l.unary(zxt32, l.gr(i, i.r3)));
  l.set_gr(i, i.r1, l.unary(shl_imm, product, 32));
}

// 32-bit rotations are made of these.
void mix_right(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.binary(or_, l.unary(shl_imm, l.gr(i, i.r2), 32), l.unary(zxt32, l.gr(i, i.r3))));
}
void mix_left(L& l, const Insn& i) {
  const Value high = l.unary(shl_imm, l.unary(shr_imm, l.gr(i, i.r2), 32), 32);
  l.set_gr(i, i.r1, l.binary(or_, high, l.unary(shr_imm, l.gr(i, i.r3), 32)));
}

void to_branch(L& l, const Insn& i) {
  const Location target{File::Branch, i.r1};
  Value v = l.gr(i, i.r2);
  if (i.qp) v = l.select(l.pr(i.qp), v, l.get(target));
  l.set(target, v);
}
void from_branch(L& l, const Insn& i) { l.set_gr(i, i.r1, l.get({File::Branch, i.r2})); }
void from_ip(L& l, const Insn& i) { l.set_gr(i, i.r1, l.constant(l.insn_ip(i))); }

}  // namespace

void add_integer_rules(LowerTable& t) {
  t[&add_a1] = r2_r3<add>, t[&sub_a1] = r2_r3<sub>, t[&and_a1] = r2_r3<and_>, t[&andcm_a1] = r2_r3<andn>;
  t[&or_a1] = r2_r3<or_>, t[&xor_a1] = r2_r3<xor_>, t[&add_1_a1] = add_one, t[&sub_1_a1] = sub_one;
  t[&sub_a3] = imm_r3<sub>, t[&and_a3] = imm_r3<and_>, t[&andcm_a3] = imm_r3<andn>, t[&or_a3] = imm_r3<or_>;
  t[&xor_a3] = imm_r3<xor_>, t[&adds_a4] = imm_r3<add>, t[&addl_a5] = imm_r3<add>;
  t[&shladd_a2] = shift_add, t[&shladdp4_a2] = shift_add_pointer;
  t[&addp4_a1] = add_pointer, t[&addp4_a4] = add_pointer_imm;
  t[&sxt1_i29] = r3_only<sxt8>, t[&sxt2_i29] = r3_only<sxt16>, t[&sxt4_i29] = r3_only<sxt32>;
  t[&zxt1_i29] = r3_only<zxt8>, t[&zxt2_i29] = r3_only<zxt16>, t[&zxt4_i29] = r3_only<zxt32>;
  t[&popcnt_i9] = r3_only<popcount>, t[&clz_i9] = r3_only<leading_zeros>;
  t[&mpy4_i2] = multiply_low, t[&mpyshl4_i2] = multiply_shifted, t[&movl_x2] = long_immediate;
  t[&shl_i7] = r2_r3<shl>, t[&shr_i5] = shift_r3_by_r2<sar>, t[&shr_u_i5] = shift_r3_by_r2<shr>, t[&shrp_i10] = pair;
  t[&extr_i11] = extract_field<sar_imm>, t[&extr_u_i11] = extract_field<shr_imm>;
  t[&dep_z_i12] = deposit_zero, t[&dep_z_i13] = deposit_zero_imm, t[&dep_i14] = deposit_imm, t[&dep_i15] = deposit_r2;
  t[&mix4_r_i2] = mix_right, t[&mix4_l_i2] = mix_left;
  t[&mov_i21] = to_branch, t[&mov_i22] = from_branch, t[&mov_ip_i25] = from_ip;
}

}  // namespace ia64::cpu::ir
