// The eight PCI root bridges of the board and the configuration window in front of them.
#pragma once

#include <array>
#include <memory>

#include "base/address_space.h"
#include "devices/pci/pci_device.h"

namespace ia64::devices::pci {

/// One root bus: a memory window and a port window whose accesses go to whichever BAR claims them. A BAR
/// outside its bridge's windows is not reached, as on hardware. Accesses take no lock: plugging and
/// unplugging happen while no processor runs.
class RootBus {
 public:
  static constexpr unsigned kSlots = 8;

  struct Windows {
    GuestPhys memory_base = 0;
    u64 memory_bytes = 0;
    u64 port_base = 0;
    u64 port_count = 0;
  };

  RootBus(unsigned number, const Windows& windows, AddressSpace& memory, AddressSpace& ports);
  ~RootBus();
  RootBus(const RootBus&) = delete;

  /// @param slot 0..7, empty so far. The device outlives this.
  void plug(unsigned slot, PciDevice& device);
  /// Empties a slot; the device may go afterwards.
  void unplug(unsigned slot);
  PciDevice* device(unsigned slot) const { return slot < kSlots ? slots_[slot] : nullptr; }
  const Windows& windows() const { return windows_; }

 private:
  class Window;
  const Windows windows_;
  AddressSpace& memory_;
  AddressSpace& ports_;
  std::array<PciDevice*, kSlots> slots_{};
  std::unique_ptr<Window> memory_window_;
  std::unique_ptr<Window> port_window_;
};

/// All roots of hpvm-1 and the firmware-private configuration window (bus<<20 | device<<15 | function<<12 |
/// register). Maps itself into both address spaces and unmaps on destruction. Absent functions read as all
/// ones.
/// @source board hpvm-1
class PciHost final : public MmioRegion {
 public:
  static constexpr unsigned kBuses = 8;
  static constexpr GuestPhys kConfigBase = 0xf000'0000;
  static constexpr u64 kConfigBytes = u64{kBuses} << 20;

  PciHost(AddressSpace& memory, AddressSpace& ports);
  ~PciHost() override;

  /// Windows of bus `bus` (0..7).
  static RootBus::Windows windows(unsigned bus);
  /// I/O SAPIC pin of a slot: every interrupt pin of the slot is wired to it.
  static constexpr unsigned interrupt_pin(unsigned bus, unsigned slot) {
    return bus * RootBus::kSlots + slot;
  }

  RootBus& bus(unsigned n) { return *buses_[n]; }
  void plug(unsigned bus, unsigned slot, PciDevice& device) { buses_[bus]->plug(slot, device); }
  void unplug(unsigned bus, unsigned slot) { buses_[bus]->unplug(slot); }

  /// One configuration access as SAL and the window make it. @param reg 0..4095. Any thread.
  u32 config_read(unsigned bus, unsigned device, unsigned function, unsigned reg, unsigned size);
  void config_write(unsigned bus, unsigned device, unsigned function, unsigned reg, unsigned size, u32 value);

  AccessResult read(u64 offset, unsigned size, u64& value) override;
  AccessResult write(u64 offset, unsigned size, u64 value) override;

 private:
  PciDevice* find(unsigned bus, unsigned device, unsigned function, unsigned reg, unsigned size) const;

  AddressSpace& memory_;
  std::array<std::unique_ptr<RootBus>, kBuses> buses_;
};

}  // namespace ia64::devices::pci
