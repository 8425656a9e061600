// PAL and SAL procedures called through a fake gate: what operating systems compute from their answers.
#include <map>

#include "base/endian.h"
#include "firmware/pal/pal.h"
#include "firmware/sal/sal.h"
#include "tests/support/test.h"
#include "tests/unit/firmware_tables/test_board.h"

using namespace ia64;
using namespace ia64::firmware;
using namespace ia64::firmware::testing;

namespace {

class FakeCpu final : public GuestCpu {
 public:
  unsigned index() const override { return 0; }
  cpu::Registers& regs() override { return registers; }
  bool translate(u64 va, bool, GuestPhys& phys) override { return phys = va, true; }
  void push_frame(unsigned) override {}
  void flush_code() override { flushes++; }
  void halt() override { halts++; }
  u64 itc() override { return 0; }
  bool read_tr(bool data, unsigned n, u64 out[4], u64& valid) override {
    if (n > 63) return false;
    for (u64 i = 0; i < 4; i++) out[i] = (data ? 0x100 : 0) + n * 16 + i;
    valid = data ? 0xe : 0;
    return true;
  }
  cpu::Registers registers;
  int flushes = 0, halts = 0;
};

class FakeCall final : public GateCall {
 public:
  FakeCall(AddressSpace& bus) : bus_(bus) {}
  GuestCpu& cpu() override { return processor; }
  u64 arg(unsigned n) override { return args[n]; }
  void ret(u64) override {}
  void ret(u64, u64, u64, u64) override {}
  bool read(u64 va, void* out, size_t n) override { return bus_.read_bytes(va, out, n) == AccessResult::Ok; }
  bool write(u64 va, const void* in, size_t n) override {
    return bus_.write_bytes(va, in, n) == AccessResult::Ok;
  }
  u64 call_guest(u64, std::span<const u64>) override { return 0; }
  void wait_until(u64) override {}
  FakeCpu processor;
  u64 args[8] = {};

 private:
  AddressSpace& bus_;
};

struct Bench {
  TableRam ram;
  FakeCall gate{ram.bus};
  Pal pal{hpvm_board(), ram.bus};
  Sal sal{hpvm_board(), ram.bus};

  PalResult pal_call(u64 index, u64 a = 0, u64 b = 0, u64 c = 0) {
    auto& r = gate.processor.registers;
    r.set_gr(28, index), r.set_gr(29, a), r.set_gr(30, b), r.set_gr(31, c);
    return pal.call(gate);
  }
  PalResult pal_stacked(u64 index, u64 a = 0, u64 b = 0, u64 c = 0) {
    gate.processor.registers.set_gr(28, index);
    gate.args[0] = index, gate.args[1] = a, gate.args[2] = b, gate.args[3] = c;
    return pal.call(gate);
  }
  SalResult sal_call(std::initializer_list<u64> args) {
    std::fill(std::begin(gate.args), std::end(gate.args), 0);
    std::copy(args.begin(), args.end(), gate.args);
    return sal.call(gate);
  }
};

/// A PCI configuration window that remembers one write and answers with the offset it was read at.
struct ConfigWindow final : MmioRegion {
  u64 offset = 0, value = 0;
  unsigned size = 0;
  AccessResult read(u64 o, unsigned, u64& v) override { return v = o, AccessResult::Ok; }
  AccessResult write(u64 o, unsigned s, u64 v) override {
    return offset = o, size = s, value = v, AccessResult::Ok;
  }
};

}  // namespace

TEST_CASE("PAL: unknown procedures and reserved arguments are refused", "[pal]") {
  Bench b;
  CHECK(b.pal_call(0).status == -1);
  CHECK(b.pal_call(35).status == -1);
  CHECK(b.pal_call(600).status == -1);
  CHECK(b.pal_stacked(1000).status == -1);
  for (u64 index : {4, 5, 6, 8, 11, 13, 14, 19, 20, 29, 34}) {
    CHECK(b.pal_call(index).status == 0);
    CHECK(b.pal_call(index, 0, 1).status == -2);
    CHECK(b.pal_call(index, 0, 0, 1).status == -2);
  }
}

TEST_CASE("PAL: cache geometry multiplies out", "[pal]") {
  Bench b;
  const auto summary = b.pal_call(4);
  CHECK(summary.v0 == 3);
  CHECK(summary.v1 == 5);
  u64 found = 0;
  for (u64 level = 0; level < summary.v0; level++)
    for (u64 type : {1, 2}) {
      const auto r = b.pal_call(2, level, type);
      if (r.status) continue;
      found++;
      const u64 ways = field(r.v0, 8, 8), line = u64{1} << field(r.v0, 16, 8), size = field(r.v1, 0, 32);
      CHECK(size % (ways * line) == 0);
      // The tag begins where the index ends: size = ways * 2^tag_lsb. @source SDM vol. 2, PAL_CACHE_INFO
      CHECK(size == ways << field(r.v1, 40, 8));
      CHECK(field(r.v0, 24, 8) == 7);
    }
  CHECK(found == summary.v1);
  CHECK(b.pal_call(2, 3, 2).status == -2);
  CHECK(b.pal_call(2, 2, 1).status == -2);  // L3 is unified
}

