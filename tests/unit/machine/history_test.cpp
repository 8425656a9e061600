// Going back in a run of counted time: to every instruction, over interrupts, single steps and memory, with few checkpoints left.
#include "machine/history/history.h"

#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "cpu/core_checkpoint.h"
#include "cpu/jit/options.h"
#include "cpu/sapic.h"
#include "machine/history/shown_once.h"
#include "machine/icount/counted_run.h"
#include "machine/icount/state_hash.h"
#include "tests/unit/machine/timed_guest.h"

using namespace ia64;
using namespace ia64::machine;
using namespace ia64::test::timed_guest;
using cpu::StopReason;

namespace {

constexpr u64 kPeriod = 7'777, kRounds = 10'000;

// Each round stores a sum of times in the next of 4096 words.
constexpr const char* kProgram = R"(
top:
{ .mii
  mov.m r15 = ar.itc
  add r14 = 1, r14
  nop.i 0 ;;
}
{ .mii
  nop.m 0
  add r16 = r16, r15
  dep r20 = r14, r0, 3, 12 ;;
}
{ .mmi
  add r20 = r8, r20 ;;
  st8 [r20] = r16
  nop.i 0
}
{ .mib
  nop.m 0
  nop.i 0
  br.cloop.sptk.few top ;;
}
{ .mii
  nop.m 0
  mov b6 = r9
  nop.i 0 ;;
}
{ .bbb
  br.sptk.few b6
  nop.b 0
  nop.b 0 ;;
}
)";

struct RigMoment final : Moment {
  cpu::CoreCheckpoint core;
  std::vector<u8> state;
  u64 now_ns = 0, tick_ns = 0;
};

/// A processor with a timer beside it that interrupts.
struct Rig final : Repeatable {
  std::vector<GuestMemory> ram;
  VirtualClock clock;
  AddressSpace bus;
  StopGate gate;
  std::unique_ptr<cpu::Core> core;
  std::optional<CountedRun> counted;
  storage::UndoJournal disks;
  std::optional<History> history;
  std::set<u64> stops;
  u64 tick_ns = 0, pages_changed = 0;
  Clock::TimerId timer = 0;
  bool rests = true;
  int pieces_until_called_off = -1;

  explicit Rig(bool translate, History::Limits limits = {}) {
    ram.push_back(std::move(*GuestMemory::map(kRamBytes)));
    bus.add_ram(0, kRamBytes, ram[0].data(), "ram");
    core = std::make_unique<cpu::Core>(cpu::CoreWires{.bus = &bus, .clock = &clock, .itc_hz = kHz});
    cpu::TranslatorOptions options;
    options.threshold = 1;
    if (translate) core->use_translator(options);
    counted.emplace(*core, clock, gate, nullptr);
    load(bus, *core, kProgram, kRounds);
    counted->powered_on();
    tick(kPeriod);
    history.emplace(*this, ram, disks, limits);
  }
  void tick(u64 at_ns) {
    if (timer) clock.cancel(timer);
    tick_ns = at_ns;
    timer = clock.schedule(at_ns, [this] {
      timer = 0;
      counted->post(DeliveryMode::Fixed, 0x40);
      tick(tick_ns + kPeriod);
    });
  }
  std::string registers() { return state_hash(core->regs(), {}, {}); }
  std::string everything() {
    const firmware::MemoryRange range{0, kRamBytes};
    return state_hash(core->regs(), {&range, 1}, ram);
  }
  void set_stops(std::vector<u64> at) {
    stops = {at.begin(), at.end()};
    core->set_stop_addresses(std::move(at));
  }
  /// As a machine runs while it keeps a history.
  StopReason go(u64 slots = CountedRun::kNoLimit) {
    const u64 end = slots == CountedRun::kNoLimit ? slots : core->slots_retired() + slots;
    for (;;) {
      if (!history->due_in_slots()) history->keep();
      const u64 left = end - core->slots_retired();
      if (const StopReason reason = counted->run(std::min(history->due_in_slots(), left)); reason != StopReason::Budget) return reason;
      if (core->slots_retired() >= end) return StopReason::Budget;
    }
  }
  void single_step() {
    const Position before = position();
    REQUIRE(counted->step() == StopReason::Budget);
    history->stepped(before);
  }

