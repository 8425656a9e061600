// Lowering of floating-point arithmetic on doubles and singles, comparisons and conversions, and integer multiply-add.
// What needs more than a double (the widest precision, other status fields, parallel forms) calls its handler.
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;
enum class Sum { Fma, Fms, Fnma };

bool any_other(L& l, std::initializer_list<unsigned> registers) {
  for (unsigned f : registers)
    if (l.holds_other(f)) return true;
  return false;
}

/// f3 x f4 without an addend.
Op product(L& l, const Insn& i, bool negate) {
  if (!negate && i.r4 == 1) return {.code = float_norm, .a = l.fr(i, i.r3)};
  if (!negate && i.r3 == 1) return {.code = float_norm, .a = l.fr(i, i.r4)};
  const Value a = l.fr(i, i.r3);
  return {.code = negate ? float_nmul : float_mul, .a = a, .b = l.fr(i, i.r4)};
}

/// factor x 1 and the addend.
Op sum(L& l, const Insn& i, Sum kind, unsigned factor) {
  const Value a = l.fr(i, factor), c = l.fr(i, i.r2);
  if (kind == Sum::Fma) return {.code = float_add, .a = a, .b = c};
  if (kind == Sum::Fms) return {.code = float_sub, .a = a, .b = c};
  return {.code = float_sub, .a = c, .b = a};
}

void wide_multiply_add(L& l, const Insn& i) {
  l.check_floats(i, {i.r1, i.r2, i.r3, i.r4}, false);
  l.wide_float(i);
}

template <Sum kKind, bool kSingle>
void multiply_add(L& l, const Insn& i) {
  if (i.x != 0 || any_other(l, {i.r2, i.r3, i.r4})) return wide_multiply_add(l, i);
  l.check_floats(i, {i.r1, i.r2, i.r3, i.r4}, true);
  const bool singles = l.holds_single(i.r2) && l.holds_single(i.r3) && l.holds_single(i.r4);
  Op op;
  if (i.r2 == 0) {
    op = product(l, i, kKind == Sum::Fnma);
  } else if (i.r4 == 1 || i.r3 == 1) {
    op = sum(l, i, kKind, i.r4 == 1 ? i.r3 : i.r4);
  } else {
    const Value a = l.fr(i, i.r3), b = l.fr(i, i.r4), c = l.fr(i, i.r2);
    op = {.code = kKind == Sum::Fma ? float_fma : kKind == Sum::Fms ? float_fms : float_fnma, .a = a, .b = b, .c = c};
  }
  l.to_fr(i, i.r1, op, {.single = kSingle, .operands_single = singles});
}

enum class Half { Low, High, HighUnsigned };

template <Half kHalf>
void integer_multiply_add(L& l, const Insn& i) {
  l.check_floats(i, {i.r1, i.r2, i.r3, i.r4}, false);
  const Value a = l.fr_integer(i, i.r3), b = l.fr_integer(i, i.r4), c = l.fr_integer(i, i.r2);
  Value result = l.binary(mul, a, b);
  if (kHalf == Half::Low) {
    if (i.r2 != 0) result = l.binary(add, result, c);
  } else {
    Value high = l.binary(kHalf == Half::High ? mul_high : mul_high_u, a, b);
    if (i.r2 != 0) high = l.binary(add, high, l.binary(cmp_ltu, l.binary(add, result, c), c));
    result = high;
  }
  l.to_fr_integer(i, i.r1, {.code = set_integer, .a = result});
}

template <Opcode kCode>
void extremum(L& l, const Insn& i) {
  if (any_other(l, {i.r2, i.r3})) return l.call(i);
  l.check_floats(i, {i.r1, i.r2, i.r3}, false);
  const bool single = l.holds_single(i.r2) && l.holds_single(i.r3);
  const Value a = l.fr(i, i.r2), b = l.fr(i, i.r3);
  l.to_fr(i, i.r1, {.code = kCode, .a = a, .b = b}, {.single = single});
}

template <Opcode kCode>
void merge(L& l, const Insn& i) {
  l.check_floats(i, {i.r1, i.r2, i.r3}, false);
  const bool copy = kCode == float_merge && i.r2 == i.r3;
  if (copy && !l.holds_double(i.r3)) return l.copy_fr(i, i.r1, i.r3);
  if (any_other(l, {i.r2, i.r3})) return l.call(i);
  const bool single = l.holds_single(i.r3);
  const Value a = l.fr(i, i.r2), b = l.fr(i, i.r3);
  if (copy) {
    l.to_fr(i, i.r1, {.code = float_move, .a = b}, {.single = single});
  } else {
    l.to_fr(i, i.r1, {.code = kCode, .a = a, .b = b}, {.single = single});
  }
}

/// Writes a relation and its opposite to the target predicates.
template <bool kUnc>
void set_predicates(L& l, const Insn& i, Value relation) {
  const Value q = l.guard(i);
  Value yes = relation, no = l.unary(invert, relation);
  if (q != kNone) {
    yes = kUnc ? l.binary(and_, relation, q) : l.select(q, yes, l.pr(i.p1));
    no = kUnc ? l.binary(andn, q, relation) : l.select(q, no, l.pr(i.p2));
  }
  l.set_pr(i.p1, yes), l.set_pr(i.p2, no);
}

template <Opcode kRelation, bool kUnc>
void compare(L& l, const Insn& i) {
  if (any_other(l, {i.r2, i.r3})) return l.call(i);
  l.check_floats(i, {i.r2, i.r3}, false);
  const Value a = l.fr(i, i.r2), b = l.fr(i, i.r3);
  set_predicates<kUnc>(l, i, l.emit({.code = kRelation, .a = a, .b = b, .insn = &i}));
}

