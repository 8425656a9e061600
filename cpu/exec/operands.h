// Shapes that many handlers share: read the sources, compute, write the target with the NaT bits of the sources ORed.
#pragma once

#include "cpu/core.h"

namespace ia64::cpu {

/// A general register whose place is found once for several uses. Valid until frame, rotation or bank change.
class Gr {
 public:
  /// @param n 0..127; writing r0 is the caller's mistake, as with Registers::set_gr
  [[gnu::always_inline]] Gr(Registers& r, unsigned n) {
    if (n < 32) {
      value_ = &r.gr_static[n], nat_ = &r.gr_static_nat[n];
    } else {
      const unsigned index = r.stack_index(n);
      value_ = &r.stack_gr[index], nat_ = &r.stack_nat[index];
    }
  }
  u64 value() const { return *value_; }
  bool nat() const { return *nat_; }
  void set(u64 value, bool nat = false) const { *value_ = value, *nat_ = nat; }

 private:
  u64* value_;
  u8* nat_;
};

/// r1 = op(r2, r3).
template <class Op>
inline Next two_sources(Core& core, const Insn& i, Op op) noexcept {
  Registers& r = core.regs();
  const Gr a(r, i.r2), b(r, i.r3);
  Gr(r, i.r1).set(op(a.value(), b.value()), a.nat() | b.nat());
  return Next::Continue;
}

/// r1 = op(r2).
template <class Op>
inline Next source_r2(Core& core, const Insn& i, Op op) noexcept {
  Registers& r = core.regs();
  const Gr source(r, i.r2);
  Gr(r, i.r1).set(op(source.value()), source.nat());
  return Next::Continue;
}

/// r1 = op(r3), immediates taken from the instruction by `op`.
template <class Op>
inline Next source_r3(Core& core, const Insn& i, Op op) noexcept {
  Registers& r = core.regs();
  const Gr source(r, i.r3);
  Gr(r, i.r1).set(op(source.value()), source.nat());
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
