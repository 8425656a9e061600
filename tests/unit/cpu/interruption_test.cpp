// What interruptions save, where they go, and how rfi comes back.
// Expected values follow SDM vol. 2, 3.3.5, 5.5 and ch. 8.
#include "cpu/sapic.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;

namespace {

constexpr u64 kCode = BareMachine::kCode, kIva = BareMachine::kIva;
constexpr u64 kIsrEi(unsigned slot) {
  return u64{slot} << 41;
}

struct Rig : BareMachine {
  explicit Rig(std::string_view text, u64 psr_bits = psr::kIc) {
    load(text);
    core().set_psr(regs().psr | psr_bits);
  }
};

}  // namespace

TEST_CASE("break saves the faulting slot, immediate and previous bundle", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m(R"(
{ .mii
  nop.m 0
  nop.i 0
  nop.i 0 ;;
}
{ .mii
  nop.m 0
  break.i 0x12345
  nop.i 0 ;;
}
)");
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::BreakInstruction);
  CHECK(m.regs().ip == kIva + 0x2c00);
  CHECK(i.iip == kCode + 0x10);
  CHECK(i.iipa == kCode + 0x10);  // slot 0 of the same bundle was the last to succeed
  CHECK(m.regs().ipsr == (psr::kIc | psr::kBn | u64{1} << 41));
  CHECK(i.isr == kIsrEi(1));
  CHECK(m.regs().iim == 0x12345);
  CHECK(m.regs().psr == 0);
}

TEST_CASE("a fault in slot 0 has the bundle before in IIPA", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m(R"(
{ .mii
  nop.m 0
  nop.i 0
  nop.i 0 ;;
}
{ .mii
  break.m 1
  nop.i 0
  nop.i 0 ;;
}
)");
  const auto i = m.run_to_interruption();
  CHECK(i.iip == kCode + 0x10);
  CHECK(i.iipa == kCode);
  CHECK(i.isr == 0);
}

TEST_CASE("break.b puts zero into IIM", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mib\n nop.m 0\n nop.i 0\n break.b 0x77 ;;\n}\n");
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::BreakInstruction);
  CHECK(m.regs().iim == 0);
  CHECK(i.isr == kIsrEi(2));
}

TEST_CASE("an MLX instruction faults in slot 1", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mlx\n nop.m 0\n break.x 0x123456789abcd ;;\n}\n");
  const auto i = m.run_to_interruption();
  CHECK(i.isr == kIsrEi(1));
  CHECK(m.regs().iim == (0x123456789abcd & 0x1fffff));  // the low 21 bits
}

TEST_CASE("with PSR.ic off only ISR is written", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mii\n nop.m 0\n break.i 5\n nop.i 0 ;;\n}\n", 0);
  Registers& r = m.regs();
  r.iip = 0x1111, r.ipsr = 0x2222, r.iipa = 0x3333, r.ifs = bit(63) | 5, r.iim = 0x4444, r.ifa = 0x5555;
  const auto i = m.run_to_interruption();
  CHECK(i.isr == (kIsrEi(1) | isr::kNi));
  CHECK(r.iip == 0x1111);
  CHECK(r.ipsr == 0x2222);
  CHECK(r.iipa == 0x3333);
  CHECK(r.ifs == (bit(63) | 5));
  CHECK(r.iim == 0x4444);
  CHECK(r.ifa == 0x5555);
}

TEST_CASE("PSR after an interruption keeps up, mfl, mfh, pk, dt, rt, mc, it and takes be and pp from DCR",
          "[interruption]") {
  NEEDS_ASSEMBLER();
  for (u64 dcr : {u64{0}, u64{1}, u64{2}, u64{3}}) {
    Rig m("{ .mii\n break.m 5\n nop.i 0\n nop.i 0 ;;\n}\n", 0);
    m.regs().dcr = dcr;
    // Everything that does not change what executes here; no translation is set up, so it stays 0.
    const u64 all = psr::kUp | psr::kAc | psr::kMfl | psr::kMfh | psr::kIc | psr::kPk | psr::kDfl |
                    psr::kDfh | psr::kSp | psr::kPp | psr::kDi | psr::kSi | psr::kDb | psr::kLp | psr::kTb |
                    psr::kMc | psr::kBe | psr::kSs | psr::kId | psr::kDa | psr::kDd | psr::kEd | psr::kIa |
                    psr::kDt | psr::kRt;
    m.core().set_psr(psr::kBn | all);
    m.run_to_interruption();
    const u64 kept = psr::kUp | psr::kMfl | psr::kMfh | psr::kPk | psr::kMc | psr::kDt | psr::kRt;
    CHECK(m.regs().psr == (kept | (dcr & 1 ? psr::kPp : 0) | (dcr & 2 ? psr::kBe : 0)));
    CHECK(m.regs().ipsr == (psr::kBn | all));
  }
}

