// Compares and tests: relations against wide host arithmetic, and the whole matrix of type, relation, NaT and predicate.
#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {

enum Kind { kNone, kUnc, kAnd, kOr, kOrAndcm };

// What the manual's table of compare types says happens to {p1, p2}; -1 means unchanged.
struct Written {
  int p1, p2;
};
Written table(Kind kind, bool qp, bool relation, bool nat) {
  if (!qp) return kind == kUnc ? Written{0, 0} : Written{-1, -1};
  switch (kind) {
    case kNone:
    case kUnc: return nat ? Written{0, 0} : relation ? Written{1, 0} : Written{0, 1};
    case kAnd: return nat || !relation ? Written{0, 0} : Written{-1, -1};
    case kOr: return !nat && relation ? Written{1, 1} : Written{-1, -1};
    case kOrAndcm: return !nat && relation ? Written{1, 0} : Written{-1, -1};
  }
  return {};
}

constexpr u8 kQp = 20, kP1 = 21, kP2 = 6;

// Runs a handler in both previous states of the targets, and with the predicate false when it reads its own.
void check_matrix(Rig& rig, Handler h, Insn i, Kind kind, bool relation, bool nat) {
  i.qp = kQp, i.p1 = kP1, i.p2 = kP2;
  for (int qp = kind == kUnc ? 0 : 1; qp < 2; qp++) {
    for (int before = 0; before < 4; before++) {
      rig.r.set_pr(kQp, qp), rig.r.set_pr(kP1, before & 1), rig.r.set_pr(kP2, before & 2);
      const Written w = table(kind, qp, relation, nat);
      rig.step(h, i);
      CHECK(rig.r.pr(kP1) == (w.p1 < 0 ? (before & 1) != 0 : w.p1 != 0));
      CHECK(rig.r.pr(kP2) == (w.p2 < 0 ? (before & 2) != 0 : w.p2 != 0));
    }
  }
}

// Relations by sign of an exact difference, so that no comparison operator of 64-bit types is trusted.
int order(__int128 a, __int128 b) { return a == b ? 0 : a - b < 0 ? -1 : 1; }
int order_of(u64 a, u64 b, unsigned bits, bool is_unsigned) {
  const auto widen = [&](u64 v) {
    __int128 x = bits == 32 ? v & 0xffffffff : v;
    if (!is_unsigned && (x >> (bits - 1)) & 1) x -= __int128{1} << bits;
    return x;
  };
  return order(widen(a), widen(b));
}

struct Relation {
  const char* name;
  Handler handler;
  Kind kind;
  unsigned bits;
  bool is_unsigned;
  bool (*holds)(int order);
  char source;  // 'r' r2, '0' zero, 'i' immediate
};

