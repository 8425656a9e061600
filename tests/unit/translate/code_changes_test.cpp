// Guests that make code: by stores with fc.i, by DMA, and more of it than the cache holds. Expected values by hand.
#include "tests/unit/translate/native_machine.h"

using namespace ia64;
using namespace ia64::test;
using cpu::StopReason;

namespace {

constexpr u64 kMade = 0x40000;

}  // namespace

TEST_CASE("a guest that writes a function, flushes it and calls it runs what it wrote", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  // Each round copies one of two functions, which add 1 or 100, to r8 and calls it there.
  m.load(R"(
{ .mii
  mov r14 = 0
  mov.i ar.lc = 99
  mov b6 = r8
}
top:
{ .mii
  ld8 r20 = [r9]
  tbit.nz p6, p7 = r22, 0
  adds r23 = 8, r8 ;;
}
{ .mmi
  st8 [r8] = r20
  adds r24 = 8, r9
  xor r9 = r9, r10 ;;
}
{ .mmi
  ld8 r21 = [r24] ;;
  st8 [r23] = r21
  nop.i 0 ;;
}
{ .mmi
  fc.i r8 ;;
  sync.i
  nop.i 0 ;;
}
{ .mib
  srlz.i
  nop.i 0
  br.call.sptk.few b0 = b6 ;;
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
.align 64
{ .mib
  adds r14 = 1, r14
  nop.i 0
  br.ret.sptk.few b0 ;;
}
{ .mib
  adds r14 = 100, r14
  nop.i 0
  br.ret.sptk.few b0 ;;
}
)");
  const u64 functions = BareMachine::kCode + 0x80;
  m.regs().cfm = cpu::Cfm{};
  m.regs().set_gr(8, kMade), m.regs().set_gr(9, functions), m.regs().set_gr(10, functions ^ (functions + 16));
  m.regs().set_gr(22, 0);
  m.run_to_interruption(1'000'000);
  CHECK(m.regs().gr(14) == 50 * 1 + 50 * 100);
}

TEST_CASE("code that DMA replaced is run the next time it is reached", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  const char* const kAdd[] = {"{ .mib\n adds r14 = 1, r14\n nop.i 0\n br.cloop.sptk.few . ;;\n}\n", "{ .mib\n adds r14 = 7, r14\n nop.i 0\n br.cloop.sptk.few . ;;\n}\n"};
  u64 expected = 0;
  m.regs().set_gr(14, 0);
  for (unsigned round = 0; round < 20; round++) {
    const auto bytes = assemble(kAdd[round % 2]);
    REQUIRE(bytes.size() >= 16);
    m.bus().write_bytes(kMade, bytes.data(), 16);
    m.regs().ip = kMade, m.regs().slot = 0, m.regs().lc = 49;
    REQUIRE(m.core().run(150) == StopReason::Budget);
    expected += 50 * (round % 2 ? 7 : 1);
    REQUIRE(m.regs().gr(14) == expected);
  }
}

TEST_CASE("a loop over two pages is one region, and runs what DMA wrote into its second page", "[jit]") {
  NEEDS_ASSEMBLER();
  NativeMachine m;
  constexpr u64 kSecondPage = kMade + 0x1000, kTop = kSecondPage - 16;
  const auto top = assemble("{ .mib\n adds r14 = 1, r14\n nop.i 0\n (p6) br.cond.spnt . + 32 ;;\n}\n");
  m.bus().write_bytes(kTop, top.data(), 16);
  const char* const kBottom[] = {"{ .mib\n adds r15 = 1, r15\n nop.i 0\n br.cloop.sptk.few . - 16 ;;\n}\n",
                                 "{ .mib\n adds r15 = 5, r15\n nop.i 0\n br.cloop.sptk.few . - 16 ;;\n}\n"};
  u64 r14 = 0, r15 = 0;
  m.regs().set_gr(14, 0), m.regs().set_gr(15, 0), m.regs().set_pr(6, false);
  for (unsigned round = 0; round < 24; round++) {
    const auto bytes = assemble(kBottom[round % 2]);
    REQUIRE(bytes.size() >= 16);
    m.bus().write_bytes(kSecondPage, bytes.data(), 16);
    m.regs().ip = kTop, m.regs().slot = 0, m.regs().lc = 1999;
    REQUIRE(m.core().run(2000 * 6) == StopReason::Budget);
    r14 += 2000, r15 += 2000 * (round % 2 ? 5 : 1);
    REQUIRE(m.regs().gr(14) == r14);
    REQUIRE(m.regs().gr(15) == r15);
  }
  const cpu::Optimisations on = translator_choice().optimisations;
  if (on.wide_regions && on.regions && on.native_branch) CHECK(m.core().translator_counters()->region_parts > m.core().translator_counters()->regions);
}

TEST_CASE("a guest that runs ever fresh code stays inside the cache", "[jit]") {
  NEEDS_ASSEMBLER();
  constexpr u64 kFirst = 0x200000, kBundles = 0x10000, kCacheBytes = 100'000, kLargestBlock = 100'000;
  cpu::TranslatorOptions options = translator_choice();
  options.cache_bytes = kCacheBytes;
  NativeMachine m(options);
  const auto bytes = assemble("{ .mii\n adds r14 = 1, r14\n adds r15 = 2, r15\n adds r16 = 3, r17 ;;\n}\n");
  REQUIRE(bytes.size() >= 16);
  for (u64 n = 0; n < kBundles; n++) m.bus().write_bytes(kFirst + n * 16, bytes.data(), 16);
  for (unsigned n = 14; n <= 16; n++) m.regs().set_gr(n, 0);
  for (u64 round = 1; round <= 3; round++) {
    m.regs().ip = kFirst, m.regs().slot = 0;
    REQUIRE(m.core().run(kBundles * 3) == StopReason::Budget);
    REQUIRE(m.regs().gr(14) == round * kBundles);
    REQUIRE(m.regs().gr(15) == 2 * round * kBundles);
  }
  const auto& c = *m.core().translator_counters();
  CHECK(c.flushes > 3);
  CHECK(c.code_bytes <= (c.flushes + 1) * (kCacheBytes + kLargestBlock));
}
