// The legacy I/O port space of IA-64: a sparse memory window onto port numbers.
#pragma once

#include "base/address_space.h"

namespace ia64::devices {

/// Forwards the 64 MiB window to a second AddressSpace whose addresses are port numbers. Each group of four
/// ports has a 4 KiB page of its own. Stateless. @source SDM vol. 2, 10.7 (I/O port space model); platform
/// reference 2.4
class PortSpace final : public MmioRegion {
 public:
  static constexpr u64 kSizeBytes = 64u << 20;

  explicit PortSpace(AddressSpace& ports) : ports_(ports) {}

  /// The port behind a window offset.
  static constexpr u64 port_of(u64 offset) { return ((offset >> 12) << 2) | (offset & 3); }

  AccessResult read(u64 offset, unsigned size, u64& value) override {
    return size > 4 ? AccessResult::BadSize : ports_.read(port_of(offset), size, value);
  }
  AccessResult write(u64 offset, unsigned size, u64 value) override {
    return size > 4 ? AccessResult::BadSize : ports_.write(port_of(offset), size, value);
  }

 private:
  AddressSpace& ports_;
};

}  // namespace ia64::devices
