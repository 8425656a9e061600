// The fault log's sentences. Codes and bits are those of the manual's figures and tables, written out by hand.
#include "machine/debugger/fault_text.h"

#include "machine/debugger/code_listing.h"
#include "machine/debugger/place.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::machine::debugger;
using cpu::Vector;
namespace psr = cpu::psr;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

SymbolTable program_symbols() {
  SymbolTable t;
  t.add("program", {{BareMachine::kCode, 0x100, "store", true}, {BareMachine::kCode + 0x100, 0, "behind", true}});
  return t;
}

}  // namespace

TEST_CASE("fault log: ISR by the manual's tables", "[faults]") {
  // SDM vol. 2, figure 3-13: x 32, w 33, r 34, na 35, sp 36, rs 37, ir 38, ni 39, so 40, ei 42:41, ed 43.
  CHECK(isr_text(Vector::DataTlb, 0x400000000) == "code 0x0, r, ei 0");
  CHECK(isr_text(Vector::DataTlb, 0x20200000000) == "code 0x0, w, ei 1");
  CHECK(isr_text(Vector::InstructionTlb, 0x40100000000) == "code 0x0, x, ei 2");
  CHECK(isr_text(Vector::DataTlb, 0xb7400000000) == "code 0x0, r, sp, rs, ir, so, ed, ei 1");
  CHECK(isr_text(Vector::DataNestedTlb, 0x8600000000) == "code 0x0, w, r, ni, ei 0");
  // General Exception, ISR.code{7:4}.
  CHECK(isr_text(Vector::GeneralException, 0x00) == "code 0x0 (illegal operation), ei 0");
  CHECK(isr_text(Vector::GeneralException, 0x10) == "code 0x10 (privileged operation), ei 0");
  CHECK(isr_text(Vector::GeneralException, 0x20) == "code 0x20 (privileged register), ei 0");
  CHECK(isr_text(Vector::GeneralException, 0x30) == "code 0x30 (reserved register or field), ei 0");
  CHECK(isr_text(Vector::GeneralException, 0x400000030) == "code 0x30 (unimplemented data address), r, ei 0");
  CHECK(isr_text(Vector::GeneralException, 0x80) == "code 0x80 (illegal dependency), ei 0");
  // NaT Consumption, ISR.code{7:4}; non-access instructions in {3:0}.
  CHECK(isr_text(Vector::NatConsumption, 0x10) == "code 0x10 (register NaT), ei 0");
  CHECK(isr_text(Vector::NatConsumption, 0xc00000011) == "code 0x11 (register NaT, fc), r, na, ei 0");
  CHECK(isr_text(Vector::NatConsumption, 0x400000020) == "code 0x20 (NaT page), r, ei 0");
  CHECK(isr_text(Vector::DataAccessRights, 0xc00000005) == "code 0x5 (probe.fault), r, na, ei 0");
  CHECK(isr_text(Vector::DataTlb, 0x800000000) == "code 0x0 (tpa), na, ei 0");
  CHECK(isr_text(Vector::DataTlb, 0x800000003) == "code 0x3 (tak), na, ei 0");
  CHECK(isr_text(Vector::DataTlb, 0xc00000004) == "code 0x4 (lfetch), r, na, ei 0");
  CHECK(isr_text(Vector::DisabledFp, 1) == "code 0x1 (f2 to f31), ei 0");
  CHECK(isr_text(Vector::DisabledFp, 2) == "code 0x2 (f32 to f127), ei 0");
  CHECK(isr_text(Vector::FloatingPointFault, 0x04) == "code 0x4 (zero divide), ei 0");
  CHECK(isr_text(Vector::FloatingPointFault, 0x11) == "code 0x11 (invalid, low invalid), ei 0");
  // Traps: fp 0, lp 1, tb 2, ss 3; then o, u, i and fpa from 7 (low) and 11 (high) on.
  CHECK(isr_text(Vector::FloatingPointTrap, 0x2001) == "code 0x2001 (floating-point trap, inexact), ei 0");
  CHECK(isr_text(Vector::TakenBranch, 0x0c) == "code 0xc (taken branch, single step), ei 0");
  CHECK(isr_text(Vector::LowerPrivilegeTransfer, 0x02) == "code 0x2 (lower privilege), ei 0");
}

