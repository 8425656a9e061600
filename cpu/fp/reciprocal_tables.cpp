// The architected reciprocal tables: the value at the middle of each interval, rounded to nearest in ten
// fraction bits.
#include "cpu/fp/reciprocal.h"

namespace ia64::cpu::fp {
namespace {

/// Fraction bits of 2/m, m = 1 + (2i+1)/512: round(1024 * (2/m - 1)).
constexpr u16 reciprocal_entry(unsigned i) {
  const unsigned m = 513 + 2 * i;  // in units of 1/512
  return static_cast<u16>((2 * 1024 * 1024 + m) / (2 * m) - 1024);
}

/// Fraction bits of 2/sqrt(m): the largest t with 1024 + t - 1/2 <= 2048/sqrt(m). The upper half of the table
/// serves even powers of two, m = 1 + (2i+1)/256 in [1, 2); the lower half odd ones, with m doubled.
constexpr u16 root_entry(unsigned i) {
  const u64 m = (257 + 2 * (i & 127)) * (i < 128 ? 2 : 1);  // in units of 1/256
  u64 t = 1;
  while ((2 * (1024 + t + 1) - 1) * (2 * (1024 + t + 1) - 1) * m <= u64{4096} * 4096 * 256) t++;
  return static_cast<u16>(t);
}

}  // namespace

#define ROW(f, i) f(i), f(i + 1), f(i + 2), f(i + 3), f(i + 4), f(i + 5), f(i + 6), f(i + 7)
#define BLOCK(f, i) ROW(f, i), ROW(f, i + 8), ROW(f, i + 16), ROW(f, i + 24)
#define TABLE(f)                                                                                      \
  BLOCK(f, 0), BLOCK(f, 32), BLOCK(f, 64), BLOCK(f, 96), BLOCK(f, 128), BLOCK(f, 160), BLOCK(f, 192), \
      BLOCK(f, 224)

constinit const u16 kReciprocalTable[256] = {TABLE(reciprocal_entry)};
constinit const u16 kReciprocalRootTable[256] = {TABLE(root_entry)};

}  // namespace ia64::cpu::fp
