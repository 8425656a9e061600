// I/O SAPIC: delivery matrices of level and edge pins, EOI, registers.
#include "devices/irq/io_sapic.h"

#include "tests/support/test.h"
#include "tests/unit/devices/fakes.h"

using namespace ia64;
using namespace ia64::devices;
using namespace ia64::testing;

namespace {

constexpr u32 kMasked = 1u << 16, kLevel = 1u << 15, kLow = 1u << 13, kIrr = 1u << 14;

struct Fixture {
  FakeInterruptBus bus;
  IoSapic chip{bus, 0, 80};
  void put(unsigned index, u32 v) {
    chip.write(0x00, 4, index);
    chip.write(0x10, 4, v);
  }
  u32 get(unsigned index) {
    chip.write(0x00, 4, index);
    return static_cast<u32>(read_of(chip, 0x10, 4));
  }
  void route(unsigned pin, u32 low, u32 high = 0x0300'0000) {
    put(0x11 + 2 * pin, high);
    put(0x10 + 2 * pin, low);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "io_sapic: version gives the last entry, entries start masked", "[devices]") {
  CHECK(get(1) == 0x004f'0020);
  CHECK(get(0x10) == kMasked);
  CHECK(get(0x10 + 2 * 79) == kMasked);
  CHECK(get(0x10 + 2 * 80) == 0);
  CHECK(get(0) == 0);
}

TEST_CASE_METHOD(Fixture, "io_sapic: a level pin sends once until EOI, then again while asserted",
                 "[devices]") {
  route(5, 0x41 | kLevel | kLow, 0x0102'0000);
  chip.pin(5).set(true);
  REQUIRE(bus.messages.size() == 1);
  CHECK(bus.messages[0] == FakeInterruptBus::Message{0x0102, DeliveryMode::Fixed, 0x41});
  CHECK((get(0x10 + 10) & kIrr) != 0);
  chip.pin(5).set(false);
  chip.pin(5).set(true);
  CHECK(bus.messages.size() == 1);  // remote IRR holds it back
  chip.write(0x40, 4, 0x42);
  CHECK(bus.messages.size() == 1);  // another vector's EOI
  chip.write(0x40, 4, 0x41);
  CHECK(bus.messages.size() == 2);
  chip.pin(5).set(false);
  chip.write(0x40, 4, 0x41);
  CHECK(bus.messages.size() == 2);
  CHECK((get(0x10 + 10) & kIrr) == 0);
}

TEST_CASE_METHOD(Fixture, "io_sapic: unmasking an asserted level pin delivers", "[devices]") {
  chip.pin(0).set(true);
  CHECK(bus.messages.empty());
  route(0, 0x50 | kLevel | kLow);
  CHECK(bus.messages.size() == 1);
}

TEST_CASE_METHOD(Fixture,
                 "io_sapic: an edge while masked is lost, one while unmasked is sent without waiting for EOI",
                 "[devices]") {
  route(1, 0x60 | kLow | kMasked);
  chip.pin(1).set(true);
  route(1, 0x60 | kLow);
  CHECK(bus.messages.empty());
  chip.pin(1).set(false);
  chip.pin(1).set(true);
  chip.pin(1).set(false);
  chip.pin(1).set(true);
  CHECK(bus.messages.size() == 2);
}

TEST_CASE_METHOD(Fixture, "io_sapic: polarity is the wire's: active high sees the idle wire", "[devices]") {
  route(2, 0x61 | kLevel);  // active high on an idle (high) wire
  CHECK(bus.messages.size() == 1);
  chip.pin(2).set(true);
  chip.write(0x40, 4, 0x61);
  CHECK(bus.messages.size() == 1);
}

TEST_CASE_METHOD(Fixture, "io_sapic: pins that share a vector are all released by one EOI", "[devices]") {
  route(3, 0x70 | kLevel | kLow);
  route(4, 0x70 | kLevel | kLow);
  chip.pin(3).set(true);
  chip.pin(4).set(true);
  CHECK(bus.messages.size() == 2);
  chip.write(0x40, 4, 0x70);
  CHECK(bus.messages.size() == 4);
}

TEST_CASE_METHOD(Fixture, "io_sapic: delivery modes pass through, reserved ones send nothing", "[devices]") {
  const struct {
    u32 mode;
    bool sent;
  } rows[] = {{0, true}, {1, true}, {2, true}, {3, false}, {4, true}, {5, true}, {6, false}, {7, true}};
  for (const auto& row : rows) {
    bus.messages.clear();
    route(7, 0x33 | row.mode << 8 | kLow);
    chip.pin(7).set(true);
    chip.pin(7).set(false);
    CHECK(bus.messages.size() == (row.sent ? 1u : 0u));
    if (row.sent && !bus.messages.empty()) CHECK(static_cast<u32>(bus.messages[0].mode) == row.mode);
  }
}

TEST_CASE_METHOD(Fixture, "io_sapic: narrow accesses are refused, reset masks everything", "[devices]") {
  u64 v;
  CHECK(chip.read(0, 1, v) == AccessResult::BadSize);
  CHECK(chip.write(0x10, 2, 0) == AccessResult::BadSize);
  route(7, 0x33 | kLow);
  chip.reset();
  CHECK(get(0x1e) == kMasked);
}