/// The bits of fclass that ask for quiet and signaling NaNs, for both signs, and for zero, normal numbers and infinity.
enum : u64 { kQuiet = 0x80, kSignaling = 0x40, kPositive = 1, kNegative = 2, kZero = 4, kNormal = 0x10, kInfinity = 0x20 };

/// Whether `magnitude`, twice the bits of a double without its sign, is of a wanted kind; or kNone when no kind is wanted.
Value magnitude_in(L& l, u64 wanted, Value magnitude) {
  constexpr u64 kTwiceInfinity = u64{0x7ff} << 53;
  const auto below = [&](Value v, u64 k) { return l.binary(cmp_ltu, v, l.constant(k)); };
  const auto equal = [&](u64 k) { return l.binary(cmp_eq, magnitude, l.constant(k)); };
  const auto less_one = [&] { return l.binary(sub, magnitude, l.constant(1)); };
  switch (wanted & (kZero | kNormal | kInfinity)) {
    case kZero: return equal(0);
    case kNormal: return below(less_one(), kTwiceInfinity - 1);
    case kInfinity: return equal(kTwiceInfinity);
    case kZero | kNormal: return below(magnitude, kTwiceInfinity);
    case kNormal | kInfinity: return below(less_one(), kTwiceInfinity);
    case kZero | kInfinity: return l.binary(or_, equal(0), equal(kTwiceInfinity));
    case kZero | kNormal | kInfinity: return below(magnitude, kTwiceInfinity + 1);
    default: return kNone;
  }
}

/// The class of a plain double: never denormal, never NaTVal.
template <bool kUnc>
void classify(L& l, const Insn& i) {
  if (l.holds_other(i.r2)) return l.call(i);
  l.check_floats(i, {i.r2}, false);
  constexpr u64 kTwiceQuiet = u64{0xfff} << 52;
  const Value bits = l.unary(double_bits, l.fr(i, i.r2)), magnitude = l.unary(shl_imm, bits, 1);
  Value member = i.imm & (kPositive | kNegative) ? magnitude_in(l, i.imm, magnitude) : kNone;
  if (member != kNone && (i.imm & (kPositive | kNegative)) != (kPositive | kNegative)) {
    const Value sign = l.unary(shr_imm, bits, 63);
    member = i.imm & kNegative ? l.binary(and_, member, sign) : l.binary(andn, member, sign);
  }
  const auto add = [&](Value v) { member = member == kNone ? v : l.binary(or_, member, v); };
  const Value quiet = l.binary(cmp_ltu, l.constant(kTwiceQuiet - 1), magnitude);
  if (i.imm & kQuiet) add(quiet);
  if (i.imm & kSignaling) add(l.binary(andn, l.binary(cmp_ltu, l.constant(u64{0x7ff} << 53), magnitude), quiet));
  set_predicates<kUnc>(l, i, member == kNone ? l.constant(0) : member);
}

template <Opcode kCode, bool kUnsigned>
void to_integer(L& l, const Insn& i) {
  if (i.x != 0 || l.holds_other(i.r2)) return l.call(i);
  l.check_floats(i, {i.r1, i.r2}, true);
  const Value a = l.fr(i, i.r2);
  l.to_fr_integer(i, i.r1, {.code = kCode, .a = a}, {.is_unsigned = kUnsigned});
}

void from_integer(L& l, const Insn& i) {
  l.check_floats(i, {i.r1, i.r2}, false);
  const Value a = l.fr_integer(i, i.r2);
  l.to_fr(i, i.r1, {.code = int_to_float, .a = a});
}

}  // namespace

void add_float_rules(LowerTable& t) {
  t[&fma_f1] = t[&fms_f1] = t[&fnma_f1] = wide_multiply_add;
  t[&fma_d_f1] = multiply_add<Sum::Fma, false>, t[&fma_s_f1] = multiply_add<Sum::Fma, true>;
  t[&fms_d_f1] = multiply_add<Sum::Fms, false>, t[&fms_s_f1] = multiply_add<Sum::Fms, true>;
  t[&fnma_d_f1] = multiply_add<Sum::Fnma, false>, t[&fnma_s_f1] = multiply_add<Sum::Fnma, true>;
  t[&xma_l_f2] = integer_multiply_add<Half::Low>, t[&xma_h_f2] = integer_multiply_add<Half::High>;
  t[&xma_hu_f2] = integer_multiply_add<Half::HighUnsigned>;
  t[&fmin_f8] = extremum<float_min>, t[&fmax_f8] = extremum<float_max>;
  t[&fmerge_s_f9] = merge<float_merge>, t[&fmerge_ns_f9] = merge<float_nmerge>;
  t[&fcmp_lt_f4] = compare<float_lt, false>, t[&fcmp_lt_unc_f4] = compare<float_lt, true>;
  t[&fcmp_le_f4] = compare<float_le, false>, t[&fcmp_le_unc_f4] = compare<float_le, true>;
  t[&fcmp_eq_f4] = compare<float_eq, false>, t[&fcmp_eq_unc_f4] = compare<float_eq, true>;
  t[&fclass_m_f5] = classify<false>, t[&fclass_m_unc_f5] = classify<true>;
  t[&fcvt_fx_f10] = to_integer<float_to_int, false>, t[&fcvt_fx_trunc_f10] = to_integer<float_to_int_trunc, false>;
  t[&fcvt_fxu_f10] = to_integer<float_to_int, true>, t[&fcvt_fxu_trunc_f10] = to_integer<float_to_int_trunc, true>;
  t[&fcvt_xf_f11] = from_integer;
}

}  // namespace ia64::cpu::ir
