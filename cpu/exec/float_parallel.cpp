// The arithmetic of pairs of singles: fpma, fpms, fpnma, fpmin.., fpcmp, fprcpa, fprsqrta.
#include "cpu/exec/float_access.h"
#include "cpu/fp/compare.h"
#include "cpu/fp/multiply_add.h"
#include "cpu/fp/reciprocal.h"

namespace ia64::cpu {
namespace {

using fp::high_lane;
using fp::low_lane;

/// f1 = both lanes of op(f2, f3). @param op (FpReg, FpReg, Control) -> Outcome
template <class Op>
inline Next two_sources(Core& core, const Insn& i, Op op) noexcept {
  if (fp_disabled(core, i.r1, i.r2, i.r3)) [[unlikely]]
    return Next::Fault;
  const Registers& r = core.regs();
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3);
  if (fp::any_natval(f2, f3)) [[unlikely]]
    return write_natval(core, i);
  const fp::Control control = fp::Fpsr(r.fpsr).parallel_control(i.x);
  return finish(
      core, i,
      fp::pair_of(op(high_lane(f2), high_lane(f3), control), op(low_lane(f2), low_lane(f3), control)));
}

template <bool kNegateProduct, bool kNegateAddend>
inline Next multiply_add(Core& core, const Insn& i) noexcept {
  if (fp_disabled(core, i.r1, i.r2, i.r3, i.r4)) [[unlikely]]
    return Next::Fault;
  const Registers& r = core.regs();
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3), &f4 = r.fr(i.r4);
  if (f2.is_natval() || f3.is_natval() || f4.is_natval()) [[unlikely]]
    return write_natval(core, i);
  const fp::MultiplyAddKind kind{kNegateProduct, kNegateAddend, i.r2 == 0};
  const fp::Control control = fp::Fpsr(r.fpsr).parallel_control(i.x);
  return finish(core, i,
                fp::pair_of(fp::multiply_add(high_lane(f3), high_lane(f4), high_lane(f2), kind, control),
                            fp::multiply_add(low_lane(f3), low_lane(f4), low_lane(f2), kind, control)));
}

template <fp::Extremum kWhich>
inline Next min_max(Core& core, const Insn& i) noexcept {
  return two_sources(core, i, [](const FpReg& a, const FpReg& b, const fp::Control& control) {
    return fp::min_max(a, b, kWhich, control);
  });
}

/// A lane of a compare: all ones or all zeros, which is not a number to pack.
struct LaneMask {
  u32 mask;
  fp::Outcome exceptions;
};

inline LaneMask compare_lane(const FpReg& a, const FpReg& b, fp::Relation relation,
                             const fp::Control& control) {
  const fp::Comparison c = fp::compare(a, b, relation, control);
  return {c.holds ? ~u32{0} : 0, {.value = {}, .flags = c.flags, .faults = c.faults}};
}

template <fp::Relation kRelation>
inline Next compare(Core& core, const Insn& i) noexcept {
  if (fp_disabled(core, i.r1, i.r2, i.r3)) [[unlikely]]
    return Next::Fault;
  const Registers& r = core.regs();
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3);
  if (fp::any_natval(f2, f3)) [[unlikely]]
    return write_natval(core, i);
  const fp::Control control = fp::Fpsr(r.fpsr).parallel_control(i.x);
  const LaneMask high = compare_lane(high_lane(f2), high_lane(f3), kRelation, control);
  const LaneMask low = compare_lane(low_lane(f2), low_lane(f3), kRelation, control);
  return finish(core, i, fp::PairOutcome{fp::join(high.mask, low.mask), high.exceptions, low.exceptions});
}

/// Delivers both lanes; the predicate says that software may refine both.
Next finish_approximations(Core& core, const Insn& i, const fp::Approximation& high,
                           const fp::Approximation& low) {
  const fp::PairOutcome pair = fp::pair_of(high.outcome, low.outcome);
  if (!pair.faults()) core.regs().set_pr(i.p2, high.refine && low.refine);
  return finish(core, i, pair);
}

Next natval_approximation(Core& core, const Insn& i) noexcept {
  core.regs().set_pr(i.p2, false);
  return write_natval(core, i);
}

}  // namespace

Next fpma_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<false, false>(c, i);
}
Next fpms_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<false, true>(c, i);
}
Next fpnma_f1(Core& c, const Insn& i) noexcept {
  return multiply_add<true, false>(c, i);
}

Next fpmin_f8(Core& c, const Insn& i) noexcept {
  return min_max<fp::Extremum::Minimum>(c, i);
}
Next fpmax_f8(Core& c, const Insn& i) noexcept {
  return min_max<fp::Extremum::Maximum>(c, i);
}
Next fpamin_f8(Core& c, const Insn& i) noexcept {
  return min_max<fp::Extremum::MinimumMagnitude>(c, i);
}
Next fpamax_f8(Core& c, const Insn& i) noexcept {
  return min_max<fp::Extremum::MaximumMagnitude>(c, i);
}

Next fpcmp_eq_f8(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::Equal>(c, i);
}
Next fpcmp_lt_f8(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::Less>(c, i);
}
Next fpcmp_le_f8(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::LessEqual>(c, i);
}
Next fpcmp_unord_f8(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::Unordered>(c, i);
}
Next fpcmp_neq_f8(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::NotEqual>(c, i);
}
Next fpcmp_nlt_f8(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::NotLess>(c, i);
}
Next fpcmp_nle_f8(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::NotLessEqual>(c, i);
}
Next fpcmp_ord_f8(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::Ordered>(c, i);
}

Next fprcpa_f6(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (!r.pr(i.qp)) return r.set_pr(i.p2, false), Next::Continue;
  if (fp_disabled(core, i.r1, i.r2, i.r3)) [[unlikely]]
    return Next::Fault;
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3);
  if (fp::any_natval(f2, f3)) return natval_approximation(core, i);
  const fp::Control control = fp::Fpsr(r.fpsr).parallel_control(i.x);
  return finish_approximations(core, i, fp::lane_reciprocal(high_lane(f2), high_lane(f3), control),
                               fp::lane_reciprocal(low_lane(f2), low_lane(f3), control));
}

Next fprsqrta_f7(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (!r.pr(i.qp)) return r.set_pr(i.p2, false), Next::Continue;
  if (fp_disabled(core, i.r1, i.r3)) [[unlikely]]
    return Next::Fault;
  const FpReg& f3 = r.fr(i.r3);
  if (f3.is_natval()) return natval_approximation(core, i);
  const fp::Control control = fp::Fpsr(r.fpsr).parallel_control(i.x);
  return finish_approximations(core, i, fp::lane_reciprocal_root(high_lane(f3), control),
                               fp::lane_reciprocal_root(low_lane(f3), control));
}

}  // namespace ia64::cpu
