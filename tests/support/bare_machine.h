// One processor, some RAM and a clock that moves only when told: the smallest machine that executes
// instructions.
#pragma once

#include <cstring>
#include <map>
#include <string_view>
#include <vector>

#include "base/address_space.h"
#include "base/clock.h"
#include "cpu/core.h"
#include "tests/support/assembler.h"
#include "tests/support/test.h"
#include "tests/support/translator_choice.h"

namespace ia64::test {

/// Virtual time under the test's control. Timers run on the thread that advances it.
class ManualClock final : public Clock {
 public:
  u64 now_ns() const override { return now_; }
  TimerId schedule(u64 deadline_ns, std::function<void()> fn) override {
    timers_.emplace(deadline_ns, Timer{++last_id_, std::move(fn)});
    return last_id_;
  }
  void cancel(TimerId id) override {
    for (auto it = timers_.begin(); it != timers_.end(); ++it)
      if (it->second.id == id) {
        timers_.erase(it);
        return;
      }
  }
  void advance_to(u64 ns) {
    while (!timers_.empty() && timers_.begin()->first <= ns) {
      auto node = timers_.extract(timers_.begin());
      now_ = node.key();
      node.mapped().fn();
    }
    now_ = ns;
  }
  size_t pending() const { return timers_.size(); }

 private:
  struct Timer {
    TimerId id;
    std::function<void()> fn;
  };
  u64 now_ = 0;
  TimerId last_id_ = 0;
  std::multimap<u64, Timer> timers_;
};

/// RAM from 0 to kRamBytes, code assembled to kCode, IVA at kIva. Physical mode unless the program changes
/// it. Interprets, or translates every block at once when the environment says IVM_TEST_ENGINE=jit.
class BareMachine {
 public:
  static constexpr u64 kRamBytes = 4 << 20;
  static constexpr u64 kCode = 0x10000, kIva = 0x20000, kStack = 0x100000, kData = 0x200000;

  BareMachine() : ram_(kRamBytes), core_(wires()) {
    if (engine_is_jit()) core_.use_translator(translator_choice());
    core_.regs().iva = kIva;
    core_.regs().ip = kCode;
    core_.regs().bspstore = kStack;
  }

  cpu::Core& core() { return core_; }
  cpu::Registers& regs() { return core_.regs(); }
  AddressSpace& bus() { return *bus_; }
  ManualClock& clock() { return clock_; }

  /// Assembles `source` to `at`. Fails the test when it does not assemble.
  void load(std::string_view source, u64 at = kCode) {
    const std::vector<u8> bytes = assemble(source);
    REQUIRE_FALSE(bytes.empty());
    bus_->write_bytes(at, bytes.data(), bytes.size());
  }
  u64 read64(u64 phys) {
    u64 v = 0;
    bus_->read(phys, 8, v);
    return v;
  }
  void write64(u64 phys, u64 value) { bus_->write(phys, 8, value); }

  /// Runs until the bundle at `ip` is about to execute; at most `limit` instructions.
  cpu::StopReason run_to(u64 ip, u64 limit = 100000) {
    core_.set_stop_addresses({ip});
    const auto reason = core_.run(limit);
    core_.set_stop_addresses({});
    return reason;
  }
  /// Runs until the first interruption, which must come within `limit` instructions.
  cpu::InterruptionRecord run_to_interruption(u64 limit = 100000) {
    core_.set_stop_on_interruption(true);
    REQUIRE(core_.run(limit) == cpu::StopReason::Interruption);
    core_.set_stop_on_interruption(false);
    return core_.interruptions().back();
  }

 private:
  cpu::CoreWires wires() {
    bus_ = std::make_unique<AddressSpace>();
    bus_->add_ram(0, kRamBytes, ram_.data(), "ram");
    cpu::CoreWires w;
    w.bus = bus_.get();
    w.clock = &clock_;
    w.itc_hz = 1'000'000'000;  // one tick a nanosecond keeps arithmetic in tests plain
    return w;
  }

  ManualClock clock_;
  std::vector<u8> ram_;
  std::unique_ptr<AddressSpace> bus_;
  cpu::Core core_;
};

}  // namespace ia64::test

/// Ends the test as skipped where there is no IA-64 assembler.
#define NEEDS_ASSEMBLER() \
  if (!ia64::test::have_assembler()) SKIP_TEST("ia64-linux-gnu-as is not installed")