TEST_CASE("fault log: PSR as modes", "[faults]") {
  CHECK(mode_text(0) == "cpl 0, translation of nothing, interrupts off, collection off, bank 0");
  CHECK(mode_text(psr::kIt | psr::kDt | psr::kRt | psr::kI | psr::kIc | psr::kBn | u64{3} << 32) ==
        "cpl 3, translation of code, data, register stack, interrupts on, collection on, bank 1");
}

TEST_CASE("fault log: every vector has a class, and a sentence whatever the record says", "[faults]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  const SymbolTable symbols = program_symbols();
#define X(e, offset, name)                                                                             \
  for (const u64 isr : {u64{0}, ~u64{0}}) {                                                            \
    const std::string text = fault_text(m.core(), symbols, {.vector = Vector::e, .isr = isr});        \
    CHECK(text.starts_with(name));                                                                     \
  }
  INTERRUPTION_VECTORS(X)
#undef X
  CHECK(class_of(Vector::DataTlb) == FaultClass::Miss);
  CHECK(class_of(Vector::BreakInstruction) == FaultClass::Break);
  CHECK(class_of(Vector::ExternalInterrupt) == FaultClass::External);
  CHECK(class_of(Vector::GeneralException) == FaultClass::Fault);
}

TEST_CASE("fault log: a store without a translation", "[faults]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{.mmi\n nop.m 0\n st8 [r14]=r15\n nop.i 0 ;;\n}\n");
  m.regs().psr |= psr::kDt | psr::kIc;
  m.regs().set_gr(14, 0x4000000000001008);
  m.regs().rr[2] = 0x12300 | 14 << 2;
  const auto record = m.run_to_interruption();
  const std::string text = fault_text(m.core(), program_symbols(), record);
  CHECK(text.starts_with("Alternate Data TLB fault at 0x10000 <store> slot 1, 'st8 [r14]=r15': its write of 0x4000000000001008: "
                         "the TLB has no translation for region 2 rid 0x123, and the VHPT walker is off there; cpl 0, translation of data, "));
  CHECK(has(text, "; ISR 0x20200000000: code 0x0, w, ei 1"));
  CHECK(record.ip == (BareMachine::kCode | 1));
}

TEST_CASE("fault log: without collection the fault's own address is told", "[faults]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{.mmi\n ld8 r15=[r14]\n nop.m 0\n nop.i 0 ;;\n}\n");
  m.regs().psr |= psr::kDt;
  m.regs().psr &= ~psr::kIc;
  m.regs().ifa = 0x1111;
  m.regs().set_gr(14, 0x6000000000000000);
  const auto record = m.run_to_interruption();
  CHECK(record.vector == Vector::DataNestedTlb);
  CHECK(record.ip == BareMachine::kCode);
  CHECK(m.regs().ifa == 0x1111);
  CHECK(has(fault_text(m.core(), program_symbols(), record), "its read of 0x6000000000000000: the TLB has no translation for region 3"));
}

