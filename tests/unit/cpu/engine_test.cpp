// The engine around the instructions: changed code, changed mappings, stop addresses, the firmware gate,
// breakpoints, epc.
#include <thread>

#include "cpu/core_group.h"
#include "cpu/mmu/tlb.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;

namespace {

constexpr u64 kCode = BareMachine::kCode, kIva = BareMachine::kIva;
constexpr u64 kRwx = 1 | 1 << 5 | 1 << 6 | 3 << 9;  // present, accessed, dirty, AR 3, PL 0
constexpr const char* kSpin = "{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n";
constexpr u64 kIsrEi(unsigned slot) {
  return u64{slot} << 41;
}

/// A subroutine that adds `n` to r8, at `at`.
void load_adder(BareMachine& m, u64 at, int n) {
  m.load("{ .mib\n adds r8 = " + std::to_string(n) + ", r8\n nop.i 0\n br.ret.sptk b0 ;;\n}\n", at);
}

struct Rig : BareMachine {
  explicit Rig(std::string_view text, u64 psr_bits = psr::kIc) {
    load(text);
    regs().cfm = {};
    core().set_psr(psr::kBn | psr_bits);
  }
};

const char* const kCaller =
    "{ .mib\n nop.m 0\n nop.i 0\n br.call.sptk b0 = . + 0x1000 ;;\n}\n"
    "{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n";

}  // namespace

TEST_CASE("code written by DMA is executed at once", "[engine]") {
  NEEDS_ASSEMBLER();
  Rig m(kCaller);
  for (int n : {1, 20, 300}) {
    load_adder(m, kCode + 0x1000, n);
    m.regs().ip = kCode, m.regs().slot = 0;
    m.run_to(kCode + 0x10);
  }
  CHECK(m.regs().gr(8) == 321);
}

TEST_CASE("a program that rewrites its own page sees the new code, even in the running block", "[engine]") {
  NEEDS_ASSEMBLER();
  // The bundle behind the store is replaced by what r10, r11 hold.
  Rig m(R"(
{ .mmi
  st8 [r4] = r10
  st8 [r5] = r11
  nop.i 0 ;;
}
{ .mmi
  fc r4
  nop.m 0
  nop.i 0 ;;
}
{ .mmi
  sync.i ;;
  srlz.i
  nop.i 0 ;;
}
{ .mib
  adds r8 = 1, r0
  nop.i 0
  br.cond.sptk . ;;
}
)");
  m.load("{ .mib\n adds r8 = 77, r0\n nop.i 0\n br.cond.sptk . ;;\n}\n", 0x40000);
  m.regs().set_gr(4, kCode + 0x30);
  m.regs().set_gr(5, kCode + 0x38);
  m.regs().set_gr(10, m.read64(0x40000));
  m.regs().set_gr(11, m.read64(0x40008));
  for (int round = 0; round < 3; round++) {  // the second time round the page is known to hold code
    m.regs().ip = kCode, m.regs().slot = 0;
    m.core().run(12);
    CHECK(m.regs().gr(8) == 77);
  }
}

TEST_CASE("a new instruction mapping takes effect at once", "[engine]") {
  NEEDS_ASSEMBLER();
  Rig m(kSpin);
  load_adder(m, 0x50000, 1);
  load_adder(m, 0x54000, 1000);
  m.load(
      "{ .mib\n nop.m 0\n nop.i 0\n br.call.sptk b0 = . + 0x100000 ;;\n}\n{ .mib\n nop.m 0\n nop.i 0\n "
      "br.cond.sptk . ;;\n}\n",
      0x60000);
  Tlb& tlb = m.core().tlb();
  tlb.insert_instruction_register(0, 0x60000, 0x60000 | kRwx, 14 << 2);
  m.core().set_psr(m.regs().psr | psr::kIt);
  const auto call = [&] {
    m.regs().ip = 0x60000, m.regs().slot = 0;
    REQUIRE(m.run_to(0x60010) == StopReason::StopAddress);
  };
  for (u64 phys : {0x50000, 0x54000, 0x50000}) {
    tlb.insert_instruction(0x160000, phys | kRwx, 14 << 2);
    call();
    call();
  }
  CHECK(m.regs().gr(8) == 1 + 1 + 1000 + 1000 + 1 + 1);
}

