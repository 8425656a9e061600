// Firmware's end of a virtio 1.x PCI device: transport set-up and one queue with one request in flight.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "firmware/media/block_medium.h"
#include "firmware/media/media.h"
#include "firmware/media/pci_enumeration.h"

namespace ia64::firmware {

/// Modern (non-transitional) virtio over PCI, polled, no interrupts. Thread rule: the firmware's lock.
/// @source VIRTIO 1.1, 2.6, 3.1, 4.1
class VirtioQueue {
 public:
  static constexpr u64 kRingBytes = 16 << 10;  ///< guest memory for the rings, 4 KiB aligned
  static constexpr u16 kMaxSize = 256;

  /// Resets the device, negotiates VERSION_1 and sets up queue `index` with its rings at `rings`. The
  /// function's BARs must have addresses. @returns nullptr, logged, when this is no usable virtio device
  static std::unique_ptr<VirtioQueue> open(AddressSpace& bus, const BoardDescription& board,
                                           const PciFunction& function, u16 index, GuestPhys rings,
                                           Relax relax);
  /// Resets the device and waits until it has let go of memory.
  void stop();

  /// Sends one chain and waits for the device to use it. @returns false after a time-out; the queue is dead
  /// then
  bool submit(std::span<const GuestSpan> readable, std::span<const GuestSpan> writable);
  /// Segments one chain may have.
  u16 size() const { return size_; }
  /// 32-bit field of the device-specific configuration.
  u32 device_config(unsigned offset) const;

 private:
  VirtioQueue(AddressSpace& bus, GuestPhys rings, Relax relax)
      : bus_(bus), rings_(rings), relax_(std::move(relax)) {}
  bool find_structures(PciConfig& config, const PciFunction& function);
  bool negotiate();
  bool set_up(u16 index);
  u64 common(unsigned offset, unsigned size) const;
  void set_common(unsigned offset, unsigned size, u64 value);
  bool wait(const std::function<bool()>& done);

  AddressSpace& bus_;
  const GuestPhys rings_;
  const Relax relax_;
  GuestPhys common_ = 0, notify_base_ = 0, device_ = 0, notify_ = 0;
  u32 notify_multiplier_ = 0;
  u16 index_ = 0, size_ = 0, available_ = 0;
  bool dead_ = false;
};

}  // namespace ia64::firmware
