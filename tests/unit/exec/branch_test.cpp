// Branches: targets, and the loop branches over the borders of LC and EC with the rotation they cause.
#include "cpu/exec/rotation.h"
#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {

// The state a loop branch changes.
struct Loop {
  u64 lc;
  unsigned ec;
  bool qp = false;  // p20 before rotation, for the while forms
};
struct Outcome {
  bool taken;
  u64 lc;
  unsigned ec;
  bool rotated, p63;
};
struct LoopRow {
  Loop in;
  Outcome top;  // an exit branch does the same but for `taken`
};

// Counted loops by the manual's figure: kernel while LC counts, epilogue while EC is above 1, then the last stage.
const LoopRow kCounted[] = {
    {{.lc = 5, .ec = 3}, {true, 4, 3, true, true}},
    {{.lc = 1, .ec = 0}, {true, 0, 0, true, true}},
    {{.lc = ~u64{0}, .ec = 1}, {true, ~u64{0} - 1, 1, true, true}},
    {{.lc = 0, .ec = 63}, {true, 0, 62, true, false}},
    {{.lc = 0, .ec = 2}, {true, 0, 1, true, false}},
    {{.lc = 0, .ec = 1}, {false, 0, 0, true, false}},
    {{.lc = 0, .ec = 0}, {false, 0, 0, false, false}},
};
const LoopRow kWhile[] = {
    {{.lc = 9, .ec = 3, .qp = true}, {true, 9, 3, true, false}},
    {{.lc = 9, .ec = 0, .qp = true}, {true, 9, 0, true, false}},
    {{.lc = 9, .ec = 3, .qp = false}, {true, 9, 2, true, false}},
    {{.lc = 9, .ec = 2, .qp = false}, {true, 9, 1, true, false}},
    {{.lc = 9, .ec = 1, .qp = false}, {false, 9, 0, true, false}},
    {{.lc = 9, .ec = 0, .qp = false}, {false, 9, 0, false, false}},
};

void check_loop(Handler h, const LoopRow& row, bool exit_form, u8 sor, u8 first_gr, u8 first_fr, u8 first_pr) {
  Rig rig;
  Registers& r = rig.r;
  r.cfm = {.sof = 96, .sol = 0, .sor = sor, .rrb_gr = first_gr, .rrb_fr = first_fr, .rrb_pr = first_pr};
  const Cfm before = r.cfm;
  r.lc = row.in.lc, r.ec = static_cast<u8>(row.in.ec);
  r.set_pr(20, row.in.qp), r.set_pr(63, !row.top.p63);
  if (sor) r.set_gr(32, 0x32);
  r.set_fr(32, kFpOne);
  r.ip = 0x1000;
  const Next next = h(rig.core, {.imm = 0xfffffffffffffff0, .qp = 20, .slot = 2});
  CHECK(next == (row.top.taken != exit_form ? Next::Branch : Next::Continue));
  CHECK(r.lc == row.top.lc);
  CHECK(r.ec == row.top.ec);
  if (!row.top.rotated) {
    CHECK(r.cfm == before);
    CHECK(r.pr(63) == row.top.p63);
    return;
  }
  CHECK(r.pr(16) == row.top.p63);  // p63 has become p16
  CHECK(r.pr(21) == row.in.qp);
  if (sor) CHECK(r.gr(33) == 0x32);
  CHECK(r.fr(33) == kFpOne);
  CHECK(r.cfm.rrb_gr == (sor ? (before.rrb_gr + sor - 1) % sor : 0));
  CHECK(r.cfm.rrb_fr == (before.rrb_fr + 95) % 96);
  CHECK(r.cfm.rrb_pr == (before.rrb_pr + 47) % 48);
}

}  // namespace

TEST_CASE("branch: software-pipelined loops at every border of LC and EC", "[exec]") {
  for (u8 sor : {0, 8, 96}) {
    for (u8 base : {0, 1, 7}) {
      const u8 gr = sor ? base : 0;
      for (const LoopRow& row : kCounted) {
        check_loop(br_ctop_b2, row, false, sor, gr, base, base);
        check_loop(br_cexit_b2, row, true, sor, gr, base, base);
      }
      for (const LoopRow& row : kWhile) {
        check_loop(br_wtop_b1, row, false, sor, gr, base, base);
        check_loop(br_wexit_b1, row, true, sor, gr, base, base);
      }
    }
  }
}

