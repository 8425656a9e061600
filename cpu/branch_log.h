// The last branches of one processor, for people who ask how it came here.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "base/int_types.h"

namespace ia64::cpu {

/// A change of the instruction address that was not "the next one". Addresses have the slot (0..2) in their low bits.
struct BranchRecord {
  u64 from = 0, to = 0;
  bool interruption = false;  ///< `from` was interrupted, `to` is the vector
};

/// A ring of the latest ones. CPU thread only.
class BranchLog {
 public:
  static constexpr unsigned kKept = 64;
  void add(const BranchRecord& record) { ring_[count_++ % kKept] = record; }
  u64 count() const { return count_; }  ///< since recording began
  /// Oldest first.
  std::vector<BranchRecord> latest() const {
    std::vector<BranchRecord> out;
    for (u64 n = count_ - std::min<u64>(count_, kKept); n < count_; n++) out.push_back(ring_[n % kKept]);
    return out;
  }

 private:
  std::array<BranchRecord, kKept> ring_;
  u64 count_ = 0;
};

}  // namespace ia64::cpu
