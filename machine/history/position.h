// A place in the course of a machine whose time is counted.
#pragma once

#include <tuple>

#include "base/int_types.h"

namespace ia64::machine {

struct Position {
  u64 slots = 0;          ///< instructions executed
  u64 interruptions = 0;  ///< taken; one that an instruction raises is a place behind that instruction's predecessor
  u64 ns = 0;             ///< virtual time, which moves on while nothing is executed, too

  bool operator==(const Position&) const = default;
  /// Whether something was executed, or an interruption taken, between this and `other`.
  bool precedes(const Position& other) const { return std::tie(slots, interruptions) < std::tie(other.slots, other.interruptions); }
};

}  // namespace ia64::machine
