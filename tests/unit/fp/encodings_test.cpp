// NaNs, unsupported encodings, infinities and pseudo-zeros in arithmetic and comparison; class membership.
#include "cpu/fp/compare.h"
#include "cpu/fp/convert.h"
#include "cpu/fp/multiply_add.h"
#include "tests/support/test.h"

namespace ia64::cpu::fp {
namespace {

constexpr u64 kTop = u64{1} << 63;
constexpr FpReg quiet(u64 payload) {
  return {kTop | u64{1} << 62 | payload, 0x1ffff, 0};
}
constexpr FpReg signaling(u64 payload) {
  return {kTop | payload, 0x3ffff, 0};
}
const FpReg kTwo{kTop, 0x10000, 0}, kInfinity = make_infinity(false);
const FpReg kPseudoNan{u64{1} << 62, 0x1ffff, 0}, kPseudoInfinity{0, 0x1ffff, 0}, kPseudoZero{0, 0x10000, 0};
const FpReg kUnnormal{u64{1} << 62, 0x10000, 0};  // 1.0

Control unmasked(u8 exceptions) {
  Control c;
  c.masked = static_cast<u8>(~exceptions & 63);
  return c;
}

}  // namespace

TEST_CASE("the default NaN is negative, quiet and has no payload") {
  CHECK(kIndefinite == FpReg{0xc000000000000000, 0x3ffff, 0});
}

TEST_CASE("multiply-add propagates f4, then f2, then f3") {
  CHECK(multiply_add(quiet(3), quiet(4), quiet(2), {}, {}).value == quiet(4));
  CHECK(multiply_add(quiet(3), kTwo, quiet(2), {}, {}).value == quiet(2));
  const Outcome last = multiply_add(quiet(3), kTwo, kTwo, {}, {});
  CHECK(last.value == quiet(3));
  CHECK(last.flags == 0);
}

TEST_CASE("a signaling NaN is quieted and signals, even when another NaN is delivered") {
  const Outcome o = multiply_add(kTwo, signaling(5), kTwo, {}, {});
  CHECK(o.value == FpReg{kTop | u64{1} << 62 | 5, 0x3ffff, 0});
  CHECK(o.flags == kInvalid);
  const Outcome p = multiply_add(signaling(1), quiet(4), kTwo, {}, {});
  CHECK(p.value == quiet(4));
  CHECK(p.flags == kInvalid);
}

TEST_CASE("a negated operation does not change the sign of a NaN") {
  CHECK(multiply_add(kTwo, quiet(4), kTwo, {.negate_product = true}, {}).value == quiet(4));
  CHECK(multiply_add(kTwo, kTwo, quiet(2), {.negate_addend = true}, {}).value == quiet(2));
}

TEST_CASE("unsupported encodings come before NaNs and give the default NaN") {
  for (const FpReg& bad : {kPseudoNan, kPseudoInfinity}) {
    const Outcome o = multiply_add(bad, quiet(4), kTwo, {}, {});
    CHECK(o.value == kIndefinite);
    CHECK(o.flags == kInvalid);
    CHECK(multiply_add(kTwo, kTwo, bad, {}, unmasked(kInvalid)).faults == kInvalid);
  }
}

TEST_CASE("invalid operations on infinities and zeros") {
  CHECK(multiply_add(kInfinity, kFpZero, kTwo, {}, {}).value == kIndefinite);
  CHECK(multiply_add(kInfinity, kTwo, make_infinity(true), {}, {}).flags == kInvalid);
  CHECK(multiply_add(kInfinity, kTwo, kInfinity, {.negate_addend = true}, {}).flags == kInvalid);
  CHECK(multiply_add(kInfinity, kTwo, kInfinity, {}, {}).value == kInfinity);
  CHECK(multiply_add(kTwo, kTwo, make_infinity(true), {}, {}).value == make_infinity(true));
}

TEST_CASE("a pseudo-zero is a zero, except that infinity times it is infinity") {
  const Outcome o = multiply_add(kInfinity, kPseudoZero, kTwo, {}, {});
  CHECK(o.value == kInfinity);
  CHECK(o.flags == kDenormal);
  const Outcome p = multiply_add(kTwo, kPseudoZero, kFpZero, {.no_addend = true}, {});
  CHECK(p.value == kFpZero);
  CHECK(p.flags == kDenormal);
}

TEST_CASE("the sign of exact zeros") {
  const FpReg minus_two{kTop, 0x30000, 0};
  Control down;
  down.rounding = kDown;
  CHECK(multiply_add(kTwo, kFpOne, minus_two, {}, {}).value == kFpZero);
  CHECK(multiply_add(kTwo, kFpOne, minus_two, {}, down).value == make_zero(true));
  CHECK(multiply_add(kFpZero, minus_two, kFpZero, {.no_addend = true}, {}).value == make_zero(true));
  CHECK(multiply_add(kFpZero, minus_two, kFpZero, {}, {}).value == kFpZero);
  CHECK(multiply_add(kFpZero, minus_two, make_zero(true), {}, {}).value == make_zero(true));
}

TEST_CASE("denormal operands fault only when unmasked and nothing worse happened") {
  CHECK(multiply_add(kUnnormal, kTwo, kFpZero, {.no_addend = true}, {}).value == kTwo);
  CHECK(multiply_add(kUnnormal, kTwo, kTwo, {}, unmasked(kDenormal)).faults == kDenormal);
  const Outcome nan = multiply_add(kUnnormal, quiet(1), kTwo, {}, unmasked(kDenormal));
  CHECK(nan.faults == 0);
  CHECK(nan.flags == 0);
  CHECK(multiply_add(kUnnormal, signaling(1), kTwo, {}, unmasked(kDenormal | kInvalid)).faults == kInvalid);
}

TEST_CASE("quiet NaNs signal in less-than comparisons only") {
  for (Relation r : {Relation::Less, Relation::LessEqual, Relation::NotLess, Relation::NotLessEqual})
    CHECK(compare(quiet(1), kTwo, r, {}).flags == kInvalid);
  for (Relation r : {Relation::Equal, Relation::Unordered, Relation::NotEqual, Relation::Ordered}) {
    CHECK(compare(quiet(1), kTwo, r, {}).flags == 0);
    CHECK(compare(kTwo, signaling(1), r, {}).flags == kInvalid);
    CHECK(compare(kTwo, kPseudoNan, r, {}).flags == kInvalid);
  }
  CHECK(compare(quiet(1), kTwo, Relation::Unordered, {}).holds);
  CHECK_FALSE(compare(quiet(1), kTwo, Relation::Ordered, {}).holds);
  CHECK(compare(quiet(1), kTwo, Relation::NotLess, {}).holds);
  CHECK_FALSE(compare(quiet(1), quiet(1), Relation::Equal, {}).holds);
  CHECK(compare(quiet(1), kTwo, Relation::Less, unmasked(kInvalid)).faults == kInvalid);
}

TEST_CASE("minimum and maximum deliver f3 when unordered or equal") {
  const Outcome o = min_max(signaling(7), kTwo, Extremum::Minimum, {});
  CHECK(o.value == kTwo);
  CHECK(o.flags == kInvalid);
  CHECK(min_max(kTwo, quiet(7), Extremum::Maximum, {}).value == quiet(7));
  CHECK(min_max(kFpZero, make_zero(true), Extremum::Minimum, {}).value == make_zero(true));
  CHECK(min_max(make_zero(true), kFpZero, Extremum::Maximum, {}).value == kFpZero);
}

TEST_CASE("NaNs, infinities and unsupported encodings convert to the integer indefinite") {
  for (const FpReg& bad :
       {quiet(1), signaling(1), kInfinity, make_infinity(true), kPseudoNan, kPseudoInfinity}) {
    const Outcome o = to_integer(bad, {}, {});
    CHECK(o.value == FpReg{kTop, 0x1003e, 0});
    CHECK(o.flags == kInvalid);
    CHECK(to_integer(bad, {true, true, 32}, {}).value.significand == 0x80000000);
  }
}

TEST_CASE("class membership") {
  struct Member {
    FpReg value;
    unsigned classes;  ///< without the sign
    bool signed_class;
  };
  const Member members[] = {
      {kFpZero, kZeroClass, true},
      {kTwo, kNormalClass, true},
      {kInfinity, kInfinityClass, true},
      {kUnnormal, kUnnormalClass, true},
      {kPseudoZero, kUnnormalClass, true},
      {{1, 0, 0}, kUnnormalClass, true},     // double-extended denormal
      {{kTop, 0, 0}, kUnnormalClass, true},  // pseudo-denormal
      {{kTop, 1, 0}, kNormalClass, true},
      {{kTop, 0x1fffe, 0}, kNormalClass, true},
      {quiet(1), kQuietClass, false},
      {{kTop | 1, 0x1ffff, 0}, kSignalingClass, false},
      {kPseudoNan, 0, false},
      {kPseudoInfinity, 0, false},
  };
  for (const Member& m : members) {
    for (unsigned fclass9 = 0; fclass9 < 512; fclass9++) {
      for (unsigned sign = 0; sign < 2; sign++) {
        const FpReg r{m.value.significand, m.value.sign_exp | sign << 17, 0};
        const bool wanted = (fclass9 & m.classes) && (!m.signed_class || (fclass9 & (sign ? 2u : 1u)));
        if (in_class(r, fclass9) != wanted) FAIL(r.sign_exp << " " << r.significand << " in " << fclass9);
      }
    }
  }
  CHECK(in_class(kFpNatVal, kNatClass));
  CHECK_FALSE(in_class(kFpNatVal, 0xff));
  CHECK(in_class(FpReg{0, 0x3fffe, 0}, kNegative | kUnnormalClass));
}

}  // namespace ia64::cpu::fp
