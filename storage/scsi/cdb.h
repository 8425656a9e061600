// SCSI operation codes and command descriptor block fields. @source SPC-4, SBC-3, MMC-5
#pragma once

#include <array>
#include <span>

#include "base/endian.h"
#include "base/int_types.h"

namespace ia64::storage::scsi {

/// A command descriptor block, zero-padded. Longer ones do not occur.
using Cdb = std::array<u8, 32>;

enum Opcode : u8 {
  kTestUnitReady = 0x00,
  kRequestSense = 0x03,
  kRead6 = 0x08,
  kWrite6 = 0x0a,
  kInquiry = 0x12,
  kModeSelect6 = 0x15,
  kReserve6 = 0x16,
  kRelease6 = 0x17,
  kModeSense6 = 0x1a,
  kStartStopUnit = 0x1b,
  kSendDiagnostic = 0x1d,
  kPreventAllow = 0x1e,
  kReadFormatCapacities = 0x23,
  kReadCapacity10 = 0x25,
  kRead10 = 0x28,
  kWrite10 = 0x2a,
  kSeek10 = 0x2b,
  kWriteAndVerify10 = 0x2e,
  kVerify10 = 0x2f,
  kPreFetch10 = 0x34,
  kSynchronizeCache10 = 0x35,
  kWriteBuffer = 0x3b,
  kReadBuffer = 0x3c,
  kWriteSame10 = 0x41,
  kUnmap = 0x42,
  kReadSubChannel = 0x42,  // the same code, in the MMC set
  kReadToc = 0x43,
  kReadHeader = 0x44,
  kGetConfiguration = 0x46,
  kGetEventStatus = 0x4a,
  kReadDiscInformation = 0x51,
  kReadTrackInformation = 0x52,
  kModeSelect10 = 0x55,
  kReserve10 = 0x56,
  kRelease10 = 0x57,
  kModeSense10 = 0x5a,
  kPersistentReserveIn = 0x5e,
  kPersistentReserveOut = 0x5f,
  kRead16 = 0x88,
  kCompareAndWrite = 0x89,
  kWrite16 = 0x8a,
  kWriteAndVerify16 = 0x8e,
  kVerify16 = 0x8f,
  kPreFetch16 = 0x90,
  kSynchronizeCache16 = 0x91,
  kWriteSame16 = 0x93,
  kServiceActionIn16 = 0x9e,  ///< service action 0x10: READ CAPACITY(16)
  kReportLuns = 0xa0,
  kMaintenanceIn = 0xa3,
  kRead12 = 0xa8,
  kWrite12 = 0xaa,
  kReadDvdStructure = 0xad,
  kWriteAndVerify12 = 0xae,
  kVerify12 = 0xaf,
  kReadCdMsf = 0xb9,
  kSetCdSpeed = 0xbb,
  kMechanismStatus = 0xbd,
  kReadCd = 0xbe,
};

inline constexpr u8 kServiceReadCapacity16 = 0x10, kServiceGetLbaStatus = 0x12;

/// Length of a CDB by the group code of its first byte; 0 for groups without a fixed length.
constexpr unsigned cdb_bytes(u8 opcode) {
  constexpr u8 kByGroup[8] = {6, 10, 10, 0, 16, 12, 0, 0};
  return kByGroup[opcode >> 5];
}

/// Where a block command acts. Valid for the READ, WRITE, VERIFY, WRITE SAME and SYNCHRONIZE CACHE families.
struct BlockRange {
  u64 lba = 0;
  u64 blocks = 0;
};

/// Logical block address and transfer length of a 6-, 10-, 12- or 16-byte block command.
inline BlockRange block_range(const Cdb& c) {
  switch (cdb_bytes(c[0])) {
    // The six-byte form has a 21-bit address, and length 0 means 256 blocks.
    case 6: return {load_be<u32>(&c[0]) & 0x1f'ffffu, c[4] ? c[4] : 256u};
    case 10: return {load_be<u32>(&c[2]), load_be<u16>(&c[7])};
    case 12: return {load_be<u32>(&c[2]), load_be<u32>(&c[6])};
    default: return {load_be<u64>(&c[2]), load_be<u32>(&c[10])};
  }
}

}  // namespace ia64::storage::scsi
