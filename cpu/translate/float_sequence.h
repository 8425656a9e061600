// Division and square roots as software does them here: frcpa or frsqrta and the multiply-adds that refine the approximation.
#pragma once

#include <optional>
#include <vector>

#include "cpu/arch/registers.h"
#include "cpu/decode/insn.h"

namespace ia64::cpu::ir {

/// Consecutive instructions of a decoded block that divide or take a root. What `last` delivers is known without them, to the last bit:
///   Quotient  the quotient of two doubles, rounded to double, Inexact when it is. With 1/b good to 2^-62 the remainder step rounds
///             rightly: a quotient of two 53-bit numbers is no closer than 2^-54 of a unit to the middle between two doubles,
///             and no closer than that to a double which it is not.
///   Single    the same of two singles, rounded to single: 1/b is good to 2^-26.6, the single next to the quotient to 0.7 units, so
///             the last sum to 2^-27 of a unit; the quotient is no closer than 2^-25 to the middle between singles or to one of them.
///   Natural   the quotient of two 64-bit natural numbers, rounded down: q3 is a/b x (1 + e), |e| < 2^-70, rounded to 64 bits, and
///             a/b keeps 1/b away from the next natural number.
///   Root      the square root s of a positive double, rounded to double, Inexact when it is. G is next to s, d = s - G within 0.57
///             units; H is 1/2s good to 2^-57. G + rH, r exact, is s - d^2/2s within 2^-57.8 units: too small by up to 2^-54.6. For the
///             middle m of two doubles a - m^2 is 7 modulo 8 in the last place, so s lies above m by more than 2^-53.2 units or below
///             it by 2^-56 or more: never across. A double that is not s is further away than 2^-54, and when s is one, G is s.
/// The other registers that the sequence writes are seldom looked at; see jit::FloatRecord.
struct FloatSequence {
  enum class Kind : u8 { Quotient, Single, Natural, Root };
  Kind kind = Kind::Quotient;
  u8 dividend = 0, divisor = 0;     ///< registers; a root has only the first
  std::vector<const Insn*> steps;   ///< in program order, the approximation first, without `last`
  const Insn* last = nullptr;
  /// What stands in between and may as well be done in front of the first step: it reads no step's result, and what it writes no step
  /// reads or writes.
  std::vector<const Insn*> others;
  std::vector<std::pair<u8, FpReg>> constants;  ///< what registers hold that steps read, set on the way
  std::vector<u8> copies;           ///< registers that hold the dividend too
  std::vector<u8> left;             ///< registers that steps leave behind, without the target of `last`
};

/// @param first  frcpa or frsqrta without a qualifying predicate, in a decoded block. All other steps are predicated by its target,
///               and all registers are static ones.
/// @param begin  where its decoded block begins
std::optional<FloatSequence> match_float_sequence(const Insn& first, const Insn* begin);

}  // namespace ia64::cpu::ir
