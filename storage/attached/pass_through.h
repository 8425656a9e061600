// The host end of an attached device: one real SCSI device that carries out command blocks.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/scsi/cdb.h"
#include "storage/scsi/sense.h"

namespace ia64::storage {

struct PassedCommand {
  std::span<const u8> cdb;
  std::span<u8> data;  ///< both directions; before reading it holds what the guest's memory held
  enum class Direction : u8 { None, In, Out } direction = Direction::None;
};
struct PassedOutcome {
  u8 status = 0;            ///< the device's SCSI status
  u64 transferred = 0;      ///< bytes, as the device or its transport counts them
  bool in_place = false;    ///< `data` changed only where data arrived, whatever `transferred` says
  std::vector<u8> sense{};
  bool lost = false;        ///< the device could not be reached; nothing else counts
};

/// Called from one thread at a time; a command may take minutes (a tape that rewinds).
class PassThrough {
 public:
  virtual ~PassThrough() = default;
  virtual PassedOutcome execute(const PassedCommand& command) = 0;
  virtual void reset() = 0;  ///< the logical unit only
  virtual std::string describe() const = 0;
};

/// Opens a host device (/dev/sg*, st*, sr*) or "iscsi://host[:port]/target/lun" for one guest alone.
/// @returns one line: missing, no SCSI device, in use, or a build without libiscsi
Result<std::unique_ptr<PassThrough>> open_pass_through(const std::string& location);
Result<std::unique_ptr<PassThrough>> open_sg(const std::string& path);
Result<std::unique_ptr<PassThrough>> open_iscsi(const std::string& url);

}  // namespace ia64::storage
