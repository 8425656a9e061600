// Rules of the register stack that programs can see: faults, incomplete frames, register access, byte order.
// Expected behaviour: SDM vol. 2, ch. 6; SDM vol. 3, alloc, br, cover, flushrs, loadrs.
#include "cpu/rse/rse.h"
#include "base/endian.h"
#include "cpu/mmu/tlb.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;

namespace {

constexpr u64 kCode = BareMachine::kCode;
constexpr u64 kIsrEi(unsigned slot) {
  return u64{slot} << 41;
}

struct Rig : BareMachine {
  explicit Rig(std::string_view text) {
    load(text);
    regs().cfm = {};
    core().set_psr(psr::kIc | psr::kBn);
  }
  InterruptionRecord fault_of(u64 expected_code) {
    const auto i = run_to_interruption();
    CHECK(i.vector == Vector::GeneralException);
    CHECK((i.isr & 0xffff) == expected_code);
    return i;
  }
};

}  // namespace

TEST_CASE("br.call passes outputs and saves frame, EC and privilege in PFS", "[frame]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mib\n nop.m 0\n nop.i 0\n br.call.sptk b3 = . + 0x1000 ;;\n}\n");
  Registers& r = m.regs();
  r.cfm = {.sof = 10, .sol = 7, .sor = 0, .rrb_gr = 0, .rrb_fr = 5, .rrb_pr = 3};
  r.ec = 0x2a;
  for (unsigned n = 32; n < 42; n++) r.set_gr_nat(n, 1000 + n, n == 40);
  const u64 bsp = m.core().rse().bsp();
  m.run_to(kCode + 0x1000);
  CHECK(r.br[3] == kCode + 0x10);
  CHECK(r.cfm == Cfm{.sof = 3});
  CHECK(r.pfs == (10 | 7 << 7 | u64{5} << 25 | u64{3} << 32 | u64{0x2a} << 52));
  CHECK(r.gr(32) == 1039);
  CHECK(r.nat(33));
  CHECK(r.gr(34) == 1041);
  CHECK(m.core().rse().bsp() == bsp + 7 * 8);
}

TEST_CASE("alloc checks its operands", "[frame]") {
  NEEDS_ASSEMBLER();
  // The assembler refuses bad combinations, so the fields of a good one (sof 8, sol 4) are overwritten.
  const auto run = [](u64 sof, u64 sol, u64 sor, Cfm before, u64 code) {
    Rig m("{ .mii\n alloc r3 = ar.pfs, 4, 0, 4, 0\n nop.i 0\n nop.i 0 ;;\n}\n");
    u64 low = m.read64(kCode);
    low = with_field(low, 5 + 13, 7, sof);
    low = with_field(low, 5 + 20, 7, sol);
    low = with_field(low, 5 + 27, 4, sor);
    m.write64(kCode, low);
    m.regs().cfm = before;
    m.fault_of(code);
  };
  run(97, 0, 0, {}, 0x00);
  run(8, 9, 0, {}, 0x00);
  run(8, 4, 2, {}, 0x00);
  run(16, 4, 2, {.sof = 16, .sol = 0, .sor = 8, .rrb_gr = 1}, 0x30);
  run(16, 4, 0, {.sof = 16, .sol = 0, .sor = 8, .rrb_fr = 1}, 0x30);
}

TEST_CASE("alloc may not be predicated", "[frame]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mii\n alloc r3 = ar.pfs, 4, 0, 4, 0\n nop.i 0\n nop.i 0 ;;\n}\n");
  m.write64(kCode, m.read64(kCode) | 6 << 5);
  m.regs().set_pr(6, true);
  m.fault_of(0);
}

TEST_CASE("registers that alloc adds have no NaT", "[frame]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mii\n alloc r3 = ar.pfs, 0, 96, 0, 0\n nop.i 0\n nop.i 0 ;;\n}\n");
  std::fill(std::begin(m.regs().stack_nat), std::end(m.regs().stack_nat), 1);
  m.run_to(kCode + 0x10);
  for (unsigned n = 32; n < 128; n++) CHECK_FALSE(m.regs().nat(n));
}