#define REL(name, bits, uns, expr, kind, src) \
  {#name, name, kind, bits, uns, [](int o) { return expr; }, src}
#define PARALLEL(op, rel, fmt, bits, expr, src) \
  REL(op##_##rel##_and_##fmt, bits, false, expr, kAnd, src), REL(op##_##rel##_or_##fmt, bits, false, expr, kOr, src), \
      REL(op##_##rel##_or_andcm_##fmt, bits, false, expr, kOrAndcm, src)
#define NORMAL(op, rel, bits, uns, expr) \
  REL(op##_##rel##_a6, bits, uns, expr, kNone, 'r'), REL(op##_##rel##_unc_a6, bits, uns, expr, kUnc, 'r'), \
      REL(op##_##rel##_a8, bits, uns, expr, kNone, 'i'), REL(op##_##rel##_unc_a8, bits, uns, expr, kUnc, 'i')
#define ALL(op, bits) \
  NORMAL(op, lt, bits, false, o < 0), NORMAL(op, ltu, bits, true, o < 0), NORMAL(op, eq, bits, false, o == 0), \
      PARALLEL(op, eq, a6, bits, o == 0, 'r'), PARALLEL(op, ne, a6, bits, o != 0, 'r'), \
      PARALLEL(op, eq, a8, bits, o == 0, 'i'), PARALLEL(op, ne, a8, bits, o != 0, 'i'), \
      PARALLEL(op, gt, a7, bits, o > 0, '0'), PARALLEL(op, le, a7, bits, o <= 0, '0'), \
      PARALLEL(op, ge, a7, bits, o >= 0, '0'), PARALLEL(op, lt, a7, bits, o < 0, '0')

const Relation kRelations[] = {ALL(cmp, 64), ALL(cmp4, 32)};

}  // namespace

TEST_CASE("compare: every relation, size, type and source over interesting operands", "[exec]") {
  Rig rig;
  const auto values = interesting_values(0);
  for (const Relation& rel : kRelations) {
    INFO(rel.name);
    for (u64 a : values) {
      for (u64 b : {a, a + 1, a - 1, ~a, u64{0}, u64{0x80000000}, u64{0x8000000000000000}, u64{0xffffffffffffff80}}) {
        rig.r.set_gr(2, a), rig.r.set_gr(3, b);
        const u64 left = rel.source == '0' ? 0 : a;
        const bool holds = rel.holds(order_of(left, b, rel.bits, rel.is_unsigned));
        check_matrix(rig, rel.handler, {.imm = rel.source == 'i' ? a : 0xdead, .r2 = 2, .r3 = 3}, rel.kind, holds, false);
      }
    }
  }
}

TEST_CASE("compare: NaT of any register that is read counts, whatever the relation", "[exec]") {
  Rig rig;
  for (const Relation& rel : kRelations) {
    INFO(rel.name);
    for (int n = 0; n < 4; n++) {
      for (u64 b : {u64{0}, u64{5}, u64{9}}) {
        rig.r.set_gr_nat(2, 5, n & 1), rig.r.set_gr_nat(3, b, n & 2);
        const bool nat = (n & 2) || (rel.source == 'r' && (n & 1));
        const bool holds = rel.holds(order_of(rel.source == '0' ? 0 : 5, b, rel.bits, rel.is_unsigned));
        check_matrix(rig, rel.handler, {.imm = 5, .r2 = 2, .r3 = 3}, rel.kind, holds, nat);
      }
    }
  }
}

namespace {
struct Test {
  Handler handler;
  Kind kind;
  bool wants_set;
};
#define TESTS(op, fmt) \
  {op##_z_##fmt, kNone, false}, {op##_z_unc_##fmt, kUnc, false}, {op##_z_and_##fmt, kAnd, false}, \
      {op##_z_or_##fmt, kOr, false}, {op##_z_or_andcm_##fmt, kOrAndcm, false}, {op##_nz_and_##fmt, kAnd, true}, \
      {op##_nz_or_##fmt, kOr, true}, {op##_nz_or_andcm_##fmt, kOrAndcm, true}
}  // namespace

TEST_CASE("tbit: every bit, type and NaT", "[exec]") {
  Rig rig;
  for (const Test& t : std::initializer_list<Test>{TESTS(tbit, i16)}) {
    for (unsigned pos = 0; pos < 64; pos++) {
      for (int n = 0; n < 4; n++) {
        const bool set = n & 1, nat = n & 2;
        rig.r.set_gr_nat(33, set ? u64{1} << pos : ~(u64{1} << pos), nat);
        check_matrix(rig, t.handler, {.r3 = 33, .pos = static_cast<u8>(pos)}, t.kind, set == t.wants_set, nat);
      }
    }
  }
}

TEST_CASE("tnat: the NaT bit is the datum and poisons nothing", "[exec]") {
  Rig rig;
  for (const Test& t : std::initializer_list<Test>{TESTS(tnat, i17)}) {
    for (bool nat : {false, true}) {
      rig.r.set_gr_nat(33, 0, nat);
      check_matrix(rig, t.handler, {.r3 = 33}, t.kind, nat == t.wants_set, false);
    }
  }
}

TEST_CASE("tf: tests the feature bits of CPUID[4]", "[exec]") {
  Rig rig;
  for (const Test& t : std::initializer_list<Test>{TESTS(tf, i30)}) {
    for (unsigned pos = 32; pos < 64; pos++) {
      const bool set = (kMontecito.cpuid[4] >> pos) & 1;
      check_matrix(rig, t.handler, {.pos = static_cast<u8>(pos)}, t.kind, set == t.wants_set, false);
    }
  }
}

TEST_CASE("compare: writes to p0 vanish, targets rotate", "[exec]") {
  Rig rig;
  rig.r.cfm.rrb_pr = 47;
  rig.step(cmp_eq_a6, {.r2 = 0, .r3 = 0, .p1 = 17, .p2 = 0});
  CHECK(rig.r.pr_phys[16] == 1);
  CHECK(rig.r.pr_phys[0] == 1);
  rig.step(cmp_eq_a6, {.r2 = 0, .r3 = 0, .p1 = 0, .p2 = 17});
  CHECK(rig.r.pr_phys[16] == 0);
  CHECK(rig.r.pr_phys[0] == 1);
}
