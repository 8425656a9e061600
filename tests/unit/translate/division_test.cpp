// Division sequences: what one division gives is what the steps give, in hard cases too.
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "base/bits.h"
#include "cpu/fp/convert.h"
#include "cpu/fp/memory_format.h"
#include "cpu/fp/multiply_add.h"
#include "cpu/fp/reciprocal.h"
#include "cpu/jit/float_record.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::cpu;

namespace {

fp::Control control(const fp::Format& format, u8 precision) {
  fp::Control c{.format = format};
  c.format.precision = precision;
  return c;
}
const fp::Control kWide = control(fp::kRegisterFormat, 64), kWideDouble = control(fp::kRegisterFormat, 53);

FpReg fma(const FpReg& a, const FpReg& b, const FpReg& c, const fp::Control& how = kWide) { return fp::multiply_add(a, b, c, {}, how).value; }
FpReg mul(const FpReg& a, const FpReg& b, const fp::Control& how = kWide) { return fp::multiply_add(a, b, kFpZero, {.no_addend = true}, how).value; }
FpReg fnma(const FpReg& a, const FpReg& b, const FpReg& c) { return fp::multiply_add(a, b, c, {.negate_product = true}, kWide).value; }

u64 natural_quotient(u64 x, u64 y) {
  const FpReg a = jit::from_natural(x), b = jit::from_natural(y);
  const FpReg y0 = fp::reciprocal(a, b, kWide).outcome.value, e = fnma(b, y0, kFpOne), q = mul(a, y0), e2 = mul(e, e);
  const FpReg q1 = fma(e, q, q), y1 = fma(e, y0, y0), q2 = fma(e2, q1, q1), y2 = fma(e2, y1, y1), r = fnma(b, q2, a);
  return fp::to_integer(fma(r, y2, q2), {false, true}, kWide).value.significand;
}

fp::Outcome quotient(double x, double y) {
  u64 xb, yb;
  std::memcpy(&xb, &x, 8), std::memcpy(&yb, &y, 8);
  const FpReg a = fp::from_double(xb), b = fp::from_double(yb);
  const FpReg y0 = fp::reciprocal(a, b, kWide).outcome.value, e = fnma(b, y0, kFpOne), e2 = mul(e, e), y1 = fma(y0, e, y0);
  const FpReg y2 = fma(y1, e2, y1), y3 = fma(y2, mul(e2, e2), y2), q = mul(a, y3, kWideDouble), r = fnma(b, q, a);
  return fp::multiply_add(r, y3, q, {}, control(fp::kDoubleFormat, 53));
}

fp::Outcome single_quotient(double x, double y) {
  const FpReg a = fp::from_double(std::bit_cast<u64>(x)), b = fp::from_double(std::bit_cast<u64>(y));
  const FpReg y0 = fp::reciprocal(a, b, kWide).outcome.value, e = fnma(b, y0, kFpOne), y2 = fma(fma(y0, e, y0), e, y0);
  const FpReg q = mul(a, y2, control(fp::kRegisterFormat, 24)), r = fnma(b, q, a);
  return fp::multiply_add(r, y2, q, {}, control(fp::kSingleFormat, 24));
}

FpReg number_of(double x) { return fp::from_double(std::bit_cast<u64>(x)); }

fp::Outcome root(double x) {
  const FpReg a = number_of(x), half = number_of(0.5), y = fp::reciprocal_root(a, kWide).outcome.value;
  const FpReg h = mul(half, y), g = mul(a, y), e = fnma(h, g, half), e2 = mul(e, e), e4 = mul(e2, e2);
  const FpReg low = fma(e2, fma(number_of(2.5), e, number_of(1.5)), e);
  const FpReg high = fma(e, fma(number_of(14.4375), e, number_of(7.875)), number_of(4.375));
  const FpReg all = fma(e4, high, low), big = fma(mul(g, e4), high, fma(g, low, g), kWideDouble);
  return fp::multiply_add(fnma(big, big, a), fma(h, all, h), big, {}, control(fp::kDoubleFormat, 53));
}

void check_root(double a) {
  const double expected = std::sqrt(a), scale = a < 1e-200 ? 0x1p300 : 1;  // what remains must not vanish
  const fp::Outcome out = root(a);
  const bool inexact = std::fma(expected * scale, expected * scale, -a * scale * scale) != 0;
  if (fp::to_double(out.value) != std::bit_cast<u64>(expected) || out.flags != (inexact ? fp::kInexact : 0)) FAIL("root of " << a);
}

/// A number of `count` bits whose square is `square` modulo 2^count; `square` is 1 modulo 8.
u64 root_modulo(u64 square, unsigned count, u64 start) {
  u64 x = start | 1;
  for (unsigned n = 3; n < count; n++)  // each step makes one more bit right
    if ((x * x - square) >> n & 1) x += bit(n - 1);
  return x & low_mask(count);
}

}  // namespace

