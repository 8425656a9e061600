// Ordered comparison, the relations of fcmp and fpcmp, minimum and maximum, and fclass.
// @source SDM vol. 3, fcmp, fpcmp, fmin, fmax, famin, famax, fclass
#pragma once

#include "cpu/fp/number.h"

namespace ia64::cpu::fp {

/// The relations that have encodings; the low two bits choose the relation, bit 2 negates it.
enum class Relation : u8 { Equal, Less, LessEqual, Unordered, NotEqual, NotLess, NotLessEqual, Ordered };

struct Comparison {
  bool holds = false;
  u8 flags = 0;
  u8 faults = 0;  ///< unmasked exceptions; `holds` is then not to be used
};

/// Tests `a relation b`. Neither is NaTVal. Equal, Unordered and their negations signal for signaling NaNs
/// only, the others for every NaN; unsupported encodings always signal.
Comparison compare(const FpReg& a, const FpReg& b, Relation relation, const Control& control) noexcept;

enum class Extremum : u8 { Minimum, Maximum, MinimumMagnitude, MaximumMagnitude };

/// Picks f2 or f3 unchanged; f3 when they are equal or unordered. Signals as Relation::Less does.
Outcome min_max(const FpReg& f2, const FpReg& f3, Extremum which, const Control& control) noexcept;

/// Bits of fclass9.
enum ClassBit : u16 {
  kPositive = 1,
  kNegative = 2,
  kZeroClass = 4,
  kUnnormalClass = 8,
  kNormalClass = 16,
  kInfinityClass = 32,
  kSignalingClass = 64,
  kQuietClass = 128,
  kNatClass = 256,
};

/// Whether `r` is a member of the classes in `fclass9`. Unsupported encodings belong to none.
bool in_class(const FpReg& r, unsigned fclass9) noexcept;

}  // namespace ia64::cpu::fp
