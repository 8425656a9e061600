// Moves between general and floating-point registers; NaT and NaTVal turn into each other.
// @source SDM vol. 3, setf, getf
#include "cpu/exec/handlers.h"
#include "cpu/exec/memory.h"
#include "cpu/fp/memory_format.h"

namespace ia64::cpu {

namespace {

template <class Convert>
Next set_fp(Core& core, const Insn& i, Convert convert) noexcept {
  if (check_fp_enabled(core, i.r1) == Next::Fault) [[unlikely]] return Next::Fault;
  Registers& r = core.regs();
  r.set_fr(i.r1, r.nat(i.r2) ? kFpNatVal : convert(r.gr(i.r2)));
  return Next::Continue;
}

template <class Convert>
Next get_fp(Core& core, const Insn& i, Convert convert) noexcept {
  if (check_fp_enabled(core, i.r2) == Next::Fault) [[unlikely]] return Next::Fault;
  Registers& r = core.regs();
  const FpReg& f = r.fr(i.r2);
  core.set_gr_nat(i.r1, convert(f), f.is_natval());
  return Next::Continue;
}

}  // namespace

#define SETF(name, expression) \
  Next name(Core& core, const Insn& i) noexcept { \
    return set_fp(core, i, [](u64 v) { return expression; }); \
  }
#define GETF(name, expression) \
  Next name(Core& core, const Insn& i) noexcept { \
    return get_fp(core, i, [](const FpReg& f) -> u64 { return expression; }); \
  }

SETF(setf_sig_m18, fp::from_integer(v))
SETF(setf_exp_m18, fp::from_exponent(v))
SETF(setf_s_m18, fp::from_single(static_cast<u32>(v)))
SETF(setf_d_m18, fp::from_double(v))

GETF(getf_sig_m19, fp::to_integer(f))
GETF(getf_exp_m19, fp::to_exponent(f))
GETF(getf_s_m19, fp::to_single(f))
GETF(getf_d_m19, fp::to_double(f))

}  // namespace ia64::cpu
