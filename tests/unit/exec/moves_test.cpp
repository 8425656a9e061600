// Moves of predicates, branch registers, the instruction pointer, and between general and floating-point registers.
#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {
// Predicates in physical numbering, gathered one by one.
u64 physical_predicates(const Registers& r) {
  u64 v = 0;
  for (unsigned n = 0; n < 64; n++) v += u64{r.pr_phys[n]} << n;
  return v;
}
}  // namespace

TEST_CASE("moves: predicates are seen as if the rotation base were zero", "[exec]") {
  Rig rig;
  for (u8 base : {0, 1, 47}) {
    rig.r.cfm.rrb_pr = base;
    for (u64 v : interesting_values(10)) {
      rig.r.set_gr(4, v);
      rig.step(mov_i23, {.imm = ~u64{1}, .r2 = 4});
      CHECK(physical_predicates(rig.r) == (v | 1));
      rig.step(mov_pr_i25, {.r1 = 40});
      CHECK(rig.r.gr(40) == (v | 1));
    }
  }
}

TEST_CASE("moves: mask17 selects static predicates one by one and rotating ones together", "[exec]") {
  Rig rig;
  rig.r.set_gr(4, 0xaaaaaaaaaaaaaaaa);
  for (unsigned mask = 0; mask < 0x20000; mask += 2) {
    for (unsigned n = 1; n < 64; n++) rig.r.pr_phys[n] = n & 1 ? 0 : 1;  // the opposite of the source
    const u64 before = physical_predicates(rig.r);
    const u64 selected = (mask & 0xfffe) | (mask & 0x10000 ? 0xffffffffffff0000 : 0);
    rig.step(mov_i23, {.imm = sign_extend(mask, 17), .r2 = 4});
    const u64 expected = (before & ~selected) | (0xaaaaaaaaaaaaaaaa & selected) | 1;
    if (physical_predicates(rig.r) != expected) FAIL("mask " << mask);
  }
}

TEST_CASE("moves: pr.rot writes the rotating predicates only", "[exec]") {
  Rig rig;
  rig.r.cfm.rrb_pr = 5;
  for (unsigned n = 1; n < 16; n++) rig.r.pr_phys[n] = 1;
  rig.step(mov_i24, {.imm = 0xfffff80000010000});
  CHECK(physical_predicates(rig.r) == 0xfffff8000001ffff);
}

TEST_CASE("moves: a NaT source is consumed by branch registers and predicates", "[exec]") {
  Rig rig;
  rig.r.set_gr_nat(4, 0x1230, true);
  rig.r.br[3] = 7;
  for (Handler h : {mov_i21, mov_i23}) {
    const Fault f = rig.fault(h, {.imm = ~u64{1}, .r1 = 3, .r2 = 4});
    CHECK(f.vector == Vector::NatConsumption);
    CHECK((f.isr & 0xffff) == isr::kRegisterNat);
    CHECK((f.isr & (isr::kR | isr::kW | isr::kNa)) == 0);
  }
  CHECK(rig.r.br[3] == 7);
  CHECK(physical_predicates(rig.r) == 1);
}

TEST_CASE("moves: branch registers keep all 64 bits", "[exec]") {
  Rig rig;
  rig.r.set_gr(4, 0x123456789abcdeff);
  rig.step(mov_i21, {.r1 = 7, .r2 = 4});
  CHECK(rig.r.br[7] == 0x123456789abcdeff);
  rig.r.set_gr_nat(50, 0, true);
  rig.step(mov_i22, {.r1 = 50, .r2 = 7});
  CHECK(rig.r.gr(50) == 0x123456789abcdeff);
  CHECK_FALSE(rig.r.nat(50));
}

TEST_CASE("moves: mov from ip gives the bundle address", "[exec]") {
  Rig rig;
  rig.step(mov_ip_i25, {.r1 = 5, .slot = 2, .bundle = 2});
  CHECK(rig.r.gr(5) == rig.core.insn_ip({}) + 32);
}