TEST_CASE("mov to RSC clips the privilege level and refuses reserved fields", "[rse]") {
  NEEDS_ASSEMBLER();
  for (unsigned cpl = 0; cpl < 4; cpl++)
    for (u64 pl = 0; pl < 4; pl++) {
      Rig m("{ .mii\n mov ar.rsc = r4\n nop.i 0\n nop.i 0 ;;\n}\n");
      m.core().set_psr(psr::kIc | psr::kBn | u64{cpl} << psr::kCplPos);
      m.regs().set_gr(4, u64{0x123} << 16 | 0x13 | pl << 2);
      m.run_to(kCode + 0x10);
      CHECK(m.regs().rsc == (u64{0x123} << 16 | 0x13 | std::max<u64>(pl, cpl) << 2));
    }
}

TEST_CASE("BSPSTORE and RNAT need enforced lazy mode", "[rse]") {
  NEEDS_ASSEMBLER();
  for (const char* text :
       {"mov ar.bspstore = r4", "mov ar.rnat = r4", "mov r4 = ar.bspstore", "mov r4 = ar.rnat"})
    for (u64 mode = 0; mode < 4; mode++) {
      Rig m(std::string("{ .mii\n ") + text + "\n nop.i 0\n nop.i 0 ;;\n}\n");
      m.regs().rsc = mode;
      m.regs().set_gr(4, 0x123458);
      if (mode) {
        m.fault_of(0);
      } else {
        CHECK(m.run_to(kCode + 0x10) == StopReason::StopAddress);
      }
    }
}

TEST_CASE("writing BSPSTORE keeps the dirty partition, moves BSP and writes no memory", "[rse]") {
  NEEDS_ASSEMBLER();
  Rig m(
      "{ .mii\n mov ar.bspstore = r4\n nop.i 0\n nop.i 0 ;;\n}\n{ .mii\n mov r5 = ar.bsp\n nop.i 0\n nop.i 0 "
      ";;\n}\n");
  m.regs().cfm = {.sof = 20, .sol = 20};
  m.core().rse().preserve(20);
  m.regs().cfm = {};
  m.regs().set_gr(4, BareMachine::kData + 60 * 8 + 5);  // low bits are ignored
  m.run_to(kCode + 0x20);
  CHECK(m.regs().bspstore == BareMachine::kData + 60 * 8);
  CHECK(m.regs().gr(5) == BareMachine::kData + 60 * 8 + 21 * 8);  // 20 registers and one collection
  CHECK(m.regs().rse_dirty == 20);
  for (u64 a = BareMachine::kData; a < BareMachine::kData + 0x400; a += 8) CHECK(m.read64(a) == 0);
}

TEST_CASE("loadrs is illegal outside lazy mode, with a frame, and beyond the physical registers", "[rse]") {
  NEEDS_ASSEMBLER();
  const auto text = "{ .mii\n loadrs\n nop.i 0\n nop.i 0 ;;\n}\n";
  for (u64 mode = 1; mode < 4; mode++) {
    Rig m(text);
    m.regs().rsc = mode;
    m.fault_of(0);
  }
  {
    Rig m(text);
    m.regs().rsc = 8 << 16;
    m.regs().cfm.sof = 1;
    m.fault_of(0);
  }
  {
    Rig m(text);
    m.regs().bspstore = BareMachine::kStack + 0x1000;  // slot 0: 98 words below hold 96 registers, 99 hold 97
    m.regs().rsc = 99 * 8 << 16;
    m.fault_of(0);
  }
  {
    Rig m(text);
    m.regs().bspstore = BareMachine::kStack + 0x1000;
    m.regs().rsc = 98 * 8 << 16;
    CHECK(m.run_to(kCode + 0x10) == StopReason::StopAddress);
    CHECK(m.regs().rse_dirty == 96);
  }
  {
    Rig m(text);  // zero: allowed with a frame, throws all dirty registers away
    m.core().rse().preserve(30);
    m.regs().cfm.sof = 5;
    const u64 bsp = m.core().rse().bsp();
    CHECK(m.run_to(kCode + 0x10) == StopReason::StopAddress);
    CHECK(m.regs().rse_dirty == 0);
    CHECK(m.regs().bspstore == bsp);
  }
}

TEST_CASE("spills and fills follow RSC.be", "[rse]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mii\n flushrs\n nop.i 0\n nop.i 0 ;;\n}\n");
  m.regs().rsc = 0x10;
  m.regs().cfm = {.sof = 2, .sol = 2};
  m.regs().set_gr(32, 0x1122334455667788);
  m.core().rse().preserve(2);
  m.regs().cfm = {};
  m.run_to(kCode + 0x10);
  CHECK(m.read64(BareMachine::kStack) == 0x8877665544332211);
}

