// A processor with a little RAM, ROM and a counting device, and short ways to set up translations.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "cpu/core.h"
#include "cpu/mmu/tlb.h"
#include "cpu/mmu/translate.h"
#include "tests/support/test.h"

namespace ia64::cpu::test {

/// Time stands still.
class StoppedClock final : public Clock {
 public:
  u64 now_ns() const override { return 0; }
  TimerId schedule(u64, std::function<void()>) override { return 1; }
  void cancel(TimerId) override {}
};

/// Counts accesses and remembers the last one.
class CountingDevice final : public MmioRegion {
 public:
  AccessResult read(u64 at, unsigned n, u64& value) override {
    reads++, offset = at, size = n;
    value = 0x8877665544332211u & low_mask(8 * n);
    return AccessResult::Ok;
  }
  AccessResult write(u64 at, unsigned n, u64 value) override {
    writes++, offset = at, size = n, written = value;
    return AccessResult::Ok;
  }
  int reads = 0, writes = 0;
  u64 offset = 0, written = 0;
  unsigned size = 0;
};

/// Fields of a translation in the insertion format, spelled out by bit position.
struct Pte {
  u64 p = 1, ma = 0, a = 1, d = 1, pl = 0, ar = 3, ppn_address = 0, ed = 0;
  u64 word() const { return p | ma << 2 | a << 5 | d << 6 | pl << 7 | ar << 9 | ppn_address | ed << 52; }
};
inline u64 make_itir(unsigned ps, u64 key = 0) {
  return u64{ps} << 2 | key << 8;
}

class MmuFixture {
 public:
  static constexpr u64 kRamSize = 8 << 20, kRom = 0x4000'0000, kDevice = 0x8000'0000;
  static constexpr u64 kRegion = u64{1} << 61;

  explicit MmuFixture(const CpuModel& model = kMontecito)
      : memory_(static_cast<u8*>(std::calloc(kRamSize + 2 * 4096, 1))) {
    bus.add_ram(0, kRamSize, ram(), "ram");
    bus.add_rom(kRom, 4096, ram() + kRamSize, "rom");
    bus.add_mmio(kDevice, 4096, &device, "device");
    core = std::make_unique<Core>(CoreWires{.bus = &bus, .clock = &clock, .model = &model});
    r().psr = psr::kIc | psr::kDt | psr::kIt | psr::kRt | psr::kBn;
    for (unsigned n = 0; n < 8; n++) tlb().write_rr(n, rr(12, 0x100 + n));
  }

  static u64 rr(unsigned ps, u64 rid, bool ve = false) { return u64{ve} | u64{ps} << 2 | rid << 8; }
  Registers& r() { return core->regs(); }
  Tlb& tlb() { return core->tlb(); }
  u8* ram() { return reinterpret_cast<u8*>(align_up(reinterpret_cast<u64>(memory_.get()), 4096)); }
  void set_cpl(u64 cpl) { r().psr = with_field(r().psr, psr::kCplPos, 2, cpl); }
  void psr_on(u64 bits) { r().psr |= bits; }
  void psr_off(u64 bits) { r().psr &= ~bits; }

  void map(u64 va, const Pte& pte, unsigned ps = 12, u64 key = 0) {
    tlb().insert_data(va, pte.word(), make_itir(ps, key));
  }
  void map_code(u64 va, const Pte& pte, unsigned ps = 12, u64 key = 0) {
    tlb().insert_instruction(va, pte.word(), make_itir(ps, key));
  }

  Next load8(u64 va) { return core->load<u64>(va, loaded); }
  Next store8(u64 va, u64 v) { return core->store<u64>(va, v); }
  u64 ram8(u64 phys) { return load_le<u64>(ram() + phys); }
  void set_ram8(u64 phys, u64 v) { store_le<u64>(ram() + phys, v); }
  const Fault& fault() { return core->pending_fault(); }
  bool faults(Next next, Vector v) { return next == Next::Fault && fault().vector == v; }

  AddressSpace bus;
  StoppedClock clock;
  CountingDevice device;
  std::unique_ptr<Core> core;
  u64 loaded = 0;

 private:
  struct Free {
    void operator()(u8* p) const { std::free(p); }
  };
  std::unique_ptr<u8, Free> memory_;
};

}  // namespace ia64::cpu::test
