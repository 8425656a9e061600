// From what a resource statement names to a SCSI target.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/scsi/target.h"

namespace ia64::storage {
class UndoJournal;
}

namespace ia64::storage::scsi {

/// The parts of a resource statement a target depends on, and what its adapter demands.
struct TargetSpec {
  std::string device;    ///< "disk", "dvd", "tape", "changer", "burner"
  std::string storage;   ///< "disk", "lv", "file", "null", "attach", "attach_path" or any kind of store
  std::string location;
  std::string serial;
  bool parallel_bus = false;    ///< behind a parallel SCSI adapter
  u32 max_transfer_bytes = 0;   ///< 0: the adapter sets none
  std::string overlay_copy = {};  ///< of a disk: what its overlay begins with, see open_store()
  UndoJournal* undo = nullptr;    ///< not null: of a disk, where what writes replace is kept
};

/// Opens media and makes the target. @returns one line naming the file and what is wrong with it
ia64::Result<std::unique_ptr<ScsiTarget>> open_target(const TargetSpec& spec);

/// Whether a device may be on a kind of storage. @returns a message listing what it may be on
/// @source integrity-vm reference 2.1, table of device and storage types
ia64::Result<void> check_target_kind(std::string_view device, std::string_view storage);

}  // namespace ia64::storage::scsi
