// A big-endian system as a whole: interruption entry, handler, register stack and return with DCR.be and RSC.be set.
#include "base/endian.h"
#include "cpu/rse/rse.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;

namespace {

constexpr u64 kCode = BareMachine::kCode, kIva = BareMachine::kIva, kData = BareMachine::kData;
constexpr u64 kDcrBe = bit(1), kRscBe = bit(4);

u64 big_endian_at(BareMachine& m, u64 phys) { return byte_swap(m.read64(phys)); }

}  // namespace

TEST_CASE("a little-endian program is interrupted by a big-endian system and goes on unharmed", "[endian]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load(R"(
{ .mmi
  st8 [r4] = r5 ;;
  break.m 7
  nop.i 0 ;;
}
{ .mib
  ld8 r6 = [r4]
  nop.i 0
  br.cond.sptk . ;;
}
)");
  // The handler spills the whole frame, stores a word, skips the break and returns.
  m.load(R"(
{ .mib
  nop.m 0
  nop.i 0
  cover ;;
}
{ .mmi
  flushrs ;;
  mov r16 = cr.ipsr
  nop.i 0 ;;
}
{ .mii
  st8 [r17] = r18
  dep r16 = r19, r16, 41, 2
  nop.i 0 ;;
}
{ .mmb
  mov cr.ipsr = r16
  nop.m 0
  nop.b 0 ;;
}
{ .mfb
  nop.m 0
  nop.f 0
  rfi ;;
}
)",
         kIva + 0x2c00);
  Registers& r = m.regs();
  r.dcr = kDcrBe, r.rsc = kRscBe;
  r.cfm = {.sof = 70, .sol = 70};
  for (unsigned n = 0; n < 70; n++) r.set_gr_nat(32 + n, 0x1122334455660000 + n, n == 1);
  r.set_gr(4, kData), r.set_gr(5, 0x0102030405060708);
  r.gr_banked[1] = kData + 64, r.gr_banked[2] = 0x1112131415161718, r.gr_banked[3] = 2;  // bank 0: r17..r19
  m.core().set_psr(psr::kBn | psr::kIc);
  CHECK(m.run_to(kIva + 0x2c00) == StopReason::StopAddress);
  CHECK(m.core().big_endian());
  CHECK(m.run_to(kCode + 0x10) == StopReason::StopAddress);
  CHECK_FALSE(m.core().big_endian());
  m.core().run(1);
  CHECK(r.gr(6) == 0x0102030405060708);
  CHECK(m.read64(kData) == 0x0102030405060708);
  CHECK(big_endian_at(m, kData + 64) == 0x1112131415161718);
  // 63 registers, their collection, then the rest, all in the stack engine's byte order.
  CHECK(big_endian_at(m, BareMachine::kStack + 8) == 0x1122334455660001);
  CHECK(big_endian_at(m, BareMachine::kStack + 63 * 8) == bit(1));
  CHECK(big_endian_at(m, BareMachine::kStack + 64 * 8) == 0x112233445566003f);
  CHECK(r.cfm.sof == 70);
  for (unsigned n = 0; n < 70; n++) {
    CHECK(r.gr(32 + n) == u64{0x1122334455660000} + n);
    CHECK(r.nat(32 + n) == (n == 1));
  }
}

TEST_CASE("sum and rum change the byte order of the very next access, at any privilege", "[endian]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load(R"(
{ .mmi
  sum 2 ;;
  st4 [r4] = r5
  nop.i 0 ;;
}
{ .mmi
  fetchadd4.acq r6 = [r4], 1 ;;
  rum 2
  nop.i 0 ;;
}
{ .mib
  ld4 r7 = [r4]
  nop.i 0
  br.cond.sptk . ;;
}
)");
  Registers& r = m.regs();
  r.set_gr(4, kData), r.set_gr(5, 0x01020304);
  m.core().set_psr(psr::kBn | psr::kIc | u64{3} << psr::kCplPos);
  CHECK(m.run_to(kCode + 0x20) == StopReason::StopAddress);
  m.core().run(1);
  CHECK(r.gr(6) == 0x01020304);
  CHECK(r.gr(7) == 0x05030201);
}
