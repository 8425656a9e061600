// Processor interrupt block: address and data of a message.
#include "devices/irq/interrupt_block.h"

#include "tests/support/test.h"
#include "tests/unit/devices/fakes.h"

using namespace ia64;
using namespace ia64::devices;
using namespace ia64::testing;

TEST_CASE("interrupt_block: an 8-byte store is an IPI to id and eid", "[devices]") {
  FakeInterruptBus bus;
  InterruptBlock block(bus);
  block.write((0x12 << 12) | (0x34 << 4), 8, 0xfe);
  block.write((0x01 << 12) | 8, 8, 0x500 | 0x00);  // redirected INIT
  REQUIRE(bus.messages.size() == 2);
  CHECK(bus.messages[0] == FakeInterruptBus::Message{0x1234, DeliveryMode::Fixed, 0xfe});
  CHECK(bus.messages[1] == FakeInterruptBus::Message{0x0100, DeliveryMode::Init, 0});
}

TEST_CASE("interrupt_block: a 4-byte DMA write through the bus is a message-signalled interrupt",
          "[devices]") {
  FakeInterruptBus bus;
  InterruptBlock block(bus);
  AddressSpace space;
  space.add_mmio(0xfee0'0000, InterruptBlock::kSizeBytes, &block, "pib");
  const u32 data = 0x4031;  // level assert bit is ignored
  space.write_bytes(0xfee0'3000, &data, 4);
  REQUIRE(bus.messages.size() == 1);
  CHECK(bus.messages[0] == FakeInterruptBus::Message{0x0300, DeliveryMode::Fixed, 0x31});
}

TEST_CASE("interrupt_block: INTA finds no 8259, XTP is accepted, odd stores send nothing", "[devices]") {
  FakeInterruptBus bus;
  InterruptBlock block(bus);
  CHECK(read_of(block, 0x1e'0000, 1) == 0xff);
  CHECK(block.write(0x1e'0008, 1, 8) == AccessResult::Ok);
  CHECK(block.write(0x1000, 1, 0x30) == AccessResult::BadSize);
  CHECK(block.write(0x1004, 4, 0x30) == AccessResult::BadSize);
  block.write(0x1000, 8, 0x330);  // reserved mode 3
  CHECK(bus.messages.empty());
}