TEST_CASE("PAL: virtual memory summary has the fields where kernels read them", "[pal]") {
  Bench b;
  const auto r = b.pal_call(8);
  CHECK(field(r.v0, 0, 1) == 1);
  CHECK(field(r.v0, 1, 7) == 50);
  CHECK(field(r.v0, 8, 8) == 24);
  CHECK(field(r.v0, 16, 8) == 15);
  CHECK(field(r.v0, 32, 8) == 63);
  CHECK(field(r.v0, 40, 8) == 63);
  CHECK(field(r.v1, 0, 8) == 60);
  CHECK(field(r.v1, 8, 8) == 24);
  const auto sizes = b.pal_call(34);
  CHECK(sizes.v0 == 0x155557000);
  CHECK(b.pal_call(7, 1, 2).v1 == sizes.v0);
  CHECK(b.pal_call(7, 2, 1).status == -2);
  const auto loop = b.pal_call(6);
  CHECK(loop.v1 == 0x1'0000'0001);
}

TEST_CASE("PAL: clocks give a 400 MHz interval timer", "[pal]") {
  Bench b;
  const u64 base = b.pal_call(13).v0;
  const auto r = b.pal_call(14);
  CHECK(base * (r.v2 >> 32) / (r.v2 & 0xffffffff) == 400'000'000);
  CHECK(base * (r.v0 >> 32) / (r.v0 & 0xffffffff) == 1'600'000'000);
}

TEST_CASE("PAL: features keep controllable bits only", "[pal]") {
  Bench b;
  const auto before = b.pal_call(17, 0, 16);
  CHECK(before.v0 == 0xef);
  CHECK(b.pal_call(18, ~u64{0}, 16).status == 0);
  CHECK(b.pal_call(17, 0, 16).v1 == 0xef);
  CHECK(b.pal_call(18, 0, 0).status == 0);
  CHECK(b.pal_call(17, 0, 0).v1 == 0x0000'0600'0000'0000);
  CHECK(b.pal_call(17, 0, 5).status == -2);
  CHECK(b.pal_call(17, 0, 99).status == -8);
}

TEST_CASE("PAL: stacked procedures take in1..in3 and write buffers", "[pal]") {
  Bench b;
  const GuestPhys buffer = TableRam::kBase + 0x100;
  CHECK(b.pal_stacked(261, 3, 1, buffer).v0 == 0xe);
  CHECK(load_le<u64>(b.ram.bytes(buffer + 8, 8).data()) == 0x131);
  CHECK(b.pal_stacked(261, 64, 1, buffer).status == -2);
  CHECK(b.pal_stacked(274, 0, buffer).status == 0);
  CHECK(b.ram.bytes(buffer, 5) == std::vector<u8>{'I', 'n', 't', 'e', 'l'});
  CHECK(b.pal_stacked(257, buffer).status == 0);
  CHECK((load_le<u64>(b.ram.bytes(buffer, 8).data()) >> 60 & 1) == 1);
  CHECK(b.pal_call(15, buffer).v0 == 0x08122f04);
}

TEST_CASE("PAL: halting and cache flushes reach the processor", "[pal]") {
  Bench b;
  CHECK(b.pal_call(29).status == 0);
  CHECK(b.gate.processor.halts == 1);
  CHECK(b.pal_call(1, 4).status == 0);
  CHECK(b.gate.processor.flushes == 1);
  CHECK(b.pal_call(1, 5).status == -2);
}

TEST_CASE("PAL: HALT_LIGHT alone is done at once, as when a service does it", "[pal]") {
  Bench b;
  auto& cpu = b.gate.processor;
  auto& r = cpu.registers;
  const auto call = [&](u64 index, u64 a1, u64 a2, u64 a3) {
    for (unsigned n = 8; n < 12; n++) r.set_gr_nat(n, 0x55, true);
    r.set_gr(28, index), r.set_gr(29, a1), r.set_gr(30, a2), r.set_gr(31, a3);
    return Pal::call_quickly(cpu);
  };
  CHECK(call(29, 0, 0, 0));
  CHECK(cpu.halts == 1);
  for (unsigned n = 8; n < 12; n++) CHECK((r.gr(n) == 0 && !r.nat(n)));
  for (const unsigned odd : {0, 1, 2}) {
    CHECK(call(29, odd == 0, odd == 1, odd == 2));
    CHECK(r.gr(8) == static_cast<u64>(-2));
    CHECK(b.pal_call(29, odd == 0, odd == 1, odd == 2).status == -2);
  }
  CHECK(cpu.halts == 1);
  CHECK(!call(28, 0, 0, 0));
  CHECK(!call(1, 4, 0, 0));
  CHECK((r.gr(8) == 0x55 && r.nat(8)));
  CHECK(cpu.halts == 1);
}

TEST_CASE("PAL: COPY_PAL moves the stub and reports its offset", "[pal]") {
  Bench b;
  struct OneStub final : ServiceTable {
    GuestPhys add(std::string, StubKind kind, Service) override {
      return kind == StubKind::PalEntry ? 0x10 : 0;
    }
    GuestPhys entry_of(GuestPhys) const override { return TableRam::kBase + 0x40; }
  } gate;
  CHECK(b.pal.install(gate) == 0x10);
  const GuestPhys target = TableRam::kBase + 0x8000;
  b.ram.host[0x40] = 0x11, b.ram.host[0x7f] = 0x22;
  const auto r = b.pal_stacked(256, target | bit(63), 4096, 0);
  CHECK(r.status == 0);
  CHECK(r.v0 == 0x40);
  CHECK(b.ram.host[0x8040] == 0x11);
  CHECK(b.ram.host[0x807f] == 0x22);
  CHECK(b.pal_stacked(256, 0x7000'0000, 4096, 0).status == -2);
}

TEST_CASE("PAL: machine check procedures remember and find nothing", "[pal]") {
  Bench b;
  CHECK(b.pal_call(23, 1).v0 == 0);
  CHECK(b.pal_call(23, 0).v0 == 1);
  CHECK(b.pal_call(25, 0).status == -6);
  CHECK(b.pal_call(27, TableRam::kBase | bit(63)).status == 0);
  CHECK(b.pal_call(27, TableRam::kBase + 8).status == -2);
  CHECK(b.pal_call(16, 0, 0xfee0'0000).status == 0);
  CHECK(b.pal_call(41).status == 1);
}

TEST_CASE("SAL: PCI configuration addresses of both forms reach the same register", "[sal]") {
  Bench b;
  ConfigWindow window;
  b.ram.bus.add_mmio(0xf000'0000, 8 << 20, &window, "pci config");
  CHECK(b.sal_call({0x0100'0010, 3 << 16 | 2 << 11 | 1 << 8 | 0x3c, 4, 0}).v0 ==
        (3 << 20 | 2 << 15 | 1 << 12 | 0x3c));
  CHECK(b.sal_call({0x0100'0010, 3 << 20 | 2 << 15 | 1 << 12 | 0x104, 4, 1}).v0 ==
        (3 << 20 | 2 << 15 | 1 << 12 | 0x104));
  CHECK(b.sal_call({0x0100'0010, 8 << 16, 2, 0}).v0 == 0xffff);
  CHECK(b.sal_call({0x0100'0010, 1 << 24, 4, 0}).v0 == 0xffff'ffff);
  CHECK(b.sal_call({0x0100'0010, 2, 4, 0}).status == -2);
  CHECK(b.sal_call({0x0100'0010, 0, 8, 0}).status == -2);
  CHECK(b.sal_call({0x0100'0011, 1 << 16 | 4, 2, 0xffff'0006, 0}).status == 0);
  CHECK(window.offset == (1 << 20 | 4));
  CHECK(window.size == 2);
  CHECK(window.value == 6);
}

TEST_CASE("SAL: vectors are kept, bad ones refused", "[sal]") {
  Bench b;
  CHECK(b.sal_call({0x0100'0000, 2, 0x4000'1000, 0x4000'8000, 0}).status == 0);
  CHECK(b.sal.os_entry(Sal::kBootRendezvous).entry == 0x4000'1000);
  CHECK(b.sal.os_entry(Sal::kBootRendezvous).gp == 0x4000'8000);
  CHECK(b.sal_call({0x0100'0000, 1, 0x1000, 1, 0, 0x2000, 2, 0}).status == 0);
  CHECK(b.sal.os_entry(Sal::kInitSlave).entry == 0x2000);
  CHECK(b.sal_call({0x0100'0000, 0, 0x1008, 1, 0}).status == -2);
  CHECK(b.sal_call({0x0100'0000, 3, 0x1000, 1, 0}).status == -2);
}

TEST_CASE("SAL: state, clocks, and OEM calls answer as real systems do", "[sal]") {
  Bench b;
  CHECK(b.sal_call({0x0100'0001, 0, 0, TableRam::kBase}).status == -5);
  CHECK(b.sal_call({0x0100'0002, 3}).v0 >= 64);
  CHECK(b.sal_call({0x0100'0003, 1}).status == 0);
  CHECK(b.sal_call({0x0100'0005, 1, 1, 0xe8, 20000, 0}).status == 0);
  CHECK(b.sal_call({0x0100'0012, 0}).v0 == 200'000'000);
  CHECK(b.sal_call({0xffff'ffff'0100'0012, 0}).status == 0);
  CHECK(b.sal_call({0x0100'0008, 3}).status == 0);
  CHECK(b.gate.processor.flushes == 1);
  CHECK(b.sal_call({0x0200'0001}).status == -1);
  CHECK(b.sal_call({0x0100'0020}).status == -3);
}
