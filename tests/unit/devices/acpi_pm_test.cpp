// ACPI PM block: timer, fixed events, soft-off, SCI.
#include "devices/chipset/acpi_pm.h"

#include "devices/chipset/port_space.h"
#include "tests/support/test.h"
#include "tests/unit/devices/fakes.h"

using namespace ia64;
using namespace ia64::devices;
using namespace ia64::testing;

namespace {
struct Fixture {
  FakeClock clock;
  FakeLine sci;
  int offs = 0;
  AcpiPm pm{clock, sci, [this] { offs++; }};
};
}  // namespace

TEST_CASE_METHOD(Fixture, "acpi_pm: the timer counts at 3.579545 MHz in 32 bits", "[devices]") {
  clock.advance_to(1'000'000'000);
  CHECK(read_of(pm, 4, 4) == 3'579'545);
  clock.advance_to(1200'000'000'000);
  CHECK(read_of(pm, 4, 4) == (3'579'545ull * 1200) % (1ull << 32));
}

TEST_CASE_METHOD(Fixture, "acpi_pm: the carry of the timer raises SCI when enabled", "[devices]") {
  pm.write(0xa, 2, 1);
  clock.advance_to(599'900'000'000);  // 2^31 ticks take 599.93 s
  CHECK_FALSE(sci.level);
  clock.advance_to(600'000'000'000);
  CHECK(sci.level);
  pm.write(8, 2, 1);
  CHECK_FALSE(sci.level);
  clock.advance_to(1200'000'000'000);
  CHECK(sci.level);
}

TEST_CASE_METHOD(Fixture, "acpi_pm: power button sets its status and interrupts only when enabled",
                 "[devices]") {
  pm.press_power_button();
  CHECK_FALSE(sci.level);
  CHECK(read_of(pm, 8, 2) == 0x100);
  pm.write(8, 4, 0x0100'0000);  // status and enable in one access: enables only
  CHECK(sci.level);
  pm.write(8, 2, 0x100);
  CHECK_FALSE(sci.level);
}

TEST_CASE_METHOD(Fixture, "acpi_pm: PM1 enable keeps only defined bits, SCI_EN reads one", "[devices]") {
  pm.write(0xa, 2, 0xffff);
  CHECK(read_of(pm, 0xa, 2) == 0x0721);
  CHECK((read_of(pm, 0xc, 2) & 1) == 1);
}

TEST_CASE_METHOD(Fixture, "acpi_pm: SLP_EN with the S5 type powers off, other types do not", "[devices]") {
  pm.write(0xc, 2, (3 << 10) | 0x2000);
  CHECK(offs == 0);
  pm.write(0xc, 2, 5 << 10);
  CHECK(offs == 0);
  pm.write(0xc, 2, (5 << 10) | 0x2000);
  CHECK(offs == 1);
  CHECK((read_of(pm, 0xc, 2) & 0x2000) == 0);
}

TEST_CASE_METHOD(Fixture, "acpi_pm: general-purpose events are write-one-to-clear and gated by enable",
                 "[devices]") {
  pm.raise_gpe(1u << 20);
  CHECK_FALSE(sci.level);
  pm.write(0x14, 4, 1u << 20);
  CHECK(sci.level);
  pm.write(0x12, 1, 0x10);
  CHECK_FALSE(sci.level);
  CHECK(read_of(pm, 0x10, 4) == 0);
}

TEST_CASE("port_space: each page holds four ports", "[devices]") {
  struct Echo final : MmioRegion {
    u64 last = 0;
    unsigned last_size = 0;
    AccessResult read(u64 offset, unsigned size, u64& value) override {
      last = offset, last_size = size, value = 0x77;
      return AccessResult::Ok;
    }
    AccessResult write(u64 offset, unsigned size, u64) override {
      last = offset, last_size = size;
      return AccessResult::Ok;
    }
  } echo;
  AddressSpace ports;
  ports.add_mmio(0x1000, 0x1000, &echo, "io");
  PortSpace space(ports);
  // Linux: base + ((port >> 2) << 12 | (port & 0xfff))
  const u64 port = 0x13f6;
  CHECK(read_of(space, ((port >> 2) << 12) | (port & 0xfff), 1) == 0x77);
  CHECK(echo.last == 0x3f6);
  CHECK(read_of(space, u64{0x2000 >> 2} << 12, 2) == 0xffff);
  u64 v;
  CHECK(space.read(0, 8, v) == AccessResult::BadSize);
}
