// Random environments and operands, weighted towards the places where rounding and ranges go wrong.
#pragma once

#include "tests/fp_mpfr/oracle.h"

namespace ia64::test {

/// splitmix64: small, seedable, the same everywhere.
class Random {
 public:
  explicit Random(u64 seed) : state_(seed) {}
  u64 next() {
    u64 z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  unsigned below(unsigned n) { return static_cast<unsigned>((next() >> 32) * n >> 32); }
  bool one_in(unsigned n) { return below(n) == 0; }

 private:
  u64 state_;
};

/// The seed of this run: IVM_SEED or a fixed one; printed with `what`.
u64 announce_seed(const char* what);

/// `count` operands, times IVM_FP_SCALE for long runs.
unsigned scaled(unsigned count);

/// Any legal row of the computation-model table, any rounding. @param traps also unmasked O, U, I (V, D, Z
/// stay masked)
Environment random_environment(Random& random, bool traps);

/// A significand with the integer bit: uniform, few ones, long runs, or `bits` leading random bits and zeros.
u64 random_significand(Random& random);

/// A finite or infinite register. Exponents cluster round 1, the edges of the formats, and everywhere.
FpReg random_register(Random& random);

/// A register close to -(a x b): massive cancellation in fma.
FpReg cancelling_addend(Random& random, const FpReg& a, const FpReg& b);

/// A finite register whose value fits the format: significand bits and exponent range, denormals included.
FpReg random_in_format(Random& random, unsigned precision, long emax);

}  // namespace ia64::test
