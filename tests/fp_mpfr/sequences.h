// The published division and square-root sequences of Itanium compilers, run on the operations under test.
#pragma once

#include "cpu/fp/multiply_add.h"
#include "cpu/fp/reciprocal.h"

namespace ia64::test {

using cpu::FpReg;

/// A register machine for such sequences: `.s1` steps run in the compilers' convention (64 bits, 17-bit
/// exponents, nearest, no traps), `.s0` steps in the environment of the user, collecting its flags.
class SequenceMachine {
 public:
  explicit SequenceMachine(u64 fpsr) : fpsr_(fpsr) {}
  u8 flags() const { return flags_; }

  cpu::fp::Approximation frcpa(const FpReg& a, const FpReg& b);
  cpu::fp::Approximation frsqrta(const FpReg& a);

  // f3 * f4 + f2 and f2 - f3 * f4 in status field 1, rounded to 64 bits or by completer.
  FpReg fma(const FpReg& f3, const FpReg& f4, const FpReg& f2) { return s1(f3, f4, f2, {}, Completer::None); }
  FpReg fnma(const FpReg& f3, const FpReg& f4, const FpReg& f2) {
    return s1(f3, f4, f2, {.negate_product = true}, Completer::None);
  }
  FpReg fmpy(const FpReg& f3, const FpReg& f4) {
    return s1(f3, f4, {}, {.no_addend = true}, Completer::None);
  }
  FpReg fma_d(const FpReg& f3, const FpReg& f4, const FpReg& f2) {
    return s1(f3, f4, f2, {}, Completer::Double);
  }
  FpReg fma_s(const FpReg& f3, const FpReg& f4, const FpReg& f2) {
    return s1(f3, f4, f2, {}, Completer::Single);
  }
  FpReg fmpy_s(const FpReg& f3, const FpReg& f4) {
    return s1(f3, f4, {}, {.no_addend = true}, Completer::Single);
  }

  /// The last step: f3 * f4 + f2 in the user's status field.
  FpReg last(const FpReg& f3, const FpReg& f4, const FpReg& f2, cpu::fp::Completer completer);

  using Completer = cpu::fp::Completer;

 private:
  FpReg s1(const FpReg& f3, const FpReg& f4, const FpReg& f2, cpu::fp::MultiplyAddKind kind,
           Completer completer);
  u64 fpsr_;
  u8 flags_ = 0;
};

FpReg divide_single(SequenceMachine& m, const FpReg& a, const FpReg& b);
FpReg divide_double(SequenceMachine& m, const FpReg& a, const FpReg& b);
FpReg divide_extended(SequenceMachine& m, const FpReg& a, const FpReg& b);
FpReg root_single(SequenceMachine& m, const FpReg& a);
FpReg root_double(SequenceMachine& m, const FpReg& a);
FpReg root_extended(SequenceMachine& m, const FpReg& a);

}  // namespace ia64::test
