// Division as software does it here: frcpa and the multiply-adds that refine its approximation.
#pragma once

#include <optional>
#include <vector>

#include "cpu/decode/insn.h"

namespace ia64::cpu::ir {

/// Consecutive instructions of a decoded block that divide. What `last` delivers is known without them, to the last bit:
///   Quotient  the quotient of two doubles, rounded to double, Inexact when it is. With 1/b good to 2^-62 the remainder step rounds
///             rightly: a quotient of two 53-bit numbers is no closer than 2^-54 of a unit to the middle between two doubles,
///             and no closer than that to a double which it is not.
///   Natural   the quotient of two 64-bit natural numbers, rounded down: q3 is a/b x (1 + e), |e| < 2^-70, rounded to 64 bits, and
///             a/b keeps 1/b away from the next natural number.
/// The other registers that the sequence writes are seldom looked at; see jit::FloatRecord.
struct FloatSequence {
  enum class Kind : u8 { Quotient, Natural };
  Kind kind = Kind::Quotient;
  u8 dividend = 0, divisor = 0;     ///< registers
  std::vector<const Insn*> steps;   ///< in program order, frcpa first, without `last`
  const Insn* last = nullptr;
  std::vector<const Insn*> others;  ///< sub and setf.sig in between: no step reads or writes their targets, no step's result is read
  std::vector<u8> left;             ///< registers that steps leave behind, without the target of `last`
};

/// @param first  frcpa without a qualifying predicate, in a decoded block. All other instructions are predicated by its target,
///               and all registers are static ones.
std::optional<FloatSequence> match_float_sequence(const Insn& first);

}  // namespace ia64::cpu::ir