  Position position() override { return {core->slots_retired(), core->interruptions_taken(), clock.now_ns()}; }
  bool at_rest() override { return rests; }
  std::unique_ptr<Moment> set_aside() override {
    auto m = std::make_unique<RigMoment>();
    m->core.take(*core);
    StateArchive a;
    a(core->sapic(), *counted);
    m->state = a.saved(), m->now_ns = clock.now_ns(), m->tick_ns = tick_ns;
    return m;
  }
  Result<void> let_go(const Moment& moment) override { return clock.set_now(static_cast<const RigMoment&>(moment).now_ns), Result<void>(); }
  Result<void> take_up(const Moment& moment) override {
    const auto& m = static_cast<const RigMoment&>(moment);
    m.core.restore(*core);
    StateArchive a{std::span<const u8>(m.state)};
    a(core->sapic(), *counted);
    tick(m.tick_ns);
    return {};
  }
  void page_changed(size_t, u64 offset) override {
    pages_changed++;
    bus.code_written(offset, 4096);
  }
  StopReason run(u64 slots) override { return counted->advance(slots); }
  StopReason run_once() override { return counted->advance_once(); }
  StopReason step_held() override { return counted->step(); }
  bool at_stop_address(DebugStop& stop) override {
    stop = {.why = DebugStop::Why::StopAddress, .address = core->regs().ip | core->regs().slot};
    return stops.contains(stop.address);
  }
  DebugStop watch_hit() override { return {.why = DebugStop::Why::Watch, .address = core->watch_hit().ifa}; }
  void suspend_watches(bool on) override { core->suspend_watches(on); }
  bool called_off() override { return pieces_until_called_off >= 0 && pieces_until_called_off-- == 0; }
};

/// Registers at every place that a run from power-on comes by, by the places' counts of instructions and interruptions.
std::map<std::pair<u64, u64>, std::string> course(u64 slots) {
  Rig rig(false);
  std::map<std::pair<u64, u64>, std::string> out;
  while (rig.core->slots_retired() <= slots) {
    out[{rig.core->slots_retired(), rig.core->interruptions_taken()}] = rig.registers();
    rig.counted->advance_once();
  }
  return out;
}

#define NEEDS_ASSEMBLER() \
  if (!ia64::test::have_assembler()) SKIP_TEST("ia64-linux-gnu-as is not installed")

}  // namespace

