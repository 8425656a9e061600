// A processor for calling floating-point handlers: operands in f2.., results in f10.
#pragma once

#include <bit>
#include <initializer_list>

#include "cpu/fp/memory_format.h"
#include "cpu/fp/number.h"
#include "tests/unit/exec/exec_rig.h"

namespace ia64::cpu::test {

/// FPSR after reset as software sets it: traps disabled, 64 bits, nearest in every field; wre and td in sf1.
inline constexpr u64 kDefaultFpsr = 0x9804c0270033f;

struct FpRig : Rig {
  FpRig() { r.fpsr = kDefaultFpsr; }

  /// `f10, p6 = f2.., (p1, p2 are p6, p7)` with the operands in f2, f3, f4.
  Insn insn(std::initializer_list<FpReg> operands, unsigned sf = 0) {
    unsigned n = 2;
    for (const FpReg& f : operands) r.fr_phys[n++] = f;
    Insn i;
    i.r1 = 10, i.r2 = 2, i.r3 = 3, i.r4 = 4, i.p1 = 6, i.p2 = 7, i.x = static_cast<u8>(sf);
    return i;
  }
  FpReg result() const { return r.fr(10); }

  /// Runs a handler that completes without interruption and returns f10.
  FpReg eval(Handler handler, std::initializer_list<FpReg> operands, unsigned sf = 0) {
    step(handler, insn(operands, sf));
    return result();
  }
  /// The significand, for handlers on integers and pairs, which must leave the canonical exponent.
  u64 eval_bits(Handler handler, std::initializer_list<u64> operands) {
    unsigned n = 2;
    Insn i = insn({});
    for (u64 v : operands) r.fr_phys[n++] = fp::from_integer(v);
    step(handler, i);
    CHECK(result().sign_exp == kFpIntegerExponent);
    return result().significand;
  }
  /// Runs a handler that must fault before any effect; returns ISR as raised.
  u64 faulting(Handler handler, const Insn& i, Vector vector) {
    const Registers before = r;
    REQUIRE(handler(core, i) == Next::Fault);
    CHECK(core.pending_fault().vector == vector);
    CHECK_FALSE(core.pending_fault().is_trap);
    CHECK(before.fpsr == r.fpsr);
    CHECK(before.psr == r.psr);
    for (unsigned n = 0; n < 128; n++) CHECK(before.fr_phys[n] == r.fr_phys[n]);
    for (unsigned n = 0; n < 64; n++) CHECK(before.pr_phys[n] == r.pr_phys[n]);
    return core.pending_fault().isr;
  }
  /// Runs a handler that must end in a floating-point trap; returns ISR bits 14:7.
  u64 trapping(Handler handler, const Insn& i) {
    REQUIRE(handler(core, i) == Next::Fault);
    CHECK(core.pending_fault().vector == Vector::FloatingPointTrap);
    CHECK(core.pending_fault().is_trap);
    return core.pending_fault().isr & 0x7f80;
  }
  void unmask(u8 exceptions) { r.fpsr = kDefaultFpsr & ~u64{exceptions}; }
  u8 flags(unsigned sf) const { return fp::Fpsr(r.fpsr).flags(sf); }
};

inline FpReg number(double v) {
  return fp::from_double(std::bit_cast<u64>(v));
}
inline u64 pair(float high, float low) {
  return u64{std::bit_cast<u32>(high)} << 32 | std::bit_cast<u32>(low);
}

}  // namespace ia64::cpu::test
