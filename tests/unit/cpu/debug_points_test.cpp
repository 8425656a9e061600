// Stop addresses of single instructions, watched memory, and steps of one instruction: what debuggers are built on.
#include "tests/support/bare_machine.h"

#include "cpu/jit/options.h"
#include "cpu/mmu/tlb.h"
#include "cpu/rse/rse.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::test;

namespace {

constexpr u64 kCode = BareMachine::kCode, kData = BareMachine::kData;

/// Counts to 100000 in r4, then spins.
constexpr const char* kCountingLoop =
    "{ .mlx\n nop.m 0\n movl r6 = 99999 ;;\n}\n"
    "{ .mii\n nop.m 0\n mov ar.lc = r6\n nop.i 0 ;;\n}\n"
    "top:\n{ .mib\n adds r4 = 1, r4\n nop.i 0\n br.cloop.sptk top ;;\n}\n"
    "{ .mii\n adds r5 = 1, r5\n adds r7 = 1, r7\n adds r8 = 1, r8 ;;\n}\n"
    "{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n";

/// Ends a watched run as a debugger does: the access is made, the processor stands behind it.
void step_over_watch(Core& core) {
  core.suspend_watches(true);
  CHECK(core.step() == StopReason::Budget);
  core.suspend_watches(false);
}

}  // namespace

TEST_CASE("a stop address names one instruction of a bundle", "[debug]") {
  NEEDS_ASSEMBLER();
  for (unsigned slot = 0; slot < 3; slot++) {
    BareMachine m;
    m.load(kCountingLoop);
    m.core().set_stop_addresses({(kCode + 0x30) | slot});
    REQUIRE(m.core().run(1000000) == StopReason::StopAddress);
    CHECK(m.regs().ip == kCode + 0x30);
    CHECK(m.regs().slot == slot);
    CHECK(m.regs().gr(4) == 100000);
    CHECK(m.regs().gr(5) == (slot > 0));
    CHECK(m.regs().gr(7) == (slot > 1));
    CHECK(m.regs().gr(8) == 0);
    CHECK(m.core().run(10) == StopReason::Budget);
    CHECK(m.regs().gr(8) == 1);
  }
}

TEST_CASE("instructions one after another may all be stop addresses", "[debug]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load(kCountingLoop);
  m.core().set_stop_addresses({kCode + 0x30, (kCode + 0x30) | 1, (kCode + 0x30) | 2});
  for (unsigned slot = 0; slot < 3; slot++) {
    REQUIRE(m.core().run(1000000) == StopReason::StopAddress);
    CHECK(m.regs().slot == slot);
  }
  CHECK(m.core().run(10) == StopReason::Budget);
}

TEST_CASE("code beside a stop address is translated as ever", "[debug]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  TranslatorOptions options = translator_choice(2);
  m.core().use_translator(options);
  m.load(kCountingLoop);
  m.core().set_stop_addresses({kCode + 0x30});
  REQUIRE(m.core().run(0) == StopReason::StopAddress);
  CHECK(m.regs().gr(4) == 100000);
  CHECK(m.core().translator_counters()->instructions > 290000);  // of 300000 in the loop
}

TEST_CASE("a stop address works in code that was translated before it came, and leaves nothing behind when it goes", "[debug]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.core().use_translator(translator_choice(2));
  m.load("top:\n{ .mii\n adds r4 = 1, r4\n adds r5 = 1, r5\n nop.i 0 ;;\n}\n{ .mib\n adds r6 = 1, r6\n nop.i 0\n br.cond.sptk top ;;\n}\n");
  REQUIRE(m.core().run(6000) == StopReason::Budget);
  m.core().set_stop_addresses({kCode | 1});
  for (unsigned n = 1; n <= 3; n++) {
    REQUIRE(m.core().run(6000) == StopReason::StopAddress);
    CHECK(m.regs().ip == kCode);
    CHECK(m.regs().slot == 1);
    CHECK(m.regs().gr(4) == 1000 + n);
    CHECK(m.regs().gr(5) == 1000 + n - 1);
  }
  m.core().set_stop_addresses({});
  const u64 before = m.core().translator_counters()->instructions;
  CHECK(m.core().run(60000) == StopReason::Budget);
  CHECK(m.core().translator_counters()->instructions - before > 59000);
}

TEST_CASE("a step executes one instruction", "[debug]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load(kCountingLoop);
  static constexpr u64 kPath[] = {1, 0x10, 0x11, 0x12, 0x20, 0x21, 0x22, 0x20};  // the long move is one instruction
  for (u64 at : kPath) {
    CHECK(m.core().step() == StopReason::Budget);
    CHECK((m.regs().ip | m.regs().slot) == kCode + at);
  }
}

