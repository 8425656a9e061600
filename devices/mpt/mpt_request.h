// What the adapter keeps about requests and task management in flight.
#pragma once

#include "base/endian.h"
#include "devices/mpt/mpt.h"

namespace ia64::devices::mpt {

/// Unit number of an 8-byte field: flat or peripheral addressing; whatever is deeper names no unit of ours.
inline u64 decode_lun(const u8* field) {
  const u64 lun = load_be<u16>(field) & 0x3fff;
  return load_le<u16>(field + 2) || load_le<u32>(field + 4) ? lun | u64{1} << 32 : lun;
}

struct Mpt::Request {
  std::array<u8, kScsiAtSgl> frame{};  // the fixed part of the message
  std::vector<Segment> segments;
  bool to_host = false;
  u32 context = 0;
  u8 target = 0;
  u64 lun = 0;
  u64 sequence = 0;
  u32 data_bytes = 0;
  GuestPhys sense_phys = 0;
  bool ended_by_manager = false;
};

/// A task management function that waits for the tasks it ended.
struct Mpt::Management {
  Reply reply;
  TaskType type{};
  u8 bus = 0, target = 0;
  u64 lun = 0;
  u32 task_context = 0;
  u64 sequence = 0;  // it covers requests with a smaller one
  u32 ended = 0;

  bool covers(const Request& r) const {
    if (r.sequence >= sequence) return false;
    if (type == TaskType::ResetBus) return true;
    if (r.target != target) return false;
    if (type == TaskType::AbortTask || type == TaskType::QueryTask) return r.context == task_context;
    return type == TaskType::TargetReset || r.lun == lun;
  }
};

/// A command for a target, to be handed over without the lock. No target: nothing to do.
struct Mpt::Submission {
  storage::scsi::ScsiTarget* target = nullptr;
  storage::scsi::Task task;
};

/// A message that is answered on the spot.
struct Mpt::Row {
  Function function;
  u8 reply_bytes;
  bool needs_operational;
  void (Mpt::*handler)(Frame, Reply&);
};

}  // namespace ia64::devices::mpt
