// Base of every PCI function: configuration accesses, BAR decoding, INTx, MSI and MSI-X.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "base/irq_line.h"
#include "devices/device.h"
#include "devices/pci/config_space.h"
#include "devices/pci/dma_view.h"

namespace ia64::devices::pci {

/// One function (number 0) in a slot. Subclasses describe BARs and capabilities in their constructor and
/// answer BAR accesses. Locking: pci_mutex_ guards configuration, INTx and MSI-X state and comes after the
/// subclass's own lock; it is never held while a message is sent, because a hostile guest may aim the message
/// at this very device.
class PciDevice : public Device {
 public:
  /// @param intx the slot's interrupt wire. @param memory the bus this function masters. Both outlive it.
  PciDevice(const Identity& identity, IrqLine& intx, AddressSpace& memory);

  /// Configuration accesses. @param reg 0..255; size 1, 2 or 4, not crossing a doubleword. Any thread.
  u32 config_read(unsigned reg, unsigned size);
  void config_write(unsigned reg, unsigned size, u32 value);

  struct Hit {
    unsigned bar;
    u64 offset;
  };
  /// The BAR that claims [address, address + size), if its decoder is on. Lock-free. Any thread.
  std::optional<Hit> decode(bool io, u64 address, unsigned size) const;
  AccessResult access_read(const Hit& hit, unsigned size, u64& value);
  AccessResult access_write(const Hit& hit, unsigned size, u64 value);

 protected:
  /// A BAR access of the device itself; MSI-X table accesses never get here. Called without locks.
  virtual AccessResult bar_read(unsigned bar, u64 offset, unsigned size, u64& value) = 0;
  virtual AccessResult bar_write(unsigned bar, u64 offset, unsigned size, u64 value) = 0;
  /// Configuration registers with behaviour (virtio's PCI_CFG capability). Return true when handled. No locks
  /// held.
  virtual bool special_config_read(unsigned reg, unsigned size, u32& value) { return false; }
  virtual bool special_config_write(unsigned reg, unsigned size, u32 value) { return false; }

  // While building:
  void add_bar(unsigned n, BarKind kind, u64 size_bytes);
  unsigned add_capability(u8 id, std::span<const u8> body, std::span<const u8> writable = {});
  void add_msi();
  /// MSI-X with its table at offset 0 of memory BAR `bar` (which it adds and owns) and the PBA behind it.
  void add_msix(unsigned bar, unsigned vectors);

  /// Level of INTA; reaches the wire unless INTx is disabled or messages are in use. Device lock may be held.
  void set_intx(bool asserted);
  bool msix_enabled() const { return msix_enabled_.load(std::memory_order_relaxed); }
  unsigned msix_vectors() const { return static_cast<unsigned>(msix_.size()); }
  /// Sends or pends MSI-X vector `n`; out of range or disabled does nothing. No device lock may be held.
  void raise_msix(unsigned n);
  /// Sends the MSI message if MSI is on. @returns false when it is off (use INTx). No device lock may be
  /// held.
  bool raise_msi();
  /// Configuration, INTx and MSI-X back to power-on.
  void reset_pci();
  /// The same for visit_state() of a subclass, which comes first: whether DMA works is part of it.
  void visit_pci(StateArchive& a);

  void inspect_pci(InspectWriter& out) const;
  const DmaView& dma() const { return dma_; }
  u32 raw_config(unsigned reg, unsigned size) const;

 private:
  struct MsixEntry {
    u64 address = 0;
    u32 data = 0;
    u32 control = kMsixVectorMasked;
    bool pending = false;
    void visit_state(StateArchive& a) { a(address, data, control, pending); }
  };
  struct Message {
    u64 address;
    u32 data;
  };

  void config_changed();
  void drive_intx();
  bool deliverable(const MsixEntry& e) const;
  std::vector<Message> take_pending();
  void send(const Message& m);
  void send_pending();
  u64 msix_read(u64 offset, unsigned size) const;
  void msix_write(u64 offset, unsigned size, u64 value);
  u32 msix_word(u64 offset) const;
  void set_msix_word(u64 offset, u32 value);

  // wires
  IrqLine& intx_;
  AddressSpace& memory_;
  // configuration
  unsigned msi_at_ = 0, msix_at_ = 0;
  unsigned msix_bar_ = 6;
  u64 pba_offset_ = 0;
  // book-keeping derived from config_ for lock-free readers
  std::atomic<bool> master_{false};
  std::atomic<bool> msix_enabled_{false};
  std::array<std::atomic<u64>, 6> bases_;
  std::array<Bar, 6> bars_{};
  DmaView dma_{memory_, master_};
  // volatile state
  mutable std::mutex pci_mutex_;
  ConfigSpace config_;
  bool intx_asserted_ = false;
  std::vector<MsixEntry> msix_;
};

}  // namespace ia64::devices::pci
