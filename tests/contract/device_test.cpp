// The Device contract, run on every device model: resets, odd widths, unmapped offsets, random accesses.
#include <functional>
#include <random>
#include <thread>

#include "devices/chipset/acpi_pm.h"
#include "devices/chipset/port_space.h"
#include "devices/irq/interrupt_block.h"
#include "devices/irq/io_sapic.h"
#include "devices/irq/io_sapic_regs.h"
#include "devices/mpt/mpt.h"
#include "devices/pci/pci_host.h"
#include "devices/serial/uart16550.h"
#include "devices/virtio/virtio_scsi.h"
#include "storage/scsi/disk_target.h"
#include "storage/stores/memory_store.h"
#include "tests/support/test.h"
#include "tests/unit/devices/fakes.h"

using namespace ia64;
using namespace ia64::devices;
using namespace ia64::testing;

namespace {

/// A device on a bus of its own, with everything it could want.
struct Bench {
  std::vector<u8> ram = std::vector<u8>(1 << 20);
  AddressSpace memory, ports;
  FakeInterruptBus interrupts;
  InterruptBlock block{interrupts};
  FakeClock clock;
  FakeLine line;
  FakeChannel channel;
  std::unique_ptr<pci::PciHost> host;
  std::unique_ptr<Device> device;
  struct Window {
    GuestPhys base;
    u64 size_bytes;
  };
  std::vector<Window> windows;

