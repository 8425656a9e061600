// Lowering of compares and bit tests in all their types.
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;
enum class Type { None, Unc, And, Or, OrAndcm };

/// Values that depend on the qualifying predicate are read before any target is written: they may be the same register.
template <Type kType>
void write(L& l, const Insn& i, Value relation) {
  const Value q = l.guard(i);
  if constexpr (kType == Type::None) {
    Value yes = relation, no = l.unary(invert, relation);
    if (q != kNone) yes = l.select(q, yes, l.pr(i.p1)), no = l.select(q, no, l.pr(i.p2));
    l.set_pr(i.p1, yes), l.set_pr(i.p2, no);
  } else if constexpr (kType == Type::Unc) {
    const Value yes = q == kNone ? relation : l.binary(and_, relation, q);
    const Value no = q == kNone ? l.unary(invert, relation) : l.binary(andn, q, relation);
    l.set_pr(i.p1, yes), l.set_pr(i.p2, no);
  } else if constexpr (kType == Type::And) {
    const Value keep = q == kNone ? relation : l.binary(or_, relation, l.unary(invert, q));
    const Value first = l.binary(and_, l.pr(i.p1), keep), second = l.binary(and_, l.pr(i.p2), keep);
    l.set_pr(i.p1, first), l.set_pr(i.p2, second);
  } else {
    const Value hit = q == kNone ? relation : l.binary(and_, relation, q);
    const Value first = l.binary(or_, l.pr(i.p1), hit);
    const Value second = l.binary(kType == Type::Or ? or_ : andn, l.pr(i.p2), hit);
    l.set_pr(i.p1, first), l.set_pr(i.p2, second);
  }
}

enum class Relation { Eq, Ne, Lt, Ltu, Gt, Le, Ge };
enum class Source { R2, R0, Imm };

template <Relation kRelation, bool k32>
Value relate(L& l, Value a, Value b) {
  constexpr Opcode eq = k32 ? cmp4_eq : cmp_eq, lt = k32 ? cmp4_lt : cmp_lt, ltu = k32 ? cmp4_ltu : cmp_ltu;
  switch (kRelation) {
    case Relation::Eq: return l.binary(eq, a, b);
    case Relation::Ne: return l.unary(invert, l.binary(eq, a, b));
    case Relation::Lt: return l.binary(lt, a, b);
    case Relation::Ltu: return l.binary(ltu, a, b);
    case Relation::Gt: return l.binary(lt, b, a);
    case Relation::Le: return l.unary(invert, l.binary(lt, b, a));
    case Relation::Ge: return l.unary(invert, l.binary(lt, a, b));
  }
  return kNone;
}

template <Type kType, Relation kRelation, bool k32, Source kSource>
void compare(L& l, const Insn& i) {
  const Value a = kSource == Source::R2    ? l.gr(i, i.r2)
                  : kSource == Source::Imm ? l.constant(i.imm)
                                           : l.constant(0);
  const Value b = l.gr(i, i.r3);
  write<kType>(l, i, relate<kRelation, k32>(l, a, b));
}

template <Type kType, bool kWanted>
void bit(L& l, const Insn& i) {
  const Value v = l.unary(test_bit, l.gr(i, i.r3), i.pos);
  write<kType>(l, i, kWanted ? v : l.unary(invert, v));
}

}  // namespace

#define RULE(name, type, relation, wide, source) \
  t[&name] = compare<Type::type, Relation::relation, wide, Source::source>;
#define NORMAL(op, rel, relation, k32) \
  RULE(op##_##rel##_a6, None, relation, k32, R2) \
  RULE(op##_##rel##_unc_a6, Unc, relation, k32, R2) \
  RULE(op##_##rel##_a8, None, relation, k32, Imm) \
  RULE(op##_##rel##_unc_a8, Unc, relation, k32, Imm)
#define PARALLEL(op, rel, relation, k32, format, source) \
  RULE(op##_##rel##_and_##format, And, relation, k32, source) \
  RULE(op##_##rel##_or_##format, Or, relation, k32, source) \
  RULE(op##_##rel##_or_andcm_##format, OrAndcm, relation, k32, source)
#define WIDTH(op, k32) \
  NORMAL(op, lt, Lt, k32) \
  NORMAL(op, ltu, Ltu, k32) \
  NORMAL(op, eq, Eq, k32) \
  PARALLEL(op, eq, Eq, k32, a6, R2) \
  PARALLEL(op, ne, Ne, k32, a6, R2) \
  PARALLEL(op, eq, Eq, k32, a8, Imm) \
  PARALLEL(op, ne, Ne, k32, a8, Imm) \
  PARALLEL(op, gt, Gt, k32, a7, R0) \
  PARALLEL(op, le, Le, k32, a7, R0) \
  PARALLEL(op, ge, Ge, k32, a7, R0) \
  PARALLEL(op, lt, Lt, k32, a7, R0)

void add_compare_rules(LowerTable& t) {
  WIDTH(cmp, false)
  WIDTH(cmp4, true)
  t[&tbit_z_i16] = bit<Type::None, false>, t[&tbit_z_unc_i16] = bit<Type::Unc, false>;
  t[&tbit_z_and_i16] = bit<Type::And, false>, t[&tbit_nz_and_i16] = bit<Type::And, true>;
  t[&tbit_z_or_i16] = bit<Type::Or, false>, t[&tbit_nz_or_i16] = bit<Type::Or, true>;
  t[&tbit_z_or_andcm_i16] = bit<Type::OrAndcm, false>, t[&tbit_nz_or_andcm_i16] = bit<Type::OrAndcm, true>;
}

}  // namespace ia64::cpu::ir
