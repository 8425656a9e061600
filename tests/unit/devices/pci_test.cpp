// PCI: configuration window, BAR sizing and movement, INTx, MSI and MSI-X, bus-master gate.
#include "devices/irq/interrupt_block.h"
#include "devices/pci/pci_host.h"
#include "tests/support/test.h"
#include "tests/unit/devices/fakes.h"

using namespace ia64;
using namespace ia64::devices;
using namespace ia64::devices::pci;
using namespace ia64::testing;

namespace {

struct Probe final : PciDevice {
  u64 last_offset = 0, last_value = 0;
  unsigned last_bar = 9;
  Probe(IrqLine& intx, AddressSpace& memory)
      : PciDevice({.vendor_id = 0x103c, .device_id = 0x1234, .revision = 3, .class_code = 0x010000}, intx,
                  memory) {
    add_bar(0, BarKind::Memory32, 0x4000);
    add_msix(1, 3);
    add_bar(2, BarKind::Io, 0x20);
    add_bar(4, BarKind::Memory64, 0x1000);
    add_msi();
  }
  const char* name() const override { return "probe"; }
  void visit_state(StateArchive& a) override { visit_pci(a); }
  void reset() override { reset_pci(); }
  void inspect(InspectWriter& out) const override { inspect_pci(out); }
  AccessResult bar_read(unsigned bar, u64 offset, unsigned, u64& value) override {
    last_bar = bar, last_offset = offset, value = 0x1234;
    return AccessResult::Ok;
  }
  AccessResult bar_write(unsigned bar, u64 offset, unsigned, u64 value) override {
    last_bar = bar, last_offset = offset, last_value = value;
    return AccessResult::Ok;
  }
  using PciDevice::dma;
  using PciDevice::raise_msi;
  using PciDevice::raise_msix;
  using PciDevice::set_intx;
};

struct Fixture {
  std::vector<u8> ram = std::vector<u8>(0x10000);
  AddressSpace memory, ports;
  FakeInterruptBus interrupts;
  InterruptBlock block{interrupts};
  PciHost host{memory, ports};
  FakeLine intx;
  Probe probe{intx, memory};
  Fixture() {
    memory.add_ram(0, ram.size(), ram.data(), "ram");
    memory.add_mmio(0xfee0'0000, InterruptBlock::kSizeBytes, &block, "pib");
    host.plug(3, 5, probe);
  }
  static constexpr u64 kAt = 0xf000'0000 + (3 << 20) + (5 << 15);
  u32 cfg(unsigned reg, unsigned size = 4) {
    u64 v = 0;
    memory.read(kAt + reg, size, v);
    return static_cast<u32>(v);
  }
  void set(unsigned reg, u32 v, unsigned size = 4) { memory.write(kAt + reg, size, v); }
  u64 mem(u64 phys, unsigned size = 4) {
    u64 v = 0;
    memory.read(phys, size, v);
    return v;
  }
  unsigned cap(u8 id) {
    for (unsigned at = cfg(0x34, 1); at; at = cfg(at + 1, 1))
      if (cfg(at, 1) == id) return at;
    return 0;
  }
  void enable_msix() {
    set(0x14, 0xa410'0000);
    set(4, 6, 2);
    set(cap(0x11) + 2, 0x8000, 2);
  }
  void set_vector(unsigned n, u32 address, u32 data, u32 control) {
    memory.write(0xa410'0000 + n * 16, 8, address);
    memory.write(0xa410'0008 + n * 16, 4, data);
    memory.write(0xa410'000c + n * 16, 4, control);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "pci: the window shows the function and all ones elsewhere", "[devices]") {
  CHECK(cfg(0) == 0x1234'103c);
  CHECK(cfg(8) == 0x0100'0003);
  CHECK(cfg(0x0a, 2) == 0x0100);
  CHECK(mem(0xf000'0000) == 0xffff'ffff);
  CHECK(mem(kAt + (1 << 12)) == 0xffff'ffff);  // function 1
  CHECK(mem(kAt + 0x100) == 0xffff'ffff);      // no extended space
  set(0, 0);
  CHECK(cfg(0) == 0x1234'103c);
}

TEST_CASE_METHOD(Fixture, "pci: BAR sizing gives the two's complement of the size and the type bits",
                 "[devices]") {
  for (unsigned reg : {0x10u, 0x18u, 0x20u, 0x24u, 0x1cu}) set(reg, 0xffff'ffff);
  CHECK(cfg(0x10) == 0xffff'c000);
  CHECK(cfg(0x18) == 0xffff'ffe1);
  CHECK(cfg(0x20) == 0xffff'f004);
  CHECK(cfg(0x24) == 0xffff'ffff);
  CHECK(cfg(0x1c) == 0);
}

TEST_CASE_METHOD(Fixture, "pci: a BAR answers where it was moved to and only while decoding is on",
                 "[devices]") {
  const u64 window = 0x8000'0000 + 3 * 0x0c00'0000;
  set(0x10, static_cast<u32>(window + 0x4000));
  CHECK(mem(window + 0x4010) == 0xffff'ffff);
  set(4, 2, 2);
  CHECK(mem(window + 0x4010) == 0x1234);
  CHECK(probe.last_offset == 0x10);
  set(0x10, static_cast<u32>(window + 0x8000));
  CHECK(mem(window + 0x4010) == 0xffff'ffff);
  CHECK(mem(window + 0xbffc) == 0x1234);
  set(0x10, 0x8000'0000);  // bus 0's window: behind another bridge
  CHECK(mem(0x8000'0000) == 0xffff'ffff);
}

TEST_CASE_METHOD(Fixture, "pci: I/O BARs answer in the port space", "[devices]") {
  set(0x18, 0x6100);
  set(4, 1, 2);
  u64 v = 0;
  ports.read(0x6104, 2, v);
  CHECK(v == 0x1234);
  CHECK(probe.last_bar == 2);
  CHECK(probe.last_offset == 4);
}

TEST_CASE("pci: windows tile without overlap", "[devices]") {
  CHECK(PciHost::windows(0).port_base == 0x1000);
  CHECK(PciHost::windows(0).port_count == 0x1000);
  CHECK(PciHost::windows(7).port_base == 0xe000);
  CHECK(PciHost::windows(7).port_count == 0x2000);
  CHECK(PciHost::windows(7).memory_base == 0xd400'0000);
  CHECK(PciHost::windows(7).memory_base + PciHost::windows(7).memory_bytes == 0xe000'0000);
  CHECK(PciHost::interrupt_pin(7, 7) == 63);
}

TEST_CASE_METHOD(Fixture, "pci: INTx follows the device, the disable bit and MSI-X", "[devices]") {
  probe.set_intx(true);
  CHECK(intx.level);
  CHECK((cfg(6, 2) & 8) != 0);
  set(4, 0x400, 2);
  CHECK_FALSE(intx.level);
  CHECK((cfg(6, 2) & 8) != 0);
  set(4, 0, 2);
  CHECK(intx.level);
  set(cap(0x11) + 2, 0x8000, 2);
  CHECK_FALSE(intx.level);
}

TEST_CASE_METHOD(Fixture, "pci: MSI-X sends, pends while masked, and sends on unmask", "[devices]") {
  enable_msix();
  set_vector(1, 0xfee0'2000, 0x45, 1);
  probe.raise_msix(1);
  CHECK(interrupts.messages.empty());
  CHECK(mem(0xa410'0800, 8) == 2);
  set_vector(1, 0xfee0'2000, 0x45, 0);
  REQUIRE(interrupts.messages.size() == 1);
  CHECK(interrupts.messages[0] == FakeInterruptBus::Message{0x0200, DeliveryMode::Fixed, 0x45});
  CHECK(mem(0xa410'0800, 8) == 0);
  set(cap(0x11) + 2, 0xc000, 2);
  probe.raise_msix(1);
  probe.raise_msix(1);
  CHECK(interrupts.messages.size() == 1);
  set(cap(0x11) + 2, 0x8000, 2);
  CHECK(interrupts.messages.size() == 2);
  probe.raise_msix(3);
  probe.raise_msix(0xffff);
  CHECK(interrupts.messages.size() == 2);
}

TEST_CASE_METHOD(Fixture, "pci: a message aimed at the device's own table ends", "[devices]") {
  enable_msix();
  set_vector(0, 0xa410'000c, 0, 0);
  probe.raise_msix(0);
  CHECK(mem(0xa410'000c) == 0);
}

TEST_CASE_METHOD(Fixture, "pci: MSI needs its enable bit and bus mastering", "[devices]") {
  const unsigned at = cap(0x05);
  REQUIRE(at);
  CHECK_FALSE(probe.raise_msi());
  set(at + 4, 0xfee0'1000);
  set(at + 12, 0x77, 2);
  set(at + 2, 1, 2);
  CHECK(probe.raise_msi());
  CHECK(interrupts.messages.empty());
  set(4, 4, 2);
  CHECK(probe.raise_msi());
  REQUIRE(interrupts.messages.size() == 1);
  CHECK(interrupts.messages[0].vector == 0x77);
}

TEST_CASE_METHOD(Fixture, "pci: DMA is refused while bus mastering is off and drops translated code",
                 "[devices]") {
  u32 v = 5;
  CHECK_FALSE(probe.dma().write(0x100, &v, 4));
  CHECK(probe.dma().ram_span(0, 16) == nullptr);
  set(4, 4, 2);
  CHECK(probe.dma().write(0x100, &v, 4));
  CHECK(ram[0x100] == 5);
  std::vector<GuestPhys> dropped;
  memory.add_code_listener([&](GuestPhys p) { dropped.push_back(p); });
  memory.mark_code(0x2000);
  probe.dma().written(0x2ff0, 0x20);
  CHECK(dropped == std::vector<GuestPhys>{0x2000});
  probe.reset();
  CHECK_FALSE(probe.dma().enabled());
}
