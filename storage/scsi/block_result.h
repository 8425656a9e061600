// What the outcome of a block request means in SCSI.
#pragma once

#include "storage/block_store.h"
#include "storage/scsi/target.h"

namespace ia64::storage::scsi {

/// Sense for a failed request. @param lba its first block, reported where 32 bits hold it
inline Sense sense_of(BlockStatus status, bool write, u64 lba) {
  Sense s;
  switch (status) {
    case BlockStatus::NoSpace: return sense::kSpaceAllocationFailed;
    case BlockStatus::ReadOnly: return sense::kWriteProtected;
    case BlockStatus::OutOfRange: return sense::kLbaOutOfRange;
    case BlockStatus::NoMedium: return sense::kNoMedium;
    case BlockStatus::Unsupported: return sense::kInvalidFieldInCdb;
    default: s = write ? sense::kWriteError : sense::kReadError;
  }
  s.has_information = lba <= 0xffff'ffff;
  s.information = static_cast<u32>(lba);
  return s;
}

inline Result result_of(BlockStatus status, u64 lba, u64 transferred, bool write) {
  if (status == BlockStatus::Ok) return {.transferred = transferred};
  return {.status = Status::CheckCondition, .sense = sense_of(status, write, lba)};
}

}  // namespace ia64::storage::scsi