TEST_CASE("the steps of a division of singles give the quotient and Inexact as one division does") {
  std::mt19937_64 random(9);
  const auto number = [&random] {
    u64 fraction = random() & low_mask(23);
    if (random() % 4 == 0) fraction &= ~low_mask(static_cast<unsigned>(random() % 23));
    if (random() % 4 == 0) fraction |= low_mask(static_cast<unsigned>(random() % 23));
    return std::bit_cast<double>((1023 - 30 + random() % 60) << 52 | fraction << 29);
  };
  const auto check = [](double a, double b) {
    const float expected = static_cast<float>(a) / static_cast<float>(b);
    const fp::Outcome out = single_quotient(a, b);
    const bool inexact = std::fma(double{expected}, b, -a) != 0;
    if (fp::to_double(out.value) != std::bit_cast<u64>(double{expected}) || out.flags != (inexact ? fp::kInexact : 0)) FAIL(a << " / " << b);
  };
  for (unsigned n = 0; n < 200000; n++) {
    const double a = number(), b = number();
    check(a, b);
    check(static_cast<float>(a * b), b);  // quotients near singles
    check(static_cast<float>((a + a * 0x1p-24) * b), b);
  }
}

TEST_CASE("the steps of a square root give the root and Inexact as one operation does") {
  std::mt19937_64 random(10);
  for (unsigned n = 0; n < 200000; n++) {
    const double a = std::bit_cast<double>((1 + random() % 2046) << 52 | (random() & low_mask(52)));
    const double short_one = std::bit_cast<double>((1023 - 100 + random() % 200) << 52 | (random() & low_mask(52) & ~low_mask(27)));
    check_root(a);
    check_root(short_one * short_one);
    check_root(std::nextafter(short_one * short_one, n % 2 ? 0 : 1e300));
  }
}

TEST_CASE("the steps of a square root round rightly next to the middle of two doubles") {
  // Odd m of 54 bits whose square lies next to a multiple of 2^54 or 2^55: the root of that multiple is next to the middle m.
  unsigned tried = 0;
  for (u64 distance = 0; distance < 4000; distance++)
    for (const i64 signed_distance : {static_cast<i64>(8 * distance + 7), -static_cast<i64>(8 * distance + 1)}) {
      const u64 square = static_cast<u64>(-signed_distance);
      for (unsigned count : {54u, 55u})
        for (u64 start : {u64{1}, u64{3}}) {
          u64 m = root_modulo(square, count, start) & low_mask(54);
          for (u64 k : {m, bit(54) - m}) {
            if (!(k >> 53 & 1)) continue;
            const u128 multiple = u128{k} * k + static_cast<u128>(static_cast<i128>(signed_distance));
            const unsigned shift = multiple >> 107 ? 55 : 54;
            if (static_cast<u64>(multiple) & low_mask(shift)) continue;
            check_root(std::ldexp(static_cast<double>(static_cast<u64>(multiple >> shift)), shift % 2 ? 1 : 0));
            tried++;
          }
        }
    }
  CHECK(tried > 8000);
}

TEST_CASE("the steps of a natural division give the quotient rounded down") {
  std::mt19937_64 random(7);
  const auto check = [](u64 a, u64 b) {
    if (a && b && natural_quotient(a, b) != a / b) FAIL(a << " / " << b);
  };
  for (u64 a : {u64{1}, u64{2}, bit(63) - 1, bit(63), bit(63) + 1, ~u64{0} - 1, ~u64{0}})
    for (u64 b : {u64{1}, u64{2}, u64{3}, bit(32) - 1, bit(63) - 1, bit(63), bit(63) + 1, ~u64{0} - 1, ~u64{0}}) check(a, b);
  for (unsigned n = 0; n < 100000; n++) {
    const u64 b = random() >> random() % 64, a = random() >> random() % 64;
    check(a, b);
    if (b == 0) continue;
    const u64 multiple = b * (a % (~u64{0} / b));  // next to whole quotients
    check(multiple, b), check(multiple - 1, b), check(multiple + b - 1, b);
    check(~u64{0} / b * b - 1, b), check(~u64{0} / b * b, b);
  }
}

TEST_CASE("the steps of a division of doubles give the quotient and Inexact as one division does") {
  std::mt19937_64 random(8);
  const auto number = [&random] {
    const int cut = static_cast<int>(random() % 53);
    u64 fraction = random() & low_mask(52);
    if (random() % 4 == 0) fraction &= ~low_mask(static_cast<unsigned>(cut));
    if (random() % 4 == 0) fraction |= low_mask(static_cast<unsigned>(cut));
    const u64 bits = (random() & 1) << 63 | (1023 - 200 + random() % 400) << 52 | fraction;
    double d;
    return std::memcpy(&d, &bits, 8), d;
  };
  const auto check = [](double a, double b) {
    const double expected = a / b;
    u64 bits;
    std::memcpy(&bits, &expected, 8);
    const fp::Outcome out = quotient(a, b);
    const bool inexact = std::fma(expected, b, -a) != 0;
    if (fp::to_double(out.value) != bits || out.flags != (inexact ? fp::kInexact : 0)) FAIL(a << " / " << b);
  };
  for (unsigned n = 0; n < 200000; n++) {
    const double a = number(), b = number();
    check(a, b);
    check(a * b, b);
    // Quotients next to the middle of two doubles.
    const double middle = std::nextafter(a, 4 * a);
    check(a * b + (middle - a) / 2 * b, b);
  }
}
