// Programs without interruptions: the engine executes what the text says.
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using cpu::StopReason;

TEST_CASE("straight-line code executes and stops at a stop address", "[interp]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load(R"(
{ .mlx
  nop.m 0
  movl r4 = 0x123456789abcdef0 ;;
}
{ .mii
  adds r5 = 16, r4
  shladd r6 = r4, 2, r4
  nop.i 0 ;;
}
{ .mmi
  st8 [r7] = r5 ;;
  ld8 r8 = [r7]
  extr.u r9 = r4, 4, 8 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.cond.sptk . ;;
}
)");
  m.regs().set_gr(7, BareMachine::kData);
  CHECK(m.run_to(BareMachine::kCode + 0x30) == StopReason::StopAddress);
  CHECK(m.regs().ip == BareMachine::kCode + 0x30);
  CHECK(m.regs().gr(5) == 0x123456789abcdf00);
  CHECK(m.regs().gr(6) == 0x123456789abcdef0 * 5);
  CHECK(m.regs().gr(8) == 0x123456789abcdf00);
  CHECK(m.regs().gr(9) == 0xef);
  CHECK(m.core().slots_retired() == 8);
}

TEST_CASE("an instruction budget is exact, also inside a block", "[interp]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  std::string text;
  for (int n = 0; n < 30; n++) text += "{ .mii\n adds r3 = 1, r3\n adds r4 = 1, r4\n adds r5 = 1, r5 ;;\n}\n";
  m.load(text);
  CHECK(m.core().run(7) == StopReason::Budget);
  CHECK(m.core().slots_retired() == 7);
  CHECK(m.regs().gr(3) == 3);
  CHECK(m.regs().gr(4) == 2);
  CHECK(m.regs().gr(5) == 2);
  CHECK(m.regs().ip == BareMachine::kCode + 0x20);
  CHECK(m.regs().slot == 1);
  CHECK(m.core().run(80) == StopReason::Budget);
  CHECK(m.core().slots_retired() == 87);
  CHECK(m.regs().gr(5) == 29);
  CHECK(m.regs().gr(4) == 29);
}

TEST_CASE("predicated-off instructions have no effect, even illegal ones", "[interp]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load(R"(
{ .mii
  cmp.eq p6, p7 = r0, r0
  nop.i 0
  nop.i 0 ;;
}
{ .mii
  (p7) ld8 r3 = [r3]
  (p7) adds r40 = 1, r0
  (p6) adds r4 = 7, r0 ;;
}
)");
  m.regs().cfm.sof = 0;
  m.regs().set_gr(3, 1);
  CHECK(m.run_to(BareMachine::kCode + 0x20) == StopReason::StopAddress);
  CHECK(m.regs().gr(4) == 7);
  CHECK(m.regs().gr(3) == 1);
  CHECK(m.core().interruptions_taken() == 0);
}

TEST_CASE("a counted loop runs LC + 1 times", "[interp]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load(R"(
{ .mii
  nop.m 0
  mov.i ar.lc = r4
  nop.i 0 ;;
}
top:
{ .mib
  adds r5 = 3, r5
  nop.i 0
  br.cloop.sptk top ;;
}
)");
  m.regs().set_gr(4, 999);
  CHECK(m.run_to(BareMachine::kCode + 0x20) == StopReason::StopAddress);
  CHECK(m.regs().gr(5) == 3000);
  CHECK(m.core().slots_retired() == 3003);
}
