// Overflow and underflow: default results, denormalisation, flush to zero and the trap-enabled responses.
#include "cpu/fp/round.h"

namespace ia64::cpu::fp {
namespace {

struct Rounded {
  u64 kept;
  i32 exponent;
  bool inexact;
  bool away;
};

/// Rounds to `precision` bits as if the exponent range had no bounds. The significand may be denormalised.
Rounded round_unbounded(u128 significand, bool sticky, i32 exponent, bool sign, const Control& c) {
  const unsigned precision = c.format.precision;
  const u64 high = static_cast<u64>(significand >> 64);
  u64 rest = static_cast<u64>(significand) | sticky;
  const u64 unit = u64{1} << (64 - precision);
  if (precision < 64) rest = (high << precision) | (rest != 0);
  Rounded r{high & -unit, exponent, rest != 0, false};
  r.away = rounds_away(rest, r.kept & unit, sign, c.rounding);
  if (r.away && (r.kept += unit) == 0) r.kept = kIntegerBit, r.exponent++;
  return r;
}

/// I joins O and U in the report, and is reported alone when it alone is enabled.
u8 traps_of(u8 raised, const Control& c) {
  const u8 enabled = raised & ~c.masked;
  return enabled ? enabled | (raised & kInexact) : 0;
}

/// The trap-enabled response: the unbounded result with the low 17 bits of its exponent.
Outcome wrapped(const Rounded& r, bool sign, u8 raised, const Control& c) {
  if (r.inexact) raised |= kInexact;
  return {.value = {r.kept, u32{sign} << 17 | (static_cast<u32>(r.exponent) & 0x1ffff), 0},
          .flags = raised,
          .traps = traps_of(raised, c),
          .fpa = r.away};
}

Outcome overflow(const Rounded& r, bool sign, const Control& c) {
  if (!(c.masked & kOverflow)) return wrapped(r, sign, kOverflow, c);
  const bool to_infinity = c.rounding == kNearest || c.rounding == (sign ? kDown : kUp);
  const u64 largest = ~u64{0} << (64 - c.format.precision);
  const FpReg value = to_infinity ? make_infinity(sign) : FpReg{largest, u32{sign} << 17 | c.format.emax, 0};
  const u8 traps = static_cast<u8>(kInexact & ~c.masked);
  return {.value = value, .flags = kOverflow | kInexact, .traps = traps, .fpa = to_infinity};
}

Outcome flushed(bool sign, const Control& c) {
  return {.value = make_zero(sign),
          .flags = kUnderflow | kInexact,
          .traps = static_cast<u8>(kInexact & ~c.masked)};
}

Outcome denormalised(const Exact& x, const Control& c) {
  const u32 shift = c.format.emin - static_cast<u32>(x.exponent);
  u128 significand = 0;
  bool sticky = true;
  if (shift < 128) {
    significand = x.significand() >> shift;
    sticky = x.sticky || (significand << shift) != x.significand();
  }
  const Rounded r = round_unbounded(significand, sticky, static_cast<i32>(c.format.emin), x.sign, c);
  u32 exponent = 0;
  if (r.kept) exponent = r.kept >> 63 ? c.format.emin : c.format.denormal_exp;
  const u8 raised = r.inexact ? kUnderflow | kInexact : 0;
  return {.value = {r.kept, u32{x.sign} << 17 | exponent, 0},
          .flags = raised,
          .traps = static_cast<u8>(raised & kInexact & ~c.masked),
          .fpa = r.away};
}

}  // namespace

Outcome round_out_of_range(const Exact& x, const Control& c) noexcept {
  const Rounded r = round_unbounded(x.significand(), x.sticky, x.exponent, x.sign, c);
  if (r.exponent > static_cast<i32>(c.format.emax)) return overflow(r, x.sign, c);
  if (!(c.masked & kUnderflow)) return wrapped(r, x.sign, kUnderflow, c);
  return c.flush ? flushed(x.sign, c) : denormalised(x, c);
}

Outcome round(const Number& n, const Control& control, u8 flags) noexcept {
  if (n.significand == 0) return {.value = make_zero(n.sign), .flags = flags};
  return round(Exact{u128{n.significand} << 64, n.exponent, n.sign, false}, control, flags);
}

}  // namespace ia64::cpu::fp
