// fma, fms, fnma and multiplication (f2 = f0) bit for bit, flags and trap-enabled responses included.
#include "cpu/fp/multiply_add.h"

#include "tests/fp_mpfr/operands.h"
#include "tests/support/test.h"

namespace ia64::test {
namespace {

using namespace cpu::fp;

struct Triple {
  FpReg f3, f4, f2;
  MultiplyAddKind kind;
};

bool infinite(const FpReg& r) {
  return (r.sign_exp & 0x1ffff) == 0x1ffff;
}
bool true_zero(const FpReg& r) {
  return (r.sign_exp & 0x1ffff) == 0 && r.significand == 0;
}

Expected invalid() {
  return {.value = {u64{3} << 62, 0x3ffff, 0}, .flags = kInvalid};
}

/// Infinity times a pseudo-zero is infinity; MPFR knows only zeros.
bool infinite_product(const Triple& t) {
  return infinite(t.f3) || infinite(t.f4);
}

Expected expected(const Triple& t, const Environment& env) {
  const FpReg f2 = t.kind.no_addend ? FpReg{} : t.f2;
  const bool product_sign = (((t.f3.sign_exp ^ t.f4.sign_exp) >> 17) & 1) != t.kind.negate_product;
  const bool addend_sign = ((f2.sign_exp >> 17) & 1) != t.kind.negate_addend;
  const u8 denormal =
      encodes_unnormal(t.f3) || encodes_unnormal(t.f4) || encodes_unnormal(f2) ? kDenormal : 0;
  if (infinite_product(t)) {
    if (true_zero(t.f3) || true_zero(t.f4)) return invalid();
    if (infinite(f2) && product_sign != addend_sign) return invalid();
    return {.value = {u64{1} << 63, (product_sign ? 1u << 17 : 0) | 0x1ffff, 0}, .flags = denormal};
  }
  if (infinite(f2))
    return {.value = {u64{1} << 63, (addend_sign ? 1u << 17 : 0) | 0x1ffff, 0}, .flags = denormal};
  const Real a(t.f3), b(t.f4), c(f2);
  Real first;
  mpfr_set(first.get(), a.get(), MPFR_RNDN);
  if (t.kind.negate_product) mpfr_neg(first.get(), first.get(), MPFR_RNDN);
  const auto operation = [&](mpfr_ptr r, mpfr_rnd_t mode) {
    if (t.kind.no_addend) return mpfr_mul(r, first.get(), b.get(), mode);
    if (t.kind.negate_addend) return mpfr_fms(r, first.get(), b.get(), c.get(), mode);
    return mpfr_fma(r, first.get(), b.get(), c.get(), mode);
  };
  return expected_result(operation, env, denormal);
}

/// A full 128-bit product just below a power of two minus that power: cancellation that also needs the
/// product's last bit.
void make_adjacent(Random& random, Triple& t) {
  t.f3 = {~u64{0} - random.below(3), random.below(2) << 17 | (0xffff - 20 + random.below(40)), 0};
  t.f4 = {~u64{0} - random.below(3), random.below(2) << 17 | (0xffff - 20 + random.below(40)), 0};
  const u32 exponent = (t.f3.sign_exp & 0x1ffff) + (t.f4.sign_exp & 0x1ffff) - 0xffff + 2;
  const u32 sign = (t.f3.sign_exp ^ t.f4.sign_exp ^ 1u << 17) & 1u << 17;
  t.f2 = {u64{1} << 63 | random.below(3), sign | exponent, 0};
  t.kind = {};
}

Triple random_triple(Random& random) {
  constexpr MultiplyAddKind kinds[] = {{false, false, false},
                                       {false, true, false},
                                       {true, false, false},
                                       {false, false, true},
                                       {true, false, true}};
  Triple t{random_register(random), random_register(random), random_register(random), kinds[random.below(5)]};
  if (random.one_in(4)) t.f2 = cancelling_addend(random, t.f3, t.f4);
  if (random.one_in(64)) make_adjacent(random, t);
  return t;
}

/// Runs `count` random triples; returns how many differ and reports the first few.
unsigned run(const char* what, u64 count, bool traps) {
  Random random(announce_seed(what));
  unsigned failures = 0;
  for (u64 n = 0; n < count; n++) {
    const Triple t = random_triple(random);
    const Environment env = random_environment(random, traps);
    const Outcome got = multiply_add(t.f3, t.f4, t.f2, t.kind, Fpsr(env.fpsr()).control(env.completer, 0));
    const std::string problem = difference(expected(t, env), got);
    if (problem.empty() || ++failures > 8) continue;
    std::printf("%s x %s + %s (negate %d %d, no addend %d), %s:\n  %s\n", text(t.f3).c_str(),
                text(t.f4).c_str(), text(t.f2).c_str(), t.kind.negate_product, t.kind.negate_addend,
                t.kind.no_addend, env.text().c_str(), problem.c_str());
  }
  return failures;
}

}  // namespace

TEST_CASE("multiply-add equals MPFR with all traps disabled") {
  CHECK(run("multiply_add", scaled(6'000'000), false) == 0);
}

TEST_CASE("multiply-add gives the trap-enabled responses") {
  CHECK(run("multiply_add traps", scaled(1'500'000), true) == 0);
}

TEST_CASE("fnorm equals MPFR") {
  Random random(announce_seed("fnorm"));
  unsigned failures = 0;
  for (unsigned n = 0, count = scaled(400'000); n < count; n++) {
    const Triple t{random_register(random), cpu::kFpOne, {}, {false, false, true}};
    const Environment env = random_environment(random, false);
    const Outcome got = multiply_add(t.f3, t.f4, t.f2, t.kind, Fpsr(env.fpsr()).control(env.completer, 0));
    const std::string problem = difference(expected(t, env), got);
    if (!problem.empty() && ++failures <= 8)
      std::printf("fnorm %s, %s: %s\n", text(t.f3).c_str(), env.text().c_str(), problem.c_str());
  }
  CHECK(failures == 0);
}

}  // namespace ia64::test
