// Assembled memory accesses under the translator: faults, page borders, byte orders, speculation, semaphores. Expected values by hand.
#include "cpu/jit/options.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using cpu::Vector;

namespace {

constexpr u64 kData = BareMachine::kData;

/// A machine that translates every block at once.
struct NativeMachine : BareMachine {
  explicit NativeMachine(bool plain_host = false) {
    cpu::TranslatorOptions options;
    options.threshold = 1, options.verify = true;
    if (plain_host) options.host.remove("all");
    core().use_translator(options);
    regs().set_gr(8, kData), regs().set_gr(9, kData + 0x40);
    regs().psr |= cpu::psr::kIc;
  }
  cpu::InterruptionRecord run_to_break() { return run_to_interruption(1'000'000); }
  /// A register of the program after its interruption, which may have switched banks.
  u64 program_gr(unsigned r) {
    return r >= 16 && r < 32 && (regs().ipsr & cpu::psr::kBn) ? regs().gr_banked[r - 16] : regs().gr(r);
  }
};

constexpr const char* kBreak = R"(
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";

void load(BareMachine& m, const char* text) { m.load((std::string(text) + kBreak).c_str()); }

}  // namespace

TEST_CASE("a misaligned load in the middle of a block faults with everything before it done", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  load(m, R"(
{ .mmi
  adds r14 = 1, r0 ;;
  st8 [r8] = r14, 8
  adds r15 = 2, r0 ;;
}
{ .mmi
  ld8 r16 = [r10], 8
  adds r15 = 3, r0
  adds r17 = 4, r0 ;;
}
)");
  m.regs().psr |= cpu::psr::kAc;
  m.regs().set_gr(10, kData + 0x101), m.regs().set_gr(16, 77), m.regs().set_gr(17, 78);
  const auto record = m.run_to_break();
  CHECK(record.vector == Vector::UnalignedReference);
  CHECK(record.iip == BareMachine::kCode + 0x10);
  CHECK(record.ifa == kData + 0x101);
  CHECK((m.regs().ipsr >> 41 & 3) == 0);
  CHECK(m.read64(kData) == 1);
  CHECK(m.regs().gr(8) == kData + 8);
  CHECK(m.regs().gr(10) == kData + 0x101);
  CHECK(m.regs().gr(15) == 2);
  CHECK(m.program_gr(16) == 77);
  CHECK(m.program_gr(17) == 78);
}

TEST_CASE("a loop walks across pages upwards and downwards", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  load(m, R"(
{ .mii
  mov r14 = 0
  mov.i ar.lc = r11
  nop.i 0 ;;
}
up:
{ .mmi
  st8 [r8] = r14, 8
  adds r14 = 3, r14
  nop.i 0 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.cloop.sptk.few up ;;
}
{ .mii
  adds r8 = -8, r8
  mov.i ar.lc = r11
  mov r15 = 0 ;;
}
down:
{ .mmi
  ld8 r16 = [r8], -8 ;;
  add r15 = r15, r16
  nop.i 0 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.cloop.sptk.few down ;;
}
)");
  m.regs().set_gr(11, 2047);
  m.run_to_break();
  CHECK(m.read64(kData + 2047 * 8) == 2047 * 3);
  CHECK(m.regs().gr(15) == 3 * 2047 * 2048 / 2);
  CHECK(m.regs().gr(8) == kData - 8);
}

