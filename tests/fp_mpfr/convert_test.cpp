// Conversions to and from integers, and comparisons, against MPFR.
#include "cpu/fp/convert.h"

#include "cpu/fp/compare.h"
#include "tests/fp_mpfr/operands.h"
#include "tests/support/test.h"

namespace ia64::test {
namespace {

using namespace cpu::fp;

/// A register near the integers of 0..66 bits, or anything.
FpReg near_integers(Random& random) {
  if (random.one_in(6)) return random_register(random);
  return {random_significand(random), random.below(2) << 17 | (0xffff - 3 + random.below(70)), 0};
}

Expected indefinite(unsigned bits) {
  return {.value = {u64{1} << (bits - 1), 0x1003e, 0}, .flags = kInvalid};
}

Expected expected_integer(const FpReg& f2, IntegerKind kind, const Environment& env) {
  const Real x(f2);
  if (mpfr_inf_p(x.get())) return indefinite(kind.bits);
  Real rounded;
  const int ternary = mpfr_rint(rounded.get(), x.get(), kind.truncate ? MPFR_RNDZ : mpfr_mode(env.rounding));
  Real low, high;  // the range
  mpfr_set_si_2exp(low.get(), kind.is_signed ? -1 : 0, kind.bits - 1, MPFR_RNDN);
  mpfr_set_ui_2exp(high.get(), 1, kind.is_signed ? kind.bits - 1 : kind.bits, MPFR_RNDN);
  if (mpfr_cmp(rounded.get(), low.get()) < 0 || mpfr_cmp(rounded.get(), high.get()) >= 0)
    return indefinite(kind.bits);
  u64 value = kind.is_signed ? static_cast<u64>(mpfr_get_sj(rounded.get(), MPFR_RNDN))
                             : mpfr_get_uj(rounded.get(), MPFR_RNDN);
  if (kind.bits == 32) value &= 0xffffffff;
  Expected x2{.value = {value, 0x1003e, 0}, .flags = encodes_unnormal(f2) ? u8{kDenormal} : u8{0}};
  if (ternary) {
    x2.flags |= kInexact;
    x2.traps = static_cast<u8>(kInexact & ~env.masked);
    x2.fpa = mpfr_cmpabs(rounded.get(), x.get()) > 0;
  }
  return x2;
}

}  // namespace

TEST_CASE("conversion to integers equals MPFR") {
  Random random(announce_seed("to_integer"));
  unsigned failures = 0;
  for (unsigned n = 0, count = scaled(600'000); n < count; n++) {
    const FpReg f2 = near_integers(random);
    const Environment env = random_environment(random, random.one_in(4));
    const IntegerKind kind{random.below(2) != 0, random.below(2) != 0, random.below(2) ? 64u : 32u};
    const Outcome got = to_integer(f2, kind, Fpsr(env.fpsr()).control(env.completer, 0));
    const std::string problem = difference(expected_integer(f2, kind, env), got);
    if (problem.empty() || ++failures > 8) continue;
    std::printf("%s to %s%u trunc %d, %s: %s\n", text(f2).c_str(), kind.is_signed ? "i" : "u", kind.bits,
                kind.truncate, env.text().c_str(), problem.c_str());
  }
  CHECK(failures == 0);
}

TEST_CASE("conversion from signed integers equals MPFR") {
  Random random(announce_seed("from_signed"));
  unsigned failures = 0;
  for (unsigned n = 0, count = scaled(300'000); n < count; n++) {
    u64 v = random.next() >> random.below(64);
    if (n < 3) v = n == 2 ? u64{1} << 63 : n;
    if (random.below(2)) v = -v;
    Real want;
    mpfr_set_sj(want.get(), static_cast<i64>(v), MPFR_RNDN);
    const FpReg got = from_signed(v);
    const Real value(got);
    const bool canonical = v ? got.significand >> 63 : got == cpu::kFpZero;
    if (!canonical || !mpfr_equal_p(want.get(), value.get())) failures++;
  }
  CHECK(failures == 0);
}

TEST_CASE("comparison, minimum and maximum equal MPFR") {
  Random random(announce_seed("compare"));
  unsigned failures = 0;
  for (unsigned n = 0, count = scaled(500'000); n < count; n++) {
    const FpReg f2 = random_register(random);
    FpReg f3 = random.one_in(3) ? f2 : random_register(random);
    if (random.one_in(3)) f3.sign_exp ^= 1u << 17;
    if (random.one_in(3) && (f3.sign_exp & 0x1ffff) != 0x1ffff) f3.significand ^= u64{1} << random.below(63);
    const Real a(f2), b(f3);
    const int order = mpfr_cmp(a.get(), b.get()), magnitudes = mpfr_cmpabs(a.get(), b.get());
    const u8 flags = encodes_unnormal(f2) || encodes_unnormal(f3) ? u8{kDenormal} : u8{0};
    const bool holds[8] = {order == 0, order<0, order <= 0, false, order != 0, order >= 0, order> 0, true};
    const Control control;
    for (unsigned r = 0; r < 8; r++) {
      const Comparison c = compare(f2, f3, static_cast<Relation>(r), control);
      if (c.holds != holds[r] || c.flags != flags || c.faults) failures++;
    }
    const FpReg picks[4] = {order < 0 ? f2 : f3, order > 0 ? f2 : f3, magnitudes < 0 ? f2 : f3,
                            magnitudes > 0 ? f2 : f3};
    for (unsigned k = 0; k < 4; k++) {
      const Outcome o = min_max(f2, f3, static_cast<Extremum>(k), control);
      if (!(o.value == picks[k]) || o.flags != flags || o.faults) failures++;
    }
  }
  CHECK(failures == 0);
}

}  // namespace ia64::test
