// A SCSI DVD-ROM drive (MMC-5) over a block device of 2048-byte sectors that may come and go.
#pragma once

#include <memory>

#include "storage/block_device.h"
#include "storage/scsi/inquiry.h"
#include "storage/scsi/logical_unit.h"

namespace ia64::storage::scsi {

/// Reads only. The tray opens and closes by the guest's START STOP UNIT; the host inserts and takes discs. A disc taken out
/// while reads are in flight stays open until they have ended. Any thread.
/// @source MMC-5, SPC-4
class DvdTarget : public LogicalUnit {
 public:
  static constexpr unsigned kSectorBytes = 2048;

  /// @param disc nullptr for an empty drive
  DvdTarget(std::unique_ptr<BlockDevice> disc, DiskIdentity identity);

  std::string describe() const override;

  /// Puts a disc in and closes the tray; what was there before is gone. The guest hears of it.
  void insert(std::unique_ptr<BlockDevice> disc);
  /// Takes the disc out, whether or not the guest has locked the tray (as the pinhole of a real drive does).
  void remove();
  /// Asks a guest that polls for media events to eject, as a press of the drive's button does while the tray is locked.
  void request_eject();
  bool has_disc() const;
  /// The disc in the drive, whatever the tray does; nullptr when there is none.
  std::shared_ptr<BlockDevice> medium() const;
  bool locked() const;     ///< the guest prevents removal
  bool tray_open() const;

 protected:
  /// Called without locks after the guest has opened (true) or closed the tray with a disc in it.
  virtual void tray_moved(bool) {}

 private:
  enum class MediaEvent : u8 { None = 0, EjectRequest = 1, NewMedia = 2, Removal = 3 };
  using Disc = std::shared_ptr<BlockDevice>;
  static const Row kRows[];
  static const std::span<const Row> kTable;

  Sense readiness() override;
  void after_reset(ResetKind kind) override;
  /// The disc is the administrator's affair; tray, lock and what the guest has yet to hear of are the drive's.
  void visit_unit_state(StateArchive& a) override;
  Disc disc() const;  ///< what can be read now; nullptr when the tray is open or empty
  u64 sectors() const;
  bool is_dvd() const { return sectors() > kCdSectors; }
  void read_sectors(Task& task, const BlockRange& range);
  void read_raw(Task& task, const BlockRange& range, u8 parts);

  void inquiry(Task& task);
  void start_stop(Task& task);
  void prevent_allow(Task& task);
  void read_capacity(Task& task);
  void read_format_capacities(Task& task);
  void read(Task& task);
  void read_cd(Task& task);
  void read_cd_msf(Task& task);
  void check_range(Task& task);
  void read_toc(Task& task);
  void read_sub_channel(Task& task);
  void read_header(Task& task);
  void get_configuration(Task& task);
  void get_event_status(Task& task);
  void read_disc_information(Task& task);
  void read_track_information(Task& task);
  void read_dvd_structure(Task& task);
  void mechanism_status(Task& task);
  void mode_sense(Task& task);
  void mode_select(Task& task);

  static constexpr u64 kCdSectors = 450'000;  // 99:59 minutes; what is larger must be a DVD
  const DiskIdentity identity_;
  mutable std::mutex mutex_;  // guards what follows; never held while a request runs
  Disc disc_;
  bool open_ = false;
  u16 preventing_ = 0;  // one bit an initiator
  MediaEvent event_ = MediaEvent::None;
};

}  // namespace ia64::storage::scsi
