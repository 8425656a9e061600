// The register stack as a debugger sees it: all of it in memory.
#pragma once

#include <optional>
#include <vector>

#include "cpu/core.h"

namespace ia64::machine::debugger {

/// Words from AR.BSPSTORE to the end of the current frame, as they would lie in memory had the processor stored its whole register
/// stack, NaT collections included. A debugger finds r32 and its successors there. Valid until the processor runs or anything is
/// changed. CPU thread. @source SDM vol. 2, 6.1
class BackingStore {
 public:
  explicit BackingStore(cpu::Core& core);
  u64 begin() const { return begin_; }
  u64 end() const { return begin_ + words_.size() * 8; }
  bool contains(u64 address) const { return address - begin_ < words_.size() * 8; }
  /// Value of the word at `address`, a multiple of 8 that it contains.
  u64 word(u64 address) const { return words_[(address - begin_) / 8]; }
  /// Changes the register, or the NaT bits of registers, that the word stands for.
  void set_word(u64 address, u64 value);
  /// NaT bits from the last collection on: AR.RNAT had everything been stored.
  u64 partial_collection() const { return collection_; }

  /// Where r32 of the next frame would be: the current frame's registers end here.
  static u64 end_of_frame(cpu::Core& core);

 private:
  static constexpr unsigned kCollectionSlot = 63;
  static unsigned slot_of(u64 address) { return static_cast<unsigned>(field(address, 3, 6)); }

  cpu::Core& core_;
  u64 begin_ = 0;
  std::vector<u64> words_;
  std::vector<u32> index_;  // by word: window index of the register; for a collection, of the first register above it
  u64 collection_ = 0;
};

}  // namespace ia64::machine::debugger
