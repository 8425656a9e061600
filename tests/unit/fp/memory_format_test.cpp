// Memory formats, checked with the host's float, double and 80-bit long double.
#include "cpu/fp/memory_format.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "tests/support/test.h"

namespace ia64::cpu::fp {
namespace {

/// The value of a finite register. Every single, double and 80-bit number is one exactly.
long double value_of(const FpReg& r) {
  const int exponent = r.exponent() ? static_cast<int>(r.exponent()) - 0xffff : -16382;
  const long double magnitude = std::ldexp(static_cast<long double>(r.significand), exponent - 63);
  return r.sign() ? -magnitude : magnitude;
}

Extended image_of(long double v) {
  u8 bytes[16] = {};
  std::memcpy(bytes, &v, 10);
  Extended e;
  std::memcpy(&e.significand, bytes, 8);
  std::memcpy(&e.sign_exp, bytes + 8, 2);
  return e;
}

}  // namespace

TEST_CASE("singles keep their value and come back unchanged") {
  std::mt19937 random(1);
  for (u32 v : {0u, 0x80000000u, 1u, 0x807fffffu, 0x00800000u, 0x7f7fffffu, 0x3f800000u, 0xbf800000u}) {
    CHECK(value_of(from_single(v)) == std::bit_cast<float>(v));
    CHECK(to_single(from_single(v)) == v);
  }
  bool same = true;
  for (int n = 0; n < 100'000; n++) {
    const u32 v = static_cast<u32>(random());
    if (std::isfinite(std::bit_cast<float>(v))) same &= value_of(from_single(v)) == std::bit_cast<float>(v);
    same &= to_single(from_single(v)) == v;
  }
  CHECK(same);
}

TEST_CASE("doubles keep their value and come back unchanged") {
  std::mt19937_64 random(2);
  bool same = true;
  for (int n = 0; n < 100'000; n++) {
    u64 v = random();
    if (n % 8 == 0) v &= ~(u64{0x7ff} << 52);
    if (std::isfinite(std::bit_cast<double>(v))) same &= value_of(from_double(v)) == std::bit_cast<double>(v);
    same &= to_double(from_double(v)) == v;
  }
  CHECK(same);
}

TEST_CASE("extended numbers keep their value and come back unchanged") {
  std::mt19937_64 random(3);
  bool same = true;
  for (int n = 0; n < 100'000; n++) {
    const int exponent = static_cast<int>(random() % 32800) - 16440;
    const long double v =
        std::ldexp(static_cast<long double>(random() | 1), exponent - 63) * (random() & 1 ? 1 : -1);
    if (!std::isfinite(v)) continue;
    const Extended e = image_of(v);
    const FpReg r = from_extended(e.significand, e.sign_exp);
    const Extended back = to_extended(r);
    same &= value_of(r) == v && back.significand == e.significand && back.sign_exp == e.sign_exp;
  }
  CHECK(same);
}

TEST_CASE("special encodings of memory formats") {
  CHECK(from_single(0x7f800000) == FpReg{u64{1} << 63, 0x1ffff, 0});
  CHECK(from_single(0xff800001) == FpReg{u64{1} << 63 | u64{1} << 40, 0x3ffff, 0});
  CHECK(from_double(0x7ff8000000000000) == FpReg{u64{3} << 62, 0x1ffff, 0});
  CHECK(from_extended(u64{1} << 63, 0xffff) == FpReg{u64{1} << 63, 0x3ffff, 0});
  CHECK(from_single(1) == FpReg{u64{1} << 40, 0xff81, 0});
  CHECK(from_double(1) == FpReg{u64{1} << 11, 0xfc01, 0});
  CHECK(from_extended(5, 0) == FpReg{5, 0, 0});
  CHECK(from_extended(u64{1} << 63, 0) == FpReg{u64{1} << 63, 0, 0});  // pseudo-denormal
  CHECK(from_extended(0, 0x8000) == FpReg{0, 1u << 17, 0});
}

TEST_CASE("integers, exponents and spills") {
  CHECK(from_integer(42) == FpReg{42, 0x1003e, 0});
  CHECK(from_exponent(~u64{0}) == FpReg{u64{1} << 63, 0x3ffff, 0});
  CHECK(to_exponent(FpReg{7, 0x2fffe, 0}) == 0x2fffe);
  const Spill s = to_spill(kFpNatVal);
  CHECK(s.low == 0);
  CHECK(s.high == 0x1fffe);
  CHECK(from_spill(s.low, s.high).is_natval());
  CHECK(from_spill(9, ~u64{0}) == FpReg{9, 0x3ffff, 0});
}

TEST_CASE("stores cut registers that do not fit") {
  const FpReg big{0xc000000000000001, 0x1fffd, 0};  // 1.5 x 2^65534
  CHECK(to_single(big) == 0x7ec00000);              // exponent bit 16 and bits 6:0
  CHECK(to_double(big) == 0x7fd8000000000000);
  CHECK(to_extended(big).sign_exp == 0x7ffd);
  const FpReg unnormal{u64{1} << 62, 0x10005, 0};
  CHECK(to_single(unnormal) == 0x00400000);
  CHECK(to_double(unnormal) == 0x0008000000000000);
}

}  // namespace ia64::cpu::fp