TEST_CASE("a PFS too big for the register file gives an empty frame", "[rse]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mib\n nop.m 0\n nop.i 0\n br.ret.sptk b0 ;;\n}\n");
  m.core().rse().preserve(50);
  m.regs().br[0] = kCode + 0x1000;
  m.regs().pfs = 60 | 10 << 7;  // 50 outputs, but only 96 - 50 registers are not dirty
  const u64 bsp = m.core().rse().bsp();
  m.run_to(kCode + 0x1000);
  CHECK(m.regs().cfm == Cfm{});
  CHECK(m.regs().rse_dirty == 40);
  CHECK(m.core().rse().bsp() == bsp - 80);
}

TEST_CASE("nonsense in PFS never harms the emulator", "[rse]") {
  NEEDS_ASSEMBLER();
  for (u64 pfm : {u64{0x7f}, u64{0x7f} << 7, u64{0x3fff}, u64{0x3fffffffff}, u64{10} | u64{20} << 7,
                  u64{8} | u64{15} << 14}) {
    Rig m("{ .mib\n nop.m 0\n nop.i 0\n br.ret.sptk b0 ;;\n}\n");
    m.regs().br[0] = kCode + 0x1000;
    m.regs().pfs = pfm;
    m.regs().bspstore = BareMachine::kStack;
    CHECK(m.run_to(kCode + 0x1000) == StopReason::StopAddress);
    CHECK(m.regs().cfm.sof == 0);
  }
}

namespace {

/// Virtual mode: code and data identity-mapped by one 4 MiB page each, the backing store page (region 1) left
/// out.
struct Mapped : Rig {
  static constexpr u64 kRwx = 1 | 1 << 5 | 1 << 6 | 3 << 9;
  static constexpr u64 kVirtualStack = u64{1} << 61;

  explicit Mapped(std::string_view text) : Rig(text) {
    core().tlb().insert_instruction_register(0, 0, kRwx | 3 << 7, 22 << 2);  // for every privilege level
    core().tlb().insert_data_register(0, 0, kRwx, 22 << 2);
    core().tlb().write_rr(1, 5 << 8 | 14 << 2);
    core().set_psr(psr::kIc | psr::kBn | psr::kIt | psr::kDt | psr::kRt);
  }
  void map_stack() { core().tlb().insert_data(kVirtualStack, BareMachine::kStack | kRwx, 14 << 2); }
};

}  // namespace

TEST_CASE("a mandatory spill that faults belongs to the alloc and can be restarted", "[rse]") {
  NEEDS_ASSEMBLER();
  Mapped m(
      "{ .mii\n nop.m 0\n nop.i 0\n nop.i 0 ;;\n}\n{ .mii\n alloc r3 = ar.pfs, 0, 60, 0, 0\n nop.i 0\n nop.i "
      "0 ;;\n}\n");
  m.regs().bspstore = Mapped::kVirtualStack;
  for (unsigned n = 0; n < 50; n++) m.regs().stack_gr[m.regs().bof + n] = 500 + n;
  m.core().rse().preserve(50);
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::AlternateDataTlb);
  CHECK(i.isr == (isr::kRs | isr::kW));
  CHECK(i.ifa == Mapped::kVirtualStack);
  CHECK(i.iip == kCode + 0x10);
  CHECK(i.iipa == kCode);
  CHECK(m.regs().cfm.sof == 0);
  m.map_stack();
  m.core().set_psr(m.regs().ipsr);
  m.regs().ip = m.regs().iip;
  CHECK(m.run_to(kCode + 0x20) == StopReason::StopAddress);
  CHECK(m.regs().cfm.sof == 60);
  CHECK(m.regs().rse_dirty == 36);
  for (unsigned n = 0; n < 14; n++) CHECK(m.read64(BareMachine::kStack + 8 * n) == 500 + n);
}

