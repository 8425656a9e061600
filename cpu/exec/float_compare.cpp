// F4 fcmp, F5 fclass.
#include "cpu/exec/float_access.h"
#include "cpu/fp/compare.h"

namespace ia64::cpu {
namespace {

inline Next set_predicates(Core& core, const Insn& i, bool first, bool second) noexcept {
  core.regs().set_pr(i.p1, first);
  core.regs().set_pr(i.p2, second);
  return Next::Continue;
}

template <fp::Relation kRelation>
inline Next compare(Core& core, const Insn& i) noexcept {
  if (fp_disabled(core, i.r2, i.r3)) [[unlikely]]
    return Next::Fault;
  Registers& r = core.regs();
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3);
  if (fp::any_natval(f2, f3)) [[unlikely]]
    return set_predicates(core, i, false, false);
  const fp::Comparison c = fp::compare(f2, f3, kRelation, fp::Fpsr(r.fpsr).control(fp::Completer::None, i.x));
  if (c.faults) [[unlikely]]
    return core.raise_fp_fault(c.faults);
  add_flags(r, i.x, c.flags);
  return set_predicates(core, i, c.holds, !c.holds);
}

/// Unconditional form: both predicates are cleared when the qualifying predicate is false.
template <fp::Relation kRelation>
inline Next compare_unc(Core& core, const Insn& i) noexcept {
  if (!core.regs().pr(i.qp)) return set_predicates(core, i, false, false);
  return compare<kRelation>(core, i);
}

}  // namespace

Next fcmp_eq_f4(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::Equal>(c, i);
}
Next fcmp_lt_f4(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::Less>(c, i);
}
Next fcmp_le_f4(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::LessEqual>(c, i);
}
Next fcmp_unord_f4(Core& c, const Insn& i) noexcept {
  return compare<fp::Relation::Unordered>(c, i);
}
Next fcmp_eq_unc_f4(Core& c, const Insn& i) noexcept {
  return compare_unc<fp::Relation::Equal>(c, i);
}
Next fcmp_lt_unc_f4(Core& c, const Insn& i) noexcept {
  return compare_unc<fp::Relation::Less>(c, i);
}
Next fcmp_le_unc_f4(Core& c, const Insn& i) noexcept {
  return compare_unc<fp::Relation::LessEqual>(c, i);
}
Next fcmp_unord_unc_f4(Core& c, const Insn& i) noexcept {
  return compare_unc<fp::Relation::Unordered>(c, i);
}

Next fclass_m_f5(Core& core, const Insn& i) noexcept {
  if (fp_disabled(core, i.r2)) [[unlikely]]
    return Next::Fault;
  const FpReg& f2 = core.regs().fr(i.r2);
  const bool member = fp::in_class(f2, static_cast<unsigned>(i.imm));
  // A NaTVal that was not asked for makes both predicates false.
  return set_predicates(core, i, member, !member && !f2.is_natval());
}

Next fclass_m_unc_f5(Core& core, const Insn& i) noexcept {
  if (!core.regs().pr(i.qp)) return set_predicates(core, i, false, false);
  return fclass_m_f5(core, i);
}

}  // namespace ia64::cpu