TEST_CASE("all sizes in both byte orders, with and without extensions of the host", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const bool plain : {false, true}) {
    for (const bool big : {false, true}) {
      NativeMachine m(plain);
      load(m, R"(
{ .mmi
  st1 [r8] = r14, 8 ;;
  st2 [r8] = r14, 8
  nop.i 0 ;;
}
{ .mmi
  st4 [r8] = r14, 8 ;;
  st8 [r8] = r14, 8
  nop.i 0 ;;
}
{ .mmi
  ld1 r20 = [r9], 1 ;;
  ld2 r21 = [r9], r10
  nop.i 0 ;;
}
{ .mmi
  ld4 r22 = [r9], 4 ;;
  ld8 r23 = [r9]
  nop.i 0 ;;
}
)");
      if (big) m.regs().psr |= cpu::psr::kBe;
      m.regs().set_gr(14, 0x1122334455667788);
      const u8 bytes[] = {0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1};
      for (unsigned n = 0; n < 17; n++) m.bus().write_bytes(kData + 0x7f + n, &bytes[n], 1);
      m.regs().set_gr(9, kData + 0x7f), m.regs().set_gr(10, 4);
      const auto record = m.run_to_break();
      CHECK(record.vector == Vector::BreakInstruction);
      CHECK(m.read64(kData) % 256 == 0x88);
      CHECK(m.read64(kData + 8) % 65536 == (big ? 0x8877 : 0x7788));
      CHECK(m.read64(kData + 16) % (u64{1} << 32) == (big ? 0x88776655 : 0x55667788));
      CHECK(m.read64(kData + 24) == (big ? 0x8877665544332211 : 0x1122334455667788));
      CHECK(m.program_gr(20) == 0xa1);
      CHECK(m.program_gr(21) == (big ? 0xa2a3 : 0xa3a2));
      CHECK(m.program_gr(22) == (big ? 0xa6a7a8a9 : 0xa9a8a7a6));
      CHECK(m.program_gr(23) == (big ? 0xaaabacadaeafb0b1 : 0xb1b0afaeadacabaa));
    }
  }
}

TEST_CASE("an advanced load is checked against the stores behind it", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const u64 store_at : {kData, kData + 4, kData + 8, kData + 0x1000}) {
    NativeMachine m;
    load(m, R"(
{ .mii
  mov r14 = 0
  mov.i ar.lc = 9
  mov r20 = 0 ;;
}
top:
{ .mmi
  ld8.a r15 = [r8] ;;
  st4 [r9] = r14
  adds r14 = 1, r14 ;;
}
{ .mmi
  ld8.c.clr r15 = [r8] ;;
  add r3 = r3, r15
  nop.i 0 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.cloop.sptk.few top ;;
}
)");
    m.regs().set_gr(9, store_at), m.regs().set_gr(3, 0);
    m.write64(kData, 0);
    m.run_to_break();
    CHECK(m.regs().gr(3) == (store_at == kData ? 45 : store_at == kData + 4 ? u64{45} << 32 : 0));
    CHECK(m.core().alat().empty());
  }
}

TEST_CASE("chk.a branches to its recovery when a store has hit the entry", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const u64 store_at : {kData, kData + 0x20}) {
    NativeMachine m;
    load(m, R"(
{ .mmi
  ld8.a r33 = [r8] ;;
  st8 [r9] = r14
  nop.i 0 ;;
}
{ .mmi
  chk.a.nc r33, fix
  nop.m 0
  nop.i 0 ;;
}
back:
{ .mmi
  chk.a.clr r33, twice
  adds r3 = 1, r33
  nop.i 0 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.cond.sptk.few done ;;
}
fix:
{ .mib
  ld8.a r33 = [r8]
  nop.i 0
  br.cond.sptk.few back ;;
}
twice:
{ .mib
  adds r3 = 1000, r0
  nop.i 0
  nop.b 0 ;;
}
done:
)");
    m.regs().cfm = cpu::Cfm{.sof = 8, .sol = 8};
    m.write64(kData, 5);
    m.regs().set_gr(9, store_at), m.regs().set_gr(14, 9);
    m.run_to_break();
    CHECK(m.regs().gr(3) == (store_at == kData ? 10 : 6));
    CHECK(m.core().alat().empty());
  }
}

TEST_CASE("a speculative load that defers gives a NaT, and chk.s goes to the recovery", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const bool bad : {false, true}) {
    NativeMachine m;
    load(m, R"(
{ .mmi
  ld8.s r14 = [r10], 8 ;;
  adds r15 = 1, r14
  nop.i 0 ;;
}
{ .mmi
  chk.s.m r14, fix
  adds r3 = 2, r14
  nop.i 0 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.cond.sptk.few done ;;
}
fix:
{ .mib
  adds r3 = 1000, r0
  nop.i 0
  nop.b 0 ;;
}
done:
)");
    m.write64(kData, 5);
    m.regs().set_gr(10, bad ? u64{1} << 55 : kData);  // an address that is not implemented is always deferred
    const auto record = m.run_to_break();
    CHECK(record.vector == Vector::BreakInstruction);
    CHECK(m.regs().gr(3) == (bad ? 1000 : 7));
    CHECK(m.regs().nat(14) == bad);
    CHECK(m.regs().nat(15) == bad);
    CHECK(m.regs().gr(10) == (bad ? (u64{1} << 55) + 8 : kData + 8));
  }
}

