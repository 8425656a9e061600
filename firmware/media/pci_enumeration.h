// Firmware's PCI set-up: finds functions, gives their BARs addresses inside the root windows, turns decoding
// on.
#pragma once

#include <array>
#include <vector>

#include "firmware/board_description.h"

namespace ia64::firmware {

/// One base address register after assignment; size 0: not implemented, base 0: no room was left.
struct PciBar {
  bool io = false;
  bool wide = false;  ///< a 64-bit memory BAR; the next BAR is its upper half
  u64 base = 0, size_bytes = 0;
};

/// A function that answered.
struct PciFunction {
  u8 bus = 0, device = 0, function = 0;
  u16 vendor_id = 0, device_id = 0;
  u32 class_code = 0;
  std::array<PciBar, 6> bars;
};

/// Configuration registers of one function through the board's private window.
class PciConfig {
 public:
  PciConfig(AddressSpace& bus, const BoardDescription& board, u8 pci_bus, u8 device, u8 function)
      : bus_(bus),
        base_(board.pci_config_base + (u64{pci_bus} << 20 | u64{device} << 15 | u64{function} << 12)) {}
  PciConfig(AddressSpace& bus, const BoardDescription& board, const PciFunction& f)
      : PciConfig(bus, board, f.bus, f.device, f.function) {}
  u32 read(unsigned reg, unsigned size) const {
    u64 v = 0;
    bus_.read(base_ + reg, size, v);
    return static_cast<u32>(v);
  }
  void write(unsigned reg, unsigned size, u32 value) { bus_.write(base_ + reg, size, value); }

 private:
  AddressSpace& bus_;
  GuestPhys base_;
};

/// Assigns every BAR behind every root, writes the interrupt line, enables memory and I/O decoding (not bus
/// mastering). An OS finds all of it configured. @source PCI Local Bus 2.3, 6.2.5; 6.8
std::vector<PciFunction> assign_pci_resources(const BoardDescription& board, AddressSpace& bus);

}  // namespace ia64::firmware
