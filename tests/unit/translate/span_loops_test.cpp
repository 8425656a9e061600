// Loops with rounds without look-ups, over pages that do not lie next to each other. The interpreter is the oracle.
#include <fmt/format.h>

#include "cpu/arch/register_differences.h"
#include "cpu/mmu/tlb.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using cpu::Vector;

namespace {

constexpr u64 kPhys = BareMachine::kData, kVa = u64{1} << 61 | u64{0x4000'0000};
constexpr unsigned kPages = 8;

/// Eight pages that lie in memory in the opposite order, the last one for reading only.
void prepare(BareMachine& m) {
  m.regs().psr |= cpu::psr::kDt | cpu::psr::kIc;
  m.regs().cfm = cpu::Cfm{};
  for (u64 n = 0; n < kPages; n++) {
    const u64 rights = n == kPages - 1 ? 0 : 2;
    m.core().tlb().insert_data(kVa + n * 0x1000, 1 | 1 << 5 | 1 << 6 | rights << 9 | (kPhys + (kPages - 1 - n) * 0x1000), u64{12} << 2);
  }
  for (u64 n = 0; n < kPages * 0x1000; n += 8) m.write64(kPhys + n, (n + 1) * 0x9e3779b97f4a7c15);
}

struct Walk {
  const char *load, *store;  ///< instructions with a base and its step
  u64 from, to;              ///< offsets of the bases at the start
  u64 rounds;
  const char* third = "nop.i 0";  ///< beside the store; r10 begins where r9 does
};

/// Rounds that read with r8, write with r9 and add up in r3, LC + 1 times.
std::string loop(const Walk& w) {
  return fmt::format(R"(
{{ .mii
  nop.m 0
  mov.i ar.lc = r11
  nop.i 0 ;;
}}
top:
{{ .mmi
  {} ;;
  add r3 = r3, r15
  nop.i 0 ;;
}}
{{ .mib
  {}
  {}
  br.cloop.sptk.few top ;;
}}
{{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}}
)", w.load, w.store, w.third);
}

cpu::InterruptionRecord run(BareMachine& m, const Walk& w) {
  prepare(m);
  m.load(loop(w));
  m.regs().set_gr(8, kVa + w.from), m.regs().set_gr(9, kVa + w.to), m.regs().set_gr(10, kVa + w.to), m.regs().set_gr(11, w.rounds - 1), m.regs().set_gr(3, 0), m.regs().set_gr(15, 0);
  return m.run_to_interruption(1'000'000);
}

}  // namespace

TEST_CASE("loops walk over pages in all directions and steps", "[jit]") {
  NEEDS_ASSEMBLER();
  const Walk walks[] = {
      {"ld8 r15 = [r8], 8", "st8 [r9] = r3, 8", 0, 0x2008, 2000},
      {"ld1 r15 = [r8], 1", "st1 [r9] = r3, 1", 5, 0x2fff, 9000},
      {"ld8 r15 = [r8], -8", "st8 [r9] = r3, -8", 0x5ff8, 0x3000, 1500},
      {"ld4 r15 = [r8], 12", "st2 [r9] = r3, -6", 0x10, 0x6ffe, 2000},
      {"ld8 r15 = [r8], 40", "st8 [r9] = r3, 56", 0, 0x1000, 400},
      {"ld2.s r15 = [r8], -10", "st4 [r9] = r3, 0", 0x7ffe, 0x1ffc, 3000},
      {"ld8 r15 = [r8], 8", "st8 [r8] = r3, -16", 0x6000, 0, 2000},   // one base, both ways
      {"ld8 r15 = [r8], -8", "st8 [r8] = r3, 16", 0xff0, 0, 2500},
      {"ld8 r15 = [r8], 64", "st1 [r9] = r3, -64", 0, 0x6fc1, 400},
      {"ld8 r15 = [r8]", "mov r8 = r10", 0x4000, 0x10, 2000, "adds r10 = 8, r10"},  // from the second round on where r10 was
      {"ld1 r15 = [r8]", "adds r8 = -3, r10", 0, 0x7ffe, 9000, "adds r10 = -2, r10"},
  };
  for (const Walk& w : walks) {
    CAPTURE(w.load, w.store);
    BareMachine translated, interpreted;
    translated.core().use_translator(translator_choice());
    CHECK(run(translated, w).vector == Vector::BreakInstruction);
    CHECK(run(interpreted, w).vector == Vector::BreakInstruction);
    CHECK(cpu::register_differences(interpreted.regs(), translated.regs()) == "");
    CHECK(translated.core().slots_retired() == interpreted.core().slots_retired());
    for (u64 n = 0; n < kPages * 0x1000; n += 8)
      if (translated.read64(kPhys + n) != interpreted.read64(kPhys + n)) FAIL("memory differs at " << n);
    const auto& on = translator_choice().optimisations;
    if (on.span_loops && on.regions) CHECK(translated.core().translator_counters()->span_loops > 0);
  }
}

TEST_CASE("a loop faults where its page ends or allows no write", "[jit]") {
  NEEDS_ASSEMBLER();
  const struct {
    Walk walk;
    Vector vector;
    u64 address;
  } cases[] = {
      {{"ld8 r15 = [r8], 8", "st8 [r9] = r3, 8", 0x1000, 0x5000, 5000}, Vector::DataAccessRights, kVa + 0x7000},
      {{"ld8 r15 = [r8], 8", "st8 [r9] = r3, -8", 0x1000, 0x4000, 5000}, Vector::AlternateDataTlb, kVa - 8},
      {{"ld4 r15 = [r8], 4", "st1 [r9] = r3, 0", 0x7000, 0x100, 5000}, Vector::AlternateDataTlb, kVa + 0x8000},
  };
  for (const auto& c : cases) {
    CAPTURE(c.walk.load, c.walk.store);
    BareMachine translated, interpreted;
    translated.core().use_translator(translator_choice());
    const auto first = run(translated, c.walk), second = run(interpreted, c.walk);
    CHECK(first.vector == c.vector);
    CHECK(first.ifa == c.address);
    CHECK(first.iip == second.iip);
    CHECK(cpu::register_differences(interpreted.regs(), translated.regs()) == "");
    CHECK(translated.core().slots_retired() == interpreted.core().slots_retired());
  }
}

namespace {

/// Counts in r3 the zero bytes from r8 on until it is at r12, and adds up in r4 where in its word each was: an inner loop looks for the next.
const char* const kSearch = R"(
{ .mii
  ld8 r21 = [r8], 8
  nop.i 0
  nop.i 0 ;;
}
start:
{ .mib
  adds r3 = 1, r3
  nop.i 0
  br.few top ;;
}
top:
{ .mmi
  ld8.s r22 = [r8], 8
  nop.m 0
  czx1.r r20 = r21 ;;
}
{ .mib
  cmp.eq p0, p6 = 8, r20
  nop.i 0
  (p6) br.cond.spnt.few found ;;
}
{ .mib
  mov r21 = r22
  nop.i 0
  br.few top ;;
}
found:
{ .mii
  add r4 = r4, r20
  mov r21 = r22
  nop.i 0 ;;
}
{ .mib
  cmp.ltu p7, p0 = r8, r12
  nop.i 0
  (p7) br.cond.sptk.few start ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";

/// Compares r23 words at r8 with those at r9, which differ by a shift of r28 bits, as a rotating loop in several stages.
const char* const kCompare = R"(
{ .mmi
  alloc r2 = ar.pfs, 0, 40, 0, 40
  mov r15 = r8
  mov pr.rot = 0x10000 ;;
}
{ .mii
  adds r23 = -1, r23
  mov.i ar.ec = 7
  nop.i 0 ;;
}
{ .mii
  ld8 r33 = [r9], 8
  mov.i ar.lc = r23
  nop.i 0 ;;
}
top:
{ .mmi
  (p16) ld8 r32 = [r9], 8
  (p16) ld8 r36 = [r15], 8
  (p18) shr.u r43 = r35, r29
}
{ .mii
  nop.m 0
  (p18) shl r47 = r34, r28
  (p22) cmp.eq p0, p6 = r42, r52
}
{ .mbb
  (p21) or r51 = r46, r50
  (p6) br.cond.spnt.few differ
  br.ctop.sptk.few top ;;
}
differ:
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";

struct Difference {
  std::string text;
  u64 slots = 0;
};

Difference run_both(const char* program, void (*fill)(BareMachine&)) {
  BareMachine translated, interpreted;
  translated.core().use_translator(translator_choice(2));
  Vector vector[2];
  unsigned n = 0;
  for (BareMachine* m : {&translated, &interpreted}) {
    prepare(*m);
    m->load(program);
    for (unsigned r = 3; r < 32; r++) m->regs().set_gr(r, 0);
    fill(*m);
    vector[n++] = m->run_to_interruption(1'000'000).vector;
  }
  CHECK(vector[0] == Vector::BreakInstruction);
  CHECK(vector[1] == Vector::BreakInstruction);
  CHECK(translated.core().slots_retired() == interpreted.core().slots_retired());
  const auto& on = translator_choice().optimisations;
  if (on.span_loops && on.regions && on.rotating_loops && on.native_rotation) CHECK(translated.core().translator_counters()->span_loops > 0);
  return {cpu::register_differences(interpreted.regs(), translated.regs()), interpreted.core().slots_retired()};
}

/// Writes behind a virtual address: the pages lie in the opposite order.
void write8(BareMachine& m, u64 offset, u8 value) { m.bus().write(kPhys + (kPages - 1 - offset / 0x1000) * 0x1000 + offset % 0x1000, 1, value); }

}  // namespace

TEST_CASE("a loop that leaves for another block of its region finds every zero byte", "[jit]") {
  NEEDS_ASSEMBLER();
  const auto fill = [](BareMachine& m) {
    for (u64 n = 0; n < kPages * 0x1000; n += 8) m.write64(kPhys + n, 0x0101'0101'0101'0101);
    for (u64 at = 3, gap = 1; at < 0x7000; at += gap, gap = gap * 5 % 379 + 8) write8(m, at, 0);
    m.regs().set_gr(8, kVa), m.regs().set_gr(12, kVa + 0x6f00);
  };
  const Difference d = run_both(kSearch, fill);
  CHECK(d.text == "");
  CHECK(d.slots > 0x7000 / 8 * 5);
}

TEST_CASE("a rotating loop compares shifted words up to each first difference", "[jit]") {
  NEEDS_ASSEMBLER();
  static u64 differs_at;
  const auto fill = [](BareMachine& m) {
    m.regs().cfm = cpu::Cfm{};
    for (u64 n = 0; n < 0x2000; n++) {
      const u8 byte = static_cast<u8>(n * 7 + (n >> 8) * 3);
      write8(m, 0x0ff8 + n, byte);
      if (n >= 3) write8(m, 0x3ff0 + n - 3, byte);
    }
    write8(m, 0x3ff0 + differs_at, 0xff), write8(m, 0x3ff0 + differs_at + 1, 0xfe);
    m.regs().set_gr(8, kVa + 0x3ff0), m.regs().set_gr(9, kVa + 0x0ff8), m.regs().set_gr(23, 1000);
    m.regs().set_gr(29, 24), m.regs().set_gr(28, 40);
  };
  for (u64 word : {1, 40, 41, 42, 43, 44, 45, 500, 513, 700, 1023}) {
    CAPTURE(word);
    differs_at = word * 8 + 2;
    CHECK(run_both(kCompare, fill).text == "");
  }
}
