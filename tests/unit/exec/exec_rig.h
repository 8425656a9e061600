// A processor with a little RAM in physical mode, for calling handlers one at a time.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "base/endian.h"
#include "cpu/core.h"
#include "cpu/exec/alat.h"
#include "cpu/exec/handlers.h"
#include "tests/support/test.h"

namespace ia64::cpu::test {

/// Time stands still.
struct StoppedClock final : Clock {
  u64 now_ns() const override { return 0; }
  TimerId schedule(u64, std::function<void()>) override { return 1; }
  void cancel(TimerId) override {}
};

/// Registers start as zero with a frame of 96 registers, privilege 0, bank 1, data translation off.
struct Rig {
  static constexpr u64 kRam = 0x100000, kRamSize = 0x10000;
  static constexpr u64 kUncacheable = u64{1} << 63;

  std::vector<u8> storage = std::vector<u8>(kRamSize + AddressSpace::kPageSize);
  u8* ram = reinterpret_cast<u8*>(align_up(reinterpret_cast<u64>(storage.data()), AddressSpace::kPageSize));
  AddressSpace bus;
  StoppedClock clock;
  std::unique_ptr<Core> core_owner;
  Core& core;
  Registers& r;

  Rig() : core_owner(make_core()), core(*core_owner), r(core.regs()) {
    core.reset();
    r.psr = psr::kBn;
    r.cfm = Cfm{.sof = 96};
    r.pr_phys[0] = 1;
  }

  /// Runs one handler.
  Next run(Handler handler, const Insn& i) { return handler(core, i); }
  /// Runs one handler that must neither fault nor branch.
  void step(Handler handler, const Insn& i) {
    const Next next = handler(core, i);
    REQUIRE((next == Next::Continue || next == Next::Sync));
  }
  /// Runs one handler that must fault and leave no trace in the general registers; returns the fault.
  Fault fault(Handler handler, const Insn& i) {
    const Registers before = r;
    REQUIRE(handler(core, i) == Next::Fault);
    CHECK(std::equal(std::begin(before.gr_static), std::end(before.gr_static), std::begin(r.gr_static)));
    CHECK(std::equal(std::begin(before.stack_gr), std::end(before.stack_gr), std::begin(r.stack_gr)));
    CHECK(before.unat == r.unat);
    CHECK(before.csd == r.csd);
    return core.pending_fault();
  }

  template <class T>
  T peek(u64 phys) const {
    return load_le<T>(ram + (phys - kRam));
  }
  template <class T>
  void poke(u64 phys, T v) {
    store_le<T>(ram + (phys - kRam), v);
  }
  void big_endian(bool on) { r.psr = on ? r.psr | psr::kBe : r.psr & ~psr::kBe; }

 private:
  std::unique_ptr<Core> make_core() {
    bus.add_ram(kRam, kRamSize, ram, "ram");
    return std::make_unique<Core>(CoreWires{.bus = &bus, .clock = &clock});
  }
};

/// Operand values worth combining: borders of every element size, patterns, and pseudo-random ones.
inline std::vector<u64> interesting_values(unsigned random_count) {
  std::vector<u64> v = {0, 1, 2, 3, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff, 0x10000, 0x7fffffff,
                        0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
                        0x8000000000000001, 0xffffffffffffffff, 0xfffffffffffffffe, 0x0102030405060708,
                        0x807f807f807f807f, 0x7fff80007fff8000, 0x00ff00ff00ff00ff, 0xff00ff00ff00ff00,
                        0x7fffffff80000000, 0x8000000080000000, 0x0000000100000001, 0x1122334455667788};
  std::mt19937_64 random(20060701);
  for (unsigned n = 0; n < random_count; n++) v.push_back(random());
  return v;
}

}  // namespace ia64::cpu::test
