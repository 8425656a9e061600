// What may happen in the middle of a hot loop that lives in one region: interrupts, faults, single steps, breakpoints. Expected values by hand.
#include <algorithm>
#include <chrono>
#include <thread>

#include "cpu/sapic.h"
#include "tests/support/bare_machine.h"

using namespace ia64;
using namespace ia64::test;
using namespace ia64::cpu;

namespace {

constexpr u64 kDevice = u64{1} << 32, kUncached = u64{1} << 63;
constexpr u64 kTop = BareMachine::kCode, kOdd = kTop + 0x30;
constexpr u64 kRegionIsHot = 20'000;  ///< instructions after which every block of the loop has long been in a region

/// A loop of four blocks: r14 counts rounds, r15 takes 2 in even and 1 in odd ones, r10 counts finished rounds; r8 is the address of its load.
constexpr const char* kLoop = R"(
top:
{ .mii
  ld8 r8 = [r8]
  adds r14 = 1, r14 ;;
  tbit.nz p6, p7 = r14, 0 ;;
}
{ .mib
  nop.m 0
  nop.i 0
  (p6) br.cond.dptk odd ;;
}
{ .mib
  adds r15 = 2, r15
  nop.i 0
  br.cond.sptk next ;;
}
odd:
{ .mib
  adds r15 = 1, r15
  nop.i 0
  nop.b 0 ;;
}
next:
{ .mib
  adds r10 = 1, r10
  nop.i 0
  br.cloop.sptk.few top ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";

/// Stores r14 to [r9], counts interrupts in [r11], and returns.
constexpr const char* kHandler = R"(
{ .mmi
  mov r3 = cr.ivr
  st8 [r9] = r14, 8
  nop.i 0 ;;
}
{ .mmi
  srlz.d ;;
  nop.m 0
  nop.i 0 ;;
}
{ .mmi
  ld8 r2 = [r11] ;;
  adds r2 = 1, r2
  nop.i 0 ;;
}
{ .mmi
  mov cr.eoi = r0
  st8 [r11] = r2
  nop.i 0 ;;
}
{ .mib
  srlz.d
  nop.i 0
  rfi ;;
}
)";

/// The loop with its load at `address`, translated from its first execution on.
struct HotLoop : BareMachine {
  HotLoop(u64 address, u64 rounds) {
    core().use_translator(translator_choice());
    load(kLoop);
    load(kHandler, kIva + 0x3000);
    for (unsigned r : {10, 14, 15}) regs().set_gr(r, 0);
    regs().set_gr(8, address), regs().set_gr(9, kRecords), regs().set_gr(11, kCount);
    regs().lc = rounds - 1;
    core().set_psr(regs().psr | psr::kIc | psr::kI);
  }
  /// Runs until the loop has been hot for long. r8 points to itself.
  void warm_up() {
    write64(kCell, kCell);
    REQUIRE(core().run(kRegionIsHot) == StopReason::Budget);
    const Optimisations on = translator_choice().optimisations;
    if (on.regions && on.native_branch) CHECK(core().translator_counters()->regions > 0);
  }
  /// What r15 holds after `rounds` whole rounds.
  static u64 sum(u64 rounds) { return rounds + rounds / 2; }

  static constexpr u64 kCell = kData, kCount = kData + 0x100, kRecords = kData + 0x1000;
};

/// Posts an interrupt when it is read for the n-th time, for each n of a list; reads give its own address.
class PostingDevice final : public MmioRegion {
 public:
  PostingDevice(Core& core, std::vector<u64> when) : core_(core), when_(std::move(when)) {}
  AccessResult read(u64, unsigned, u64& value) override {
    value = kDevice | kUncached;
    if (std::find(when_.begin(), when_.end(), ++reads_) != when_.end()) core_.post_interrupt(DeliveryMode::Fixed, 0x50);
    return AccessResult::Ok;
  }
  AccessResult write(u64, unsigned, u64) override { return AccessResult::Ok; }

 private:
  Core& core_;
  std::vector<u64> when_;
  u64 reads_ = 0;
};

}  // namespace