TEST_CASE("branch: cloop counts LC down and stops at zero without rotating", "[exec]") {
  Rig rig;
  rig.r.ec = 4, rig.r.lc = 2;
  const Insn i{.imm = 0x40, .slot = 2};
  CHECK(rig.run(br_cloop_b2, i) == Next::Branch);
  CHECK(rig.run(br_cloop_b2, i) == Next::Branch);
  CHECK(rig.r.lc == 0);
  CHECK(rig.run(br_cloop_b2, i) == Next::Continue);
  CHECK(rig.r.lc == 0);
  CHECK(rig.r.ec == 4);
  CHECK(rig.r.cfm == Cfm{.sof = 96});
}

TEST_CASE("branch: a pipelined loop of N iterations and S stages runs N+S-1 times", "[exec]") {
  for (u64 iterations : {u64{1}, u64{2}, u64{10}, u64{200}}) {
    for (u8 stages : {1, 2, 5}) {
      Rig rig;
      rig.r.cfm = {.sof = 8, .sol = 8, .sor = 8};
      rig.r.lc = iterations - 1, rig.r.ec = stages;
      rig.r.set_pr(16, true);
      u64 trips = 0, first_stage = 0, last_stage = 0;
      Next next;
      do {
        trips++;
        first_stage += rig.r.pr(16);
        last_stage += rig.r.pr(15u + stages);
        next = rig.run(br_ctop_b2, {.slot = 2});
      } while (next == Next::Branch && trips < 1000);
      CHECK(trips == iterations + stages - 1);
      CHECK(first_stage == iterations);
      CHECK(last_stage == iterations);
    }
  }
}

TEST_CASE("branch: relative targets count from the bundle, indirect ones drop the slot bits", "[exec]") {
  Rig rig;
  const u64 here = rig.core.insn_ip({.bundle = 3});
  CHECK(rig.run(br_cond_b1, {.imm = 0xffffffffffffffe0, .bundle = 3}) == Next::Branch);
  CHECK(rig.r.ip == here - 0x20);
  CHECK(rig.run(brl_cond_x3, {.imm = 0x123456789abcdef0, .bundle = 3}) == Next::Branch);
  CHECK(rig.r.ip == here + 0x123456789abcdef0);
  rig.r.br[6] = 0xe00000000000123f, rig.r.slot = 2;
  CHECK(rig.run(br_cond_b4, {.r2 = 6}) == Next::Branch);
  CHECK(rig.r.ip == 0xe000000000001230);
  CHECK(rig.r.slot == 0);
}

TEST_CASE("branch: predictions, nops and hints change nothing", "[exec]") {
  Rig rig;
  const u64 ip = rig.r.ip;
  for (Handler h : {brp_b6, brp_b7, brp_ret_b7, nop_i18, nop_m48, nop_b9, nop_x5, hint_i18, hint_m48, hint_b9, hint_x5})
    CHECK(rig.run(h, {.imm = 0x1fffff}) == Next::Continue);
  CHECK(rig.r.ip == ip);
}

TEST_CASE("branch: break leaves 21 bits of its immediate in IIM, from the B unit none", "[exec]") {
  Rig rig;
  struct Row {
    Handler handler;
    u64 imm, iim;
  };
  for (const Row& row : {Row{break_i19, 0x1fffff, 0x1fffff}, Row{break_m37, 0x100000, 0x100000}, Row{break_f15, 5, 5},
                         Row{break_x1, 0x3fffffffffe00123, 0x123}, Row{break_b9, 0x1234, 0}}) {
    const Fault f = rig.fault(row.handler, {.imm = row.imm});
    CHECK(f.vector == Vector::BreakInstruction);
    CHECK(f.has_iim);
    CHECK(f.iim == row.iim);
  }
}

TEST_CASE("rotation: 96 rotations bring floating-point registers home, sor rotations general ones", "[exec]") {
  Registers r;
  r.cfm = {.sof = 24, .sol = 24, .sor = 16};
  for (unsigned n = 1; n <= 96; n++) {
    rotate_down(r);
    CHECK(r.cfm.rrb_gr == (16 - n % 16) % 16);
    CHECK(r.cfm.rrb_pr == (48 - n % 48) % 48);
    CHECK(r.cfm.rrb_fr == (96 - n) % 96);
  }
}
