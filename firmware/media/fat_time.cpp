// FAT time stamps.
#include <algorithm>

#include "base/bits.h"
#include "firmware/media/fat_volume.h"

namespace ia64::firmware::fat {

Calendar to_calendar(Stamp s) {
  const auto clamp = [](u64 v, u64 low, u64 high) { return static_cast<unsigned>(std::clamp(v, low, high)); };
  return {static_cast<unsigned>(1980 + field(s.date, 9, 7)), clamp(field(s.date, 5, 4), 1, 12), clamp(field(s.date, 0, 5), 1, 31),
          clamp(field(s.time, 11, 5), 0, 23), clamp(field(s.time, 5, 6), 0, 59), clamp(field(s.time, 0, 5) * 2, 0, 58)};
}

Stamp to_stamp(const Calendar& c) {
  const unsigned year = std::clamp(c.year, 1980u, 2107u) - 1980;
  return {static_cast<u16>(year << 9 | c.month << 5 | c.day), static_cast<u16>(c.hour << 11 | c.minute << 5 | c.second / 2)};
}

Calendar calendar_of(i64 seconds) {
  i64 days = seconds / 86400, rest = seconds % 86400;
  if (rest < 0) days--, rest += 86400;
  // Days counted from 0000-03-01, so that the leap day ends a year. (Fliegel-style civil calendar arithmetic.)
  const i64 shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const i64 of_era = shifted - era * 146097;
  const i64 year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const i64 of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const i64 month_from_march = (5 * of_year + 2) / 153;
  const i64 month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const i64 year = year_of_era + era * 400 + (month <= 2);
  return {static_cast<unsigned>(std::max<i64>(year, 0)), static_cast<unsigned>(month),
          static_cast<unsigned>(of_year - (153 * month_from_march + 2) / 5 + 1), static_cast<unsigned>(rest / 3600),
          static_cast<unsigned>(rest / 60 % 60), static_cast<unsigned>(rest % 60)};
}

}  // namespace ia64::firmware::fat