TEST_CASE("a region register selects other code for the same address", "[engine]") {
  NEEDS_ASSEMBLER();
  Rig m(kSpin);
  m.load("{ .mib\n adds r8 = 1, r8\n nop.i 0\n br.cond.sptk . ;;\n}\n", 0x50000);
  m.load("{ .mib\n adds r8 = 1000, r8\n nop.i 0\n br.cond.sptk . ;;\n}\n", 0x54000);
  Tlb& tlb = m.core().tlb();
  const u64 va = u64{2} << 61;
  tlb.write_rr(2, 7 << 8 | 14 << 2);
  tlb.insert_instruction(va, 0x50000 | kRwx, 14 << 2);
  tlb.write_rr(2, 8 << 8 | 14 << 2);
  tlb.insert_instruction(va, 0x54000 | kRwx, 14 << 2);
  m.core().set_psr(m.regs().psr | psr::kIt);
  for (u64 rid : {7, 8, 7, 8, 8}) {
    tlb.write_rr(2, rid << 8 | 14 << 2);
    m.regs().ip = va, m.regs().slot = 0;
    m.core().run(1);
  }
  CHECK(m.regs().gr(8) == 3002);
}

TEST_CASE("execution flows across page borders", "[engine]") {
  NEEDS_ASSEMBLER();
  std::string text;
  for (int n = 0; n < 600; n++) text += "{ .mii\n adds r8 = 1, r8\n nop.i 0\n adds r9 = 1, r9 ;;\n}\n";
  Rig m(text + kSpin);
  CHECK(m.run_to(kCode + 600 * 16) == StopReason::StopAddress);
  CHECK(m.regs().gr(8) == 600);
  CHECK(m.regs().gr(9) == 600);
  CHECK(m.core().slots_retired() == 1800);
}

TEST_CASE("a fetch fault names the bundle and the slot to resume", "[engine]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk b1 ;;\n}\n");
  m.core().tlb().insert_instruction_register(0, 0, kRwx, 22 << 2);
  m.core().tlb().write_rr(3, 9 << 8 | 14 << 2);
  m.core().set_psr(m.regs().psr | psr::kIt);
  m.regs().br[1] = (u64{3} << 61) + 0x4000;
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::AlternateInstructionTlb);
  CHECK(i.isr == isr::kX);
  CHECK(i.iip == (u64{3} << 61) + 0x4000);
  CHECK(i.ifa == i.iip);
  CHECK(i.iipa == kCode);
}

TEST_CASE("a branch to an unimplemented physical address raises its trap or fault", "[engine]") {
  NEEDS_ASSEMBLER();
  Rig m("{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk b1 ;;\n}\n");
  m.regs().br[1] = u64{1} << 55;
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::LowerPrivilegeTransfer);
  CHECK(i.iip == u64{1} << 55);
  CHECK(i.iipa == kCode);
}