TEST_CASE("an interruption switches to bank 0 and clears IFS.v; rfi restores both", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mii\n break.m 5\n nop.i 0\n nop.i 0 ;;\n}\n{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n");
  m.load(R"(
{ .mmi
  mov r16 = cr.iip ;;
  adds r16 = 16, r16
  nop.i 0 ;;
}
{ .mib
  mov cr.iip = r16
  nop.i 0
  rfi ;;
}
)",
         kIva + 0x2c00);
  Registers& r = m.regs();
  r.gr_static[16] = 0xaaaa, r.gr_banked[0] = 0xbbbb, r.ifs = bit(63) | 7;
  r.gr_static_nat[17] = 1;
  const Cfm cfm = r.cfm;
  REQUIRE(m.run_to(kIva + 0x2c00) == StopReason::StopAddress);
  CHECK(r.gr_static[16] == 0xbbbb);
  CHECK(r.gr_static_nat[17] == 0);
  CHECK((r.ifs & bit(63)) == 0);
  REQUIRE(m.run_to(kCode + 0x10) == StopReason::StopAddress);
  CHECK(r.gr_static[16] == 0xaaaa);
  CHECK(r.gr_static_nat[17] == 1);
  CHECK(r.gr_banked[0] == kCode + 0x10);
  CHECK(r.psr == (psr::kIc | psr::kBn));
  CHECK(r.cfm == cfm);
}

TEST_CASE("rfi resumes at each slot", "[interruption]") {
  NEEDS_ASSEMBLER();
  for (unsigned slot = 0; slot < 3; slot++) {
    Rig m("{ .mib\n nop.m 0\n nop.i 0\n rfi ;;\n}\n", 0);
    m.load(
        "{ .mii\n adds r4 = 1, r0\n adds r5 = 1, r0\n adds r6 = 1, r0 ;;\n}\n{ .mib\n nop.m 0\n nop.i 0\n "
        "br.cond.sptk . ;;\n}\n",
        kCode + 0x1000);
    m.regs().iip = kCode + 0x1000 + 0xc;  // low bits are ignored
    m.regs().ipsr = psr::kIc | u64{slot} << 41;
    REQUIRE(m.run_to(kCode + 0x1010) == StopReason::StopAddress);
    CHECK(m.regs().gr(4) == (slot <= 0));
    CHECK(m.regs().gr(5) == (slot <= 1));
    CHECK(m.regs().gr(6) == 1);
  }
}

TEST_CASE("rfi does not set IIPA: a fault right behind it reports the old value", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mib\n nop.m 0\n nop.i 0\n rfi ;;\n}\n", 0);
  m.load("{ .mii\n break.m 1\n nop.i 0\n nop.i 0 ;;\n}\n", kCode + 0x1000);
  m.regs().iip = kCode + 0x1000, m.regs().ipsr = psr::kIc, m.regs().iipa = 0x7770;
  const auto i = m.run_to_interruption();
  CHECK(i.iip == kCode + 0x1000);
  CHECK(i.iipa == 0x7770);
}

TEST_CASE("privileged instructions fault at CPL 3 with their codes", "[interruption]") {
  NEEDS_ASSEMBLER();
  struct Case {
    const char* text;
    u64 code;
  };
  const Case cases[] = {
      {"{ .mii\n rsm psr.i\n nop.i 0\n nop.i 0 ;;\n}\n", 0x10},
      {"{ .mii\n mov r3 = cr.dcr\n nop.i 0\n nop.i 0 ;;\n}\n", 0x10},
      {"{ .mii\n mov psr.l = r3\n nop.i 0\n nop.i 0 ;;\n}\n", 0x10},
      {"{ .mii\n mov r3 = psr\n nop.i 0\n nop.i 0 ;;\n}\n", 0x10},
      {"{ .mii\n mov ar.k3 = r3\n nop.i 0\n nop.i 0 ;;\n}\n", 0x20},
      {"{ .mii\n mov ar.itc = r3\n nop.i 0\n nop.i 0 ;;\n}\n", 0x20},
      {"{ .mii\n mov r3 = pmc[r4]\n nop.i 0\n nop.i 0 ;;\n}\n", 0x10},
      {"{ .mib\n nop.m 0\n nop.i 0\n rfi ;;\n}\n", 0x10 | kIsrEi(2)},
      {"{ .mib\n nop.m 0\n nop.i 0\n bsw.1 ;;\n}\n", 0x10 | kIsrEi(2)},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    Rig m(c.text, psr::kIc | u64{3} << psr::kCplPos);
    const auto i = m.run_to_interruption();
    CHECK(i.vector == Vector::GeneralException);
    CHECK(i.isr == c.code);
    CHECK(m.regs().cpl() == 0);
    CHECK(field(m.regs().ipsr, 32, 2) == 3);
  }
}