TEST_CASE("a step that faults ends at the handler, and external interrupts wait for the next run", "[debug]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{ .mii\n adds r4 = 1, r4\n break.i 5\n nop.i 0 ;;\n}\n");
  m.core().set_psr(psr::kIc | psr::kI | psr::kBn);
  m.core().post_interrupt(DeliveryMode::Nmi, 0);
  CHECK(m.core().step() == StopReason::Budget);
  CHECK(m.regs().gr(4) == 1);
  CHECK(m.core().interruptions_taken() == 0);
  CHECK(m.core().step() == StopReason::Interruption);
  CHECK(m.regs().ip == BareMachine::kIva + 0x2c00);
  m.core().set_psr(psr::kIc | psr::kI | psr::kBn);
  CHECK(m.run_to_interruption().vector == Vector::ExternalInterrupt);
}

TEST_CASE("a watched store stops before it is done, others in the page do not stop", "[debug]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("top:\n{ .mmi\n st8 [r10] = r4\n st4 [r11] = r4\n adds r4 = 1, r4 ;;\n}\n{ .mib\n ld8 r12 = [r11]\n nop.i 0\n br.cond.sptk top ;;\n}\n");
  m.regs().set_gr(10, kData + 0x100);
  m.regs().set_gr(11, kData + 0x208);
  m.write64(kData + 0x208, 77);
  REQUIRE(m.core().run(6000) == StopReason::Budget);
  const u64 counted = m.regs().gr(4);
  m.core().set_watches({{.address = kData + 0x20a, .size_bytes = 1, .write = true}});
  for (u64 n = counted; n < counted + 3; n++) {
    REQUIRE(m.core().run(6000) == StopReason::Watch);
    CHECK(m.regs().ip == kCode);
    CHECK(m.regs().slot == 1);
    CHECK(m.core().watch_hit().ifa == kData + 0x208);
    CHECK((m.core().watch_hit().isr & (isr::kR | isr::kW)) == isr::kW);
    CHECK(m.read64(kData + 0x100) == n);
    CHECK(m.read64(kData + 0x208) == n - 1);
    step_over_watch(m.core());
    CHECK(m.regs().slot == 2);
    CHECK(m.read64(kData + 0x208) == n);
  }
  CHECK(m.core().interruptions_taken() == 0);
  m.core().set_watches({});
  CHECK(m.core().run(6000) == StopReason::Budget);
}

TEST_CASE("watched loads, speculative and advanced ones and semaphores stop; probes and prefetches do not", "[debug]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{ .mmi\n lfetch.fault [r10]\n probe.r r9 = r10, 0\n nop.i 0 ;;\n}\n"
         "{ .mmi\n ld4.s r4 = [r10]\n ld8.a r5 = [r10]\n nop.i 0 ;;\n}\n"
         "{ .mmi\n fetchadd8.acq r6 = [r10], 1\n ldfd f6 = [r10]\n nop.i 0 ;;\n}\n"
         "{ .mib\n nop.m 0\n nop.i 0\n br.cond.sptk . ;;\n}\n");
  constexpr u64 kReadWrite = 1 | 1 << 5 | 1 << 6 | 3 << 9;
  m.core().tlb().insert_data_register(0, 0, kReadWrite, 22 << 2);  // probes look there whatever PSR.dt says
  m.core().set_psr(psr::kBn);
  m.regs().set_gr(10, kData);
  m.core().set_watches({{.address = kData, .size_bytes = 8, .read = true}});
  static constexpr u64 kPlaces[] = {0x10, 0x11, 0x20, 0x21};
  for (u64 at : kPlaces) {
    REQUIRE(m.core().run(1000) == StopReason::Watch);
    CHECK((m.regs().ip | m.regs().slot) == kCode + at);
    step_over_watch(m.core());
  }
  CHECK(m.core().run(1000) == StopReason::Budget);
  CHECK(m.read64(kData) == 1);
}

TEST_CASE("a watch sees the register stack being stored", "[debug]") {
  NEEDS_ASSEMBLER();
  BareMachine m;
  m.load("{ .mib\n alloc r32 = ar.pfs, 0, 96, 0, 0\n nop.i 0\n nop.b 0 ;;\n}\n"
         "{ .mib\n adds r40 = 1234, r0\n nop.i 0\n br.call.sptk b0 = next ;;\n}\n"
         "next:\n{ .mib\n alloc r32 = ar.pfs, 0, 96, 0, 0\n nop.i 0\n br.cond.sptk . ;;\n}\n");
  const u64 r40 = BareMachine::kStack + 8 * 8;
  m.core().set_watches({{.address = r40, .size_bytes = 8, .write = true}});
  REQUIRE(m.core().run(1000) == StopReason::Watch);
  CHECK(m.regs().ip == kCode + 0x20);
  CHECK(m.core().watch_hit().ifa == r40);
  step_over_watch(m.core());
  CHECK(m.read64(r40) == 1234);
  CHECK(m.core().run(1000) == StopReason::Budget);
}
