// Division and square root by the compilers' sequences, and the directly delivered quotients and roots,
// against MPFR.
#include "tests/fp_mpfr/operands.h"
#include "tests/fp_mpfr/sequences.h"
#include "tests/support/test.h"

namespace ia64::test {
namespace {

using namespace cpu::fp;

struct Case {
  const char* name;
  Completer completer;
  unsigned precision;
  long emax;
  FpReg (*divide)(SequenceMachine&, const FpReg&, const FpReg&);
  FpReg (*root)(SequenceMachine&, const FpReg&);
};
constexpr Case kCases[] = {
    {"single", Completer::Single, 24, 127, divide_single, root_single},
    {"double", Completer::Double, 53, 1023, divide_double, root_double},
    {"extended", Completer::None, 64, 16383, divide_extended, root_extended},
};

Environment environment(const Case& c, Random& random) {
  return {.completer = c.completer,
          .pc = 3,
          .wre = false,
          .rounding = random.below(4),
          .masked = 63,
          .flush = false};
}

std::string mismatch(const Expected& want, const FpReg& value, u8 flags) {
  return difference(want, Outcome{.value = value, .flags = flags});
}

}  // namespace

TEST_CASE("the compilers' division sequences give correctly rounded quotients and flags") {
  for (const Case& c : kCases) {
    Random random(announce_seed(c.name));
    unsigned failures = 0;
    for (unsigned n = 0, count = scaled(250'000); n < count; n++) {
      const FpReg a = random_in_format(random, c.precision, c.emax),
                  b = random_in_format(random, c.precision, c.emax);
      const Environment env = environment(c, random);
      SequenceMachine machine(env.fpsr());
      const FpReg quotient = c.divide(machine, a, b);
      const Real x(a), y(b);
      const auto operation = [&](mpfr_ptr r, mpfr_rnd_t mode) { return mpfr_div(r, x.get(), y.get(), mode); };
      const u8 denormal = encodes_unnormal(a) || encodes_unnormal(b) ? kDenormal : 0;
      const std::string problem =
          mismatch(expected_result(operation, env, denormal), quotient, machine.flags());
      if (problem.empty() || ++failures > 8) continue;
      std::printf("%s: %s / %s, %s: %s\n", c.name, text(a).c_str(), text(b).c_str(), env.text().c_str(),
                  problem.c_str());
    }
    CHECK(failures == 0);
  }
}

TEST_CASE("the compilers' square-root sequences give correctly rounded roots and flags") {
  for (const Case& c : kCases) {
    Random random(announce_seed(c.name));
    unsigned failures = 0;
    for (unsigned n = 0, count = scaled(200'000); n < count; n++) {
      FpReg a = random_in_format(random, c.precision, c.emax);
      a.sign_exp &= 0x1ffff;
      const Environment env = environment(c, random);
      SequenceMachine machine(env.fpsr());
      const FpReg root = c.root(machine, a);
      const Real x(a);
      const auto operation = [&](mpfr_ptr r, mpfr_rnd_t mode) { return mpfr_sqrt(r, x.get(), mode); };
      const u8 denormal = encodes_unnormal(a) ? kDenormal : 0;
      const std::string problem = mismatch(expected_result(operation, env, denormal), root, machine.flags());
      if (problem.empty() || ++failures > 8) continue;
      std::printf("%s: sqrt %s, %s: %s\n", c.name, text(a).c_str(), env.text().c_str(), problem.c_str());
    }
    CHECK(failures == 0);
  }
}

TEST_CASE("quotients and roots that are not refined are correctly rounded") {
  Random random(announce_seed("direct quotients"));
  unsigned failures = 0, quotients = 0, roots = 0;
  for (unsigned n = 0, count = scaled(400'000); n < count; n++) {
    FpReg a = random_register(random), b = random_register(random);
    const bool near_end = random.below(2) != 0;
    const u32 exponent = random.below(70);
    b.sign_exp = (b.sign_exp & 1u << 17) | (near_end ? 0x1fffe - exponent % 4 : exponent);
    if (random.below(2))
      a.sign_exp = random.below(2) << 17 | (random.below(2) ? random.below(80) : 0x1ff00 + random.below(200));
    if ((a.sign_exp & 0x1ffff) == 0x1ffff || a.significand == 0 || b.significand == 0) continue;
    const Environment env = random_environment(random, random.one_in(4));
    const Control control = Fpsr(env.fpsr()).control(env.completer, 0);
    const Real x(a), y(b);
    const u8 denormal_a = encodes_unnormal(a) ? kDenormal : 0,
             denormal_b = encodes_unnormal(b) ? kDenormal : 0;
    const Approximation q = reciprocal(a, b, control);
    if (!q.refine) {
      quotients++;
      const auto operation = [&](mpfr_ptr r, mpfr_rnd_t mode) { return mpfr_div(r, x.get(), y.get(), mode); };
      const std::string problem =
          difference(expected_result(operation, env, denormal_a | denormal_b), q.outcome);
      if (!problem.empty() && ++failures <= 8)
        std::printf("%s / %s: %s\n", text(a).c_str(), text(b).c_str(), problem.c_str());
    }
    FpReg c = b;
    c.sign_exp &= 0x1ffff;
    const Real z(c);
    const Approximation s = reciprocal_root(c, control);
    if (s.refine) continue;
    roots++;
    const auto operation = [&](mpfr_ptr r, mpfr_rnd_t mode) { return mpfr_sqrt(r, z.get(), mode); };
    const std::string problem = difference(expected_result(operation, env, denormal_b), s.outcome);
    if (!problem.empty() && ++failures <= 8) std::printf("sqrt %s: %s\n", text(c).c_str(), problem.c_str());
  }
  CHECK(failures == 0);
  CHECK(quotients > 50'000);
  CHECK(roots > 50'000);
}

TEST_CASE("approximations have the accuracy that the manual states") {
  Random random(announce_seed("approximations"));
  double worst_reciprocal = 0, worst_root = 0;
  Real one, product, square;
  for (unsigned n = 0, count = scaled(200'000); n < count; n++) {
    const FpReg b{random_significand(random), 0xffff - 40 + random.below(80), 0};
    const Real x(b), y(reciprocal(cpu::kFpOne, b, {}).outcome.value), z(reciprocal_root(b, {}).outcome.value);
    mpfr_mul(product.get(), x.get(), y.get(), MPFR_RNDN);
    mpfr_ui_sub(product.get(), 1, product.get(), MPFR_RNDN);
    worst_reciprocal = std::max(worst_reciprocal, std::abs(mpfr_get_d(product.get(), MPFR_RNDN)));
    mpfr_sqrt(square.get(), x.get(), MPFR_RNDN);
    mpfr_mul(product.get(), square.get(), z.get(), MPFR_RNDN);
    mpfr_ui_sub(product.get(), 1, product.get(), MPFR_RNDN);
    worst_root = std::max(worst_root, std::abs(mpfr_get_d(product.get(), MPFR_RNDN)));
  }
  CHECK(worst_reciprocal < 0.002114);  // 2^-8.886
  CHECK(worst_root < 0.002196);        // 2^-8.831
}

}  // namespace ia64::test
