// What a handler call or another opaque operation may change of the guest state that the intermediate form knows.
#pragma once

#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

/// The locations that one operation may write behind the form's back.
struct Clobbers {
  bool everything = true;
  u8 general[2] = {};    ///< 0: none
  u8 predicate[2] = {};
  bool all_predicates = false;

  constexpr bool may_write(Location l) const {
    if (everything) return true;
    switch (l.file) {
      case File::General:
      case File::RotatingGeneral: return l.index == general[0] || l.index == general[1];
      case File::Predicate:
      case File::RotatingPredicate: return all_predicates || l.index == predicate[0] || l.index == predicate[1];
      case File::Branch:
      case File::LoopCount: return false;
      default: return true;
    }
  }
};

/// Whether the row of `i` declares all registers that it writes: plain computation and memory access.
bool writes_only_declared(const Insn& i);
/// @param op  with effect Call or Sync
Clobbers clobbers_of(const Op& op);

}  // namespace ia64::cpu::ir
