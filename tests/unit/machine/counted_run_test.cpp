// Counted time of a processor: equal under all engines, and not disturbed by whoever looks.
#include "machine/icount/counted_run.h"

#include <cstring>
#include <optional>

#include "cpu/arch/register_differences.h"
#include "cpu/jit/options.h"
#include "machine/engine_config.h"
#include "machine/icount/state_hash.h"
#include "machine/lockstep/lockstep.h"
#include "tests/unit/machine/timed_guest.h"

using namespace ia64;
using namespace ia64::machine;
using namespace ia64::test::timed_guest;
using cpu::StopReason;

namespace {

struct Rig {
  GuestMemory memory = std::move(*GuestMemory::map_shared(kRamBytes));
  VirtualClock clock;
  AddressSpace bus;
  StopGate gate;
  std::unique_ptr<Lockstep> lockstep;
  std::unique_ptr<cpu::Core> core;
  std::optional<CountedRun> run;

  Rig(Engine engine, const char* program) {
    bus.add_ram(0, kRamBytes, memory.data(), "ram");
    if (engine == Engine::Lockstep) lockstep = std::make_unique<Lockstep>(bus, std::vector<LockstepRam>{{0, &memory}}, clock, kHz);
    core = std::make_unique<cpu::Core>(cpu::CoreWires{.bus = lockstep ? &lockstep->primary_bus() : &bus, .clock = &clock, .itc_hz = kHz});
    cpu::TranslatorOptions options;
    options.threshold = 1;
    if (engine != Engine::Interpreter) core->use_translator(options);
    if (lockstep) lockstep->attach(*core);
    run.emplace(*core, clock, gate, lockstep.get());
    load(bus, *core, program, 30'000);
    if (lockstep) lockstep->powered_on(kGateCode, 16);
    run->powered_on();
  }
  /// An interrupt every `period_ns`.
  void tick(u64 period_ns) {
    clock.schedule(clock.now_ns() + period_ns, [this, period_ns] {
      run->post(DeliveryMode::Fixed, 0x40);
      tick(period_ns);
    });
  }
  std::string hash() {
    const firmware::MemoryRange range{0, kRamBytes};
    return state_hash(core->regs(), {&range, 1}, {&memory, 1});
  }
};

// Sums up the times it reads; r14 counts the rounds.
constexpr const char* kSumTimes = R"(
top:
{ .mii
  mov.m r15 = ar.itc
  add r14 = 1, r14
  nop.i 0 ;;
}
{ .mib
  add r16 = r16, r15
  nop.i 0
  br.cloop.sptk.few top ;;
}
{ .mii
  st8 [r8] = r16
  mov b6 = r9
  nop.i 0 ;;
}
{ .bbb
  br.sptk.few b6
  nop.b 0
  nop.b 0 ;;
}
)";

struct Outcome {
  u64 slots, now_ns, handled;
  std::string hash;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(Rig& rig) {
  return {rig.core->slots_retired(), rig.clock.now_ns(), rig.core->regs().gr_banked[3], rig.hash()};
}

Outcome to_the_end(Engine engine, u64 period_ns = 7'777) {
  Rig rig(engine, kSumTimes);
  rig.tick(period_ns);
  CHECK(rig.run->run() == StopReason::Gate);
  CHECK(rig.gate.calls == 1);
  return outcome_of(rig);
}

}  // namespace

#define NEEDS_ASSEMBLER() \
  if (!ia64::test::have_assembler()) SKIP_TEST("ia64-linux-gnu-as is not installed")

TEST_CASE("counted run: virtual time is the count of instructions", "[icount]") {
  NEEDS_ASSEMBLER();
  Rig rig(Engine::Translator, kSumTimes);
  CHECK(rig.run->run() == StopReason::Gate);
  const u64 program = 6 * 30'001 + 3 + 1;  // up to the branch to the gate, whose break counts when it is found and when it is served
  CHECK(rig.core->slots_retired() == program + 2);
  CHECK(rig.clock.now_ns() == (program + 1) * CountedRun::kNsPerSlot);  // the service is part of the next quantum
}

TEST_CASE("counted run: interrupts reach the same instruction under every engine", "[icount]") {
  NEEDS_ASSEMBLER();
  const Outcome interpreted = to_the_end(Engine::Interpreter);
  CHECK(interpreted.handled > 20);
  CHECK(to_the_end(Engine::Translator) == interpreted);
  CHECK(to_the_end(Engine::Lockstep) == interpreted);
  CHECK_FALSE(to_the_end(Engine::Interpreter, 7'778) == interpreted);
}

TEST_CASE("counted run: stops for others in the middle of a quantum change nothing", "[icount]") {
  NEEDS_ASSEMBLER();
  for (const Engine engine : {Engine::Interpreter, Engine::Translator}) {
    const Outcome undisturbed = to_the_end(engine);
    Rig rig(engine, kSumTimes);
    rig.tick(7'777);
    const u64 places[] = {kCode, kCode + 1, kCode + 16};
    int stops = 0;
    for (bool done = false; !done; stops++) {
      rig.core->set_stop_addresses(stops < 5'000 ? std::vector<u64>{places[stops % 3]} : std::vector<u64>{});
      if (stops % 50 == 45) rig.core->request_stop();
      if (stops % 50 == 46) rig.run->request_stop();
      done = rig.run->run() == StopReason::Gate;
    }
    CHECK(stops > 4'000);
    CHECK(outcome_of(rig) == undisturbed);
  }
}

TEST_CASE("counted run: another machine goes on from any place in a quantum, interrupts under way included", "[icount][snapshot]") {
  NEEDS_ASSEMBLER();
  constexpr u64 kPeriod = 7'777;
  const auto save = [](auto& part) {
    StateArchive a;
    part.visit_state(a);
    return a.saved();
  };
  const auto load = [](auto& part, const std::vector<u8>& bytes) {
    StateArchive a{std::span<const u8>(bytes)};
    part.visit_state(a);
    CHECK(a.ok());
    CHECK(a.left() == 0);
  };
  const Outcome whole = to_the_end(Engine::Interpreter, kPeriod);
  const u64 places[] = {kCode, kCode + 1, kCode + 16};
  for (const unsigned stops : {1u, 2u, 1'294u, 1'295u, 1'296u, 4'321u}) {
    Rig first(Engine::Interpreter, kSumTimes), second(Engine::Interpreter, kSumTimes);
    first.tick(kPeriod);
    for (unsigned n = 0; n < stops; n++) {
      first.core->set_stop_addresses({places[n % 3]});
      REQUIRE(first.run->run() == StopReason::StopAddress);
    }
    const u64 now = first.clock.now_ns(), next = first.clock.next_due_ns();
    second.clock.set_now(now);
    load(*second.core, save(*first.core));
    load(*second.run, save(*first.run));
    std::memcpy(second.memory.data(), first.memory.data(), kRamBytes);
    second.clock.schedule(next, [&] {
      second.run->post(DeliveryMode::Fixed, 0x40);
      second.tick(kPeriod);
    });
    CHECK(second.run->run() == StopReason::Gate);
    CHECK(outcome_of(second) == whole);
  }
}

TEST_CASE("counted run: a damaged quantum is refused", "[icount][snapshot]") {
  NEEDS_ASSEMBLER();
  Rig rig(Engine::Interpreter, kSumTimes);
  std::vector<u8> bytes(20, 0xff);
  StateArchive a{std::span<const u8>(bytes)};
  rig.run->visit_state(a);
  CHECK_FALSE(a.ok());
  CHECK(rig.run->run() == StopReason::Gate);
}

TEST_CASE("counted run: single steps count like everything else", "[icount]") {
  NEEDS_ASSEMBLER();
  Rig stepped(Engine::Interpreter, kSumTimes), ran(Engine::Interpreter, kSumTimes);
  for (int n = 0; n < 50'000; n++) REQUIRE(stepped.run->step() == StopReason::Budget);
  CHECK(stepped.run->run() == StopReason::Gate);
  CHECK(ran.run->run() == StopReason::Gate);
  CHECK(outcome_of(stepped) == outcome_of(ran));
}

TEST_CASE("counted run: a quantum ends where the next timer is due", "[icount]") {
  NEEDS_ASSEMBLER();
  Rig rig(Engine::Translator, kSumTimes);
  u64 executed = 0;
  rig.clock.schedule(12'345, [&] { executed = rig.core->slots_retired(); });
  CHECK(rig.run->run() == StopReason::Gate);
  CHECK(executed == 12'345);
}

TEST_CASE("counted run: waiting goes to the next timer and not beyond, and nowhere when an interrupt waits", "[icount]") {
  NEEDS_ASSEMBLER();
  Rig rig(Engine::Interpreter, kSumTimes);
  int fired = 0;
  rig.clock.schedule(1'000, [&] { fired++; });
  rig.run->idle_until(500);
  CHECK(rig.clock.now_ns() == 500);
  rig.run->idle_until(5'000);
  CHECK(rig.clock.now_ns() == 1'000);
  CHECK(fired == 1);
  rig.run->post(DeliveryMode::Fixed, 0x40);
  rig.run->idle_until(5'000);
  CHECK(rig.clock.now_ns() == 1'000);
}

TEST_CASE("counted run: time goes on while a processor takes one interruption after the other", "[icount]") {
  NEEDS_ASSEMBLER();
  Rig rig(Engine::Interpreter, "{ .mib\n break.m 0x1\n nop.i 0\n nop.b 0 ;;\n}\n");
  rig.core->regs().iva = u64{1} << 40;  // nothing is there: every interruption raises the next
  rig.clock.schedule(50'000, [&] { rig.run->request_stop(); });
  CHECK(rig.run->run() == StopReason::Requested);
  CHECK(rig.clock.now_ns() >= 50'000);
}

TEST_CASE("state hash: every bit counts, and whether an empty page was touched does not", "[icount]") {
  GuestMemory a = std::move(*GuestMemory::map(1 << 20)), b = std::move(*GuestMemory::map(1 << 20));
  const firmware::MemoryRange range{0, 1 << 20};
  cpu::Registers r, other;
  const auto hash = [&](const cpu::Registers& registers, GuestMemory& m) { return state_hash(registers, {&range, 1}, {&m, 1}); };
  const std::string empty = hash(r, a);
  CHECK(empty.size() == 32);
  b.data()[5000] = 0;
  CHECK(hash(r, b) == empty);
  a.data()[5000] = 1, b.data()[5000 + 4096] = 1;
  CHECK(hash(r, a) != empty);
  CHECK(hash(r, a) != hash(r, b));
  b.clear();
  CHECK(hash(r, b) == empty);
  other.fr_phys[100].significand ^= 1;
  CHECK(hash(other, b) != empty);
}
