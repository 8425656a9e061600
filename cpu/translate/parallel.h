// Operations on the elements of general registers, as Op::imm of `parallel` and `parallel_imm` names them.
#pragma once

#include "base/int_types.h"

namespace ia64::cpu::ir {

/// The number is the size of an element in bytes.
enum class Parallel : u8 {
  Add1, Add2, Add4, AddSigned1, AddSigned2, AddUnsigned1, AddUnsigned2,
  Sub1, Sub2, Sub4, SubSigned1, SubSigned2, SubUnsigned1, SubUnsigned2,
  Average1, Average2,  ///< rounded up
  Equal1, Equal2, Equal4, Greater1, Greater2, Greater4,
  MinUnsigned1, MaxUnsigned1, Min2, Max2,
  DifferenceSum1,
  MultiplyLow2, MultiplyHigh2, MultiplyHighUnsigned2,
  MultiplyAdd2,  ///< sums of two neighbouring products
  // a is shifted by the count in b.
  ShiftLeft2, ShiftLeft4, ShiftRight2, ShiftRight4, ShiftRightUnsigned2, ShiftRightUnsigned4,
  // a gives the low half of the result.
  PackSigned2, PackUnsigned2, PackSigned4,
  // Elements of a at even places, of b at odd ones.
  UnpackLow1, UnpackLow2, UnpackLow4, UnpackHigh1, UnpackHigh2, UnpackHigh4,
};

/// With one operand; bits 15:8 of the immediate are the count.
enum class ParallelImm : u8 {
  ShiftLeft2, ShiftLeft4, ShiftRight2, ShiftRight4, ShiftRightUnsigned2, ShiftRightUnsigned4,
  Shuffle2,  ///< two bits of the count select each element
  // Index of the first zero element, or the number of elements.
  ZeroFromRight1, ZeroFromRight2, ZeroFromLeft1, ZeroFromLeft2,
};

}  // namespace ia64::cpu::ir
