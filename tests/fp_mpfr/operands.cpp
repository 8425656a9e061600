// Operand generators of the floating-point tests.
#include "tests/fp_mpfr/operands.h"

#include <cstdio>
#include <cstdlib>

namespace ia64::test {
namespace {

struct Row {
  cpu::fp::Completer completer;
  unsigned pc;
  bool wre;
};

using cpu::fp::Completer;
constexpr Row kRows[] = {
    {Completer::Single, 3, false}, {Completer::Single, 0, true}, {Completer::Double, 3, false},
    {Completer::Double, 2, true},  {Completer::None, 0, false},  {Completer::None, 0, true},
    {Completer::None, 2, false},   {Completer::None, 2, true},   {Completer::None, 3, false},
    {Completer::None, 3, true},
};

u32 random_exponent(Random& random) {
  constexpr u32 edges[] = {1,       2,       64,      0xc001,  0xc001,  0xfc01, 0xff81,
                           0x1007e, 0x103fe, 0x13ffe, 0x1fffe, 0x1fffd, 0x1003e};
  constexpr unsigned count = sizeof edges / sizeof edges[0];
  switch (random.below(8)) {
    case 0: return 1 + random.below(0x1fffe);
    case 1:
    case 2: {
      const i64 e = i64{edges[random.below(count)]} + random.below(140) - 70;
      return e < 1 ? 1 : e > 0x1fffe ? 0x1fffe : static_cast<u32>(e);
    }
    case 3: return 0xffff - 600 + random.below(1200);
    default: return 0xffff - 70 + random.below(140);
  }
}

FpReg corner(Random& random) {
  const u32 sign = random.below(2) << 17;
  switch (random.below(6)) {
    case 0: return {0, sign, 0};
    case 1: return {u64{1} << 63, sign | 0x1ffff, 0};
    case 2: return {random.next() >> random.below(64), sign, 0};  // exponent 0
    case 3: return {random.next() >> (1 + random.below(63)), sign | random_exponent(random), 0};  // unnormal
    case 4: return {u64{1} << 63, sign | random_exponent(random), 0};
    default: return {~u64{0}, sign | random_exponent(random), 0};
  }
}

}  // namespace

u64 announce_seed(const char* what) {
  const char* text = std::getenv("IVM_SEED");
  const u64 seed = text ? std::strtoull(text, nullptr, 0) : 20060718;
  std::printf("%s: seed %lu\n", what, seed);
  return seed;
}

unsigned scaled(unsigned count) {
  const char* text = std::getenv("IVM_FP_SCALE");
  return count * (text ? static_cast<unsigned>(std::strtoul(text, nullptr, 0)) : 1u);
}

Environment random_environment(Random& random, bool traps) {
  const Row row = kRows[random.below(sizeof kRows / sizeof kRows[0])];
  const u8 unmasked = traps ? static_cast<u8>(random.below(8) << 3) : 0;
  return {row.completer, row.pc, row.wre, random.below(4), static_cast<u8>(63 & ~unmasked), random.one_in(8)};
}

u64 random_significand(Random& random) {
  constexpr u64 top = u64{1} << 63;
  u64 v = random.next();
  switch (random.below(8)) {
    case 0: v = u64{1} << random.below(64) | u64{1} << random.below(64); break;
    case 1: v = ~u64{0} << random.below(64); break;
    case 2: v = ~u64{0} >> random.below(64); break;
    case 3: v &= ~u64{0} << (64 - 1 - random.below(63)); break;
    case 4: v = (~u64{0} << 40) ^ u64 { 1 } << (39 - random.below(2)); break;
    case 5: v = (~u64{0} << 11) ^ u64 { 1 } << (10 - random.below(2)); break;
    default: break;
  }
  return v | top;
}

FpReg random_register(Random& random) {
  if (random.one_in(16)) return corner(random);
  return {random_significand(random), random.below(2) << 17 | random_exponent(random), 0};
}

FpReg cancelling_addend(Random& random, const FpReg& a, const FpReg& b) {
  const Real x(a), y(b);
  Real p;
  mpfr_mul(p.get(), x.get(), y.get(), MPFR_RNDN);
  if (!mpfr_regular_p(p.get())) return random_register(random);
  const long e = mpfr_get_exp(p.get()) - 1 + 0xffff;
  if (e < 3 || e > 0x1fffc) return random_register(random);
  u64 significand = *static_cast<const mp_limb_t*>(mpfr_custom_get_significand(p.get()));
  i64 exponent = e;
  if (random.below(2)) significand += random.below(9) - 4u;  // wraps at worst
  if (random.below(2)) exponent += random.below(3) - 1;
  if (random.one_in(4)) significand &= ~u64{0} << random.below(40);
  return {significand | u64{1} << 63, (mpfr_signbit(p.get()) ? 0u : 1u << 17) | static_cast<u32>(exponent),
          0};
}

FpReg random_in_format(Random& random, unsigned precision, long emax) {
  const u64 significand = random_significand(random) & ~u64{0} << (64 - precision);
  const u32 sign = random.below(2) << 17;
  const long emin = 1 - emax;
  long e = static_cast<long>(random.below(static_cast<unsigned>(emax - emin + 1))) + emin;
  if (!random.one_in(3)) e = static_cast<long>(random.below(40)) - 20;
  if (random.one_in(16)) e = emin + random.below(4);
  if (random.one_in(32)) {  // a denormal of the format, as loads and arithmetic leave it
    const u64 denormal = significand >> (1 + random.below(precision - 1)) & ~u64{0} << (64 - precision);
    if (denormal) return {denormal, sign | (emax == 16383 ? 0 : static_cast<u32>(emin + 0xffff)), 0};
  }
  return {significand, sign | static_cast<u32>(e + 0xffff), 0};
}

}  // namespace ia64::test
