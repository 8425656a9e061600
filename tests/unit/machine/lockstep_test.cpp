// Lockstep runs: equal engines go on, any difference stops them with a report.
#include "machine/lockstep/lockstep.h"

#include "cpu/jit/options.h"
#include "cpu/sapic.h"
#include "machine/icount/virtual_clock.h"
#include "tests/support/assembler.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;
using cpu::StopReason;

namespace {

constexpr u64 kRamBytes = 4 << 20, kCode = 0x10000, kData = 0x200000, kDevice = 0x80000000, kMany = 1'000'000'000;

/// Counts its accesses; a read gives the count.
struct CountingDevice final : MmioRegion {
  AccessResult read(u64, unsigned, u64& value) override {
    value = ++accesses;
    return AccessResult::Ok;
  }
  AccessResult write(u64, unsigned, u64) override {
    ++accesses;
    return AccessResult::Ok;
  }
  u64 accesses = 0;
};

struct NoGate final : cpu::BreakGate {
  cpu::GateAction on_break(cpu::Core&, u64) override { return cpu::GateAction::Stop; }
};

/// A loop that loads, adds, stores and asks a device; the gate, which covers all code, stops it at its break.
struct LockstepRig {
  GuestMemory memory = std::move(*GuestMemory::map_shared(kRamBytes));
  VirtualClock clock;
  AddressSpace bus;
  CountingDevice device;
  std::unique_ptr<Lockstep> lockstep;
  std::unique_ptr<cpu::Core> core;
  NoGate gate;
  cpu::Registers begin;

  explicit LockstepRig(const char* program) {
    bus.add_ram(0, kRamBytes, memory.data(), "ram");
    bus.add_mmio(kDevice, 4096, &device, "device");
    lockstep = std::make_unique<Lockstep>(bus, std::vector<LockstepRam>{{0, &memory}}, clock, 1'000'000'000);
    core = std::make_unique<cpu::Core>(cpu::CoreWires{.bus = &lockstep->primary_bus(), .clock = &clock, .itc_hz = 1'000'000'000});
    cpu::TranslatorOptions options;
    options.threshold = 1;
    core->use_translator(options);
    core->set_gate(&gate);
    lockstep->attach(*core);
    const auto bytes = test::assemble(program);
    REQUIRE_FALSE(bytes.empty());
    bus.write_bytes(kCode, bytes.data(), bytes.size());
    auto& r = core->regs();
    r.ip = kCode, r.slot = 0, r.bspstore = 0x100000;
    r.set_gr(8, kData), r.set_gr(9, kDevice | u64{1} << 63), r.lc = 200'000;
    begin = r;
    lockstep->powered_on(0, kRamBytes);
  }
  StopReason run() { return lockstep->run(kMany); }
};

constexpr const char* kLoop = R"(
top:
{ .mmi
  ld8 r14 = [r8]
  ld4 r15 = [r9]
  nop.i 0 ;;
}
{ .mib
  nop.m 0
  add r14 = r14, r15
  nop.b 0 ;;
}
{ .mib
  st8 [r8] = r14
  nop.i 0
  br.cloop.sptk.few top ;;
}
{ .mib
  break.m 0x100
  nop.i 0
  nop.b 0 ;;
}
)";

bool mentions(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

#define NEEDS_ASSEMBLER() \
  if (!ia64::test::have_assembler()) SKIP_TEST("ia64-linux-gnu-as is not installed")

TEST_CASE("equal engines reach the end, each device access made once", "[lockstep]") {
  NEEDS_ASSEMBLER();
  LockstepRig rig(kLoop);
  CHECK(rig.run() == StopReason::Gate);
  CHECK(rig.lockstep->difference() == "");
  CHECK(rig.lockstep->slices() > 10);
  CHECK(rig.device.accesses == 200'001);
  u64 sum = 0;
  rig.bus.read(kData, 8, sum);
  CHECK(sum == u64{200'001} * 200'002 / 2);
  CHECK(rig.core->translator_counters()->instructions > 1'000'000);
}

TEST_CASE("a different register is reported with both values", "[lockstep]") {
  NEEDS_ASSEMBLER();
  LockstepRig rig(kLoop);
  rig.core->regs().set_gr(20, 0x1234);
  CHECK(rig.run() == StopReason::Requested);
  CHECK(mentions(rig.lockstep->difference(), "gr_static.20: interpreter 0000000000000000 translator 0000000000001234"));
}

TEST_CASE("a different address of a store is reported", "[lockstep]") {
  NEEDS_ASSEMBLER();
  LockstepRig rig(kLoop);
  rig.core->regs().set_gr(8, kData + 4096);
  rig.run();
  CHECK(mentions(rig.lockstep->difference(), "memory: page 0x200000 was written by the interpreter only"));
}

TEST_CASE("a different device access is reported", "[lockstep]") {
  NEEDS_ASSEMBLER();
  LockstepRig rig(kLoop);
  rig.core->regs().set_gr(9, (kDevice + 8) | u64{1} << 63);
  rig.run();
  CHECK(mentions(rig.lockstep->difference(), "device: interpreter 4-byte read of 0x80000000, translator 4-byte read of 0x80000008"));
}

TEST_CASE("an earlier end of the loop is reported", "[lockstep]") {
  NEEDS_ASSEMBLER();
  LockstepRig rig(kLoop);
  rig.core->regs().lc = 3;
  rig.run();
  CHECK(mentions(rig.lockstep->difference(), "stopped: interpreter budget, translator gate"));
}

TEST_CASE("a report narrows down to the piece of translated code and the instruction whose result differs", "[lockstep]") {
  NEEDS_ASSEMBLER();
  LockstepRig rig(kLoop);
  rig.core->run(600);  // the translator alone, which leaves host code of the loop
  rig.core->regs() = rig.begin;
  rig.bus.write(kData, 8, 0);
  // Another instruction behind the translator's back: what it runs is stale, and the interpreter takes the new one.
  const auto bytes = test::assemble("{ .mib\n nop.m 0\n sub r14 = r14, r15\n nop.b 0 ;;\n}\n");
  REQUIRE(bytes.size() == 16);
  std::memcpy(rig.memory.data() + kCode + 16, bytes.data(), 16);
  CHECK(rig.run() == StopReason::Requested);
  const std::string report = rig.lockstep->difference();
  INFO(report);
  // The first round already goes wrong: its three bundles are the piece.
  CHECK((mentions(report, "leave no difference, 9 do") || mentions(report, "leave no difference, 10 do")));
  CHECK(mentions(report, "the last 9 or so ran as one piece of host code"));
  CHECK(mentions(report, "10010.1  "));
  CHECK(mentions(report, "sub r14=r14,r15   <-- gr_static.14"));
}

TEST_CASE("a difference that is there when a slice begins is called so", "[lockstep]") {
  NEEDS_ASSEMBLER();
  LockstepRig rig(kLoop);
  rig.core->regs().set_gr(20, 0x1234);
  rig.run();
  CHECK(mentions(rig.lockstep->difference(), "the engines differ where the slice begins"));
}

TEST_CASE("an interrupt is posted to both engines", "[lockstep]") {
  NEEDS_ASSEMBLER();
  LockstepRig rig(kLoop);
  rig.lockstep->post(DeliveryMode::Fixed, 0x40);
  CHECK(rig.run() == StopReason::Gate);
  CHECK(rig.lockstep->difference() == "");
  CHECK(rig.core->sapic().irr(1) == 1);
}