TEST_CASE("illegal register accesses", "[interruption]") {
  NEEDS_ASSEMBLER();
  struct Case {
    const char* text;
    u64 code;
  };
  const Case cases[] = {
      {"{ .mii\n mov cr.ivr = r3\n nop.i 0\n nop.i 0 ;;\n}\n", 0x00},
      {"{ .mii\n mov cr.irr2 = r3\n nop.i 0\n nop.i 0 ;;\n}\n", 0x00},
      {"{ .mii\n mov r3 = cr3\n nop.i 0\n nop.i 0 ;;\n}\n", 0x00},
      {"{ .mii\n mov r3 = cr.iip\n nop.i 0\n nop.i 0 ;;\n}\n", 0x00},  // PSR.ic is 1
      {"{ .mii\n mov cr.ifa = r3\n nop.i 0\n nop.i 0 ;;\n}\n", 0x00},
      {"{ .mii\n mov ar.bsp = r3\n nop.i 0\n nop.i 0 ;;\n}\n", 0x00},
      {"{ .mii\n mov ar20 = r3\n nop.i 0\n nop.i 0 ;;\n}\n", 0x00},
      {"{ .mii\n mov.m r3 = ar.itc\n mov.i ar.lc = r5\n nop.i 0 ;;\n}\n",
       0x20 | kIsrEi(1)},                                              // r5 is NaT, below
      {"{ .mii\n mov cr.pta = r4\n nop.i 0\n nop.i 0 ;;\n}\n", 0x30},  // reserved bits
      {"{ .mii\n mov cr.itv = r4\n nop.i 0\n nop.i 0 ;;\n}\n", 0x30},
      {"{ .mii\n mov ar.rsc = r4\n nop.i 0\n nop.i 0 ;;\n}\n", 0x30},
      {"{ .mii\n mov ar.fpsr = r4\n nop.i 0\n nop.i 0 ;;\n}\n", 0x30},
      {"{ .mii\n mov psr.l = r4\n nop.i 0\n nop.i 0 ;;\n}\n", 0x30},
      {"{ .mii\n mov r3 = cpuid[r6]\n nop.i 0\n nop.i 0 ;;\n}\n", 0x30},
      {"{ .mmi\n mov cr.dcr = r4\n nop.m 0\n nop.i 0 ;;\n}\n", 0x30},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    Rig m(c.text);
    m.regs().set_gr(4, ~u64{0});
    m.regs().set_gr_nat(5, 0, true);
    m.regs().set_gr(6, 5);
    const auto i = m.run_to_interruption();
    if (std::string_view(c.text).find("ar.lc") != std::string_view::npos) {
      CHECK(i.vector == Vector::NatConsumption);
      CHECK(i.isr == (0x10 | kIsrEi(1)));
    } else {
      CHECK(i.vector == Vector::GeneralException);
      CHECK(i.isr == c.code);
    }
  }
}

TEST_CASE("a target register outside the frame is illegal, in blocks and after alloc", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m(R"(
{ .mii
  alloc r32 = ar.pfs, 0, 4, 0, 0
  adds r35 = 1, r0
  nop.i 0 ;;
}
{ .mii
  adds r36 = 1, r0
  nop.i 0
  nop.i 0 ;;
}
)");
  auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::GeneralException);
  CHECK(i.isr == 0);
  CHECK(i.iip == kCode + 0x10);
  CHECK(m.regs().gr(35) == 1);

  Rig n("{ .mmi\n nop.m 0\n ld8 r3 = [r33], 8\n nop.i 0 ;;\n}\n");
  n.regs().cfm.sof = 1;
  i = n.run_to_interruption();
  CHECK(i.isr == kIsrEi(1));
}

