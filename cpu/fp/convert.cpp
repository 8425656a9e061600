// Conversions between numbers and 64-bit or 32-bit integers.
#include "cpu/fp/convert.h"

#include "cpu/fp/round.h"

namespace ia64::cpu::fp {
namespace {

/// Magnitude of a rounded integer, with what rounding did.
struct Rounded {
  u64 magnitude = 0;
  bool inexact = false;
  bool away = false;
  bool too_big = false;  ///< 2^64 or more
};

Rounded round_to_integer(const Number& n, unsigned mode) {
  const i32 shift = static_cast<i32>(kFpIntegerExponent) - n.exponent;
  if (n.significand == 0) return {};
  if (shift < 0) return {.too_big = true};
  if (shift == 0) return {.magnitude = n.significand};
  u64 whole = 0, rest = 1;  // far below one half
  if (shift < 64) whole = n.significand >> shift, rest = n.significand << (64 - shift);
  if (shift == 64) rest = n.significand;
  const bool away = rounds_away(rest, whole & 1, n.sign, mode);
  return {.magnitude = whole + away, .inexact = rest != 0, .away = away};
}

bool fits(const Rounded& r, bool negative, IntegerKind kind) {
  if (r.too_big) return false;
  if (!kind.is_signed) return negative ? r.magnitude == 0 : r.magnitude <= low_mask(kind.bits);
  return r.magnitude <= low_mask(kind.bits - 1) + negative;
}

Outcome indefinite(IntegerKind kind, const Control& control) {
  return deliver(make_integer(bit(kind.bits - 1)), kInvalid, control);
}

}  // namespace

Outcome to_integer(const FpReg& f2, IntegerKind kind, const Control& control) noexcept {
  if (f2.exponent() == kSpecialExponent) return indefinite(kind, control);
  const Number n = unpack(f2);
  const Rounded r = round_to_integer(n, kind.truncate ? u8{kTruncate} : control.rounding);
  if (!fits(r, n.sign, kind)) return indefinite(kind, control);
  const u64 value = n.sign ? -r.magnitude : r.magnitude;
  Outcome out = deliver(make_integer(value & low_mask(kind.bits)), is_unnormal(f2) ? kDenormal : 0, control);
  if (r.inexact) {
    out.flags |= kInexact;
    out.traps = static_cast<u8>(kInexact & ~control.masked);
    out.fpa = r.away;
  }
  return out;
}

FpReg from_signed(u64 significand) noexcept {
  if (significand == 0) return kFpZero;
  const bool sign = significand >> 63;
  const u64 magnitude = sign ? -significand : significand;
  const int shift = __builtin_clzll(magnitude);
  return {magnitude << shift, u32{sign} << 17 | (kFpIntegerExponent - static_cast<u32>(shift)), 0};
}

}  // namespace ia64::cpu::fp
