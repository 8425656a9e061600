// Where the values of a unit are needed: what register allocation wants to know in advance.
#pragma once

#include <vector>

#include "cpu/translate/ir.h"

namespace ia64::cpu::jit {

/// Constants are left out everywhere: they are made where they are used.
struct Liveness {
  explicit Liveness(const ir::Unit& unit);

  /// Position of the next use of `v` at or behind `now`, seen from `block`; a use in the next round of its loop lies behind
  /// the loop's end. Uses by ways out do not count: the position is the largest one then.
  u32 next_use(ir::Value v, u32 now, u32 block) const;
  /// Whether `v` is used by an operation or a phi in blocks `first`..`last`.
  unsigned uses_between(ir::Value v, u32 first_position, u32 last_position) const;

  std::vector<std::vector<ir::Value>> in, out;  ///< by block; `in` without the block's phis
  std::vector<ir::Value> feeds;                 ///< the phi that takes a value along a back edge, or kNone
  std::vector<bool> spilled;                    ///< values to be stored where they are defined

 private:
  const ir::Unit& unit_;
  std::vector<u32> first_use_, uses_;  // positions by value, ascending
  std::vector<u32> loop_of_;           // by block: head of the innermost loop, or ~0
};

}  // namespace ia64::cpu::jit
