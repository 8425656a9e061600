// SCSI status and sense data in both formats. @source SPC-4 4.5
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "base/endian.h"
#include "base/int_types.h"

namespace ia64::storage::scsi {

enum class Status : u8 {
  Good = 0x00,
  CheckCondition = 0x02,
  Busy = 0x08,
  ReservationConflict = 0x18,
  TaskSetFull = 0x28
};

enum class SenseKey : u8 {
  NoSense = 0,
  NotReady = 2,
  MediumError = 3,
  HardwareError = 4,
  IllegalRequest = 5,
  UnitAttention = 6,
  DataProtect = 7,
  AbortedCommand = 11,
  Miscompare = 14,
};

inline constexpr unsigned kFixedSenseBytes = 18;

/// Encoded sense data of any length a controller can carry.
struct SenseBytes {
  std::array<u8, 252> bytes{};
  size_t count = 0;

  void append(std::span<const u8> more) {
    const size_t n = std::min(more.size(), bytes.size() - count);
    std::copy_n(more.begin(), n, bytes.begin() + static_cast<std::ptrdiff_t>(count));
    count += n;
  }
  const u8* data() const { return bytes.data(); }
  size_t size() const { return count; }
};

/// A sense key with its additional sense code and qualifier.
struct Sense {
  SenseKey key = SenseKey::NoSense;
  u8 asc = 0;
  u8 ascq = 0;
  bool has_information = false;
  u32 information = 0;  ///< low 32 bits of the LBA in error

  bool operator==(const Sense&) const = default;
  template <class Archive>
  void visit_state(Archive& a) {
    a(key, asc, ascq, has_information, information);
  }

  std::array<u8, kFixedSenseBytes> encode() const {
    std::array<u8, kFixedSenseBytes> out{};
    out[0] = has_information ? 0xf0 : 0x70;
    out[2] = static_cast<u8>(key);
    store_be<u32>(&out[3], information);
    out[7] = kFixedSenseBytes - 8;
    out[12] = asc;
    out[13] = ascq;
    return out;
  }
  SenseBytes encode_fixed() const {
    SenseBytes out;
    out.append(encode());
    return out;
  }
  SenseBytes encode_descriptor() const {
    std::array<u8, 20> out{};
    out[0] = 0x72;
    out[1] = static_cast<u8>(key);
    out[2] = asc;
    out[3] = ascq;
    SenseBytes all;
    if (!has_information) return all.append(std::span(out).first(8)), all;
    out[7] = 12;    // one descriptor, type 0 (information)
    out[9] = 10;
    out[10] = 0x80;
    store_be<u32>(&out[16], information);
    return all.append(out), all;
  }
};

namespace sense {
inline constexpr Sense kNone{};
inline constexpr Sense kBecomingReady{SenseKey::NotReady, 0x04, 0x02};  // initializing command required
inline constexpr Sense kReadError{SenseKey::MediumError, 0x11, 0x00};
inline constexpr Sense kWriteError{SenseKey::MediumError, 0x0c, 0x00};
inline constexpr Sense kNoMedium{SenseKey::NotReady, 0x3a, 0x00};
inline constexpr Sense kNoMediumTrayClosed{SenseKey::NotReady, 0x3a, 0x01};
inline constexpr Sense kNoMediumTrayOpen{SenseKey::NotReady, 0x3a, 0x02};
inline constexpr Sense kRemovalPrevented{SenseKey::IllegalRequest, 0x53, 0x02};
inline constexpr Sense kIllegalModeForTrack{SenseKey::IllegalRequest, 0x64, 0x00};
inline constexpr Sense kMiscompare{SenseKey::Miscompare, 0x1d, 0x00};
inline constexpr Sense kInvalidRelease{SenseKey::IllegalRequest, 0x26, 0x04};
inline constexpr Sense kSoftwareWriteProtected{SenseKey::DataProtect, 0x27, 0x02};
inline constexpr Sense kInvalidOpcode{SenseKey::IllegalRequest, 0x20, 0x00};
inline constexpr Sense kLbaOutOfRange{SenseKey::IllegalRequest, 0x21, 0x00};
inline constexpr Sense kInvalidFieldInCdb{SenseKey::IllegalRequest, 0x24, 0x00};
inline constexpr Sense kNoSuchUnit{SenseKey::IllegalRequest, 0x25, 0x00};
inline constexpr Sense kParameterListLength{SenseKey::IllegalRequest, 0x1a, 0x00};
inline constexpr Sense kInvalidFieldInParameters{SenseKey::IllegalRequest, 0x26, 0x00};
inline constexpr Sense kSavingNotSupported{SenseKey::IllegalRequest, 0x39, 0x00};
inline constexpr Sense kWriteProtected{SenseKey::DataProtect, 0x27, 0x00};
inline constexpr Sense kSpaceAllocationFailed{SenseKey::DataProtect, 0x27, 0x07};
}  // namespace sense

}  // namespace ia64::storage::scsi
