// EFI_TIME and the calendar behind it.
#pragma once

#include "base/int_types.h"

namespace ia64::firmware {

/// EFI_TIME as it lies in memory. @source EFI 1.10, 6.2
struct EfiTime {
  u16 year;
  u8 month, day, hour, minute, second, pad1;
  u32 nanosecond;
  i16 time_zone;  ///< minutes from UTC, kUnspecifiedZone when local
  u8 daylight, pad2;
};
static_assert(sizeof(EfiTime) == 16);
inline constexpr i16 kUnspecifiedZone = 0x7ff;

/// Calendar date of a count of seconds since 1970-01-01 (proleptic Gregorian).
EfiTime to_efi_time(i64 seconds, u32 nanosecond);
/// The reverse; the time zone is ignored. Fields must be valid.
i64 to_seconds(const EfiTime& t);
/// Year 1998..2099, existing day, and so on. @source EFI 1.10, 6.2 (EFI_TIME)
bool valid(const EfiTime& t);

}  // namespace ia64::firmware
