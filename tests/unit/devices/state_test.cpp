// The state of each device: after loading it is what was saved, and damaged state harms nothing.
#include <memory>
#include <random>

#include "devices/chipset/acpi_pm.h"
#include "devices/chipset/acpi_pm_regs.h"
#include "devices/irq/io_sapic.h"
#include "devices/mpt/mpt.h"
#include "devices/pci/pci_host.h"
#include "devices/serial/uart16550.h"
#include "devices/virtio/virtio_scsi.h"
#include "storage/scsi/disk_target.h"
#include "storage/stores/memory_store.h"
#include "tests/support/state.h"
#include "tests/support/test.h"
#include "tests/unit/devices/mpt_driver.h"

using namespace ia64;
using namespace ia64::devices;
using namespace ia64::testing;

namespace {

using Random = std::mt19937_64;

/// A device with its own wires; traffic() is what a guest does to it.
struct Rig {
  virtual ~Rig() = default;
  bool quiet = false;  // the host end has nothing to say
  virtual Device& device() = 0;
  virtual void traffic(Random& random) = 0;
};

void random_access(MmioRegion& region, u64 bytes, Random& random, std::initializer_list<unsigned> sizes) {
  const unsigned size = *(sizes.begin() + random() % sizes.size());
  const u64 offset = random() % bytes / size * size;
  u64 value = 0;
  if (random() % 3)
    region.write(offset, size, random() % 4 ? random() & 0xff : random());
  else
    region.read(offset, size, value);
}

struct IoSapicRig final : Rig {
  FakeInterruptBus bus;
  IoSapic chip{bus, 1, 80};
  Device& device() override { return chip; }
  void traffic(Random& random) override {
    chip.write(0, 4, random() % 0xb0 + (random() % 2 ? 0x10 : 0));
    random_access(chip, 0x50, random, {4});
    chip.write(0x10, 4, random());
    chip.pin(random() % 80).set(random() % 2);
  }
};

struct UartRig final : Rig {
  FakeLine line;
  FakeChannel channel;
  Uart16550 chip{line, channel};
  Device& device() override { return chip; }
  void traffic(Random& random) override {
    random_access(chip, 8, random, {1});
    if (random() % 8 == 0 && !quiet) channel.type("text");
  }
};

struct AcpiRig final : Rig {
  FakeClock clock;
  FakeLine line;
  AcpiPm chip{clock, line, [] {}};
  Device& device() override { return chip; }
  void traffic(Random& random) override {
    random_access(chip, 0x20, random, {1, 2, 4});
    if (random() % 8 == 0) chip.press_power_button();
    if (random() % 64 == 0) clock.advance_to(clock.now + u64{700} * 1'000'000'000);
  }
};

std::unique_ptr<storage::scsi::ScsiTarget> disk() {
  auto store = std::make_unique<storage::MemoryStore>(u64{1} << 20);
  return std::make_unique<storage::scsi::DiskTarget>(std::make_unique<storage::BlockDevice>(std::move(store)), storage::scsi::DiskIdentity{.serial = "X"});
}

struct PciRig : Rig {
  Board board;
  std::unique_ptr<pci::PciDevice> chip;
  Device& device() override { return *chip; }
  ~PciRig() override { board.host.unplug(1, 2); }
  template <class Chip>
  void plug(std::unique_ptr<Chip> made) {
    made->attach(3, disk());
    board.host.plug(1, 2, *made);
    chip = std::move(made);
  }
  void traffic(Random& random) override {
    const u64 config = 0xf000'0000 + (1 << 20) + (2 << 15), bar = 0x8c00'0000;
    if (random() % 4 == 0) {
      const unsigned reg = random() % 64 * 4;
      board.set(config + reg, 4, reg == 0x10 ? bar : reg == 0x14 ? bar + 0x1'0000 : reg == 4 ? 7 : random());
    }
    board.set(config + 4, 2, 7);
    board.set(bar + random() % 0x60 * 4, 4, random() % 2 ? random() % 16 : random());
    board.set(bar + 0x1'0000 + random() % 0x40 * 4, 4, random());
    (void)board.get(bar + random() % 0x60 * 4, 4);
  }
};

struct VirtioRig final : PciRig {
  VirtioRig() { plug(std::make_unique<virtio::VirtioScsi>(virtio::VirtioScsi::Config{}, board.intx, board.memory)); }
};

struct MptRig final : PciRig {
  MptRig() { plug(std::make_unique<mpt::Mpt>(board.intx, board.memory)); }
};

template <class R>
std::unique_ptr<Rig> make() {
  return std::make_unique<R>();
}
using Make = std::unique_ptr<Rig> (*)();
constexpr Make kAll[] = {make<IoSapicRig>, make<UartRig>, make<AcpiRig>, make<VirtioRig>, make<MptRig>};

}  // namespace

TEST_CASE("state: a device loads what was saved after any traffic", "[devices][state]") {
  for (const Make make_rig : kAll)
    for (unsigned seed = 0; seed < 40; seed++) {
      Random random(seed);
      const auto one = make_rig(), two = make_rig();
      for (unsigned n = random() % 400; n; n--) one->traffic(random);
      two->quiet = true;
      for (unsigned n = random() % 50; n; n--) two->traffic(random);
      const auto saved = saved_state(one->device());
      INFO(one->device().name() << " seed " << seed);
      CHECK(load_state(two->device(), saved).empty());
      CHECK(saved_state(two->device()) == saved);
      one->device().reset();
      two->device().reset();
    }
}

TEST_CASE("state: a device takes damaged state without harm and works after a reset", "[devices][state]") {
  for (const Make make_rig : kAll)
    for (unsigned seed = 0; seed < 200; seed++) {
      Random random(seed);
      const auto one = make_rig();
      for (unsigned n = random() % 100; n; n--) one->traffic(random);
      auto bytes = saved_state(one->device());
      if (random() % 4 == 0) bytes.resize(random() % bytes.size());
      for (unsigned n = 1 + random() % 20; n && !bytes.empty(); n--) bytes[random() % bytes.size()] = static_cast<u8>(random());
      INFO(one->device().name() << " seed " << seed);
      if (load_state(one->device(), bytes).empty())
        for (unsigned n = 0; n < 50; n++) one->traffic(random);  // what was not refused is a state a guest can go on from
      one->device().reset();
      for (unsigned n = 0; n < 20; n++) one->traffic(random);
    }
}

TEST_CASE("state: the ACPI timer goes on from the time that is loaded", "[devices][state]") {
  AcpiRig one, two;
  one.clock.advance_to(1'000'000'000'000);
  one.chip.write(acpi_pm::kPm1Status, 2, 0xffff);
  const auto saved = saved_state(one.chip);
  two.clock.now = one.clock.now;
  CHECK(load_state(two.chip, saved).empty());
  CHECK(two.clock.timers.size() == 1);
  // 2^31 ticks are 599.9 s: the second change of bit 31 comes at 1199.9 s.
  two.clock.advance_to(1'199'000'000'000);
  CHECK((read_of(two.chip, acpi_pm::kPm1Status, 2) & acpi_pm::kTimerStatus) == 0);
  two.clock.advance_to(1'200'000'000'000);
  CHECK((read_of(two.chip, acpi_pm::kPm1Status, 2) & acpi_pm::kTimerStatus) != 0);
}
