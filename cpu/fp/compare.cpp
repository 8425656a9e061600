// Comparison of 82-bit numbers, min/max on top of it, and class membership.
#include "cpu/fp/compare.h"

namespace ia64::cpu::fp {
namespace {

enum class Order : u8 { Less, Equal, Greater, Unordered };

/// A finite or infinite operand as a magnitude that compares like its value.
struct Magnitude {
  i64 exponent;
  u64 significand;
};

Magnitude magnitude(const FpReg& r) {
  if (r.exponent() == kSpecialExponent) return {kSpecialExponent, kIntegerBit};
  const Number n = unpack(r);
  if (n.significand == 0) return {-1000, 0};  // below the smallest unnormal, which is 1 - 63
  return {n.exponent, n.significand};
}

Order order_magnitudes(const FpReg& a, const FpReg& b) {
  const Magnitude x = magnitude(a), y = magnitude(b);
  if (x.exponent != y.exponent) return x.exponent < y.exponent ? Order::Less : Order::Greater;
  if (x.significand == y.significand) return Order::Equal;
  return x.significand < y.significand ? Order::Less : Order::Greater;
}

Order order(const FpReg& a, const FpReg& b) {
  if (a.sign() == b.sign()) return a.sign() ? order_magnitudes(b, a) : order_magnitudes(a, b);
  const bool both_zero = magnitude(a).significand == 0 && magnitude(b).significand == 0;
  if (both_zero) return Order::Equal;
  return a.sign() ? Order::Less : Order::Greater;
}

bool holds(Order o, Relation relation) {
  const unsigned code = static_cast<unsigned>(relation);
  bool v = false;
  switch (code & 3) {
    case 0: v = o == Order::Equal; break;
    case 1: v = o == Order::Less; break;
    case 2: v = o == Order::Less || o == Order::Equal; break;
    case 3: v = o == Order::Unordered; break;
  }
  return v != (code >= 4);
}

bool signals_quiet_nans(Relation r) {
  const unsigned code = static_cast<unsigned>(r) & 3;
  return code == 1 || code == 2;
}

u8 unordered_exceptions(const FpReg& a, const FpReg& b, Relation relation) {
  const bool unsupported = is_unsupported(a) || is_unsupported(b);
  const bool signaling = is_signaling(a) || is_signaling(b);
  return unsupported || signaling || signals_quiet_nans(relation) ? kInvalid : 0;
}

bool is_ordered(const FpReg& r) {
  return !is_nan(r) && !is_unsupported(r);
}

/// Tests a relation with `order_function` as the order of numbers.
template <class OrderFunction>
inline Comparison compare_by(OrderFunction order_function, const FpReg& a, const FpReg& b, Relation relation,
                             const Control& control) {
  Order o = Order::Unordered;
  u8 raised = 0;
  if (is_ordered(a) && is_ordered(b)) [[likely]] {
    o = order_function(a, b);
    if (is_unnormal(a) || is_unnormal(b)) raised = kDenormal;
  } else {
    raised = unordered_exceptions(a, b, relation);
  }
  return {holds(o, relation), raised, static_cast<u8>(raised & ~control.masked)};
}

}  // namespace

Comparison compare(const FpReg& a, const FpReg& b, Relation relation, const Control& control) noexcept {
  return compare_by(order, a, b, relation, control);
}

Outcome min_max(const FpReg& f2, const FpReg& f3, Extremum which, const Control& control) noexcept {
  const bool by_magnitude = which == Extremum::MinimumMagnitude || which == Extremum::MaximumMagnitude;
  const bool maximum = which == Extremum::Maximum || which == Extremum::MaximumMagnitude;
  const auto order_function = by_magnitude ? order_magnitudes : order;
  const Comparison c = maximum ? compare_by(order_function, f3, f2, Relation::Less, control)
                               : compare_by(order_function, f2, f3, Relation::Less, control);
  return {.value = c.holds ? f2 : f3, .flags = c.flags, .faults = c.faults};
}

bool in_class(const FpReg& r, unsigned fclass9) noexcept {
  if (r.is_natval()) return fclass9 & kNatClass;
  if (is_nan(r)) return fclass9 & (is_signaling(r) ? kSignalingClass : kQuietClass);
  if (is_unsupported(r) || !(fclass9 & (r.sign() ? kNegative : kPositive))) return false;
  if (is_infinity(r)) return fclass9 & kInfinityClass;
  if (is_zero(r)) return fclass9 & kZeroClass;
  return fclass9 & (is_unnormal(r) ? kUnnormalClass : kNormalClass);
}

}  // namespace ia64::cpu::fp