TEST_CASE("fault log: a dirty bit fault names the physical address", "[faults]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load(R"(
    {.mmi
     itc.d r16
     nop.m 0
     nop.i 0 ;;
    }
    {.mmi
     srlz.d
     nop.m 0
     nop.i 0 ;;
    }
    {.mmi
     nop.m 0
     st8 [r14]=r15
     nop.i 0 ;;
    }
)");
  m.regs().set_gr(14, 0x2000000000004010);
  m.regs().set_gr(16, 0x200000 | u64{3} << 9 | 1 << 5 | 1);  // present, accessed, not dirty, read-write-execute
  m.regs().itir = 14 << 2;
  m.regs().ifa = 0x2000000000004000;
  m.regs().psr &= ~psr::kIc;
  REQUIRE(m.run_to(BareMachine::kCode + 0x20) == cpu::StopReason::StopAddress);
  m.core().set_psr(m.regs().psr | psr::kDt | psr::kIc);
  const auto record = m.run_to_interruption();
  const std::string text = fault_text(m.core(), program_symbols(), record);
  CHECK(text.starts_with("Dirty-Bit fault at 0x10020 <store+0x20> slot 1, 'st8 [r14]=r15': its write of 0x2000000000004010 (physical 0x200010): "
                         "the page's dirty bit is 0; "));
}

TEST_CASE("fault log: break, illegal operation and traps", "[faults]") {
  NEEDS_ASSEMBLER();
  {
    BareMachine m;
    m.load("{.mii\n break.m 0x1234\n nop.i 0\n nop.i 0 ;;\n}\n");
    m.regs().psr |= psr::kIc;
    CHECK(fault_text(m.core(), program_symbols(), m.run_to_interruption())
              .starts_with("Break Instruction fault at 0x10000 <store> slot 0, 'break.m 0x1234': break 0x1234; "));
  }
  {
    BareMachine m;
    m.load("{.mfb\n nop.m 0\n nop.f 0\n br.cond.sptk.few .+0x100 ;;\n}\n");
    m.regs().psr |= psr::kIc | psr::kTb;
    CHECK(fault_text(m.core(), program_symbols(), m.run_to_interruption())
              .starts_with("Taken Branch Trap behind 0x10000 <store> slot 2, 'br.few 0x10100 <behind>;;': the branch was taken; "));
  }
}

TEST_CASE("code listing: symbols, targets and the instruction that comes next", "[faults]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{.mfb\n adds r14=1,r0\n nop.f 0\n br.call.sptk.many b0=.+0x100 ;;\n}\n{.mlx\n nop.m 0\n movl r15=0x123456789a ;;\n}\n");
  m.regs().slot = 2;
  const auto lines = list_code(m.core(), program_symbols(), BareMachine::kCode + 7, 5);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0].symbol == "store");
  CHECK(lines[0].text == "[MFB]       adds r14=1,r0");
  CHECK(lines[2].text == "            br.call.sptk.many b0=0x10100 <behind>;;");
  CHECK(lines[2].next);
  CHECK_FALSE(lines[1].next);
  CHECK(lines[3].symbol == "store+0x10");
  CHECK(lines[4].text == "            movl r15=0x123456789a;;");
  CHECK(list_code(m.core(), program_symbols(), BareMachine::kRamBytes - 16, 100).size() <= 3);
  CHECK(list_code(m.core(), program_symbols(), u64{1} << 60, 100).empty());
}

TEST_CASE("places: numbers, symbols and registers with sums", "[faults]") {
  BareMachine m;
  const SymbolTable t = program_symbols();
  m.regs().set_gr(12, 0x5000);
  m.regs().br[6] = 0x77;
  m.regs().slot = 1;
  const auto at = [&](std::string_view text) {
    const auto r = parse_place(m.core(), t, text);
    return r ? *r : ~u64{0};
  };
  CHECK(at("0x20") == 0x20);
  CHECK(at("32") == 32);
  CHECK(at("store+0x10") == BareMachine::kCode + 0x10);
  CHECK(at("r12-16+b6") == 0x5000 - 16 + 0x77);
  CHECK(at("$ip") == BareMachine::kCode + 1);
  CHECK(at("cr.iva") == BareMachine::kIva);
  for (const char* bad : {"", "+", "store+", "12x", "r500", "nothing", "0x", "1+-1"}) CHECK_FALSE(parse_place(m.core(), t, bad));
}
