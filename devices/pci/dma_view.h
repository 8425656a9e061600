// Guest memory as a bus master sees it.
#pragma once

#include <atomic>

#include "base/address_space.h"

namespace ia64::devices {

/// A thin window onto the physical bus that is open only while the function's bus-master bit is set. Any
/// thread.
class DmaView {
 public:
  /// @param enabled the function's bus-master bit; outlives this
  DmaView(AddressSpace& memory, const std::atomic<bool>& enabled) : memory_(memory), enabled_(enabled) {}

  bool enabled() const { return enabled_.load(std::memory_order_relaxed); }
  /// @returns false when bus mastering is off or something on the way did not answer
  bool read(GuestPhys phys, void* out, size_t size_bytes) const {
    return enabled() && memory_.read_bytes(phys, out, size_bytes) == AccessResult::Ok;
  }
  bool write(GuestPhys phys, const void* in, size_t size_bytes) const {
    return enabled() && memory_.write_bytes(phys, in, size_bytes) == AccessResult::Ok;
  }
  /// Host address of a whole RAM range, or nullptr when mastering is off or any byte is not RAM. After
  /// changing it call written().
  u8* ram_span(GuestPhys phys, u64 size_bytes) const {
    return enabled() ? memory_.ram_span(phys, size_bytes) : nullptr;
  }
  /// Drops translated code in a range that was changed through ram_span().
  void written(GuestPhys phys, u64 size_bytes) const {
    if (size_bytes) memory_.code_written(phys, size_bytes);
  }

 private:
  AddressSpace& memory_;
  const std::atomic<bool>& enabled_;
};

}  // namespace ia64::devices