TEST_CASE("stop addresses work inside blocks and loops, and are passed when a run starts there", "[engine]") {
  NEEDS_ASSEMBLER();
  Rig m(
      "top:\n{ .mii\n adds r4 = 1, r4\n nop.i 0\n nop.i 0 ;;\n}\n{ .mii\n adds r5 = 1, r5\n nop.i 0\n nop.i "
      "0 ;;\n}\n"
      "{ .mib\n adds r6 = 1, r6\n nop.i 0\n br.cond.sptk top ;;\n}\n");
  m.core().run(9 * 50);  // blocks are built before there are stop addresses
  m.core().set_stop_addresses({kCode + 0x20, kCode + 0x10});
  for (unsigned n = 1; n <= 4; n++) {
    CHECK(m.core().run(0) == StopReason::StopAddress);
    CHECK(m.regs().ip == kCode + 0x10);
    CHECK(m.regs().gr(4) == 50 + n);
    CHECK(m.regs().gr(5) == 50 + n - 1);
    CHECK(m.core().run(0) == StopReason::StopAddress);
    CHECK(m.regs().ip == kCode + 0x20);
  }
  m.core().set_stop_addresses({});
  CHECK(m.core().run(9000) == StopReason::Budget);
}

namespace {

struct Gate final : BreakGate {
  GateAction on_break(Core& core, u64 imm) override {
    calls.push_back(imm);
    if (action == GateAction::Resume) core.regs().ip = kCode + 0x100, core.regs().slot = 0;
    return action;
  }
  GateAction action = GateAction::Continue;
  std::vector<u64> calls;
};

}  // namespace

TEST_CASE("breaks in the gate range call the gate, others fault", "[engine]") {
  NEEDS_ASSEMBLER();
  const char* text =
      "{ .mii\n adds r4 = 1, r4\n break.i 0x1234\n adds r5 = 1, r5 ;;\n}\n{ .mib\n nop.m 0\n nop.i 0\n "
      "br.cond.sptk . ;;\n}\n";
  {
    Rig m(text);
    Gate gate;
    m.core().set_gate(&gate);
    m.core().set_gate_range(kCode, 0x1000);
    CHECK(m.run_to(kCode + 0x10) == StopReason::StopAddress);
    CHECK(gate.calls == std::vector<u64>{0x1234});
    CHECK(m.regs().gr(5) == 1);
    CHECK(m.core().slots_retired() == 3);
  }
  {
    Rig m(text);
    Gate gate;
    gate.action = GateAction::Resume;
    m.load(kSpin, kCode + 0x100);
    m.core().set_gate(&gate);
    m.core().set_gate_range(kCode, 0x1000);
    CHECK(m.run_to(kCode + 0x100) == StopReason::StopAddress);
    CHECK(m.regs().gr(5) == 0);
  }
  {
    Rig m(text);
    Gate gate;
    gate.action = GateAction::Stop;
    m.core().set_gate(&gate);
    m.core().set_gate_range(kCode, 0x1000);
    CHECK(m.core().run(100) == StopReason::Gate);
    CHECK(m.regs().ip == kCode);
  }
  for (const bool outside : {false, true}) {
    Rig m(text);
    Gate gate;
    gate.action = GateAction::NotMine;
    m.core().set_gate(&gate);
    m.core().set_gate_range(outside ? kCode + 0x1000 : kCode, 0x1000);
    const auto i = m.run_to_interruption();
    CHECK(i.vector == Vector::BreakInstruction);
    CHECK(i.isr == kIsrEi(1));
    CHECK(m.regs().iim == 0x1234);
    CHECK(gate.calls.size() == (outside ? 0 : 1));
  }
}

TEST_CASE("instruction breakpoints fault before the bundle; PSR.id passes them once", "[engine]") {
  NEEDS_ASSEMBLER();
  Rig m(
      "{ .mii\n adds r4 = 1, r4\n adds r5 = 1, r5\n nop.i 0 ;;\n}\n{ .mii\n adds r6 = 1, r6\n nop.i 0\n "
      "nop.i 0 ;;\n}\n",
      psr::kIc | psr::kDb);
  m.regs().ibr[0] = kCode + 0x10;
  m.regs().ibr[1] = bit(63) | u64{0xf} << 56 | low_mask(56);
  m.core().tlb().debug_registers_changed();
  const auto i = m.run_to_interruption();
  CHECK(i.vector == Vector::Debug);
  CHECK(i.iip == kCode + 0x10);
  CHECK((i.isr & isr::kX) != 0);
  CHECK(m.regs().gr(4) == 1);
  CHECK(m.regs().gr(6) == 0);
  m.core().set_psr(m.regs().ipsr | psr::kId);
  m.regs().ip = m.regs().iip;
  m.core().run(1);
  CHECK(m.regs().gr(6) == 1);
  CHECK((m.regs().psr & psr::kId) == 0);
}

