// Calendar arithmetic for EFI_TIME.
#include "firmware/efi/time.h"

namespace ia64::firmware {
namespace {

constexpr i64 kDaySeconds = 86400;

// Days are counted in 400-year eras that start on 1 March, so that the leap day is the last of its year.
i64 days_of(int year, unsigned month, unsigned day) {
  const i64 y = month <= 2 ? year - 1 : year;
  const i64 era = (y >= 0 ? y : y - 399) / 400;
  const i64 year_of_era = y - era * 400;
  const i64 day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

bool leap(unsigned year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

}  // namespace

EfiTime to_efi_time(i64 seconds, u32 nanosecond) {
  i64 days = seconds / kDaySeconds, rest = seconds % kDaySeconds;
  if (rest < 0) rest += kDaySeconds, days--;
  const i64 z = days + 719468;
  const i64 era = (z >= 0 ? z : z - 146096) / 146097;
  const i64 day_of_era = z - era * 146097;
  const i64 year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const i64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const i64 shifted_month = (5 * day_of_year + 2) / 153;
  const i64 month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  EfiTime t{};
  t.year = static_cast<u16>(year_of_era + era * 400 + (month <= 2));
  t.month = static_cast<u8>(month);
  t.day = static_cast<u8>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  t.hour = static_cast<u8>(rest / 3600), t.minute = static_cast<u8>(rest / 60 % 60),
  t.second = static_cast<u8>(rest % 60);
  t.nanosecond = nanosecond;
  t.time_zone = 0;
  return t;
}

i64 to_seconds(const EfiTime& t) {
  return days_of(t.year, t.month, t.day) * kDaySeconds + t.hour * 3600 + t.minute * 60 + t.second;
}

bool valid(const EfiTime& t) {
  static constexpr u8 kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (t.year < 1998 || t.year > 2099 || t.month < 1 || t.month > 12) return false;
  const unsigned days = kDays[t.month - 1] + (t.month == 2 && leap(t.year));
  return t.day >= 1 && t.day <= days && t.hour < 24 && t.minute < 60 && t.second < 60 &&
         t.nanosecond < 1'000'000'000 &&
         (t.time_zone == kUnspecifiedZone || (t.time_zone >= -1440 && t.time_zone <= 1440)) &&
         (t.daylight & ~3) == 0;
}

}  // namespace ia64::firmware
