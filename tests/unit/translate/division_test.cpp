// Division sequences: what one division gives is what the steps give, in hard cases too.
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

}  // namespace

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
