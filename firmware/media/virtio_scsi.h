// Firmware's virtio-scsi driver: scans targets and gives a BlockMedium per disk.
#pragma once

#include <memory>
#include <vector>

#include "firmware/media/virtio_queue.h"

namespace ia64::firmware {

/// One controller. Thread rule: the firmware's lock.
/// @source VIRTIO 1.1, 5.6; SPC-3; SBC-2
class VirtioScsi {
 public:
  static constexpr u16 kVendorId = 0x1af4, kDeviceId = 0x1048;
  /// Guest memory the driver works in, 4 KiB aligned and below 4 GiB: rings, request, response, bounce
  /// buffer.
  static constexpr u64 kBounceBytes = 256 << 10;
  static constexpr u64 kMemoryBytes = VirtioQueue::kRingBytes + 4096 + kBounceBytes;

  /// @returns nullptr when the function is not such a device or cannot be used
  static std::unique_ptr<VirtioScsi> attach(AddressSpace& bus, const BoardDescription& board,
                                            const PciFunction& function, GuestPhys memory, Relax relax);
  /// Resets the controller; disks answer DeviceError afterwards.
  void stop();

  struct Disk {
    u16 target = 0, lun = 0;
    bool cdrom = false;
    std::unique_ptr<BlockMedium> medium;
  };
  /// Finds every disk and CD-ROM with a medium in it. They must not outlive the controller.
  std::vector<Disk> scan();

  enum class Direction : u8 { None, In, Out };
  struct Outcome {
    bool answered = false;  ///< the command reached the target; status counts
    u8 status = 0;          ///< SCSI status
    u8 sense_key = 0, asc = 0;
    bool good() const { return answered && status == 0; }
  };
  /// One command; data spans add up to what the CDB says. Unit attentions and busy targets are retried.
  Outcome execute(u16 target, u16 lun, std::span<const u8> cdb, Direction direction,
                  std::span<const GuestSpan> data);

  AddressSpace& bus() { return bus_; }
  GuestPhys bounce() const { return memory_ + VirtioQueue::kRingBytes + 4096; }
  u64 max_transfer_bytes() const { return max_transfer_bytes_; }
  size_t max_segments() const { return max_segments_; }

 private:
  VirtioScsi(AddressSpace& bus, GuestPhys memory) : bus_(bus), memory_(memory) {}
  Outcome execute_once(u16 target, u16 lun, std::span<const u8> cdb, Direction direction,
                       std::span<const GuestSpan> data);
  bool inquire(u16 target, u16 lun, std::vector<u8>& data, u32 size, std::span<const u8> cdb);
  std::vector<u16> luns_of(u16 target);
  void add_disk(u16 target, u16 lun, std::vector<Disk>& out);

  AddressSpace& bus_;
  const GuestPhys memory_;
  std::unique_ptr<VirtioQueue> queue_;
  u64 max_transfer_bytes_ = 0;
  size_t max_segments_ = 0;
  u16 max_target_ = 0;
  u64 tag_ = 0;
};

}  // namespace ia64::firmware