TEST_CASE("moves: setf forms", "[exec]") {
  Rig rig;
  struct Row {
    Handler handler;
    u64 value;
    FpReg expected;
  };
  const Row rows[] = {
      {setf_sig_m18, 0xfedcba9876543210, {0xfedcba9876543210, 0x1003e, 0}},
      {setf_exp_m18, 0xfffffffffffe1234, {0x8000000000000000, 0x21234, 0}},
      {setf_s_m18, 0xffffffff3f800000, {0x8000000000000000, 0xffff, 0}},
      {setf_s_m18, 0x80000000, {0, 0x20000, 0}},
      {setf_d_m18, 0xc000000000000000, {0x8000000000000000, 0x30000, 0}},
  };
  for (const Row& row : rows) {
    rig.r.set_gr(4, row.value);
    rig.step(row.handler, {.r1 = 40, .r2 = 4});
    CHECK(rig.r.fr(40) == row.expected);
    rig.r.set_gr_nat(4, row.value, true);
    rig.step(row.handler, {.r1 = 40, .r2 = 4});
    CHECK(rig.r.fr(40).is_natval());
  }
  CHECK(rig.r.psr & psr::kMfh);
  CHECK_FALSE(rig.r.psr & psr::kMfl);
}

TEST_CASE("moves: getf forms", "[exec]") {
  Rig rig;
  rig.r.set_fr(9, {0xc000000000000000, 0x2ffff, 0});  // -1.5
  struct Row {
    Handler handler;
    u64 expected;
  };
  const Row rows[] = {{getf_sig_m19, 0xc000000000000000}, {getf_exp_m19, 0x2ffff}, {getf_s_m19, 0xbfc00000}, {getf_d_m19, 0xbff8000000000000}};
  for (const Row& row : rows) {
    rig.r.set_fr(9, {0xc000000000000000, 0x2ffff, 0});
    rig.step(row.handler, {.r1 = 40, .r2 = 9});
    CHECK(rig.r.gr(40) == row.expected);
    CHECK_FALSE(rig.r.nat(40));
    rig.r.set_fr(9, kFpNatVal);
    rig.step(row.handler, {.r1 = 40, .r2 = 9});
    CHECK(rig.r.nat(40));
  }
}

TEST_CASE("moves: disabled floating-point banks fault before anything else", "[exec]") {
  Rig rig;
  rig.r.set_gr_nat(4, 0, true);
  rig.r.psr |= psr::kDfh;
  CHECK(rig.fault(setf_sig_m18, {.r1 = 32, .r2 = 4}).vector == Vector::DisabledFp);
  CHECK((rig.fault(getf_sig_m19, {.r1 = 5, .r2 = 127}).isr & 3) == 2);
  rig.step(setf_sig_m18, {.r1 = 31, .r2 = 4});
  rig.r.psr ^= psr::kDfh | psr::kDfl;
  CHECK((rig.fault(setf_d_m18, {.r1 = 31, .r2 = 4}).isr & 3) == 1);
  rig.step(setf_d_m18, {.r1 = 32, .r2 = 4});
}

// SDM vol. 2, 3.3.2: PSR.dfl disables f2 to f31.
TEST_CASE("getf and stf: f0 and f1 stay usable while the low bank is disabled", "[exec]") {
  Rig rig;
  rig.r.psr |= psr::kDfl;
  rig.step(getf_sig_m19, {.r1 = 33, .r2 = 1});
  CHECK(rig.r.gr(33) == u64{1} << 63);
  rig.r.set_gr(40, Rig::kRam + 0x140);
  rig.step(stfd_m9, {.r2 = 1, .r3 = 40});
  CHECK(rig.peek<u64>(Rig::kRam + 0x140) == u64{0x3ff} << 52);
  CHECK(rig.fault(getf_sig_m19, {.r1 = 33, .r2 = 2}).vector == Vector::DisabledFp);
}
