// 16550A: interrupt matrix, FIFOs, loopback, flow control. Expectations from the PC16550D data sheet.
#include "devices/serial/uart16550.h"

#include "tests/support/test.h"
#include "tests/unit/devices/fakes.h"

using namespace ia64;
using namespace ia64::devices;
using namespace ia64::testing;

namespace {

struct Fixture {
  FakeLine irq;
  FakeChannel host;
  Uart16550 uart{irq, host};
  u8 in(unsigned reg) { return static_cast<u8>(read_of(uart, reg, 1)); }
  void out(unsigned reg, u8 v) { uart.write(reg, 1, v); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "uart: reset state", "[devices]") {
  CHECK(in(2) == 0x01);
  CHECK(in(5) == 0x60);
  CHECK(in(6) == 0xb0);
  CHECK_FALSE(irq.level);
}

TEST_CASE_METHOD(Fixture, "uart: output reaches the host and DLAB hides the data register", "[devices]") {
  out(0, 'h');
  out(3, 0x83);
  out(0, 1);
  out(1, 2);
  CHECK(in(0) == 1);
  CHECK(in(1) == 2);
  out(3, 0x03);
  out(0, 'i');
  CHECK(host.output == "hi");
}

TEST_CASE_METHOD(Fixture, "uart: THRE interrupt on enable, cleared by IIR, raised again by a write",
                 "[devices]") {
  out(1, 0x02);
  CHECK(irq.level);
  CHECK(in(2) == 0x02);
  CHECK_FALSE(irq.level);
  CHECK(in(2) == 0x01);
  out(0, 'x');
  CHECK(irq.level);
  out(1, 0);
  CHECK_FALSE(irq.level);
  in(2);
  out(1, 0x02);
  CHECK(irq.level);  // the driver's test for a missing re-raise must pass
}

TEST_CASE_METHOD(Fixture, "uart: received data, trigger levels and time-out", "[devices]") {
  out(1, 0x01);
  host.type("a");
  CHECK(irq.level);
  CHECK(in(2) == 0x04);
  CHECK(in(0) == 'a');
  CHECK_FALSE(irq.level);
  out(2, 0x81);  // FIFO, trigger 8
  host.type("1234567");
  CHECK(in(2) == 0xcc);
  host.type("8");
  CHECK(in(2) == 0xc4);
  in(0);
  CHECK(in(2) == 0xcc);
  for (int i = 0; i < 7; i++) in(0);
  CHECK(in(2) == 0xc1);
  CHECK((in(5) & 1) == 0);
}

TEST_CASE_METHOD(Fixture, "uart: nothing typed is lost while the FIFO is full", "[devices]") {
  out(2, 0x01);
  std::string text, got;
  for (int i = 0; i < 100; i++) text += static_cast<char>('0' + i % 75);
  host.type(text);
  CHECK(host.typed.size() == 84);
  while (in(5) & 1) got += static_cast<char>(in(0));
  CHECK(got == text);
  CHECK((in(5) & 0x02) == 0);
}

TEST_CASE_METHOD(Fixture, "uart: line status interrupt has priority and reading LSR clears it", "[devices]") {
  out(2, 0x01);
  out(1, 0x0f);
  host.on_break();
  CHECK(in(2) == 0xc6);
  CHECK((in(5) & 0x91) == 0x91);
  CHECK(in(2) == 0xc4);
  CHECK(in(0) == 0);
  CHECK(in(2) == 0xc2);
  CHECK(in(2) == 0xc1);
}

TEST_CASE_METHOD(Fixture, "uart: a break behind other bytes shows when it reaches the head", "[devices]") {
  out(2, 0x01);
  host.type("q");
  host.on_break();
  CHECK((in(5) & 0x90) == 0x80);
  in(0);
  CHECK((in(5) & 0x90) == 0x90);
}

TEST_CASE_METHOD(Fixture, "uart: loopback feeds data and modem lines back, off the wire", "[devices]") {
  out(3, 0x03);
  out(4, 0x1a);
  CHECK((in(6) & 0xf0) == 0x90);
  out(0, 0x5a);
  CHECK(host.output.empty());
  CHECK(in(0) == 0x5a);
  host.type("z");
  CHECK((in(5) & 1) == 0);
  out(4, 0);
  CHECK(in(0) == 'z');
  CHECK((in(6) & 0xf0) == 0xb0);
}

TEST_CASE_METHOD(Fixture, "uart: modem deltas interrupt and clear on read, ring shows its trailing edge",
                 "[devices]") {
  out(1, 0x08);
  out(4, 0x10);  // all inputs drop
  CHECK(in(2) == 0x00);
  CHECK(in(6) == 0x0b);
  CHECK(in(2) == 0x01);
  out(4, 0x14);
  CHECK(in(6) == 0x40);
  out(4, 0x10);
  CHECK(in(6) == 0x04);
}

TEST_CASE_METHOD(Fixture, "uart: identification bits as 16550A autodetection expects", "[devices]") {
  out(2, 0x01);
  CHECK((in(2) & 0xe0) == 0xc0);
  out(1, 0xf0);
  CHECK(in(1) == 0);
  out(7, 0x5c);
  CHECK(in(7) == 0x5c);
  out(2, 0);
  CHECK((in(2) & 0xc0) == 0);
}

TEST_CASE_METHOD(Fixture, "uart: clearing the receive FIFO makes room for waiting bytes", "[devices]") {
  out(2, 0x01);
  host.type("0123456789abcdefXY");
  CHECK(host.typed.size() == 2);
  out(2, 0x03);
  CHECK(in(0) == 'X');
}
