// Firmware's driver for the VIO SCSI adapter.
#pragma once

#include <memory>

#include "firmware/media/mpt_ioc.h"
#include "firmware/media/scsi_host.h"

namespace ia64::firmware {

/// An LSI 53C1030. @source LSI Fusion-MPT Message Passing Interface 1.2
class MptScsi final : public ScsiHost {
 public:
  static constexpr u16 kVendorId = 0x1000, kDeviceId = 0x0030;
  /// Guest memory the driver works in, 4 KiB aligned and below 4 GiB: request, sense and chain; replies;
  /// bounce buffer.
  static constexpr u64 kMemoryBytes = 4096 + MptIoc::kReplyBytes + kBounceBytes;

  /// @returns nullptr when the function is not such a device or cannot be used
  static std::unique_ptr<MptScsi> attach(AddressSpace& bus, const BoardDescription& board,
                                         const PciFunction& function, GuestPhys memory, Relax relax);
  void stop() override;

 private:
  MptScsi(AddressSpace& bus, GuestPhys memory)
      : ScsiHost(bus, memory + 4096 + MptIoc::kReplyBytes), memory_(memory) {}
  Outcome execute_once(u16 target, u16 lun, std::span<const u8> cdb, Direction direction,
                       std::span<const GuestSpan> data) override;
  void write_list(Direction direction, std::span<const GuestSpan> data, std::span<u8> frame);

  const GuestPhys memory_;
  std::unique_ptr<MptIoc> ioc_;
  u32 context_ = 0;
};

}  // namespace ia64::firmware