  Bench() {
    memory.add_ram(0, ram.size(), ram.data(), "ram");
    memory.add_mmio(0xfee0'0000, InterruptBlock::kSizeBytes, &block, "pib");
  }
  template <class D>
  void map(std::unique_ptr<D> d, u64 size_bytes) {
    memory.add_mmio(0xff00'0000, size_bytes, d.get(), d->name());
    windows.push_back({0xff00'0000, size_bytes});
    device = std::move(d);
  }
  void plug(std::unique_ptr<pci::PciDevice> d) {
    host = std::make_unique<pci::PciHost>(memory, ports);
    host->plug(0, 0, *d);
    host->config_write(0, 0, 0, 0x10, 4, 0x8000'0000);
    host->config_write(0, 0, 0, 0x14, 4, 0x8001'0000);
    host->config_write(0, 0, 0, 4, 2, 7);
    windows = {{0xf000'0000, 0x1000}, {0x8000'0000, 0x4000}, {0x8001'0000, 0x1000}};
    device = std::move(d);
  }
  /// The same for an adapter with an I/O BAR and 64-bit memory BARs 1 and 3.
  void plug_wide(std::unique_ptr<pci::PciDevice> d) {
    host = std::make_unique<pci::PciHost>(memory, ports);
    host->plug(0, 0, *d);
    host->config_write(0, 0, 0, 0x10, 4, 0x1000);
    host->config_write(0, 0, 0, 0x14, 4, 0x8000'0000);
    host->config_write(0, 0, 0, 0x1c, 4, 0x8001'0000);
    host->config_write(0, 0, 0, 4, 2, 7);
    windows = {{0xf000'0000, 0x1000}, {0x8000'0000, 0x1'0000}, {0x8001'0000, 0x1'0000}};
    device = std::move(d);
  }
};

struct Row {
  const char* name;
  std::function<void(Bench&)> build;
};

const Row kDevices[] = {
    {"io_sapic",
     [](Bench& b) { b.map(std::make_unique<IoSapic>(b.interrupts, 0, 80), io_sapic::kSizeBytes); }},
    {"interrupt_block",
     [](Bench& b) { b.map(std::make_unique<InterruptBlock>(b.interrupts), InterruptBlock::kSizeBytes); }},
    {"uart16550",
     [](Bench& b) { b.map(std::make_unique<Uart16550>(b.line, b.channel), Uart16550::kSizeBytes); }},
    {"acpi_pm", [](Bench& b) { b.map(std::make_unique<AcpiPm>(b.clock, b.line, [] {}), 0x1000); }},
    {"virtio_scsi",
     [](Bench& b) {
       auto hba = std::make_unique<virtio::VirtioScsi>(virtio::VirtioScsi::Config{.request_queues = 4},
                                                       b.line, b.memory);
       auto device =
           std::make_unique<storage::BlockDevice>(std::make_unique<storage::MemoryStore>(u64{1} << 16));
       hba->attach(
           0, std::make_unique<storage::scsi::DiskTarget>(std::move(device), storage::scsi::DiskIdentity{}));
       b.plug(std::move(hba));
     }},
    {"mpt",
     [](Bench& b) {
       auto hba = std::make_unique<mpt::Mpt>(b.line, b.memory);
       auto device =
           std::make_unique<storage::BlockDevice>(std::make_unique<storage::MemoryStore>(u64{1} << 16));
       hba->attach(
           0, std::make_unique<storage::scsi::DiskTarget>(std::move(device), storage::scsi::DiskIdentity{}));
       b.plug_wide(std::move(hba));
     }},
};

struct Snapshot final : InspectWriter {
  std::string text_;
  void begin(std::string_view n) override { text_ += std::string(n) + "{"; }
  void end() override { text_ += "}"; }
  void value(std::string_view n, u64 v) override { text_ += std::string(n) + "=" + std::to_string(v) + " "; }
  void text(std::string_view n, std::string_view v) override {
    text_ += std::string(n) + "=" + std::string(v) + " ";
  }
};

std::string state_of(const Device& d) {
  Snapshot s;
  d.inspect(s);
  return s.text_;
}

void storm(Bench& b, unsigned seed, int count) {
  std::mt19937_64 rng(seed);
  for (int i = 0; i < count; i++) {
    const auto& w = b.windows[rng() % b.windows.size()];
    const unsigned size = 1u << (rng() % 4);
    const u64 reach = rng() % 2 ? std::min<u64>(w.size_bytes, 0x100) : w.size_bytes;
    const u64 phys = w.base + rng() % reach;
    u64 v = rng() % 3 ? rng() & 0xff : rng();
    if (rng() % 2)
      b.memory.write(phys, size, v);
    else
      b.memory.read(phys, size, v);
  }
}

}  // namespace

TEST_CASE("device contract: reset gives the power-on state, twice in a row too", "[contract]") {
  for (const auto& row : kDevices) {
    INFO(row.name);
    Bench fresh, used;
    row.build(fresh);
    row.build(used);
    fresh.device->reset();
    const auto power_on = state_of(*fresh.device);
    fresh.device->reset();
    CHECK(state_of(*fresh.device) == power_on);
    storm(used, 7, 2000);
    used.device->reset();
    CHECK(state_of(*used.device) == power_on);
    CHECK_FALSE(used.line.level);
  }
}

TEST_CASE("device contract: odd widths and unmapped offsets are answered, refused widths read ones",
          "[contract]") {
  for (const auto& row : kDevices) {
    INFO(row.name);
    Bench b;
    row.build(b);
    for (const auto& w : b.windows)
      for (unsigned size : {1u, 2u, 4u, 8u})
        for (u64 offset = 0; offset + size <= std::min<u64>(w.size_bytes, 0x1000); offset++) {
          u64 v = 0;
          const auto result = b.memory.read(w.base + offset, size, v);
          if (result != AccessResult::Ok) REQUIRE(v == ~u64{0} >> (64 - 8 * size));
          REQUIRE((size == 8 || v >> (8 * size) == 0));
          b.memory.write(w.base + offset, size, 0);
        }
  }
}

TEST_CASE("device contract: random accesses never do harm", "[contract]") {
  for (const auto& row : kDevices) {
    INFO(row.name);
    for (unsigned seed = 0; seed < 10; seed++) {
      Bench b;
      row.build(b);
      storm(b, seed, 5000);
      b.device->reset();
    }
  }
}

TEST_CASE("device contract: accesses, inspection and resets from several threads", "[contract]") {
  for (const auto& row : kDevices) {
    INFO(row.name);
    Bench b;
    row.build(b);
    std::thread other([&] { storm(b, 1, 2000); });
    std::thread resetter([&] {
      for (int i = 0; i < 50; i++) b.device->reset(), state_of(*b.device);
    });
    storm(b, 2, 2000);
    other.join();
    resetter.join();
  }
}
