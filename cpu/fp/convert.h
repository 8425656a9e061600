// Between floating-point numbers and integers in significands. @source SDM vol. 3, fcvt.fx, fcvt.xf, fpcvt.fx
#pragma once

#include "cpu/fp/number.h"

namespace ia64::cpu::fp {

struct IntegerKind {
  bool is_signed = true;
  bool truncate = false;  ///< `.trunc`: round to zero whatever sf.rc says
  unsigned bits = 64;     ///< 64, or 32 for the lanes of fpcvt
};

/// Rounds to an integer of `kind`. The integer is in value.significand (low `bits`), exponent and sign are
/// the canonical ones of integers. NaNs, infinities and out-of-range values give the integer indefinite (only
/// the top bit set) and kInvalid. f2 is not NaTVal.
Outcome to_integer(const FpReg& f2, IntegerKind kind, const Control& control) noexcept;

/// The signed 64-bit integer in `significand` as a normalised number; exact. Sign and exponent of the source
/// do not matter.
FpReg from_signed(u64 significand) noexcept;

}  // namespace ia64::cpu::fp
