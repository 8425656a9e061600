// A SCSI disk or CD-ROM behind a controller as a BlockMedium.
#pragma once

#include <memory>

#include "firmware/media/scsi_host.h"

namespace ia64::firmware {

/// Reads and writes with READ/WRITE (10) and (16). Data go straight between guest memory and the device; host
/// buffers pass through the controller's bounce buffer. @source SBC-2, 5
class ScsiMedium final : public BlockMedium {
 public:
  /// Waits for the unit and reads its capacity. @returns nullptr when there is no medium or no usable block
  /// size
  static std::unique_ptr<ScsiMedium> open(ScsiHost& host, u16 target, u16 lun, bool removable);

  u32 block_size() const override { return block_size_; }
  u64 block_count() const override { return block_count_; }
  bool read_only() const override { return read_only_; }
  bool removable() const override { return removable_; }
  EfiStatus read(u64 lba, u64 count, u8* out) override;
  EfiStatus write(u64 lba, u64 count, const u8* in) override;
  EfiStatus flush() override;
  EfiStatus read_guest(u64 lba, std::span<const GuestSpan> to) override { return transfer(false, lba, to); }
  EfiStatus write_guest(u64 lba, std::span<const GuestSpan> from) override {
    return transfer(true, lba, from);
  }
  u64& raw_writes() override { return raw_writes_; }

 private:
  ScsiMedium(ScsiHost& host, u16 target, u16 lun, bool removable)
      : host_(host), target_(target), lun_(lun), removable_(removable) {}
  bool read_capacity();
  void read_write_protect();
  EfiStatus transfer(bool write, u64 lba, std::span<const GuestSpan> spans);
  EfiStatus command(bool write, u64 lba, u64 blocks, std::span<const GuestSpan> spans);

  ScsiHost& host_;
  const u16 target_, lun_;
  const bool removable_;
  u32 block_size_ = 0;
  u64 block_count_ = 0;
  bool read_only_ = false;
  u64 raw_writes_ = 0;
};

}  // namespace ia64::firmware
