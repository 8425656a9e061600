// Firmware's end of a Fusion-MPT controller: register set, doorbell handshake, one request at a time.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/address_space.h"
#include "firmware/media/media.h"
#include "firmware/media/pci_enumeration.h"

namespace ia64::firmware {

/// Polled, no interrupts. Thread rule: the firmware's lock. @source LSI Fusion-MPT Message Passing
/// Interface 1.2
class MptIoc {
 public:
  static constexpr size_t kFrameBytes = 128;  ///< of a request
  static constexpr u64 kReplyBytes = 4096;    ///< guest memory for replies

  /// Makes the controller operational and its port enabled. Its BARs must have addresses.
  /// @param replies  4 KiB aligned guest memory below 4 GiB, kReplyBytes of it
  /// @returns nullptr, logged, when that fails
  static std::unique_ptr<MptIoc> open(AddressSpace& bus, const BoardDescription& board,
                                      const PciFunction& function, GuestPhys replies, Relax relax);
  /// Resets the message unit and waits until it has let go of memory.
  void stop();

  using Reply = std::array<u8, 0x40>;
  /// Sends the request frame at `frame` (below 4 GiB) and waits. @returns false after a time-out; the
  /// controller is dead then. `reply` is all zeroes when the request simply succeeded.
  bool submit(GuestPhys frame, Reply& reply);

  unsigned max_devices() const { return max_devices_; }
  unsigned own_id() const { return own_id_; }

 private:
  MptIoc(AddressSpace& bus, GuestPhys replies, Relax relax)
      : bus_(bus), replies_(replies), relax_(std::move(relax)) {}
  bool start();
  bool make_ready();
  bool hard_reset();
  bool initialize();
  bool handshake(std::span<const u8> request, std::span<u8> reply);
  std::optional<u16> next_half();
  u32 read(unsigned reg) const;
  void write(unsigned reg, u32 value) { bus_.write(registers_ + reg, 4, value); }
  u32 state() const;
  bool wait(const std::function<bool()>& done);

  AddressSpace& bus_;
  const GuestPhys replies_;
  const Relax relax_;
  GuestPhys registers_ = 0;
  unsigned max_devices_ = 0, own_id_ = 0;
  bool dead_ = false;
};

}  // namespace ia64::firmware
