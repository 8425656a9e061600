// What the architecture demands of finite and infinite operands, computed with MPFR and written from the
// manual's text without a look at the code under test: encodings, formats and exception rules are restated
// here.
#pragma once

#include <mpfr.h>

#include <functional>
#include <string>

#include "cpu/fp/number.h"

namespace ia64::test {

using cpu::FpReg;

/// One environment: a row of the manual's computation-model table plus rounding, trap disables and flush to
/// zero.
struct Environment {
  cpu::fp::Completer completer;
  unsigned pc;
  bool wre;
  unsigned rounding;  ///< sf.rc
  u8 masked;          ///< FPSR.traps
  bool flush;

  /// The FPSR that says so in status field 0.
  u64 fpsr() const;
  unsigned precision() const;
  long emin() const;  ///< unbiased
  long emax() const;
  std::string text() const;
};

struct Expected {
  FpReg value;
  u8 flags = 0;
  u8 faults = 0;
  u8 traps = 0;
  bool fpa = false;
};

/// An MPFR variable of 64 bits, enough for any register.
class Real {
 public:
  Real() { mpfr_init2(v_, 64); }
  explicit Real(const FpReg& r) : Real() { set(r); }
  ~Real() { mpfr_clear(v_); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
  /// Any encoding but NaNs and NaTVal.
  void set(const FpReg& r);
  mpfr_ptr get() { return v_; }
  mpfr_srcptr get() const { return v_; }

 private:
  mpfr_t v_;
};

mpfr_rnd_t mpfr_mode(unsigned rounding);

/// Computes a correctly rounded result with unbounded exponent into its argument and returns MPFR's ternary
/// value.
using Operation = std::function<int(mpfr_ptr, mpfr_rnd_t)>;

/// The outcome of `operation`, whose exact result is finite, in environment `env`. @param flags found before
/// (kDenormal)
Expected expected_result(const Operation& operation, const Environment& env, u8 flags);

/// Unnormal in the sense of the D exception, from the encoding table.
bool encodes_unnormal(const FpReg& r);

/// "" when equal, else a description.
std::string difference(const Expected& want, const cpu::fp::Outcome& got);
std::string text(const FpReg& r);

}  // namespace ia64::test
