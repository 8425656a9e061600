// Long division and digit-by-digit square root on 64-bit significands.
#include "cpu/fp/divide.h"

namespace ia64::cpu::fp {
namespace {

/// floor(sqrt(v)), v >= 2^126.
u64 integer_root(u128 v) {
  u64 root = 0;
  for (int b = 63; b >= 0; b--) {
    const u64 candidate = root | u64{1} << b;
    if (u128{candidate} * candidate <= v) root = candidate;
  }
  return root;
}

}  // namespace

Exact quotient(const Number& a, const Number& b) noexcept {
  const bool below_one = a.significand < b.significand;
  const u128 numerator = u128{a.significand} << (below_one ? 64 : 63);
  const u128 high = numerator / b.significand;  // 2^63 <= high < 2^64
  const u128 rest = numerator % b.significand << 64;
  const i32 exponent = a.exponent - b.exponent + static_cast<i32>(kBias) - below_one;
  return {high << 64 | rest / b.significand, exponent, a.sign != b.sign, rest % b.significand != 0};
}

Exact square_root(const Number& a) noexcept {
  const i32 e = a.exponent - static_cast<i32>(kBias);
  const u128 radicand = u128{a.significand} << (e & 1 ? 64 : 63);  // even power of two below the point
  const u64 root = integer_root(radicand);
  const u128 rest = radicand - u128{root} * root;
  // The bit after the root is set when radicand >= (root + 1/2)^2, and then something always remains below
  // it.
  const u64 half = rest > root ? kIntegerBit : 0;
  return {u128{root} << 64 | half, (e >> 1) + static_cast<i32>(kBias), false, rest != 0};
}

}  // namespace ia64::cpu::fp
