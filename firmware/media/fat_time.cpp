// FAT time stamps.
#include <algorithm>

#include "base/bits.h"
#include "firmware/media/fat_volume.h"

namespace ia64::firmware::fat {

Stamp to_stamp(const EfiTime& t) {
  const unsigned year = std::clamp<unsigned>(t.year, 1980, 2107) - 1980;
  return {static_cast<u16>(year << 9 | t.month << 5 | t.day),
          static_cast<u16>(t.hour << 11 | t.minute << 5 | t.second / 2)};
}

EfiTime to_efi_time(Stamp s) {
  const auto clamp = [](u64 v, u64 low, u64 high) { return static_cast<u8>(std::clamp(v, low, high)); };
  EfiTime t{};
  t.year = static_cast<u16>(1980 + field(s.date, 9, 7));
  t.month = clamp(field(s.date, 5, 4), 1, 12);
  t.day = clamp(field(s.date, 0, 5), 1, 31);
  t.hour = clamp(field(s.time, 11, 5), 0, 23);
  t.minute = clamp(field(s.time, 5, 6), 0, 59);
  t.second = clamp(field(s.time, 0, 5) * 2, 0, 58);
  t.time_zone = kUnspecifiedZone;
  return t;
}

}  // namespace ia64::firmware::fat
