// Rounding of an exact result into the format of an operation, with overflow, underflow and inexact.
// @source SDM vol. 1, 5.4.1.3 to 5.4.3
#pragma once

#include "cpu/fp/number.h"

namespace ia64::cpu::fp {

/// An exact nonzero result: significand has bit 127 set; value = (-1)^sign x (significand + sticky fraction)
/// x 2^(exponent - bias - 127). `sticky` stands for a further nonzero part below the last bit.
struct Exact {
  u64 high, low;  ///< two words rather than one u128: keeps compilers from moving it through vector registers
  i32 exponent;
  bool sign;
  bool sticky;

  Exact(u128 significand, i32 e, bool negative, bool more)
      : high(static_cast<u64>(significand >> 64)),
        low(static_cast<u64>(significand)),
        exponent(e),
        sign(negative),
        sticky(more) {}
  u128 significand() const { return u128{high} << 64 | low; }
};

/// Whether rounding goes away from zero. @param rest the discarded part as a fraction of one unit, scaled by
/// 2^64 Written as one comparison because its outcome is as good as random: a branch on it would be
/// mispredicted half the time.
inline bool rounds_away(u64 rest, bool odd, bool sign, unsigned mode) {
  u64 threshold = (u64{1} << 63) - odd;
  if (mode != kNearest) threshold = mode == (sign ? kDown : kUp) ? 0 : ~u64{0};
  return rest > threshold;
}

/// Rest of the result when its exponent after rounding lies outside the format.
Outcome round_out_of_range(const Exact& exact, const Control& control) noexcept;

/// Rounds `exact`. @param flags exceptions found before (kDenormal), which join the outcome's flags
inline Outcome round(const Exact& exact, const Control& control, u8 flags = 0) noexcept {
  const unsigned precision = control.format.precision;
  u64 kept = exact.high;
  u64 rest = exact.low | exact.sticky;
  u64 unit = 1;
  if (precision < 64) {
    rest = (kept << precision) | (rest != 0);
    unit <<= 64 - precision;
    kept &= -unit;
  }
  const bool away = rounds_away(rest, kept & unit, exact.sign, control.rounding);
  i32 exponent = exact.exponent;
  kept += unit & -u64{away};
  if (kept == 0) [[unlikely]]
    kept = kIntegerBit, exponent++;
  const Format& f = control.format;
  if (static_cast<u32>(exponent) - f.emin > f.emax - f.emin) [[unlikely]] {
    Outcome out = round_out_of_range(exact, control);
    out.flags |= flags;
    return out;
  }
  Outcome out{.value = {kept, u32{exact.sign} << 17 | static_cast<u32>(exponent), 0},
              .flags = static_cast<u8>(flags | (rest ? kInexact : 0))};
  if (!(control.masked & kInexact) && rest) [[unlikely]]
    out.traps = kInexact, out.fpa = away;
  return out;
}

/// Rounds a normalised 64-bit number. Zero stays zero.
Outcome round(const Number& number, const Control& control, u8 flags = 0) noexcept;

}  // namespace ia64::cpu::fp
