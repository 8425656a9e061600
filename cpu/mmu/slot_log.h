// Where in a set of tables the entries of a group may be.
#pragma once

#include <cstring>

#include "base/int_types.h"

namespace ia64::cpu {

/// For each group the numbers of the slots that were filled for it, so that whoever drops a group need not look at whole tables. A slot
/// that holds an entry of a group is always noted for it, unless the group is incomplete; what is noted may be gone meanwhile, and
/// may be noted twice. Groups are small: past `Capacity` notes one is incomplete until it is begun anew.
template <unsigned Groups, unsigned Capacity>
class SlotLog {
 public:
  SlotLog() { clear(); }

  void note(unsigned group, unsigned slot) {
    u16& count = counts_[group];
    if (count < Capacity) slots_[group][count] = static_cast<u16>(slot);
    count = static_cast<u16>(count + (count <= Capacity));
  }
  bool complete(unsigned group) const { return counts_[group] <= Capacity; }
  /// Forgets the notes of a group, which is complete again when all its slots are noted anew.
  void begin(unsigned group) { counts_[group] = 0; }
  void clear() { std::memset(counts_, 0, sizeof counts_); }

  /// Asks `stays` about each noted slot of a complete group, and forgets those it is false for.
  template <class Stays>
  void review(unsigned group, Stays stays) {
    u16 kept = 0;
    for (u16 k = 0; k < counts_[group]; k++) {
      const u16 slot = slots_[group][k];
      if (stays(slot)) slots_[group][kept++] = slot;
    }
    counts_[group] = kept;
  }

 private:
  u16 counts_[Groups];  ///< Capacity + 1: incomplete
  u16 slots_[Groups][Capacity];
};

}  // namespace ia64::cpu
