// The contract between a SCSI controller and the device behind one of its addresses.
#pragma once

#include <sys/uio.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/state_archive.h"
#include "storage/scsi/cdb.h"
#include "storage/scsi/sense.h"

namespace ia64::storage::scsi {

/// How a command ended.
struct Result {
  Status status = Status::Good;
  Sense sense{};         ///< valid with CheckCondition
  u64 transferred = 0;   ///< bytes moved in the command's direction; the controller computes the residual
  bool overrun = false;  ///< the command needed more data than the buffers hold; nothing was done
  bool descriptor_sense = false;  ///< the initiator asked for sense data in descriptor format (D_SENSE)
  std::vector<u8> raw_sense{};    ///< an attached device's own sense bytes; they replace `sense`

  /// The bytes a controller delivers with CheckCondition, in the format the initiator asked for.
  SenseBytes sense_bytes() const {
    if (raw_sense.empty()) return descriptor_sense ? sense.encode_descriptor() : sense.encode_fixed();
    SenseBytes out;
    out.append(raw_sense);
    return out;
  }
};

/// One command. The memory behind the lists (guest RAM) stays valid until `done` runs.
struct Task {
  Cdb cdb{};
  u64 lun = 0;                  ///< logical unit number, not the 8-byte structure
  u8 initiator = 0;             ///< who asks, 0..15: reservations, sense and unit attentions are kept for each
  bool autosense = true;        ///< the controller delivers sense with the status; else REQUEST SENSE gets it
  std::vector<iovec> data_out;  ///< initiator to target
  std::vector<iovec> data_in;
  std::function<void(const Result&)>
      done;  ///< exactly once, from any thread, possibly before submit() returns
};

enum class ResetKind : u8 { PowerOn, Bus, Target, LogicalUnit };

/// A target with logical unit 0. Commands run concurrently and complete in any order. Any thread.
class ScsiTarget {
 public:
  virtual ~ScsiTarget() = default;
  virtual void submit(Task task) = 0;
  /// Mode parameters and reservations back to their defaults, unit attention pending. Commands in flight go
  /// on: the controller decides what becomes of their completions.
  virtual void reset(ResetKind kind) = 0;
  virtual std::string describe() const = 0;
  /// What the target remembers about its initiators and settings; the medium is not part of it. Nothing is in flight.
  virtual void visit_state(StateArchive&) {}
};

/// Total bytes of a scatter list.
inline u64 list_bytes(std::span<const iovec> list) {
  u64 n = 0;
  for (const auto& v : list) n += v.iov_len;
  return n;
}

/// Copies `bytes` into a scatter list as far as both reach. @returns bytes copied
u64 copy_to_list(std::span<const iovec> list, std::span<const u8> bytes);
/// Copies from a scatter list into `bytes` as far as both reach. @returns bytes copied
u64 copy_from_list(std::span<const iovec> list, std::span<u8> bytes);
/// Shortens a list to its first `n` bytes.
void trim_list(std::vector<iovec>& list, u64 n);

}  // namespace ia64::storage::scsi
