// What the floating-point handlers share: disabled-register checks, NaTVal, and delivery of results, faults
// and traps.
#pragma once

#include "cpu/core.h"
#include "cpu/exec/handlers.h"
#include "cpu/fp/parallel.h"

namespace ia64::cpu {

/// Whether any of the registers lies in a bank that PSR.dfl or PSR.dfh disables; then the fault is pending.
/// f0 and f1 belong to no bank.
template <class... Register>
inline bool fp_disabled(Core& core, Register... registers) noexcept {
  const u64 psr = core.regs().psr;
  if (!(psr & (psr::kDfl | psr::kDfh))) [[likely]]
    return false;
  const bool low = (psr & psr::kDfl) && ((registers >= 2 && registers < 32) || ...);
  const bool high = (psr & psr::kDfh) && ((registers >= 32) || ...);
  if (low || high) core.raise_disabled_fp(low, high);
  return low || high;
}

/// Writes NaTVal to f1; the FPSR stays as it is.
inline Next write_natval(Core& core, const Insn& i) noexcept {
  core.regs().set_fr(i.r1, kFpNatVal);
  return Next::Continue;
}

/// ORs flags into the status field. Usually they are there already: not writing then spares the next
/// operation, which reads its controls from the same word, from waiting for this one.
inline void add_flags(Registers& r, unsigned sf, u8 flags) noexcept {
  const u64 updated = fp::Fpsr(r.fpsr).with_flags(sf, flags);
  if (updated != r.fpsr) [[unlikely]]
    r.fpsr = updated;
}

/// Writes a scalar result to f1 and flags to the status field, raising the fault or trap if there is one.
inline Next finish(Core& core, const Insn& i, const fp::Outcome& out) noexcept {
  if (out.faults) [[unlikely]]
    return core.raise_fp_fault(fp::fault_code(out));
  Registers& r = core.regs();
  add_flags(r, i.x, out.flags);
  r.set_fr(i.r1, out.value);
  if (out.traps) [[unlikely]]
    return core.raise_fp_trap(fp::trap_code(out));
  return Next::Continue;
}

/// The same for a pair of singles.
inline Next finish(Core& core, const Insn& i, const fp::PairOutcome& out) noexcept {
  if (out.faults()) [[unlikely]]
    return core.raise_fp_fault(fp::fault_code(out));
  Registers& r = core.regs();
  add_flags(r, i.x, out.flags());
  r.set_fr(i.r1, fp::make_integer(out.significand));
  if (out.traps()) [[unlikely]]
    return core.raise_fp_trap(fp::trap_code(out));
  return Next::Continue;
}

}  // namespace ia64::cpu
