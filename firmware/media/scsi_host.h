// What firmware's drivers for SCSI controllers have in common: commands, target scan.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/address_space.h"
#include "firmware/media/block_medium.h"

namespace ia64::firmware {

/// One controller. Thread rule: the firmware's lock. @source SPC-3
class ScsiHost {
 public:
  /// Guest memory for data that do not come from the caller's; each driver keeps it behind its own.
  static constexpr u64 kBounceBytes = 256 << 10;

  virtual ~ScsiHost() = default;
  /// Resets the controller; disks answer DeviceError afterwards.
  virtual void stop() = 0;

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
  GuestPhys bounce() const { return bounce_; }
  u64 max_transfer_bytes() const { return max_transfer_bytes_; }
  size_t max_segments() const { return max_segments_; }

 protected:
  ScsiHost(AddressSpace& bus, GuestPhys bounce) : bus_(bus), bounce_(bounce) {}
  virtual Outcome execute_once(u16 target, u16 lun, std::span<const u8> cdb, Direction direction,
                               std::span<const GuestSpan> data) = 0;
  /// The parts of fixed-format sense data that count here.
  static void read_sense(std::span<const u8> sense, Outcome& out);

  AddressSpace& bus_;
  u64 max_transfer_bytes_ = 0;
  size_t max_segments_ = 0;
  u16 max_target_ = 0;

 private:
  bool inquire(u16 target, u16 lun, std::vector<u8>& data, u32 size, std::span<const u8> cdb);
  std::vector<u16> luns_of(u16 target);
  void add_disk(u16 target, u16 lun, std::vector<Disk>& out);

  const GuestPhys bounce_;
};

}  // namespace ia64::firmware