TEST_CASE("single step traps after each instruction, with the next one in IIP", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mii\n adds r4 = 1, r4\n adds r5 = 1, r5\n adds r6 = 1, r6 ;;\n}\n", psr::kIc | psr::kSs);
  for (unsigned slot = 0; slot < 3; slot++) {
    const auto i = m.run_to_interruption();
    CHECK(i.vector == Vector::SingleStep);
    CHECK(i.isr == (kIsrEi(slot) | 8));
    CHECK(i.iipa == kCode);
    CHECK(i.iip == (slot == 2 ? kCode + 16 : kCode));
    CHECK(field(m.regs().ipsr, 41, 2) == (slot + 1) % 3);
    CHECK(m.regs().gr(4 + slot) == 1);
    CHECK(m.core().slots_retired() == slot + 1);
    m.core().set_psr(m.regs().ipsr);
    m.regs().ip = m.regs().iip, m.regs().slot = static_cast<u8>((slot + 1) % 3);
  }
}

TEST_CASE("taken-branch trap, alone and with single step", "[interruption]") {
  NEEDS_ASSEMBLER();
  for (const bool step : {false, true}) {
    Rig m(
        "{ .mib\n cmp.eq p6, p7 = r0, r0\n nop.i 0\n (p7) br.cond.sptk . + 0x40 ;;\n}\n"
        "{ .mib\n nop.m 0\n nop.i 0\n (p6) br.cond.sptk . + 0x100 ;;\n}\n",
        psr::kIc | psr::kTb);
    if (step) {
      REQUIRE(m.core().run(5) == StopReason::Budget);
      m.core().set_psr(m.regs().psr | psr::kSs);
    }
    const auto i = m.run_to_interruption();
    CHECK(i.vector == Vector::TakenBranch);
    CHECK(i.isr == (kIsrEi(2) | 4 | (step ? 8 : 0)));
    CHECK(i.iip == kCode + 0x110);
    CHECK(i.iipa == kCode + 0x10);
    CHECK(field(m.regs().ipsr, 41, 2) == 0);
  }
}

TEST_CASE("br.ret to less privilege traps when PSR.lp says so", "[interruption]") {
  NEEDS_ASSEMBLER();
  for (const bool lp : {false, true}) {
    Rig m("{ .mib\n nop.m 0\n nop.i 0\n br.ret.sptk b0 ;;\n}\n", psr::kIc | (lp ? psr::kLp : 0));
    m.load("{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n", kCode + 0x1000);
    m.regs().br[0] = kCode + 0x1000;
    m.regs().cfm = {};
    m.regs().pfs = u64{2} << 62;
    if (!lp) {
      m.run_to(kCode + 0x1000);
      CHECK(m.regs().cpl() == 2);
      continue;
    }
    const auto i = m.run_to_interruption();
    CHECK(i.vector == Vector::LowerPrivilegeTransfer);
    CHECK(i.isr == (kIsrEi(2) | 2));
    CHECK(i.iip == kCode + 0x1000);
    CHECK(i.iipa == kCode);
    CHECK(field(m.regs().ipsr, 32, 2) == 2);
  }
}

TEST_CASE("one-shot bits hold for exactly one instruction", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mii\n nop.m 0\n adds r4 = 1, r4\n nop.i 0 ;;\n}\n");
  const u64 once = psr::kDa | psr::kDd | psr::kId | psr::kEd | psr::kIa;
  m.core().set_psr(m.regs().psr | once);
  REQUIRE(m.core().run(1) == StopReason::Budget);
  CHECK((m.regs().psr & once) == 0);
}

TEST_CASE("br.ia raises Disabled ISA Transition", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mib\n nop.m 0\n nop.i 0\n br.ia.sptk b0 ;;\n}\n");
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::GeneralException);
  CHECK(i.isr == (0x40 | kIsrEi(2)));
}

TEST_CASE("the interruption log keeps the last ones in order", "[interruption]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mii\n break.m 5\n nop.i 0\n nop.i 0 ;;\n}\n");
  m.load("{ .mib\n nop.m 0\n nop.i 0\n rfi ;;\n}\n", kIva + 0x2c00);
  m.core().run(400);
  const auto log = m.core().interruptions();
  CHECK(log.size() == Core::kInterruptionLog);
  CHECK(m.core().interruptions_taken() > 64);
  CHECK(log.front().vector == Vector::BreakInstruction);
}
