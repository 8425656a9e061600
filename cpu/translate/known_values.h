// What the locations of guest state hold while a block is lowered.
#pragma once

#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

/// A map from locations to values that forgets everything at once in no time. A location of another modulus takes the place
/// of the one with the same number: they may be the same register.
class KnownValues {
 public:
  /// The value of `l`, or kNone.
  Value find(Location l) const {
    const Entry& e = entries_[place(l)];
    return e.epoch == epoch_ && e.modulus == l.modulus ? e.value : kNone;
  }
  void put(Location l, Value v) { entries_[place(l)] = {epoch_, v, l.modulus}; }
  void clear() { epoch_++; }
  void forget(File file) {
    for (unsigned n = 0; n < kRegisters; n++) entries_[place({file, static_cast<u8>(n)})].epoch = 0;
  }

 private:
  static constexpr unsigned kFiles = static_cast<unsigned>(File::Window) + 1, kRegisters = 128;
  struct Entry {
    u32 epoch = 0;
    Value value = kNone;
    u8 modulus = 0;
  };
  static constexpr unsigned place(Location l) { return static_cast<unsigned>(l.file) * kRegisters + l.index % kRegisters; }

  u32 epoch_ = 1;
  Entry entries_[kFiles * kRegisters];
};

}  // namespace ia64::cpu::ir
