// Fused multiply-add on 82-bit registers: a fast path for normal operands, everything else out of line.
#include "cpu/fp/multiply_add.h"

namespace ia64::cpu::fp {
namespace {

/// Exact product of two normalised nonzero numbers.
inline Exact multiply(const Number& a, const Number& b, bool negate) {
  u128 p = u128{a.significand} * b.significand;
  const bool short_product = !(p >> 127);  // unpredictable, so no branch
  p += p & -u128{short_product};
  const i32 e = a.exponent + b.exponent - static_cast<i32>(kBias) + 1 - short_product;
  return {p, e, (a.sign != b.sign) != negate, false};
}

inline Exact normalised(u128 significand, i32 exponent, bool sign, bool sticky) {
  const u64 high = static_cast<u64>(significand >> 64);
  const int shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll(static_cast<u64>(significand) | 1);
  return {significand << shift, exponent - shift, sign, sticky};
}

/// `v` shifted right by `n` >= 0; `lost` becomes true when a one fell out.
inline u128 shift_right(u128 v, u32 n, bool& lost) {
  if (n >= 128) {
    lost = true;
    return 0;
  }
  const u128 r = v >> n;
  lost = (r << n) != v;
  return r;
}

inline Exact add_magnitudes(const Exact& big, u128 small, bool lost) {
  u128 sum = big.significand() + small;
  if (sum >= small) return {sum, big.exponent, big.sign, lost};
  lost |= static_cast<bool>(sum & 1);
  return {sum >> 1 | u128{1} << 127, big.exponent + 1, big.sign, lost};
}

/// Exact sum of the product `p` and the addend `c`, whose low 64 bits are zero. A zero significand means
/// exact cancellation. The only subtraction that can cancel many bits and lose one in alignment is the one
/// where the product lies one binade below the addend; it is done at the product's scale.
inline Exact add(const Exact& p, const Exact& c) {
  const i32 distance = p.exponent - c.exponent;
  const bool product_is_big = distance > 0 || (distance == 0 && p.significand() >= c.significand());
  const Exact& big = product_is_big ? p : c;
  const Exact& small = product_is_big ? c : p;
  const bool subtract = p.sign != c.sign;
  if (subtract && distance == -1 && p.significand() > c.significand())
    return normalised(c.significand() - (p.significand() - c.significand()), p.exponent, c.sign, false);
  bool lost = false;
  const u128 aligned =
      shift_right(small.significand(), static_cast<u32>(product_is_big ? distance : -distance), lost);
  if (!subtract) return add_magnitudes(big, aligned, lost);
  return normalised(big.significand() - aligned - lost, big.exponent, big.sign, lost);
}

inline Exact widened(const Number& n) {
  return {u128{n.significand} << 64, n.exponent, n.sign, false};
}

inline Number unpack_normal(const FpReg& r) {
  return {r.significand, static_cast<i32>(r.exponent()), r.sign()};
}

inline Outcome round_sum(const Exact& sum, const Control& control, u8 flags) {
  if (sum.significand() == 0) [[unlikely]]
    return {.value = make_zero(control.rounding == kDown), .flags = flags};
  return round(sum, control, flags);
}

FpReg propagate_nan(const FpReg& f3, const FpReg& f4, const FpReg& f2) {
  return quieted(is_nan(f4) ? f4 : is_nan(f2) ? f2 : f3);
}

/// Infinities: the default result, or false when neither product nor sum involves one.
bool infinite_result(const FpReg& f3, const FpReg& f4, const FpReg& f2, bool product_sign, bool addend_sign,
                     FpReg& value, bool& invalid) {
  const bool product = is_infinity(f3) || is_infinity(f4), addend = is_infinity(f2);
  invalid = (product && (is_zero(f3) || is_zero(f4))) || (product && addend && product_sign != addend_sign);
  if (product || addend) value = make_infinity(product ? product_sign : addend_sign);
  return product || addend;
}

/// Finite operands of which some are zero or unnormal.
Outcome finite(const FpReg& f3, const FpReg& f4, const FpReg& f2, MultiplyAddKind kind,
               const Control& control, u8 flags) {
  const Number a = unpack(f3), b = unpack(f4);
  Number c = unpack(f2);
  c.sign ^= kind.negate_addend;
  const bool product_sign = (a.sign != b.sign) != kind.negate_product;
  const bool product_zero = a.significand == 0 || b.significand == 0;
  if (product_zero && (kind.no_addend || c.significand == 0)) {
    const bool sign = kind.no_addend || product_sign == c.sign ? product_sign : control.rounding == kDown;
    return {.value = make_zero(sign), .flags = flags};
  }
  if (product_zero) return round(c, control, flags);
  const Exact p = multiply(a, b, kind.negate_product);
  if (kind.no_addend || c.significand == 0) return round(p, control, flags);
  return round_sum(add(p, widened(c)), control, flags);
}

[[gnu::noinline]] Outcome special(const FpReg& f3, const FpReg& f4, const FpReg& addend, MultiplyAddKind kind,
                                  const Control& control) {
  const FpReg f2 = kind.no_addend ? kFpZero : addend;
  if (is_unsupported(f3) || is_unsupported(f4) || is_unsupported(f2))
    return deliver(kIndefinite, kInvalid, control);
  if (is_nan(f3) || is_nan(f4) || is_nan(f2)) {
    const bool signaling = is_signaling(f3) || is_signaling(f4) || is_signaling(f2);
    return deliver(propagate_nan(f3, f4, f2), signaling ? kInvalid : 0, control);
  }
  const u8 denormal = is_unnormal(f3) || is_unnormal(f4) || is_unnormal(f2) ? kDenormal : 0;
  FpReg value;
  bool invalid = false;
  const bool product_sign = (f3.sign() != f4.sign()) != kind.negate_product;
  const bool infinite =
      infinite_result(f3, f4, f2, product_sign, f2.sign() != kind.negate_addend, value, invalid);
  if (invalid) return deliver(kIndefinite, kInvalid, control);
  if (infinite || (denormal & ~control.masked)) return deliver(value, denormal, control);
  return finite(f3, f4, f2, kind, control, denormal);
}

}  // namespace

Outcome multiply_add(const FpReg& f3, const FpReg& f4, const FpReg& f2, MultiplyAddKind kind,
                     const Control& control) noexcept {
  if (is_normal(f3) && is_normal(f4)) [[likely]] {
    const Exact p = multiply(unpack_normal(f3), unpack_normal(f4), kind.negate_product);
    if (kind.no_addend) return round(p, control);
    if (is_normal(f2)) [[likely]] {
      Exact c = widened(unpack_normal(f2));
      c.sign ^= kind.negate_addend;
      return round_sum(add(p, c), control, 0);
    }
  }
  return special(f3, f4, f2, kind, control);
}

}  // namespace ia64::cpu::fp
