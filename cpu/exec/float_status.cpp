// F12 fsetc, F13 fclrf, F14 fchkf, and the F unit's break, nop and hint.
#include "cpu/exec/float_access.h"

namespace ia64::cpu {

Next fsetc_f12(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const fp::Fpsr fpsr(r.fpsr);
  const unsigned and_mask = i.imm & 0x7f, or_mask = i.imm >> 7 & 0x7f;
  const u8 controls = static_cast<u8>((fpsr.controls(0) & and_mask) | or_mask);
  if (fp::reserved_controls(i.x, controls)) return core.raise_general(isr::kReservedRegisterField);
  r.fpsr = fpsr.with_controls(i.x, controls);
  return Next::Continue;
}

Next fclrf_f13(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  r.fpsr = fp::Fpsr(r.fpsr).without_flags(i.x);
  return Next::Continue;
}

/// Branches to the recovery code when the status field has a flag whose trap is enabled or that sf0 does not
/// have.
Next fchkf_f14(Core& core, const Insn& i) noexcept {
  const fp::Fpsr fpsr(core.regs().fpsr);
  const unsigned flags = fpsr.flags(i.x);
  if ((flags & ~unsigned{fpsr.traps()}) || (flags & ~unsigned{fpsr.flags(0)}))
    return core.branch_to(core.insn_ip(i) + i.imm);
  return Next::Continue;
}

Next break_f15(Core& core, const Insn& i) noexcept {
  return core.raise_break(i.imm);
}
Next nop_f16(Core&, const Insn&) noexcept {
  return Next::Continue;
}
Next hint_f16(Core&, const Insn&) noexcept {
  return Next::Continue;
}

}  // namespace ia64::cpu
