// Loops whose accesses go through access sites, while pages change under them. Expected values by hand.
#include "cpu/mmu/tlb.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using cpu::Vector;

namespace {

constexpr u64 kPhys = BareMachine::kData, kOther = 0x300000, kDevice = BareMachine::kRamBytes;
constexpr u64 kRegion = u64{1} << 61;
constexpr u64 kVa = kRegion | u64{0x4000'0000};  // aligned for all pages

constexpr u64 pte(u64 phys, u64 ma = 0) { return 1 | ma << 2 | 1 << 5 | 1 << 6 | u64{2} << 9 | phys; }
constexpr u64 itir(u64 ps) { return ps << 2; }

struct Device final : MmioRegion {
  AccessResult read(u64, unsigned, u64& value) override { return reads++, value = 5, AccessResult::Ok; }
  AccessResult write(u64, unsigned, u64) override { return writes++, AccessResult::Ok; }
  unsigned reads = 0, writes = 0;
};

/// Data accesses are translated, code is fetched physically. Two pages of words: 1 at kPhys, 1000 at kOther.
struct SiteMachine : BareMachine {
  SiteMachine() {
    core().use_translator(translator_choice());
    regs().psr |= cpu::psr::kDt;
    regs().cfm = cpu::Cfm{};
    map(kVa, kPhys, 12);
    for (u64 n = 0; n < 0x10000; n += 8) write64(kPhys + n, 1), write64(kOther + n, 1000);
    regs().set_gr(3, 0), regs().set_gr(8, kVa), regs().set_gr(9, kVa);
  }
  void map(u64 va, u64 phys, u64 ps, u64 ma = 0) { core().tlb().insert_data(va, pte(phys, ma), itir(ps)); }
  cpu::InterruptionRecord run_to_break() { return run_to_interruption(1'000'000); }
  /// Whether generated code has used sites.
  bool used_sites() { return core().fast_tlb().sites().filled() || std::getenv("IVM_NO_OPT"); }
};

/// r11 rounds of `between` behind a loop that adds up 16 words from r9 on to r3; r12 and r13 change places in each.
std::string summing_loop(const char* between) {
  return std::string(R"(
outer:
{ .mii
  mov r8 = r9
  mov.i ar.lc = 15
  adds r11 = -1, r11 ;;
}
inner:
{ .mmi
  ld8 r15 = [r8], 8 ;;
  add r3 = r3, r15
  nop.i 0
}
{ .mib
  nop.m 0
  nop.i 0
  br.cloop.sptk.few inner ;;
}
{ .mii
  xor r12 = r12, r13
  cmp.eq p6, p7 = 0, r11
  nop.i 0 ;;
}
{ .mmi
  xor r13 = r12, r13 ;;
  xor r12 = r12, r13
  nop.i 0 ;;
}
)") + between + R"(
{ .mib
  nop.m 0
  nop.i 0
  (p7) br.cond.sptk.few outer ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";
}

}  // namespace

TEST_CASE("a page that is mapped elsewhere between two rounds is seen elsewhere", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const unsigned ps : {12, 14, 16, 18, 20}) {
    SiteMachine m;
    m.core().tlb().insert_data(kVa, pte(kPhys), itir(ps));
    m.load(summing_loop(R"(
{ .mmi
  ptc.l r9, r14 ;;
  srlz.d
  nop.i 0 ;;
}
{ .mmi
  mov cr.ifa = r9
  mov cr.itir = r14
  nop.i 0 ;;
}
{ .mmi
  itc.d r12 ;;
  srlz.d
  nop.i 0 ;;
}
)"));
    m.regs().set_gr(11, 50), m.regs().set_gr(14, itir(ps));
    m.regs().set_gr(12, pte(kPhys)), m.regs().set_gr(13, pte(kOther));
    m.run_to_break();
    CHECK(m.regs().gr(3) == 25 * 16 * 1001);
  }
}

TEST_CASE("a page that is purged between two rounds faults, whatever the size of the purge", "[jit]") {
  NEEDS_ASSEMBLER();
  for (const unsigned ps : {12, 14, 20, 24, 28}) {
    SiteMachine m;
    m.regs().set_gr(11, 30), m.regs().set_gr(13, 0), m.regs().set_gr(14, itir(ps)), m.regs().set_gr(12, 0);
    m.load(summing_loop(R"(
{ .mmi
  cmp.eq p8, p9 = 10, r11 ;;
  (p8) ptc.l r9, r14
  nop.i 0 ;;
}
{ .mmi
  srlz.d
  nop.m 0
  nop.i 0 ;;
}
)"));
    m.regs().psr |= cpu::psr::kIc;
    const auto record = m.run_to_break();
    CHECK(record.vector == Vector::AlternateDataTlb);
    CHECK(record.ifa == kVa);
    CHECK(m.regs().gr(3) == 20 * 16);
    CHECK(m.regs().gr(11) == 9);
  }
}

TEST_CASE("address spaces that alternate between rounds keep their own pages", "[jit]") {
  NEEDS_ASSEMBLER();
  SiteMachine m;
  const u64 one = u64{12} << 2 | u64{0x111} << 8, other = u64{12} << 2 | u64{0x222} << 8;
  m.core().tlb().write_rr(1, other);
  m.map(kVa, kOther, 12);
  m.core().tlb().write_rr(1, one);
  m.map(kVa, kPhys, 12);
  m.load(summing_loop(R"(
{ .mmi
  mov rr[r9] = r12 ;;
  srlz.d
  nop.i 0 ;;
}
)"));
  m.regs().set_gr(11, 50), m.regs().set_gr(12, one), m.regs().set_gr(13, other);
  m.run_to_break();
  CHECK(m.regs().gr(3) == 25 * 16 * 1001);
}

TEST_CASE("translated and physical accesses of one loop keep their own pages", "[jit]") {
  NEEDS_ASSEMBLER();
  SiteMachine m;
  constexpr u64 kLow = kOther;  // the address of other memory when it is not translated
  m.map(kLow, kPhys, 12);
  m.load(summing_loop(R"(
{ .mii
  nop.m 0
  tbit.nz p8, p9 = r12, 0
  nop.i 0 ;;
}
{ .mmi
  (p8) rsm 0x20000
  (p9) ssm 0x20000
  nop.i 0 ;;
}
{ .mmi
  srlz.d
  nop.m 0
  nop.i 0 ;;
}
)"));
  m.regs().set_gr(9, kLow), m.regs().set_gr(11, 50), m.regs().set_gr(12, 0), m.regs().set_gr(13, 1);
  m.run_to_break();
  CHECK(m.regs().gr(3) == 25 * 16 * 1001);
}

TEST_CASE("a loop that accesses another page each round is translated again without its site", "[jit]") {
  NEEDS_ASSEMBLER();
  SiteMachine m;
  for (u64 n = 0; n < 16; n++) m.map(kVa + n * 0x1000, kPhys + n * 0x1000, 12);
  m.load(R"(
top:
{ .mmi
  ld8 r15 = [r8], r10 ;;
  add r3 = r3, r15
  adds r11 = -1, r11
}
{ .mii
  st8 [r9] = r11
  dep r8 = r8, r9, 0, 16
  cmp.eq p6, p7 = 0, r11 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  (p7) br.cond.sptk.few top ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)");
  m.regs().set_gr(10, 0x1008), m.regs().set_gr(11, 20000);
  m.run_to_break();
  // Every 8192 rounds r8 is back at its first word, and each word but that one is 1: it holds what was stored the round before.
  u64 sum = 0;
  for (u64 round = 0, at = 0; round < 20000; round++, at = (at + 0x1008) & 0xffff) sum += at ? 1 : round ? 20000 - round : 1;
  CHECK(m.regs().gr(3) == sum);
  CHECK((m.core().translator_counters()->thinned > 0 || std::getenv("IVM_NO_OPT")));
}

TEST_CASE("a loop walks from memory into a device and back", "[jit]") {
  NEEDS_ASSEMBLER();
  SiteMachine m;
  Device device;
  m.bus().add_mmio(kDevice, 4096, &device, "device");
  m.map(kVa, kPhys, 12), m.map(kVa + 0x1000, kDevice, 12, 4), m.map(kVa + 0x2000, kOther, 12);
  m.load(R"(
{ .mii
  nop.m 0
  mov.i ar.lc = r11
  nop.i 0 ;;
}
top:
{ .mmi
  ld8 r15 = [r8] ;;
  st8 [r8] = r15, 8
  add r3 = r3, r15 ;;
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
)");
  m.regs().set_gr(8, kVa + 0x800), m.regs().set_gr(11, 256 + 512 + 256 - 1);
  m.run_to_break();
  CHECK(device.reads == 512);
  CHECK(device.writes == 512);
  CHECK(m.used_sites());
  CHECK(m.regs().gr(3) == 256 + 512 * 5 + 256 * 1000);
}

TEST_CASE("a word across the end of a page faults in a loop that has the page", "[jit]") {
  NEEDS_ASSEMBLER();
  SiteMachine m;
  m.map(kVa + 0x1000, kOther, 12);
  m.load(R"(
top:
{ .mmi
  ld8 r15 = [r8], 12 ;;
  add r3 = r3, r15
  adds r8 = -4, r8
}
{ .mmi
  nop.m 0 ;;
  cmp.eq p6, p7 = r8, r10
  nop.i 0 ;;
}
{ .mib
  (p6) adds r8 = -4, r8
  nop.i 0
  br.cond.sptk.few top ;;
}
)");
  m.regs().psr |= cpu::psr::kIc;
  m.regs().set_gr(10, kVa + 0x1000);
  const auto record = m.run_to_break();
  CHECK(record.vector == Vector::UnalignedReference);
  CHECK(record.ifa == kVa + 0xffc);
  CHECK(m.regs().gr(3) == 512);
}

TEST_CASE("a store through a site to a page that holds code by then is noticed", "[jit]") {
  NEEDS_ASSEMBLER();
  SiteMachine m;
  // The loops write zeros, then copies of the bundle that is called behind them: it adds 1 to r14 in some rounds, 100 in others.
  constexpr u64 kMade = kOther, kFunctions = 0x18000;
  m.load(R"(
outer:
{ .mii
  mov r8 = r9
  mov.i ar.lc = 99
  adds r11 = -1, r11 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.sptk.few inner ;;
}
inner:
{ .mmi
  st8 [r8] = r0, -8
  nop.m 0
  nop.i 0
}
{ .mib
  nop.m 0
  nop.i 0
  br.cloop.sptk.few inner ;;
}
{ .mmi
  ld8 r20 = [r12], 8 ;;
  ld8 r21 = [r12], -8
  mov.i ar.lc = 39 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.sptk.few write ;;
}
write:
{ .mmi
  st8 [r8] = r20, 8
  mov r22 = r20
  nop.i 0 ;;
}
{ .mib
  mov r20 = r21
  mov r21 = r22
  br.cloop.sptk.few write ;;
}
{ .mmi
  xor r12 = r12, r13
  srlz.i
  cmp.eq p6, p7 = 0, r11 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  br.call.sptk.few b0 = b6 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  (p7) br.cond.sptk.few outer ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)");
  m.load(R"(
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
)", kFunctions);
  m.map(kVa, kMade, 12), m.map(kVa + 0x1000, kFunctions, 12);
  m.regs().set_gr(9, kVa + 0x400), m.regs().br[6] = kMade + 0x400 - 100 * 8;
  m.regs().set_gr(11, 50), m.regs().set_gr(12, kVa + 0x1000), m.regs().set_gr(13, 16), m.regs().set_gr(14, 0);
  m.run_to_break();
  CHECK(m.regs().gr(14) == 25 * 101);
}
