// frcpa and frsqrta: table approximations from which software computes quotients and square roots.
// @source SDM vol. 3, frcpa, frsqrta, fprcpa, fprsqrta
#pragma once

#include "cpu/fp/number.h"

namespace ia64::cpu::fp {

/// The fraction bits 62:53 of the approximation of 1/x for x in [1, 2) by significand bits 62:55.
extern const u16 kReciprocalTable[256];
/// The same of 1/sqrt(x), indexed by the exponent's low bit and significand bits 62:56.
extern const u16 kReciprocalRootTable[256];

struct Approximation {
  Outcome outcome;
  bool refine = false;  ///< the target predicate: value is an approximation for software to refine
};

/// Approximates 1/f3, or delivers the quotient f2/f3 where it is special or where the refinement sequences
/// could leave the exponent range. Neither operand is NaTVal. Deviation: where the manual mandates a software
/// assistance fault (exponents near the ends of the 17-bit range) the correctly rounded quotient in the
/// format of the status field is delivered, which is what the assistance would do.
Approximation reciprocal(const FpReg& f2, const FpReg& f3, const Control& control) noexcept;

/// Approximates 1/sqrt(f3), or delivers sqrt(f3). The same deviation applies to very small operands.
Approximation reciprocal_root(const FpReg& f3, const Control& control) noexcept;

/// The same for one lane of a pair of singles: values are unpacked singles, the result fits a single, and
/// operands near the ends of the range give refine = false.
Approximation lane_reciprocal(const FpReg& f2, const FpReg& f3, const Control& control) noexcept;
/// As lane_reciprocal; special operands give the reciprocal of the root.
Approximation lane_reciprocal_root(const FpReg& f3, const Control& control) noexcept;

}  // namespace ia64::cpu::fp
