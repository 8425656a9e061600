// Shifts, bit-field extraction and deposit. @source SDM vol. 3, shl, shr, shrp, extr, dep
#include "cpu/exec/handlers.h"
#include "cpu/exec/operands.h"

namespace ia64::cpu {

namespace {

// A count is the whole 64-bit register: anything above 63 shifts every bit out.
u64 shift_left(u64 v, u64 count) { return count > 63 ? 0 : v << count; }
u64 shift_right_unsigned(u64 v, u64 count) { return count > 63 ? 0 : v >> count; }
u64 shift_right_signed(u64 v, u64 count) { return static_cast<u64>(static_cast<i64>(v) >> (count > 63 ? 63 : count)); }

// A field that would run past bit 63 ends there.
unsigned clipped_length(const Insn& i) { return i.pos + i.len > 64 ? 64u - i.pos : i.len; }

u64 deposit(const Insn& i, u64 into, u64 from) { return with_field(into, i.pos, clipped_length(i), from); }

}  // namespace

HANDLER_R2_R3(shl_i7, shift_left(a, b))
HANDLER_R2_R3(shr_i5, shift_right_signed(b, a))
HANDLER_R2_R3(shr_u_i5, shift_right_unsigned(b, a))
HANDLER_R2_R3(shrp_i10, static_cast<u64>((u128{a} << 64 | b) >> i.pos))

HANDLER_R3(extr_i11, sign_extend(b >> i.pos, clipped_length(i)))
HANDLER_R3(extr_u_i11, field(b, i.pos, clipped_length(i)))

HANDLER_R2(dep_z_i12, deposit(i, 0, a))
HANDLER_R3(dep_i14, deposit(i, b, i.imm))
HANDLER_R2_R3(dep_i15, deposit(i, b, a))

Next dep_z_i13(Core& core, const Insn& i) noexcept {
  core.regs().set_gr(i.r1, deposit(i, 0, i.imm));
  return Next::Continue;
}

}  // namespace ia64::cpu
