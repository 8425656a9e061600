// Compares and bit tests: every relation with every way of writing the two predicates.
// @source SDM vol. 3, cmp, cmp4, tbit, tnat, tf
#include "cpu/exec/handlers.h"
#include "cpu/exec/operands.h"

namespace ia64::cpu {

namespace {

enum class Type { None, Unc, And, Or, OrAndcm };

template <Type kType>
inline void write_predicates(Registers& r, const Insn& i, bool relation, bool nat) {
  if constexpr (kType == Type::None || kType == Type::Unc) {
    r.set_pr(i.p1, relation & !nat);
    r.set_pr(i.p2, !(relation | nat));
  } else if constexpr (kType == Type::And) {
    if (nat | !relation) r.set_pr(i.p1, false), r.set_pr(i.p2, false);
  } else {
    if (relation & !nat) r.set_pr(i.p1, true), r.set_pr(i.p2, kType == Type::Or);
  }
}

// Unc clears both targets even when the qualifying predicate is false; it is the only type called then.
template <Type kType>
inline bool predicated_off(Registers& r, const Insn& i) {
  if constexpr (kType == Type::Unc) {
    if (!r.pr(i.qp)) {
      r.set_pr(i.p1, false);
      r.set_pr(i.p2, false);
      return true;
    }
  }
  return false;
}

struct Operands {
  u64 a, b;
  bool nat;
};
// The three sources of the left operand, named after their formats.
struct A6 {
  static Operands read(Registers& r, const Insn& i) {
    const Gr a(r, i.r2), b(r, i.r3);
    return {a.value(), b.value(), static_cast<bool>(a.nat() | b.nat())};
  }
};
struct A7 {
  static Operands read(Registers& r, const Insn& i) {
    const Gr b(r, i.r3);
    return {0, b.value(), b.nat()};
  }
};
struct A8 {
  static Operands read(Registers& r, const Insn& i) {
    const Gr b(r, i.r3);
    return {i.imm, b.value(), b.nat()};
  }
};

// Relations over a signed type S; the unsigned ones convert.
template <class S> struct Eq { static bool test(u64 a, u64 b) { return static_cast<S>(a) == static_cast<S>(b); } };
template <class S> struct Ne { static bool test(u64 a, u64 b) { return static_cast<S>(a) != static_cast<S>(b); } };
template <class S> struct Lt { static bool test(u64 a, u64 b) { return static_cast<S>(a) < static_cast<S>(b); } };
template <class S> struct Le { static bool test(u64 a, u64 b) { return static_cast<S>(a) <= static_cast<S>(b); } };
template <class S> struct Gt { static bool test(u64 a, u64 b) { return static_cast<S>(a) > static_cast<S>(b); } };
template <class S> struct Ge { static bool test(u64 a, u64 b) { return static_cast<S>(a) >= static_cast<S>(b); } };

template <Type kType, class Relation, class Source>
inline Next compare(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (predicated_off<kType>(r, i)) return Next::Continue;
  const Operands o = Source::read(r, i);
  write_predicates<kType>(r, i, Relation::test(o.a, o.b), o.nat);
  return Next::Continue;
}

template <Type kType>
inline Next test_bit(Core& core, const Insn& i, bool wanted) noexcept {
  Registers& r = core.regs();
  if (predicated_off<kType>(r, i)) return Next::Continue;
  const Gr source(r, i.r3);
  write_predicates<kType>(r, i, static_cast<bool>((source.value() >> i.pos) & 1) == wanted, source.nat());
  return Next::Continue;
}

template <Type kType>
inline Next test_nat(Core& core, const Insn& i, bool wanted) noexcept {
  Registers& r = core.regs();
  if (predicated_off<kType>(r, i)) return Next::Continue;
  write_predicates<kType>(r, i, r.nat(i.r3) == wanted, false);
  return Next::Continue;
}

// The feature bits are those of CPUID[4]; the position (32..63) is already that of the register.
template <Type kType>
inline Next test_feature(Core& core, const Insn& i, bool wanted) noexcept {
  Registers& r = core.regs();
  if (predicated_off<kType>(r, i)) return Next::Continue;
  write_predicates<kType>(r, i, static_cast<bool>((core.wires().model->cpuid[4] >> i.pos) & 1) == wanted, false);
  return Next::Continue;
}

}  // namespace

#define COMPARE(name, type, relation, integer, source) \
  Next name(Core& core, const Insn& i) noexcept { return compare<Type::type, relation<integer>, source>(core, i); }

// Normal and unconditional types exist for eq, lt, ltu with a register or an immediate.
#define COMPARE_NORMAL(op, rel, relation, integer) \
  COMPARE(op##_##rel##_a6, None, relation, integer, A6) \
  COMPARE(op##_##rel##_unc_a6, Unc, relation, integer, A6) \
  COMPARE(op##_##rel##_a8, None, relation, integer, A8) \
  COMPARE(op##_##rel##_unc_a8, Unc, relation, integer, A8)

// Parallel types: eq and ne of two operands, the inequalities of r0 against r3.
#define COMPARE_PARALLEL(op, rel, relation, integer, format, source) \
  COMPARE(op##_##rel##_and_##format, And, relation, integer, source) \
  COMPARE(op##_##rel##_or_##format, Or, relation, integer, source) \
  COMPARE(op##_##rel##_or_andcm_##format, OrAndcm, relation, integer, source)

#define COMPARE_WIDTH(op, integer, natural) \
  COMPARE_NORMAL(op, lt, Lt, integer) \
  COMPARE_NORMAL(op, ltu, Lt, natural) \
  COMPARE_NORMAL(op, eq, Eq, integer) \
  COMPARE_PARALLEL(op, eq, Eq, integer, a6, A6) \
  COMPARE_PARALLEL(op, ne, Ne, integer, a6, A6) \
  COMPARE_PARALLEL(op, eq, Eq, integer, a8, A8) \
  COMPARE_PARALLEL(op, ne, Ne, integer, a8, A8) \
  COMPARE_PARALLEL(op, gt, Gt, integer, a7, A7) \
  COMPARE_PARALLEL(op, le, Le, integer, a7, A7) \
  COMPARE_PARALLEL(op, ge, Ge, integer, a7, A7) \
  COMPARE_PARALLEL(op, lt, Lt, integer, a7, A7)

COMPARE_WIDTH(cmp, i64, u64)
COMPARE_WIDTH(cmp4, i32, u32)

#define TEST(name, function, type, wanted) \
  Next name(Core& core, const Insn& i) noexcept { return function<Type::type>(core, i, wanted); }

#define TEST_FAMILY(op, function, format) \
  TEST(op##_z_##format, function, None, false) \
  TEST(op##_z_unc_##format, function, Unc, false) \
  TEST(op##_z_and_##format, function, And, false) \
  TEST(op##_z_or_##format, function, Or, false) \
  TEST(op##_z_or_andcm_##format, function, OrAndcm, false) \
  TEST(op##_nz_and_##format, function, And, true) \
  TEST(op##_nz_or_##format, function, Or, true) \
  TEST(op##_nz_or_andcm_##format, function, OrAndcm, true)

TEST_FAMILY(tbit, test_bit, i16)
TEST_FAMILY(tnat, test_nat, i17)
TEST_FAMILY(tf, test_feature, i30)

}  // namespace ia64::cpu