TEST_CASE("epc takes the privilege of an AR 7 page, and needs PFS.ppl at least as low", "[engine]") {
  NEEDS_ASSEMBLER();
  struct Case {
    unsigned ar, pl, cpl, ppl;
    int expected;  // -1: Illegal Operation
  };
  const Case cases[] = {{7, 0, 3, 3, 0}, {7, 1, 3, 3, 1},  {7, 2, 1, 1, 1},
                        {1, 3, 3, 3, 3}, {7, 0, 3, 2, -1}, {7, 0, 2, 3, 0}};
  for (const Case& c : cases) {
    CAPTURE(c.ar, c.pl, c.cpl, c.ppl);
    Rig m("{ .mib\n nop.m 0\n nop.i 0\n epc ;;\n}\n{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n");
    m.core().tlb().insert_instruction(
        0x10000, 0x10000 | 1 | 1 << 5 | 1 << 6 | u64{c.pl} << 7 | u64{c.ar} << 9, 14 << 2);
    m.core().set_psr(psr::kBn | psr::kIc | psr::kIt | u64{c.cpl} << 32);
    m.regs().pfs = u64{c.ppl} << 62;
    if (c.expected < 0) {
      const auto i = m.run_to_interruption();
      CHECK(i.vector == Vector::GeneralException);
      CHECK((i.isr & 0xffff) == 0);
    } else {
      REQUIRE(m.run_to(kCode + 0x10) == StopReason::StopAddress);
      CHECK(m.regs().cpl() == static_cast<unsigned>(c.expected));
    }
  }
}

TEST_CASE(
    "a global purge reaches a running processor before the sender goes on, and a stopped one when it starts",
    "[engine]") {
  NEEDS_ASSEMBLER();
  Rig a(kSpin), b(kSpin);
  CoreGroup group;
  group.add(a.core());
  group.add(b.core());
  const u64 va = u64{1} << 61;
  const PurgeRequest purge{va, 0, 14};
  b.core().tlb().insert_data(va, 0x100000 | kRwx, 14 << 2);

  group.purge_elsewhere(a.core(), purge);
  CHECK(b.core().tlb().find_data(va) != nullptr);
  b.core().run(10);
  CHECK(b.core().tlb().find_data(va) == nullptr);

  b.core().tlb().insert_data(va, 0x100000 | kRwx, 14 << 2);
  std::thread runner([&] { b.core().run(0); });
  while (!b.core().remote_requests().running()) std::this_thread::yield();
  group.purge_elsewhere(a.core(), purge);
  const bool gone = b.core().tlb().find_data(va) == nullptr;
  b.core().request_stop();
  runner.join();
  CHECK(gone);
}

TEST_CASE("two processors may purge each other at the same time", "[engine]") {
  NEEDS_ASSEMBLER();
  const char* text =
      "{ .mmi\n ptc.ga r4, r5 ;;\n srlz.d\n adds r8 = 1, r8 ;;\n}\n{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk "
      ". - 16 ;;\n}\n";
  Rig a(text), b(text);
  CoreGroup group;
  for (Rig* m : {&a, &b}) {
    group.add(m->core());
    m->regs().set_gr(4, u64{1} << 61);
    m->regs().set_gr(5, 14 << 2);
  }
  std::thread other([&] { b.core().run(6 * 3000); });
  a.core().run(6 * 3000);
  other.join();
  CHECK(a.regs().gr(8) == 3000);
  CHECK(b.regs().gr(8) == 3000);
}
