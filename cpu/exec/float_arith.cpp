// F1 scalar multiply-add, F2 xma, F6/F7 reciprocal approximations, F8 scalar minimum and maximum.
#include "cpu/exec/float_access.h"
#include "cpu/fp/compare.h"
#include "cpu/fp/multiply_add.h"
#include "cpu/fp/reciprocal.h"

namespace ia64::cpu {
namespace {

using fp::Completer;

template <Completer kCompleter, bool kNegateProduct, bool kNegateAddend>
inline Next multiply_add(Core& core, const Insn& i) noexcept {
  if (fp_disabled(core, i.r1, i.r2, i.r3, i.r4)) [[unlikely]]
    return Next::Fault;
  const Registers& r = core.regs();
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3), &f4 = r.fr(i.r4);
  if (f2.is_natval() || f3.is_natval() || f4.is_natval()) [[unlikely]]
    return write_natval(core, i);
  const fp::Control control = fp::Fpsr(r.fpsr).control(kCompleter, i.x);
  return finish(core, i, fp::multiply_add(f3, f4, f2, {kNegateProduct, kNegateAddend, i.r2 == 0}, control));
}

/// f1.significand = op(f3 x f4, f2), canonical integer exponent.
template <class Op>
inline Next integer_multiply_add(Core& core, const Insn& i, Op op) noexcept {
  if (fp_disabled(core, i.r1, i.r2, i.r3, i.r4)) [[unlikely]]
    return Next::Fault;
  Registers& r = core.regs();
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3), &f4 = r.fr(i.r4);
  if (f2.is_natval() || f3.is_natval() || f4.is_natval()) [[unlikely]]
    return write_natval(core, i);
  r.set_fr(i.r1, fp::make_integer(op(f3.significand, f4.significand, f2.significand)));
  return Next::Continue;
}

u128 signed_product(u64 a, u64 b) {
  return static_cast<u128>(i128{static_cast<i64>(a)} * static_cast<i64>(b));
}

template <fp::Extremum kWhich>
inline Next min_max(Core& core, const Insn& i) noexcept {
  if (fp_disabled(core, i.r1, i.r2, i.r3)) [[unlikely]]
    return Next::Fault;
  const Registers& r = core.regs();
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3);
  if (fp::any_natval(f2, f3)) [[unlikely]]
    return write_natval(core, i);
  return finish(core, i, fp::min_max(f2, f3, kWhich, fp::Fpsr(r.fpsr).control(Completer::None, i.x)));
}

/// Delivers an approximation with its predicate, which a fault leaves alone.
Next finish_approximation(Core& core, const Insn& i, const fp::Approximation& a) noexcept {
  if (!a.outcome.faults) core.regs().set_pr(i.p2, a.refine);
  return finish(core, i, a.outcome);
}

Next natval_approximation(Core& core, const Insn& i) noexcept {
  core.regs().set_pr(i.p2, false);
  return write_natval(core, i);
}

}  // namespace

Next fma_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<Completer::None, false, false>(c, i);
}
Next fma_s_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<Completer::Single, false, false>(c, i);
}
Next fma_d_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<Completer::Double, false, false>(c, i);
}
Next fms_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<Completer::None, false, true>(c, i);
}
Next fms_s_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<Completer::Single, false, true>(c, i);
}
Next fms_d_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<Completer::Double, false, true>(c, i);
}
Next fnma_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<Completer::None, true, false>(c, i);
}
Next fnma_s_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<Completer::Single, true, false>(c, i);
}
Next fnma_d_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<Completer::Double, true, false>(c, i);
}

Next xma_l_f2(Core& core, const Insn& i) noexcept {
  return integer_multiply_add(core, i, [](u64 a, u64 b, u64 c) { return a * b + c; });
}
/// The addend is zero-extended, also by the signed form.
Next xma_h_f2(Core& core, const Insn& i) noexcept {
  return integer_multiply_add(
      core, i, [](u64 a, u64 b, u64 c) { return static_cast<u64>((signed_product(a, b) + c) >> 64); });
}
Next xma_hu_f2(Core& core, const Insn& i) noexcept {
  return integer_multiply_add(core, i,
                              [](u64 a, u64 b, u64 c) { return static_cast<u64>((u128{a} * b + c) >> 64); });
}

Next frcpa_f6(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (!r.pr(i.qp)) return r.set_pr(i.p2, false), Next::Continue;
  if (fp_disabled(core, i.r1, i.r2, i.r3)) [[unlikely]]
    return Next::Fault;
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3);
  if (fp::any_natval(f2, f3)) return natval_approximation(core, i);
  return finish_approximation(core, i,
                              fp::reciprocal(f2, f3, fp::Fpsr(r.fpsr).control(Completer::None, i.x)));
}

Next frsqrta_f7(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (!r.pr(i.qp)) return r.set_pr(i.p2, false), Next::Continue;
  if (fp_disabled(core, i.r1, i.r3)) [[unlikely]]
    return Next::Fault;
  const FpReg& f3 = r.fr(i.r3);
  if (f3.is_natval()) return natval_approximation(core, i);
  return finish_approximation(core, i,
                              fp::reciprocal_root(f3, fp::Fpsr(r.fpsr).control(Completer::None, i.x)));
}

Next fmin_f8(Core& c, const Insn& i) noexcept {
  return min_max<fp::Extremum::Minimum>(c, i);
}
Next fmax_f8(Core& c, const Insn& i) noexcept {
  return min_max<fp::Extremum::Maximum>(c, i);
}
Next famin_f8(Core& c, const Insn& i) noexcept {
  return min_max<fp::Extremum::MinimumMagnitude>(c, i);
}
Next famax_f8(Core& c, const Insn& i) noexcept {
  return min_max<fp::Extremum::MaximumMagnitude>(c, i);
}

}  // namespace ia64::cpu
