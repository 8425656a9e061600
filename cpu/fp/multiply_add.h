// fma, fms, fnma (and through them fadd, fsub, fmpy, fnorm, fcvt.xuf): one rounding of f3 x f4 +- f2.
// @source SDM vol. 3, fma, fms, fnma
#pragma once

#include "cpu/fp/round.h"

namespace ia64::cpu::fp {

/// Which signs an operation flips before adding.
struct MultiplyAddKind {
  bool negate_product = false;  ///< fnma
  bool negate_addend = false;   ///< fms
  bool no_addend =
      false;  ///< the addend register is f0: a plain multiplication, which keeps the product's zero sign
};

/// f3 x f4 + f2. None of the operands is NaTVal (handled before, without touching the FPSR).
Outcome multiply_add(const FpReg& f3, const FpReg& f4, const FpReg& f2, MultiplyAddKind kind,
                     const Control& control) noexcept;

}  // namespace ia64::cpu::fp