TEST_CASE("spill and fill carry NaT bits through ar.unat", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const bool nat : {false, true}) {
    NativeMachine m;
    load(m, R"(
{ .mmi
  st8.spill [r8] = r14, 8 ;;
  st8.spill [r8] = r15, -8
  nop.i 0 ;;
}
{ .mmi
  ld8.fill r2 = [r8], 8 ;;
  ld8.fill r3 = [r8]
  nop.i 0 ;;
}
)");
    m.regs().set_gr_nat(14, 4, nat), m.regs().set_gr(15, 6);
    m.regs().unat = 0xffff'ffff'ffff'ffff;
    const auto record = m.run_to_break();
    CHECK(record.vector == Vector::BreakInstruction);
    const unsigned bit = kData >> 3 & 63;
    CHECK((m.regs().unat >> bit & 3) == (nat ? 1 : 0));
    CHECK(m.regs().nat(2) == nat);
    CHECK((m.regs().gr(3) == 6 && !m.regs().nat(3)));
  }
}

TEST_CASE("semaphores exchange, compare and add in both byte orders", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const bool big : {false, true}) {
    NativeMachine m(big);
    load(m, R"(
{ .mmi
  mov.m ar.ccv = r15 ;;
  cmpxchg4.acq r14 = [r8], r10, ar.ccv
  nop.i 0 ;;
}
{ .mmi
  cmpxchg4.acq r2 = [r8], r11, ar.ccv ;;
  xchg2 r3 = [r9], r10
  nop.i 0 ;;
}
{ .mmi
  fetchadd8.rel r22 = [r27], -16 ;;
  mf
  nop.i 0 ;;
}
)");
    const auto order4 = [&](u32 v) { return big ? __builtin_bswap32(v) : v; };
    if (big) m.regs().psr |= cpu::psr::kBe;
    m.write64(kData, order4(0x01020304)), m.write64(kData + 0x40, 0xbeef), m.write64(kData + 0x80, big ? u64{7} << 56 : 7);
    m.regs().set_gr(15, 0x01020304), m.regs().set_gr(10, 0x55667788), m.regs().set_gr(11, 1), m.regs().set_gr(27, kData + 0x80);
    m.run_to_break();
    CHECK(m.regs().gr(14) == 0x01020304);
    CHECK(m.regs().gr(2) == 0x55667788);
    CHECK(m.read64(kData) == order4(0x55667788));
    CHECK(m.regs().gr(3) == (big ? 0xefbe : 0xbeef));
    CHECK(m.read64(kData + 0x40) == (big ? 0x8877 : 0x7788));
    CHECK(m.program_gr(22) == 7);
    CHECK(m.read64(kData + 0x80) == (big ? 0xf7ff'ffff'ffff'ffff : ~u64{0} - 8));
  }
}

TEST_CASE("a store of a NaT and a load through one are consumed", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const bool store : {false, true}) {
    NativeMachine m;
    load(m, store ? "{ .mmi\n adds r14 = 1, r0 ;;\n st8 [r8] = r15\n nop.i 0 ;;\n}\n"
                  : "{ .mmi\n adds r14 = 1, r0 ;;\n ld8.acq r2 = [r15]\n nop.i 0 ;;\n}\n");
    m.regs().set_gr_nat(15, kData, true), m.write64(kData, 3);
    const auto record = m.run_to_break();
    CHECK(record.vector == Vector::NatConsumption);
    CHECK((record.isr >> 33 & 1) == store);  // ISR.w
    CHECK((m.regs().ipsr >> 41 & 3) == 1);
    CHECK(m.regs().gr(14) == 1);
    CHECK(m.read64(kData) == 3);
  }
}
