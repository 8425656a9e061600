// Reciprocal approximations: special operands, limits of the refinement sequences, table look-up.
#include "cpu/fp/reciprocal.h"

#include "cpu/fp/divide.h"
#include "cpu/fp/memory_format.h"

namespace ia64::cpu::fp {
namespace {

/// Unbiased range and significand bits of the numbers that a refinement sequence works in.
struct Range {
  i32 emin, emax, bits;
};
constexpr Range kRegisterRange{-65534, 65535, 64};
constexpr Range kSingleRange{-126, 127, 24};

i32 unbiased(const Number& n) {
  return n.exponent - static_cast<i32>(kBias);
}

bool divisor_out_of_range(const Number& b, const Range& r) {
  return unbiased(b) <= r.emin - 2 || unbiased(b) >= r.emax - 2;
}

/// Operands for which a step of the division sequences could overflow, underflow or lose bits.
bool quotient_out_of_range(const Number& a, const Number& b, const Range& r) {
  const i32 difference = unbiased(a) - unbiased(b);
  return difference >= r.emax || difference <= r.emin + 1 || unbiased(a) <= r.emin + r.bits - 1;
}

Number approximate_reciprocal(const Number& b) {
  const u64 fraction = kReciprocalTable[field(b.significand, 55, 8)];
  return {kIntegerBit | fraction << 53, static_cast<i32>(kSpecialExponent) - 2 - b.exponent, b.sign};
}

Number approximate_root(const Number& a) {
  const unsigned index =
      static_cast<unsigned>((a.exponent & 1) << 7) | static_cast<unsigned>(field(a.significand, 56, 7));
  const u64 fraction = kReciprocalRootTable[index];
  return {kIntegerBit | fraction << 53, static_cast<i32>(kBias) - 1 - (unbiased(a) >> 1), false};
}

FpReg pack(const Number& n) {
  return {n.significand, u32{n.sign} << 17 | (static_cast<u32>(n.exponent) & 0x1ffff), 0};
}

/// Results decided by NaNs, unsupported encodings, invalid operations, division by zero, infinities and
/// zeros.
bool special_quotient(const FpReg& a, const FpReg& b, const Control& control, Outcome& out) {
  const bool sign = a.sign() != b.sign();
  if (is_unsupported(a) || is_unsupported(b)) return out = deliver(kIndefinite, kInvalid, control), true;
  if (is_nan(a) || is_nan(b)) {
    const u8 raised = is_signaling(a) || is_signaling(b) ? kInvalid : 0;
    return out = deliver(quieted(is_nan(a) ? a : b), raised, control), true;
  }
  const u8 denormal = is_unnormal(a) || is_unnormal(b) ? kDenormal : 0;
  const bool inf_a = is_infinity(a), inf_b = is_infinity(b);
  const bool zero_a = !inf_a && a.significand == 0, zero_b = !inf_b && b.significand == 0;
  if ((inf_a && inf_b) || (zero_a && zero_b)) return out = deliver(kIndefinite, kInvalid, control), true;
  if (inf_a) return out = deliver(make_infinity(sign), denormal, control), true;
  if (zero_b) return out = deliver(make_infinity(sign), kZeroDivide, control), true;
  if (inf_b || zero_a) return out = deliver(make_zero(sign), denormal, control), true;
  out = deliver({}, denormal, control);
  return out.faults != 0;
}

/// As special_quotient for roots. @param reciprocal_results zero and infinity give infinity and zero
/// (parallel form)
bool special_root(const FpReg& a, bool reciprocal_results, const Control& control, Outcome& out) {
  if (is_unsupported(a)) return out = deliver(kIndefinite, kInvalid, control), true;
  if (is_nan(a)) return out = deliver(quieted(a), is_signaling(a) ? kInvalid : 0, control), true;
  const bool infinite = is_infinity(a), zero = !infinite && a.significand == 0;
  if (a.sign() && !zero) return out = deliver(kIndefinite, kInvalid, control), true;
  out = deliver({}, is_unnormal(a) ? kDenormal : 0, control);
  if (zero) out.value = reciprocal_results ? make_infinity(a.sign()) : make_zero(a.sign());
  if (infinite) out.value = reciprocal_results ? make_zero(false) : a;
  return zero || infinite || out.faults;
}

/// A lane's result must be a single. Out of range it is infinity or zero: the predicate is then false and no
/// one looks.
FpReg fit_single(const Number& n) {
  if (n.exponent > static_cast<i32>(kSingleFormat.emax)) return make_infinity(n.sign);
  if (n.exponent < static_cast<i32>(kSingleFormat.emin)) return make_zero(n.sign);
  return pack(n);
}

}  // namespace

Approximation reciprocal(const FpReg& f2, const FpReg& f3, const Control& control) noexcept {
  Outcome out;
  if (special_quotient(f2, f3, control, out)) return {out, false};
  const Number a = unpack(f2), b = unpack(f3);
  if (divisor_out_of_range(b, kRegisterRange) || quotient_out_of_range(a, b, kRegisterRange))
    return {round(quotient(a, b), control, out.flags), false};
  out.value = pack(approximate_reciprocal(b));
  return {out, true};
}

Approximation reciprocal_root(const FpReg& f3, const Control& control) noexcept {
  Outcome out;
  if (special_root(f3, false, control, out)) return {out, false};
  const Number a = unpack(f3);
  if (unbiased(a) <= kRegisterRange.emin + kRegisterRange.bits - 1)
    return {round(square_root(a), control, out.flags), false};
  out.value = pack(approximate_root(a));
  return {out, true};
}

Approximation lane_reciprocal(const FpReg& f2, const FpReg& f3, const Control& control) noexcept {
  Outcome out;
  if (special_quotient(f2, f3, control, out)) return {out, false};
  const Number a = unpack(f2), b = unpack(f3);
  out.value = fit_single(approximate_reciprocal(b));
  return {out, !divisor_out_of_range(b, kSingleRange) && !quotient_out_of_range(a, b, kSingleRange)};
}

Approximation lane_reciprocal_root(const FpReg& f3, const Control& control) noexcept {
  Outcome out;
  if (special_root(f3, true, control, out)) return {out, false};
  const Number a = unpack(f3);
  out.value = fit_single(approximate_root(a));
  return {out, unbiased(a) > kSingleRange.emin + kSingleRange.bits - 1};
}

}  // namespace ia64::cpu::fp
