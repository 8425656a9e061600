// Classes of register encodings, and the unpacked form that arithmetic works on.
// @source SDM vol. 1, 5.1.2 and table "Floating-point register encodings"
#pragma once

#include "cpu/arch/registers.h"
#include "cpu/fp/fpsr.h"

namespace ia64::cpu::fp {

inline constexpr u32 kBias = 0xffff, kSpecialExponent = 0x1ffff;
inline constexpr u32 kExtendedEmin = 0xc001;  ///< what exponent 0 means when the significand is not zero
inline constexpr u64 kIntegerBit = u64{1} << 63, kQuietBit = u64{1} << 62;
inline constexpr u64 kIntegerIndefinite = kIntegerBit;
inline constexpr FpReg kIndefinite{kIntegerBit | kQuietBit, 1u << 17 | kSpecialExponent, 0};

/// Normalised number, not 0, infinity, NaN or NaTVal: what the fast paths take.
constexpr bool is_normal(const FpReg& r) {
  return (r.significand >> 63) & (r.exponent() - 1 < 0x1fffe);
}
constexpr bool is_zero(const FpReg& r) {
  return r.significand == 0 && r.exponent() == 0;
}
constexpr bool is_infinity(const FpReg& r) {
  return r.exponent() == kSpecialExponent && r.significand == kIntegerBit;
}
constexpr bool is_nan(const FpReg& r) {
  return r.exponent() == kSpecialExponent && r.significand > kIntegerBit;
}
constexpr bool is_signaling(const FpReg& r) {
  return is_nan(r) && !(r.significand & kQuietBit);
}
constexpr bool is_quiet_nan(const FpReg& r) {
  return is_nan(r) && (r.significand & kQuietBit);
}
/// Pseudo-NaN or pseudo-infinity.
constexpr bool is_unsupported(const FpReg& r) {
  return r.exponent() == kSpecialExponent && !(r.significand >> 63);
}
/// Denormals, unnormals, pseudo-denormals and pseudo-zeros (a negative NaTVal pattern is a pseudo-zero).
constexpr bool is_unnormal(const FpReg& r) {
  if (r.exponent() == kSpecialExponent || r.is_natval()) return false;
  return r.exponent() == 0 ? r.significand != 0 : !(r.significand >> 63);
}
constexpr bool any_natval(const FpReg& a, const FpReg& b) {
  return a.is_natval() || b.is_natval();
}

constexpr FpReg make_zero(bool sign) {
  return {0, u32{sign} << 17, 0};
}
constexpr FpReg make_infinity(bool sign) {
  return {kIntegerBit, u32{sign} << 17 | kSpecialExponent, 0};
}
constexpr FpReg quieted(const FpReg& nan) {
  return {nan.significand | kQuietBit, nan.sign_exp, 0};
}
/// A register holding an integer or a pair of singles.
constexpr FpReg make_integer(u64 significand) {
  return {significand, kFpIntegerExponent, 0};
}

/// A finite value: (-1)^sign x significand x 2^(exponent - bias - 63). Zero has significand 0; all others are
/// normalised, and the exponent may leave the 17-bit range.
struct Number {
  u64 significand;
  i32 exponent;
  bool sign;
};

/// Unpacks and normalises any finite encoding.
inline Number unpack(const FpReg& r) {
  Number n{r.significand, static_cast<i32>(r.exponent()), r.sign()};
  if (n.significand >> 63 && n.exponent) [[likely]]
    return n;
  if (n.significand == 0) return {0, 0, n.sign};
  if (n.exponent == 0) n.exponent = kExtendedEmin;
  const int shift = __builtin_clzll(n.significand);
  n.significand <<= shift;
  n.exponent -= shift;
  return n;
}

/// What an operation delivers. With `faults` the value and flags are not to be used; with `traps` everything
/// is written first.
struct Outcome {
  FpReg value;
  u8 flags = 0;      ///< to be ORed into sf.flags
  u8 faults = 0;     ///< unmasked kInvalid, kDenormal, kZeroDivide
  u8 traps = 0;      ///< kOverflow, kUnderflow, kInexact as ISR.code reports them
  bool fpa = false;  ///< the delivered magnitude exceeds the exact one
};

/// Delivers `value` with fault-class exceptions `raised`: as flags where masked, as faults where not.
inline Outcome deliver(const FpReg& value, u8 raised, const Control& control) {
  return {.value = value, .flags = raised, .faults = static_cast<u8>(raised & ~control.masked)};
}

}  // namespace ia64::cpu::fp