TEST_CASE("an interrupt that a device posts in a hot loop is taken within that round", "[jit][interrupt]") {
  NEEDS_ASSEMBLER();
  const std::vector<u64> when = {1, 500, 501, 1002, 2500, 4000};
  HotLoop m(kDevice | kUncached, u64{1} << 40);
  PostingDevice device(m.core(), when);
  m.bus().add_mmio(kDevice, 4096, &device, "poster");
  REQUIRE(m.core().run(50'000) == StopReason::Budget);
  CHECK(m.core().translator_counters()->instructions > 30'000);
  REQUIRE(m.read64(HotLoop::kCount) == when.size());
  for (size_t n = 0; n < when.size(); n++) {
    INFO("posted in round " << when[n]);
    const u64 taken = m.read64(HotLoop::kRecords + n * 8);
    CHECK((taken == when[n] || taken == when[n] - 1));
  }
}

TEST_CASE("no interrupt of another thread is lost in a hot loop", "[jit][interrupt]") {
  NEEDS_ASSEMBLER();
  constexpr u64 kPosts = 2000;
  using namespace std::chrono;
  HotLoop m(HotLoop::kCell, u64{1} << 60);
  m.warm_up();
  m.regs().set_gr(9, HotLoop::kRecords);
  auto* taken = reinterpret_cast<volatile u64*>(m.bus().host_ptr(HotLoop::kCount, true));
  std::vector<nanoseconds> delays;
  std::thread poster([&] {
    const auto give_up = steady_clock::now() + minutes(2);
    for (u64 n = 1; n <= kPosts && steady_clock::now() < give_up; n++) {
      const auto pause_end = steady_clock::now() + nanoseconds(n % 97 * 100);
      while (steady_clock::now() < pause_end) {
      }
      const auto posted = steady_clock::now();
      m.core().post_interrupt(DeliveryMode::Fixed, 0x50);
      while (*taken < n && steady_clock::now() < give_up) {
      }
      delays.push_back(steady_clock::now() - posted);
    }
    m.core().request_stop();
  });
  CHECK(m.core().run(0) == StopReason::Requested);
  poster.join();
  CHECK(m.read64(HotLoop::kCount) == kPosts);
  CHECK(m.regs().gr(10) + 1 >= m.regs().gr(14));
  std::sort(delays.begin(), delays.end());
  std::printf("interrupt to handler in a hot loop: median %.1f us, 99 of 100 under %.1f us, longest %.1f us\n", delays[delays.size() / 2].count() / 1e3,
              delays[delays.size() * 99 / 100].count() / 1e3, delays.back().count() / 1e3);
}

TEST_CASE("a fault in a later round of a hot loop reports that round", "[jit]") {
  NEEDS_ASSEMBLER();
  constexpr u64 kGood = 1501;
  HotLoop m(HotLoop::kCell, 5000);
  m.regs().psr |= psr::kAc;
  // Cells in a row, each pointing to the next; the last of them to an address that is not aligned.
  for (u64 n = 0; n < kGood; n++) m.write64(HotLoop::kCell + n * 8, n + 1 < kGood ? HotLoop::kCell + (n + 1) * 8 : HotLoop::kCell + 3);
  const auto record = m.run_to_interruption();
  CHECK(record.vector == Vector::UnalignedReference);
  CHECK(record.iip == kTop);
  CHECK(record.ifa == HotLoop::kCell + 3);
  CHECK((m.regs().ipsr >> 41 & 3) == 0);
  CHECK(m.regs().gr(8) == HotLoop::kCell + 3);
  CHECK(m.regs().gr(14) == kGood);
  CHECK(m.regs().gr(10) == kGood);
  CHECK(m.regs().gr(15) == HotLoop::sum(kGood));
  CHECK(m.regs().lc == 4999 - kGood);
}

TEST_CASE("a single step out of a hot loop does one instruction", "[jit]") {
  NEEDS_ASSEMBLER();
  HotLoop m(HotLoop::kCell, u64{1} << 40);
  m.warm_up();
  m.core().set_psr(m.regs().psr | psr::kSs);
  const u64 before = m.core().slots_retired(), ip = m.regs().ip;
  const unsigned slot = m.regs().slot;
  const auto record = m.run_to_interruption();
  CHECK(record.vector == Vector::SingleStep);
  CHECK(m.core().slots_retired() == before + 1);
  CHECK(record.iipa == ip);
  CHECK((record.isr >> 41 & 3) == slot);
}

TEST_CASE("an instruction breakpoint set on a hot loop hits in the next round, in front of the bundle", "[jit]") {
  NEEDS_ASSEMBLER();
  HotLoop m(HotLoop::kCell, u64{1} << 40);
  m.regs().ibr[0] = kOdd;
  m.regs().ibr[1] = bit(63) | 0xful << 56 | 0x00ff'ffff'ffff'fff0;
  m.warm_up();
  while (m.regs().ip == kOdd) m.core().run(1);
  const u64 rounds = m.regs().gr(10);
  m.core().set_psr(m.regs().psr | psr::kDb);
  const auto record = m.run_to_interruption();
  CHECK(record.vector == Vector::Debug);
  CHECK(record.iip == kOdd);
  CHECK((m.regs().ipsr >> 41 & 3) == 0);
  CHECK(m.regs().gr(14) % 2 == 1);
  CHECK(m.regs().gr(14) - rounds <= 3);
  CHECK(m.regs().gr(15) == HotLoop::sum(m.regs().gr(14) - 1));
}
