// Assembled programs under the translator: loops, calls, rotation, self-modifying code, faults. Expected values by hand.
#include "tests/unit/translate/native_machine.h"

using namespace ia64;
using namespace ia64::test;
using cpu::StopReason;

TEST_CASE("a counted loop with stores and loads", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  load_to_break(m, R"(
{ .mii
  mov r14 = 0
  mov.i ar.lc = 99
  nop.i 0 ;;
}
top:
{ .mmi
  st8 [r8] = r14
  ld8 r15 = [r9]
  adds r14 = 3, r14 ;;
}
{ .mib
  add r3 = r3, r15
  nop.i 0
  br.cloop.sptk.few top ;;
}
)");
  m.regs().set_gr(8, BareMachine::kData), m.regs().set_gr(9, BareMachine::kData), m.regs().set_gr(3, 0);
  m.run_to_break();
  CHECK(m.regs().gr(14) == 300);
  CHECK(m.regs().gr(3) == 3 * 99 * 100 / 2);
  CHECK(m.read64(BareMachine::kData) == 297);
  CHECK(m.core().slots_retired() == 3 + 100 * 6);
  CHECK(m.core().translator_counters()->instructions > 500);
}

TEST_CASE("calls and returns keep their frames", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  // f(n) = n == 0 ? 0 : n + f(n - 1)
  m.load(R"(
{ .mib
  mov r32 = 40
  nop.i 0
  br.call.sptk.few b0 = f ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
f:
{ .mii
  alloc r33 = ar.pfs, 1, 3, 1, 0
  mov r34 = b0
  cmp.eq p6, p7 = 0, r32 ;;
}
{ .mib
  (p6) mov r8 = 0
  nop.i 0
  (p6) br.cond.dptk.few out ;;
}
{ .mib
  adds r36 = -1, r32
  nop.i 0
  br.call.sptk.few b0 = f ;;
}
{ .mii
  add r8 = r8, r32
  nop.i 0
  nop.i 0 ;;
}
out:
{ .mii
  nop.m 0
  mov.i ar.pfs = r33
  mov b0 = r34 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.ret.sptk.few b0 ;;
}
)");
  m.regs().cfm = cpu::Cfm{.sof = 1, .sol = 0};
  m.regs().rsc = 0;
  m.run_to_break();
  CHECK(m.regs().gr(8) == 40 * 41 / 2);
  CHECK(m.regs().cfm.sof == 1);
}

TEST_CASE("registers rotate through a pipelined loop", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  load_to_break(m, R"(
{ .mii
  alloc r2 = ar.pfs, 0, 8, 0, 8
  mov.i ar.lc = 9
  mov.i ar.ec = 3 ;;
}
{ .mii
  mov r14 = 0
  mov r15 = 0
  mov pr.rot = 0x10000 ;;
}
top:
{ .mii
  (p16) add r32 = r14, r14
  (p16) adds r14 = 1, r14
  (p18) add r15 = r15, r34 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.ctop.sptk.few top ;;
}
)");
  m.run_to_break();
  CHECK(m.regs().gr(14) == 10);
  // r32 receives twice the count before the iteration, in each of ten; r34 is that two rotations later.
  CHECK(m.regs().gr(15) == 2 * (0 + 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9));
}

TEST_CASE("code that is written while it is translated is seen", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  // A two-slot patch: the first pass stores a bundle over `patched`, from `other`.
  m.load(R"(
{ .mii
  mov r14 = 0
  mov.i ar.lc = 3
  nop.i 0 ;;
}
.align 4096
top:
{ .mii
  adds r14 = 1, r14
  nop.i 0
  nop.i 0 ;;
}
{ .mmi
  st8 [r8] = r10 ;;
  st8 [r9] = r11
  nop.i 0 ;;
}
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
other:
{ .mii
  adds r14 = 100, r14
  nop.i 0
  nop.i 0 ;;
}
)");
  const u64 top = BareMachine::kCode + 0x1000, other = top + 0x40;
  m.regs().ip = BareMachine::kCode;
  m.regs().set_gr(8, top), m.regs().set_gr(9, top + 8);
  m.regs().set_gr(10, m.read64(other)), m.regs().set_gr(11, m.read64(other + 8));
  // Between the first bundle and `top` lie zeroes, which are break.m 0; jump over them.
  m.core().run(3);
  m.regs().ip = top, m.regs().slot = 0;
  m.run_to_break();
  CHECK(m.regs().gr(14) == 1 + 3 * 100);
}

TEST_CASE("a NaT met in translated code is consumed as by the interpreter", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  m.load(R"(
{ .mii
  adds r14 = 1, r15
  adds r3 = 1, r2
  nop.i 0 ;;
}
{ .mmi
  st8 [r8] = r3 ;;
  st8 [r8] = r14
  nop.i 0 ;;
}
)");
  m.regs().set_gr(8, BareMachine::kData), m.regs().set_gr_nat(15, 5, true), m.regs().set_gr(2, 6);
  m.regs().psr |= cpu::psr::kIc;
  const auto record = m.run_to_break();
  CHECK(record.vector == cpu::Vector::NatConsumption);
  CHECK(record.iip == BareMachine::kCode + 0x10);
  CHECK((m.regs().ipsr >> 41 & 3) == 1);
  CHECK(m.read64(BareMachine::kData) == 7);
  CHECK(m.regs().nat(14));
}
