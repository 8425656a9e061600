// A queue of message addresses with the depth of the chip's.
#pragma once

#include <array>

#include "base/state_archive.h"

namespace ia64::devices::mpt {

/// First in, first out; never grows. Takes no lock.
template <unsigned kDepth>
class Fifo {
 public:
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kDepth; }
  unsigned size() const { return count_; }
  /// Only when not full.
  void push(u32 v) { words_[(first_ + count_++) % kDepth] = v; }
  /// Only when not empty.
  u32 pop() {
    const u32 v = words_[first_];
    first_ = (first_ + 1) % kDepth;
    count_--;
    return v;
  }
  void visit_state(StateArchive& a) {
    a(words_, first_, count_);
    a.require(first_ < kDepth && count_ <= kDepth, "a message queue");
    if (!a.ok()) first_ = count_ = 0;
  }

 private:
  std::array<u32, kDepth> words_{};
  unsigned first_ = 0, count_ = 0;
};

}  // namespace ia64::devices::mpt
