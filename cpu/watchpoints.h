// Watched guest memory: what a debugger asked to hear of. Independent of the guest's own debug registers.
#pragma once

#include <vector>

#include "base/int_types.h"

namespace ia64::cpu {

/// Bytes of guest memory, by the address that instructions use (virtual, or physical while translation is off).
struct WatchRange {
  u64 address = 0;
  u64 size_bytes = 0;
  bool read = false, write = false;  ///< the accesses that count
};

/// The ranges of one processor, and the access that was stopped last. CPU thread only.
class Watchpoints {
 public:
  const std::vector<WatchRange>& ranges() const { return ranges_; }
  void set(std::vector<WatchRange> ranges) { ranges_ = std::move(ranges); }
  /// While suspended nothing matches; pages stay out of the software TLB.
  void suspend(bool on) { suspended_ = on; }
  bool suspended() const { return suspended_; }

  /// Whether an access of that kind touches a watched byte.
  bool match(u64 address, unsigned size, bool read, bool write) const noexcept {
    if (ranges_.empty() || suspended_) [[likely]]
      return false;
    return find(address, size, read, write) != nullptr;
  }
  /// Whether any watched byte lies in the 4 KiB page of `address`.
  bool in_page(u64 address) const noexcept {
    for (const WatchRange& w : ranges_)
      if (w.address >> 12 <= address >> 12 && address >> 12 <= (w.address + w.size_bytes - 1) >> 12) return true;
    return false;
  }
  const WatchRange* find(u64 address, unsigned size, bool read, bool write) const noexcept {
    for (const WatchRange& w : ranges_)
      if (((read && w.read) || (write && w.write)) && address < w.address + w.size_bytes && w.address < address + size) return &w;
    return nullptr;
  }

 private:
  std::vector<WatchRange> ranges_;
  bool suspended_ = false;
};

}  // namespace ia64::cpu
