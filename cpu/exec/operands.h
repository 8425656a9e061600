// Shapes that many handlers share: read the sources, compute, write the target with the NaT bits of the sources ORed.
#pragma once

#include "cpu/core.h"

namespace ia64::cpu {

/// r1 = op(r2, r3).
template <class Op>
inline Next two_sources(Core& core, const Insn& i, Op op) noexcept {
  Registers& r = core.regs();
  r.set_gr_nat(i.r1, op(r.gr(i.r2), r.gr(i.r3)), r.nat(i.r2) | r.nat(i.r3));
  return Next::Continue;
}

/// r1 = op(r2).
template <class Op>
inline Next source_r2(Core& core, const Insn& i, Op op) noexcept {
  Registers& r = core.regs();
  r.set_gr_nat(i.r1, op(r.gr(i.r2)), r.nat(i.r2));
  return Next::Continue;
}

/// r1 = op(r3), immediates taken from the instruction by `op`.
template <class Op>
inline Next source_r3(Core& core, const Insn& i, Op op) noexcept {
  Registers& r = core.regs();
  r.set_gr_nat(i.r1, op(r.gr(i.r3)), r.nat(i.r3));
  return Next::Continue;
}

}  // namespace ia64::cpu

/// Handlers of the three shapes: `expression` computes the result from a = r2, b = r3 and the instruction i.
#define HANDLER_R2_R3(name, expression) \
  Next name(Core& core, const Insn& i) noexcept { \
    return two_sources(core, i, [&]([[maybe_unused]] u64 a, [[maybe_unused]] u64 b) -> u64 { return expression; }); \
  }
#define HANDLER_R2(name, expression) \
  Next name(Core& core, const Insn& i) noexcept { \
    return source_r2(core, i, [&](u64 a) -> u64 { return expression; }); \
  }
#define HANDLER_R3(name, expression) \
  Next name(Core& core, const Insn& i) noexcept { \
    return source_r3(core, i, [&](u64 b) -> u64 { return expression; }); \
  }
