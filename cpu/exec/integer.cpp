// Integer arithmetic and logic, 32-bit address forms, sign and zero extension, long immediates.
// @source SDM vol. 3, add, sub, shladd, addp4, and, or, xor, andcm, sxt, zxt, popcnt, clz, mpy4, mpyshl4, movl
#include <bit>

#include "cpu/exec/handlers.h"
#include "cpu/exec/operands.h"

namespace ia64::cpu {

namespace {

// addp4 and shladdp4: a 32-bit sum, made a 64-bit address in the region that the top bits of the 32-bit base select.
u64 pointer_sum(u64 sum, u64 base) { return (sum & low_mask(32)) | (field(base, 30, 2) << 61); }

}  // namespace

HANDLER_R2_R3(add_a1, a + b)
HANDLER_R2_R3(add_1_a1, a + b + 1)
HANDLER_R2_R3(sub_a1, a - b)
HANDLER_R2_R3(sub_1_a1, a - b - 1)
HANDLER_R2_R3(addp4_a1, pointer_sum(a + b, b))
HANDLER_R2_R3(and_a1, a & b)
HANDLER_R2_R3(andcm_a1, a & ~b)
HANDLER_R2_R3(or_a1, a | b)
HANDLER_R2_R3(xor_a1, a ^ b)
HANDLER_R2_R3(shladd_a2, (a << i.pos) + b)
HANDLER_R2_R3(shladdp4_a2, pointer_sum((a << i.pos) + b, b))

HANDLER_R3(sub_a3, i.imm - b)
HANDLER_R3(and_a3, i.imm & b)
HANDLER_R3(andcm_a3, i.imm & ~b)
HANDLER_R3(or_a3, i.imm | b)
HANDLER_R3(xor_a3, i.imm ^ b)
HANDLER_R3(adds_a4, i.imm + b)
HANDLER_R3(addp4_a4, pointer_sum(i.imm + b, b))
HANDLER_R3(addl_a5, i.imm + b)

HANDLER_R3(sxt1_i29, sign_extend(b, 8))
HANDLER_R3(sxt2_i29, sign_extend(b, 16))
HANDLER_R3(sxt4_i29, sign_extend(b, 32))
HANDLER_R3(zxt1_i29, b & low_mask(8))
HANDLER_R3(zxt2_i29, b & low_mask(16))
HANDLER_R3(zxt4_i29, b & low_mask(32))

HANDLER_R3(popcnt_i9, static_cast<u64>(std::popcount(b)))
HANDLER_R3(clz_i9, static_cast<u64>(std::countl_zero(b)))
HANDLER_R2_R3(mpy4_i2, (a & low_mask(32)) * (b & low_mask(32)))
HANDLER_R2_R3(mpyshl4_i2, ((a >> 32) * (b & low_mask(32))) << 32)

Next movl_x2(Core& core, const Insn& i) noexcept {
  core.regs().set_gr(i.r1, i.imm);
  return Next::Continue;
}

}  // namespace ia64::cpu
