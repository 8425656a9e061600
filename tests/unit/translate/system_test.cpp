// System instructions under the translator: the same state as the interpreter's after every slice.
#include "cpu/arch/register_differences.h"
#include "tests/support/bare_machine.h"
#include "tests/support/translator_choice.h"

using namespace ia64;
using namespace ia64::test;
using cpu::StopReason;

namespace {

constexpr u64 kRounds = 60;

/// Runs `source` on both engines in slices of `slice` instructions until it stops at a break, and compares.
void compare(std::string_view source, u64 slice) {
  BareMachine a, b;
  b.core().use_translator(translator_choice());
  for (auto* m : {&a, &b}) {
    m->load(source);
    auto& r = m->regs();
    r.cfm = cpu::Cfm{.sof = 8, .sol = 8};
    for (unsigned n = 1; n < 40; n++) r.set_gr(n, n * 0x111);
    r.set_gr(8, BareMachine::kData);
    r.lc = kRounds;
    m->core().set_stop_on_interruption(true);
  }
  for (unsigned n = 0; n < 4000; n++) {
    const StopReason first = a.core().run(slice), second = b.core().run(slice);
    REQUIRE(first == second);
    INFO("slice " << n << " of " << slice);
    REQUIRE(cpu::register_differences(a.regs(), b.regs()) == "");
    REQUIRE(a.core().slots_retired() == b.core().slots_retired());
    if (first == StopReason::Interruption) {
      CHECK(a.core().interruptions().back().vector == cpu::Vector::BreakInstruction);
      return;
    }
  }
  FAIL("the program does not end");
}

void compare_in_slices(std::string_view source) {
  for (u64 slice : {1, 3, 50, 100000}) compare(source, slice);
}

constexpr const char* kEnd = R"(
{ .mib
  nop.m 0
  nop.i 0
  br.cloop.sptk.few top ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";

}  // namespace

TEST_CASE("masks of PSR and control register writes keep to the mode", "[jit][system]") {
  NEEDS_ASSEMBLER();
  compare_in_slices(std::string(R"(
top:
{ .mmi
  mov r14 = psr
  rsm 0x6000
  tbit.z p6, p7 = r8, 5 ;;
}
{ .mmi
  srlz.i ;;
  mov cr.ifa = r8
  add r9 = r9, r14 ;;
}
{ .mmi
  srlz.d ;;
  mov r15 = cr.ifa
  nop.i 0 ;;
}
{ .mmi
  (p6) ssm 0x2000
  nop.m 0
  adds r8 = 16, r8 ;;
}
{ .mmi
  srlz.d
  (p7) sum 0x2
  add r9 = r9, r15 ;;
}
{ .mmi
  ld8 r16 = [r8]
  rum 0x2
  nop.i 0 ;;
}
{ .mmi
  ld8 r17 = [r8]
  (p6) rsm 0x2000
  xor r9 = r9, r16 ;;
}
)") + kEnd);
}

TEST_CASE("cover, bank switches and loadrs leave the frame that the interpreter leaves", "[jit][system]") {
  NEEDS_ASSEMBLER();
  compare_in_slices(std::string(R"(
top:
{ .mmi
  alloc r32 = ar.pfs, 0, 20, 0, 16
  add r9 = r9, r16
  add r34 = r10, r8 ;;
}
{ .mib
  add r35 = r34, r9
  mov pr.rot = 0x50000
  bsw.0 ;;
}
{ .mib
  adds r16 = 3, r16
  add r36 = r35, r17
  bsw.1 ;;
}
{ .mib
  adds r16 = 5, r16
  adds r8 = 8, r8
  clrrrb ;;
}
{ .mib
  add r9 = r9, r36
  nop.i 0
  cover ;;
}
{ .mmi
  flushrs ;;
  mov ar.rsc = 0
  nop.i 0 ;;
}
{ .mmi
  loadrs ;;
  mov r14 = ar.bsp
  nop.i 0 ;;
}
)") + kEnd);
}

TEST_CASE("rfi goes on at any slot, with its frame loaded from memory", "[jit][system]") {
  NEEDS_ASSEMBLER();
  compare_in_slices(std::string(R"(
top:
{ .mmi
  rsm 0x2000 ;;
  srlz.i
  mov r14 = ip ;;
}
{ .mmi
  alloc r32 = ar.pfs, 0, 40, 0, 0
  mov r15 = psr
  nop.i 0 ;;
}
{ .mib
  add r60 = r9, r14
  and r17 = 2, r8
  cover ;;
}
{ .mmi
  flushrs
  adds r14 = 176, r14
  shl r17 = r17, 41 ;;
}
{ .mmi
  alloc r32 = ar.pfs, 0, 96, 0, 0
  mov cr.iip = r14
  or r15 = r15, r17 ;;
}
{ .mmi
  mov cr.ipsr = r15
  add r40 = r9, r8
  nop.i 0 ;;
}
{ .mib
  add r100 = r40, r8
  nop.i 0
  nop.b 0 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  cover ;;
}
{ .mmi
  mov r18 = cr.ifs
  adds r8 = 1, r8
  nop.i 0 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  nop.b 0 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  rfi ;;
}
{ .mii
  adds r9 = 1, r9
  adds r10 = 2, r10
  adds r11 = 4, r11 ;;
}
{ .mmi
  add r9 = r9, r40
  nop.m 0
  nop.i 0 ;;
}
)") + kEnd);
}
