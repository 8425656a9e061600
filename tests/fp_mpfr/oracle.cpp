// The MPFR side of the floating-point tests.
#include "tests/fp_mpfr/oracle.h"

#include <cstdio>

namespace ia64::test {
namespace {

using namespace cpu::fp;

constexpr long kWide = 1L << 30;

/// Sets MPFR's exponent range for the scope of a range check.
class ExponentRange {
 public:
  ExponentRange(long emin, long emax) { mpfr_set_emin(emin), mpfr_set_emax(emax); }
  ~ExponentRange() { mpfr_set_emin(-kWide), mpfr_set_emax(kWide); }
};

/// Register encoding of `r`, of at most 64 bits. @param min_exp unbiased exponent below which the significand
/// is denormalised @param denormal_code its biased encoding; exponents wrap at 17 bits
FpReg encode(mpfr_srcptr r, long min_exp, u32 denormal_code) {
  const u32 sign = mpfr_signbit(r) ? 1u << 17 : 0;
  if (mpfr_zero_p(r)) return {0, sign, 0};
  if (mpfr_inf_p(r)) return {u64{1} << 63, sign | 0x1ffff, 0};
  const u64 significand = *static_cast<const mp_limb_t*>(mpfr_custom_get_significand(r));
  const long e = mpfr_get_exp(r) - 1;
  if (e < min_exp) return {significand >> (min_exp - e), sign | denormal_code, 0};
  return {significand, sign | (static_cast<u32>(e + 0xffff) & 0x1ffff), 0};
}

bool larger_than_exact(mpfr_srcptr r, int ternary) {
  return mpfr_signbit(r) ? ternary < 0 : ternary > 0;
}

u32 denormal_code(const Environment& env) {
  if (env.wre) return 1;
  return env.completer == Completer::Single ? 0xff81 : env.completer == Completer::Double ? 0xfc01 : 0;
}

}  // namespace

u64 Environment::fpsr() const {
  return masked | u64{flush} << 6 | u64{wre} << 7 | u64{pc} << 8 | u64{rounding} << 10;
}

unsigned Environment::precision() const {
  if (completer == Completer::Single) return 24;
  if (completer == Completer::Double) return 53;
  return pc == 0 ? 24 : pc == 2 ? 53 : 64;
}

long Environment::emax() const {
  if (wre) return 65535;
  return completer == Completer::Single ? 127 : completer == Completer::Double ? 1023 : 16383;
}

long Environment::emin() const {
  return 1 - emax();
}

std::string Environment::text() const {
  char line[120];
  std::snprintf(line, sizeof line, "completer %d pc %u wre %d rc %u masked %02x ftz %d",
                static_cast<int>(completer), pc, wre, rounding, masked, flush);
  return line;
}

void Real::set(const FpReg& r) {
  const bool negative = r.sign_exp >> 17 & 1;
  const long exponent = r.sign_exp & 0x1ffff;
  if (exponent == 0x1ffff) {
    mpfr_set_inf(v_, negative ? -1 : 1);
  } else if (r.significand == 0) {
    mpfr_set_zero(v_, negative ? -1 : 1);
  } else {
    // Exponent 0 stands for 2^-16382.
    mpfr_set_ui_2exp(v_, r.significand, exponent ? exponent - 65535 - 63 : -16382 - 63, MPFR_RNDN);
    if (negative) mpfr_neg(v_, v_, MPFR_RNDN);
  }
}

mpfr_rnd_t mpfr_mode(unsigned rounding) {
  constexpr mpfr_rnd_t modes[] = {MPFR_RNDN, MPFR_RNDD, MPFR_RNDU, MPFR_RNDZ};
  return modes[rounding & 3];
}

Expected expected_result(const Operation& operation, const Environment& env, u8 flags) {
  const auto precision = static_cast<mpfr_prec_t>(env.precision());
  const mpfr_rnd_t mode = mpfr_mode(env.rounding);
  mpfr_t r;
  mpfr_init2(r, precision);
  int ternary = operation(r, mode);
  const bool finite = mpfr_regular_p(r);
  const long e = finite ? mpfr_get_exp(r) - 1 : 0;
  const bool huge = finite && e > env.emax(), tiny = finite && e < env.emin();
  u8 raised = 0;
  const bool wraps = (huge && !(env.masked & kOverflow)) || (tiny && !(env.masked & kUnderflow));
  if (wraps) {
    raised = (huge ? kOverflow : kUnderflow) | (ternary ? kInexact : 0);
  } else if (tiny && env.flush) {
    ternary = mpfr_signbit(r) ? 1 : -1;
    mpfr_set_zero(r, mpfr_signbit(r) ? -1 : 1);
    raised = kUnderflow | kInexact;
  } else if (finite) {
    ExponentRange range(env.emin() - precision + 2, env.emax() + 1);
    ternary = mpfr_check_range(r, ternary, mode);
    ternary = mpfr_subnormalize(r, ternary, mode);
    raised = ternary ? kInexact : 0;
    if (huge) raised |= kOverflow;
    if (tiny && ternary) raised |= kUnderflow;
  }
  Expected x;
  x.value = encode(r, wraps ? -kWide : env.emin(), denormal_code(env));
  x.flags = flags | raised;
  x.fpa = larger_than_exact(r, ternary);
  const u8 enabled = static_cast<u8>(raised & ~env.masked);
  x.traps = wraps ? enabled | (raised & kInexact) : enabled & kInexact;
  mpfr_clear(r);
  return x;
}

bool encodes_unnormal(const FpReg& r) {
  const u32 e = r.sign_exp & 0x1ffff;
  if (e == 0x1ffff || (r.sign_exp == 0x1fffe && r.significand == 0)) return false;
  if (e == 0) return r.significand != 0;
  return (r.significand >> 63) == 0;
}

std::string text(const FpReg& r) {
  char line[40];
  std::snprintf(line, sizeof line, "%05x:%016lx", r.sign_exp, r.significand);
  return line;
}

std::string difference(const Expected& want, const Outcome& got) {
  char line[160];
  if (got.faults != want.faults) {
    std::snprintf(line, sizeof line, "faults %02x, want %02x", got.faults, want.faults);
    return line;
  }
  if (want.faults) return "";
  const bool same = got.value == want.value && got.flags == want.flags && got.traps == want.traps &&
                    (!want.traps || got.fpa == want.fpa);
  if (same) return "";
  std::snprintf(line, sizeof line,
                "got %s flags %02x traps %02x fpa %d, want %s flags %02x traps %02x fpa %d",
                text(got.value).c_str(), got.flags, got.traps, got.fpa, text(want.value).c_str(), want.flags,
                want.traps, want.fpa);
  return line;
}

}  // namespace ia64::test
