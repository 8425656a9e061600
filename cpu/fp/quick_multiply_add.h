// The common case of fma, fms and fnma without a call or a table: ordinary operands, round to nearest, traps disabled.
#pragma once

#include "cpu/arch/registers.h"

namespace ia64::cpu::fp {

/// A factor or addend with its leading one in bit 63.
struct QuickOperand {
  u64 significand;
  i64 exponent;
};

/// @returns false for zeros, infinities, NaNs, NaTVal and everything with exponent 0; `unnormal` becomes true for numbers that
///          were not normalised
[[gnu::always_inline]] inline bool quick_operand(const FpReg& f, QuickOperand& out, bool& unnormal) {
  const u32 e = f.sign_exp & 0x1ffff;
  if (e - 1 >= 0x1fffe || f.significand == 0) [[unlikely]] return false;
  out = {f.significand, static_cast<i64>(e)};
  if (!(f.significand >> 63)) {
    const int shift = __builtin_clzll(f.significand);
    out.significand <<= shift, out.exponent -= shift, unnormal = true;
  }
  return true;
}

/// f3 x f4 + f2 for operands that quick_operand() took, rounded to nearest with kPrecision bits.
/// @param add        false: there is no addend, `c` is not looked at
/// @param signs      sign of the product in bit 0, of the addend in bit 1
/// @param exponent   of the result, unbounded
/// @param inexact    whether rounding changed something
/// @returns the significand, or 0 when the sum is exactly zero; bit 0 of `signs` becomes the result's sign
template <unsigned kPrecision>
[[gnu::always_inline]] inline u64 quick_multiply_add(QuickOperand a, QuickOperand b, QuickOperand c, bool add, unsigned& signs,
                                                     i64& exponent, bool& inexact) {
  u128 sum = u128{a.significand} * b.significand;  // bit 127 or bit 126 is the first one
  i64 e = a.exponent + b.exponent - 0xfffe;        // of bit 127
  u64 lost = 0;
  if (add) {
    u128 other = u128{c.significand} << 64;
    i64 distance = e - c.exponent;
    // Now `other` becomes the one that is moved to the right.
    if (distance < 0) {
      const u128 product = sum;
      sum = other, other = product, e = c.exponent, distance = -distance;
      signs = (signs >> 1 & 1) | (signs << 1 & 2);
    }
    if (distance >= 128) {
      lost = 1, other = 0;
    } else if (distance) {
      lost = (other << (128 - distance)) != 0;
      other >>= distance;
    }
    if ((signs ^ signs >> 1) & 1) {
      // The lost part makes the difference smaller by less than one.
      if (sum >= other) {
        sum -= other;
        if (lost) sum -= 1;  // the larger one lost nothing, and is then larger by more than that
      } else {
        sum = other - sum, signs ^= 1;  // only when `other` was not moved beyond its last one
      }
      if (sum == 0) [[unlikely]] return exponent = 0, inexact = false, 0;
    } else if (__builtin_add_overflow(sum, other, &sum)) {
      lost |= static_cast<u64>(sum) & 1;
      sum = sum >> 1 | u128{1} << 127, e++;
    }
  }
  u64 high = static_cast<u64>(sum >> 64);
  if (!(high >> 63)) {
    const int shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll(static_cast<u64>(sum));
    sum <<= shift, e -= shift;
    high = static_cast<u64>(sum >> 64);
  }
  u64 rest = static_cast<u64>(sum) | lost;
  constexpr u64 kUnit = u64{1} << (64 - kPrecision);
  if constexpr (kPrecision < 64) {
    rest = (high << (kPrecision & 63)) | (rest != 0);
    high &= -kUnit;
  }
  inexact = rest != 0;
  const u64 threshold = (u64{1} << 63) - ((high & kUnit) != 0);
  high += rest > threshold ? kUnit : 0;
  if (high == 0) [[unlikely]] high = u64{1} << 63, e++;
  exponent = e;
  return high;
}

}  // namespace ia64::cpu::fp
