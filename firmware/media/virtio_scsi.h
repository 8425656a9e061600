// Firmware's virtio-scsi driver.
#pragma once

#include <memory>

#include "firmware/media/scsi_host.h"
#include "firmware/media/virtio_queue.h"

namespace ia64::firmware {

/// The AVIO adapter. @source VIRTIO 1.1, 5.6
class VirtioScsi final : public ScsiHost {
 public:
  static constexpr u16 kVendorId = 0x1af4, kDeviceId = 0x1048;
  /// Guest memory the driver works in, 4 KiB aligned and below 4 GiB: rings, request, response, bounce
  /// buffer.
  static constexpr u64 kMemoryBytes = VirtioQueue::kRingBytes + 4096 + kBounceBytes;

  /// @returns nullptr when the function is not such a device or cannot be used
  static std::unique_ptr<VirtioScsi> attach(AddressSpace& bus, const BoardDescription& board,
                                            const PciFunction& function, GuestPhys memory, Relax relax);
  void stop() override;

 private:
  VirtioScsi(AddressSpace& bus, GuestPhys memory)
      : ScsiHost(bus, memory + VirtioQueue::kRingBytes + 4096), memory_(memory) {}
  Outcome execute_once(u16 target, u16 lun, std::span<const u8> cdb, Direction direction,
                       std::span<const GuestSpan> data) override;

  const GuestPhys memory_;
  std::unique_ptr<VirtioQueue> queue_;
  u64 tag_ = 0;
};

}  // namespace ia64::firmware
