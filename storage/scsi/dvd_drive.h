// A virtual DVD as an administrator sees it: drive, ISO file or empty, and the console's EJ and IN.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/scsi/disc_share.h"
#include "storage/scsi/dvd_target.h"

namespace ia64::storage::scsi {

/// Virtual DVD (`disk`: the disc in a host drive), FileDVD (`file`: an ISO image) or NullDVD (`null`: empty, filled from a
/// host drive or from a directory of ISO images). Discs are read-only and locked as readers; guests may
/// share images, not drives (disc_share.h). A guest that opens the tray and closes it again finds the same disc. INQUIRY keeps the kind it started with.
/// Control calls come from one thread at a time. @source integrity-vm reference, 2.3 and 4
class DvdDrive final : public DvdTarget {
 public:
  /// @param storage "disk", "file" or "null"; @param location host drive, ISO file or directory
  /// @returns one line naming the location and what is wrong; a host drive without a disc is no error
  static ia64::Result<std::unique_ptr<DvdDrive>> open(const std::string& storage, const std::string& location,
                                                DiskIdentity identity);
  ~DvdDrive() override;

  /// EJ: the drive becomes a NullDVD; a host drive is unlocked.
  void eject();
  /// What IN may choose from: names of ISO files in the directory of this drive, sorted; none for a host drive.
  /// World-writable files are hidden.
  std::vector<std::string> choices() const;
  /// What IN would take, as current() would then be; whether it can be taken is not looked at.
  std::string chosen(const std::string& choice) const;
  /// IN: takes the disc in the host drive (`choice` empty) or one of choices().
  ia64::Result<void> insert_choice(const std::string& choice);
  /// The guest has restarted: a changed FileDVD goes back to its original image.
  ia64::Result<void> revert();
  bool changed() const { return storage_ == "file" && current_ != original(); }  ///< revert() would do something

  /// Called, when set, after the guest has opened (true) or closed the tray. To be set before the guest sees the drive.
  std::function<void(bool open)> on_tray;

  /// Makes current() what it was in a saved machine.
  ia64::Result<void> restore(const std::string& current);

  std::string original() const { return storage_ + ":" + location_; }
  std::string current() const { return current_; }  ///< the statement's end as it is now, e.g. "null:/isos"

 private:
  void tray_moved(bool open) override {
    if (on_tray) on_tray(open);
  }
  class HostDoor;
  DvdDrive(std::string storage, std::string location, const DiskIdentity& identity);
  bool uses_host_drive() const { return directory_.empty(); }
  ia64::Result<void> load(const std::string& path, bool host_drive);

  const std::string storage_, location_;
  const bool vio_;  // on a VIO adapter
  std::string directory_;  // where ISO files are chosen; empty: the host drive
  std::string current_;
  std::unique_ptr<HostDoor> door_;
  std::optional<DiscShare> drive_share_, image_share_;
};

/// The ISO files of a directory that a guest's administrator may choose: regular, not world-writable, not hidden.
std::vector<std::string> iso_choices(const std::string& directory);

}  // namespace ia64::storage::scsi
