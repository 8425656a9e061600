// F10 fcvt.fx and fpcvt.fx, F11 fcvt.xf.
#include "cpu/exec/float_access.h"
#include "cpu/fp/convert.h"

namespace ia64::cpu {
namespace {

inline Next convert_scalar(Core& core, const Insn& i, fp::IntegerKind kind) noexcept {
  if (fp_disabled(core, i.r1, i.r2)) [[unlikely]]
    return Next::Fault;
  const Registers& r = core.regs();
  const FpReg& f2 = r.fr(i.r2);
  if (f2.is_natval()) [[unlikely]]
    return write_natval(core, i);
  return finish(core, i, fp::to_integer(f2, kind, fp::Fpsr(r.fpsr).control(fp::Completer::None, i.x)));
}

inline Next convert_pair(Core& core, const Insn& i, bool is_signed, bool truncate) noexcept {
  if (fp_disabled(core, i.r1, i.r2)) [[unlikely]]
    return Next::Fault;
  const Registers& r = core.regs();
  const FpReg& f2 = r.fr(i.r2);
  if (f2.is_natval()) [[unlikely]]
    return write_natval(core, i);
  const fp::IntegerKind kind{is_signed, truncate, 32};
  const fp::Control control = fp::Fpsr(r.fpsr).parallel_control(i.x);
  const fp::Outcome high = fp::to_integer(fp::high_lane(f2), kind, control);
  const fp::Outcome low = fp::to_integer(fp::low_lane(f2), kind, control);
  const u64 packed =
      fp::join(static_cast<u32>(high.value.significand), static_cast<u32>(low.value.significand));
  return finish(core, i, fp::PairOutcome{packed, high, low});
}

}  // namespace

Next fcvt_fx_f10(Core& c, const Insn& i) noexcept {
  return convert_scalar(c, i, {true, false});
}
Next fcvt_fxu_f10(Core& c, const Insn& i) noexcept {
  return convert_scalar(c, i, {false, false});
}
Next fcvt_fx_trunc_f10(Core& c, const Insn& i) noexcept {
  return convert_scalar(c, i, {true, true});
}
Next fcvt_fxu_trunc_f10(Core& c, const Insn& i) noexcept {
  return convert_scalar(c, i, {false, true});
}
Next fpcvt_fx_f10(Core& c, const Insn& i) noexcept {
  return convert_pair(c, i, true, false);
}
Next fpcvt_fxu_f10(Core& c, const Insn& i) noexcept {
  return convert_pair(c, i, false, false);
}
Next fpcvt_fx_trunc_f10(Core& c, const Insn& i) noexcept {
  return convert_pair(c, i, true, true);
}
Next fpcvt_fxu_trunc_f10(Core& c, const Insn& i) noexcept {
  return convert_pair(c, i, false, true);
}

Next fcvt_xf_f11(Core& core, const Insn& i) noexcept {
  if (fp_disabled(core, i.r1, i.r2)) [[unlikely]]
    return Next::Fault;
  Registers& r = core.regs();
  const FpReg& f2 = r.fr(i.r2);
  r.set_fr(i.r1, f2.is_natval() ? kFpNatVal : fp::from_signed(f2.significand));
  return Next::Continue;
}

}  // namespace ia64::cpu