TEST_CASE("history: one instruction back is the place before, over interrupts and quanta", "[history]") {
  NEEDS_ASSEMBLER();
  const auto reference = course(61'000);
  REQUIRE(reference.size() > 61'000);
  for (const bool translate : {false, true})
    for (const u64 interval : {100u, 4'000u, 1'000'000u}) {
      Rig rig(translate, {.interval_slots = interval});
      for (const u64 stretch : {40'000u, 20'200u}) {
        REQUIRE(rig.go(stretch) == StopReason::Budget);
        auto here = reference.find({rig.core->slots_retired(), rig.core->interruptions_taken()});
        // The last stretch goes back over the interrupt behind 54439 instructions and others, and over the ends of quanta.
        for (unsigned n = 0; n < 60; n++) {
          REQUIRE(here != reference.begin());
          --here;
          const auto arrival = rig.history->back_one();
          REQUIRE(arrival.end == History::End::Arrived);
          CHECK(arrival.stop.why == DebugStop::Why::Step);
          CHECK(std::pair(rig.core->slots_retired(), rig.core->interruptions_taken()) == here->first);
          REQUIRE(rig.registers() == here->second);
        }
      }
    }
}

TEST_CASE("history: an interruption is a place of its own on the way back", "[history]") {
  NEEDS_ASSEMBLER();
  Rig rig(true);
  rig.history->keep();
  rig.set_stops({kIva + 0x3000});
  for (unsigned n = 0; n < 3; n++) REQUIRE(rig.go() == StopReason::StopAddress);
  const u64 slots = rig.core->slots_retired();
  REQUIRE(rig.history->back_one().end == History::End::Arrived);
  CHECK(rig.core->slots_retired() == slots);
  CHECK((rig.core->regs().ip & ~u64{0xff}) == kCode);
  // And forward again it comes at the same place.
  REQUIRE(rig.go() == StopReason::StopAddress);
  CHECK(rig.core->slots_retired() == slots);
}

TEST_CASE("history: whoever goes back and on again comes to the same end", "[history]") {
  NEEDS_ASSEMBLER();
  Rig undisturbed(false);
  REQUIRE(undisturbed.counted->run() == StopReason::Gate);
  for (const bool translate : {false, true}) {
    Rig rig(translate, {.interval_slots = 9'000, .checkpoints = 5});
    for (unsigned n = 0; n < 12; n++) {
      REQUIRE(rig.go(9'500) == StopReason::Budget);
      const u64 slots = rig.core->slots_retired();
      rig.set_stops({kCode + 16});
      for (unsigned back = 0; back < 1 + n % 4; back++) REQUIRE(rig.history->back_to_point().end == History::End::Arrived);
      CHECK(rig.core->regs().ip == kCode + 16);
      CHECK(slots - rig.core->slots_retired() <= 12 * 4 + 16);
      rig.set_stops({});
    }
    CHECK(rig.pages_changed > 0);
    REQUIRE(rig.go() == StopReason::Gate);
    CHECK(rig.everything() == undisturbed.everything());
    CHECK(rig.position() == undisturbed.position());
  }
}

TEST_CASE("history: back to a breakpoint is to the last time it was passed, through all checkpoints", "[history]") {
  NEEDS_ASSEMBLER();
  Rig rig(true, {.interval_slots = 3'000, .checkpoints = 8});
  rig.history->keep();
  rig.set_stops({kIva + 0x3000});
  std::vector<Position> passed;
  for (unsigned n = 0; n < 12; n++) {
    REQUIRE(rig.go() == StopReason::StopAddress);
    passed.push_back(rig.position());
  }
  rig.set_stops({});
  REQUIRE(rig.go(2'000) == StopReason::Budget);
  rig.set_stops({kIva + 0x3000});
  for (unsigned n = 12; n-- > 0;) {
    const auto arrival = rig.history->back_to_point();
    REQUIRE(arrival.end == History::End::Arrived);
    CHECK(arrival.stop.why == DebugStop::Why::StopAddress);
    CHECK(arrival.stop.address == kIva + 0x3000);
    CHECK(rig.position() == passed[n]);
  }
  const auto arrival = rig.history->back_to_point();
  CHECK(arrival.end == History::End::Begin);
  CHECK(arrival.stop.why == DebugStop::Why::HistoryBegin);
  CHECK(rig.position() == Position{0, 0, 0});
  CHECK(rig.history->back_one().stop.why == DebugStop::Why::HistoryBegin);
  CHECK(rig.history->back_to_point().end == History::End::Begin);
}

TEST_CASE("history: back to a watched write is to before it, with memory as it was", "[history]") {
  NEEDS_ASSEMBLER();
  for (const bool translate : {false, true}) {
    Rig rig(translate, {.interval_slots = 5'000});
    rig.history->keep();
    REQUIRE(rig.go(60'000) == StopReason::Budget);
    constexpr u64 kWord = kData + 8 * 77;
    u64 now, before;
    std::memcpy(&now, rig.ram[0].data() + kWord, 8);
    rig.core->set_watches({{kWord, 8, false, true}});
    auto arrival = rig.history->back_to_point();  // round 4096 + 77
    REQUIRE(arrival.end == History::End::Arrived);
    CHECK(arrival.stop.why == DebugStop::Why::Watch);
    CHECK(arrival.stop.address == kWord);
    CHECK((rig.core->regs().ip | rig.core->regs().slot) == kCode + 33);
    CHECK(rig.core->regs().gr(14) == 4096 + 77);
    std::memcpy(&before, rig.ram[0].data() + kWord, 8);
    CHECK(rig.core->regs().gr(16) == now);
    CHECK(before != now);
    arrival = rig.history->back_to_point();  // round 77
    REQUIRE(arrival.end == History::End::Arrived);
    CHECK(rig.core->regs().gr(14) == 77);
    CHECK(rig.core->regs().gr(16) == before);
    std::memcpy(&before, rig.ram[0].data() + kWord, 8);
    CHECK(before == 0);
    CHECK(rig.history->back_to_point().end == History::End::Begin);
  }
}

TEST_CASE("history: single steps, during which interrupts wait, are repeated as such", "[history]") {
  NEEDS_ASSEMBLER();
  for (const bool translate : {false, true}) {
    Rig rig(translate, {.interval_slots = 1'000'000});
    rig.history->keep();
    REQUIRE(rig.go(2 * kPeriod - 20) == StopReason::Budget);
    std::map<std::pair<u64, u64>, std::string> stepped;
    // Over the tick: an interrupt that would come 20 instructions from here comes behind the last step.
    for (unsigned n = 0; n < 200; n++) {
      stepped[{rig.core->slots_retired(), rig.core->interruptions_taken()}] = rig.registers();
      rig.single_step();
    }
    const u64 interruptions = rig.core->interruptions_taken();
    REQUIRE(rig.go(5'000) == StopReason::Budget);
    CHECK(rig.core->interruptions_taken() == interruptions + 1);
    rig.set_stops({kCode + 2});
    auto last = stepped.end();
    for (unsigned found = 0; found < 10;) {
      REQUIRE(rig.history->back_to_point().end == History::End::Arrived);
      const auto here = stepped.find({rig.core->slots_retired(), rig.core->interruptions_taken()});
      if (here == stepped.end()) continue;
      CHECK(rig.registers() == here->second);
      last = here, found++;
    }
    // In the middle of the steps: what was stepped behind it is forgotten, what was before is not.
    for (unsigned n = 0; n < 20 && last != stepped.begin(); n++) {
      --last;
      REQUIRE(rig.history->back_one().end == History::End::Arrived);
      CHECK(rig.registers() == last->second);
    }
    const u64 before = rig.core->interruptions_taken();
    REQUIRE(rig.go(1) == StopReason::Budget);
    CHECK(rig.core->interruptions_taken() == before + (rig.core->slots_retired() > 2 * kPeriod));
  }
}

TEST_CASE("history: what was done from outside ends it, and it begins anew", "[history]") {
  NEEDS_ASSEMBLER();
  Rig rig(true, {.interval_slots = 1'000});
  REQUIRE(rig.go(10'000) == StopReason::Budget);
  rig.history->forget();
  CHECK(rig.history->back_one().end == History::End::Begin);
  rig.core->regs().set_gr(16, 12345);
  REQUIRE(rig.go(5'000) == StopReason::Budget);
  CHECK(rig.history->back_to_point().end == History::End::Begin);
  CHECK(rig.core->slots_retired() == 10'000);
  CHECK(rig.core->regs().gr(16) == 12345);
}

TEST_CASE("history: a machine that is not at rest is kept later", "[history]") {
  NEEDS_ASSEMBLER();
  Rig rig(true, {.interval_slots = 1'000});
  rig.rests = false;
  rig.history->keep();
  CHECK(rig.history->due_in_slots() == 0);
  CHECK(rig.history->back_one().end == History::End::Begin);
  rig.rests = true;
  rig.history->keep();
  CHECK(rig.history->due_in_slots() == 1'000);
}

TEST_CASE("history: memory that is used up drops the oldest", "[history]") {
  NEEDS_ASSEMBLER();
  Rig rig(true, {.interval_slots = 2'000, .bytes = 40'000});
  REQUIRE(rig.go(60'000) == StopReason::Budget);
  const auto arrival = rig.history->back_to_point();
  CHECK(arrival.end == History::End::Begin);
  CHECK(rig.core->slots_retired() > 40'000);
  CHECK(rig.core->slots_retired() < 60'000);
}

TEST_CASE("history: whoever is called off stands at a place of the run", "[history]") {
  NEEDS_ASSEMBLER();
  Rig undisturbed(false), rig(true, {.interval_slots = 10'000});
  REQUIRE(undisturbed.counted->run() == StopReason::Gate);
  REQUIRE(rig.go(55'000) == StopReason::Budget);
  rig.set_stops({0x12340});
  rig.pieces_until_called_off = 3;
  CHECK(rig.history->back_to_point().end == History::End::CalledOff);
  CHECK(rig.core->slots_retired() < 55'000);
  rig.pieces_until_called_off = -1;
  REQUIRE(rig.go() == StopReason::Gate);
  CHECK(rig.everything() == undisturbed.everything());
}

TEST_CASE("memory history: marks give back what each page was, also two at once", "[history]") {
  constexpr u64 kMiB = 1 << 20;
  std::vector<GuestMemory> ram;
  for (const u64 size : {4 * kMiB, 2 * kMiB}) ram.push_back(std::move(*GuestMemory::map(size)));
  const auto fill = [&](size_t n, u64 page, int value) { std::memset(ram[n].data() + page * 4096, value, 4096); };
  const auto byte = [&](size_t n, u64 page) { return ram[n].data()[page * 4096 + 4095]; };
  fill(0, 3, 1), fill(1, 0, 2);
  auto history = MemoryHistory::begin(ram);
  REQUIRE(history);
  std::vector<std::pair<size_t, u64>> changed;
  (*history)->on_changed = [&](size_t n, u64 offset) { changed.emplace_back(n, offset / 4096); };
  CHECK(byte(0, 3) == 1);

  fill(0, 3, 11), fill(0, 1023, 12);
  fill(1, 5, 0);  // as it was
  EarlierPages first = (*history)->mark();
  CHECK(first.pages.size() == 2);
  fill(0, 3, 21), fill(1, 0, 22), fill(1, 511, 23);
  EarlierPages second = (*history)->mark();
  CHECK(second.pages.size() == 3);
  fill(0, 4, 31), fill(0, 3, 32);

  (*history)->back_to_mark();
  CHECK((byte(0, 4) == 0 && byte(0, 3) == 21 && byte(1, 0) == 22));
  CHECK(changed == std::vector<std::pair<size_t, u64>>{{0, 3}, {0, 4}});
  SECTION("one by one") {
    (*history)->back_over(second);
    CHECK((byte(0, 3) == 11 && byte(0, 1023) == 12 && byte(1, 0) == 2 && byte(1, 511) == 0));
    (*history)->back_over(first);
  }
  SECTION("at once") {
    first.append_later(second);
    CHECK(first.pages.size() == 4);
    (*history)->back_over(first);
  }
  CHECK((byte(0, 3) == 1 && byte(0, 1023) == 0 && byte(1, 0) == 2 && byte(1, 511) == 0));
  CHECK((*history)->mark().pages.empty());
}

TEST_CASE("shown once: what a guest prints again is not shown again, and what it prints then is", "[history]") {
  struct Host final : CharChannel {
    std::string text;
    void write(std::span<const u8> bytes) override { text.append(bytes.begin(), bytes.end()); }
    void set_receiver(std::function<size_t(std::span<const u8>)>) override {}
    void receiver_ready() override {}
    void set_break_handler(std::function<void()>) override {}
  } host;
  ShownOnce line(host);
  const auto print = [&](std::string_view s) { line.write({reinterpret_cast<const u8*>(s.data()), s.size()}); };
  print("abc");
  const u64 there = line.written();
  print("def");
  line.go_back(there);
  print("de");
  CHECK(host.text == "abcdef");
  print("fgh");
  CHECK(host.text == "abcdefgh");
  line.go_back(there);
  line.go_another_way();
  print("xy");
  CHECK(host.text == "abcdefghxy");
}