TEST_CASE("a mandatory fill after br.ret faults at the target with ISR.ir, and rfi completes the frame",
          "[rse]") {
  NEEDS_ASSEMBLER();
  Mapped m("{ .mib\n nop.m 0\n nop.i 0\n br.ret.sptk b0 ;;\n}\n");
  m.load("{ .mib\n adds r3 = 1, r32\n nop.i 0\n br.cond.sptk . ;;\n}\n", kCode + 0x1000);
  for (unsigned n = 0; n < 4; n++) m.write64(BareMachine::kStack + 8 * n, 700 + n);
  m.regs().br[0] = kCode + 0x1000;
  m.regs().bspstore = Mapped::kVirtualStack + 4 * 8;
  m.regs().pfs = 6 | 4 << 7 | u64{1} << 62;  // to privilege level 1
  m.regs().cfm = {.sof = 2};
  const auto i = m.run_to_interruption();
  CHECK(i.isr == (isr::kRs | isr::kIr | isr::kR));
  CHECK(i.iip == kCode + 0x1000);
  CHECK(i.iipa == kCode);
  CHECK(i.ifa == Mapped::kVirtualStack + 3 * 8);
  CHECK(field(m.regs().ipsr, 32, 2) == 1);
  CHECK(m.regs().cfm.sof == 6);
  CHECK_FALSE(m.regs().rse_cfle);
  CHECK(m.regs().rse_dirty == -4);
  CHECK((m.regs().ifs >> 63) == 0);

  // A handler that needs no frame returns by rfi with IFS.v = 0.
  m.map_stack();
  m.load("{ .mib\n nop.m 0\n nop.i 0\n rfi ;;\n}\n", kCode + 0x2000);
  m.regs().ip = kCode + 0x2000;
  CHECK(m.run_to(kCode + 0x1000) == StopReason::StopAddress);
  CHECK(m.regs().rse_dirty == 0);
  for (unsigned n = 0; n < 4; n++) CHECK(m.regs().gr(32 + n) == 700 + n);
}

TEST_CASE("cover of an incomplete frame and rfi with IFS.v = 1 lose nothing", "[rse]") {
  NEEDS_ASSEMBLER();
  Mapped m("{ .mib\n nop.m 0\n nop.i 0\n br.ret.sptk b0 ;;\n}\n");
  for (unsigned n = 0; n < 4; n++) m.write64(BareMachine::kStack + 8 * n, 700 + n);
  m.regs().br[0] = kCode + 0x1000;
  m.regs().bspstore = Mapped::kVirtualStack + 4 * 8;
  m.regs().pfs = 6 | 4 << 7;
  m.regs().cfm = {.sof = 2};
  m.regs().set_gr(32, 804), m.regs().set_gr(33, 805);  // outputs of the caller
  m.run_to_interruption();
  m.load("{ .mib\n nop.m 0\n nop.i 0\n cover ;;\n}\n{ .mib\n flushrs\n nop.i 0\n rfi ;;\n}\n",
         BareMachine::kIva + 0x1000);
  m.map_stack();
  m.regs().ip = BareMachine::kIva + 0x1000;
  m.load("{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n", kCode + 0x1000);
  CHECK(m.run_to(kCode + 0x1000) == StopReason::StopAddress);
  CHECK(m.regs().cfm == Cfm{.sof = 6, .sol = 4});
  for (unsigned n = 0; n < 4; n++) CHECK(m.regs().gr(32 + n) == 700 + n);
  CHECK(m.regs().gr(36) == 804);
  CHECK(m.regs().gr(37) == 805);
}

TEST_CASE("cover copies CFM to IFS only with PSR.ic off", "[frame]") {
  NEEDS_ASSEMBLER();
  for (const bool ic : {false, true}) {
    Rig m("{ .mib\n nop.m 0\n nop.i 0\n cover ;;\n}\n");
    m.core().set_psr(psr::kBn | (ic ? psr::kIc : 0));
    m.regs().cfm = {.sof = 9, .sol = 3, .sor = 8, .rrb_gr = 2, .rrb_fr = 4, .rrb_pr = 6};
    m.regs().ifs = 0x55;
    const u64 old = m.regs().cfm.pack();
    m.run_to(kCode + 0x10);
    CHECK(m.regs().ifs == (ic ? 0x55 : old | bit(63)));
    CHECK(m.regs().cfm == Cfm{});
  }
}

TEST_CASE("clrrrb clears all rename bases, clrrrb.pr only that of the predicates", "[frame]") {
  NEEDS_ASSEMBLER();
  for (const bool pr : {false, true}) {
    Rig m(pr ? "{ .mib\n nop.m 0\n nop.i 0\n clrrrb.pr ;;\n}\n"
             : "{ .mib\n nop.m 0\n nop.i 0\n clrrrb ;;\n}\n");
    m.regs().cfm = {.sof = 9, .sol = 3, .sor = 8, .rrb_gr = 2, .rrb_fr = 4, .rrb_pr = 6};
    m.run_to(kCode + 0x10);
    CHECK(m.regs().cfm.rrb_pr == 0);
    CHECK(m.regs().cfm.rrb_gr == (pr ? 2 : 0));
    CHECK(m.regs().cfm.rrb_fr == (pr ? 4 : 0));
  }
}
