// What is known about floating-point registers at the borders of a region's blocks.
#pragma once

#include <bitset>
#include <vector>

#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

/// What a point of a region is sure of.
struct FloatKnowledge {
  std::bitset<128> as_double;   ///< FloatFile holds the register as a double, and some operation yielded it
  std::bitset<128> as_integer;  ///< the significand is known, with the exponent of integers
  u8 checked = 0;               ///< FloatCheck conditions that hold, marks included

  bool operator==(const FloatKnowledge&) const = default;
  void operator&=(const FloatKnowledge& o) { as_double &= o.as_double, as_integer &= o.as_integer, checked &= o.checked; }
  /// What holds behind `op`.
  void follow(const Unit& unit, const Op& op);
};

/// The register that `op` writes as a double or as an integer.
bool writes_double(Opcode code);
bool writes_integer(Opcode code);
/// The value that stands for the target register behind a writing operation, number `n`.
inline Value written_value(const Op& op, Value n) { return op.code == Opcode::set_integer ? op.a : n; }
/// The FloatCheck condition that the bank of a target register is marked in PSR.
inline u8 mark_of(unsigned f) { return f < 32 ? kLowMarked : kHighMarked; }

/// Registers are taken in at the entry, tested once, when a loop or the head reads them as one kind only. The entry also tests all
/// conditions that blocks ask for.
class FloatFacts {
 public:
  /// @param unit  a region before its state is promoted
  explicit FloatFacts(const Unit& unit);

  /// Whether there is anything to do.
  bool any() const { return entry_.checked != 0; }
  /// What the entry block has to make sure of.
  const FloatKnowledge& entry() const { return entry_; }
  const FloatKnowledge& at_start(u32 block) const { return start_[block]; }

 private:
  void find(const FloatKnowledge& entry);
  void choose_entry();

  const Unit& unit_;
  FloatKnowledge entry_;
  std::vector<FloatKnowledge> start_, end_;
};

}  // namespace ia64::cpu::ir
