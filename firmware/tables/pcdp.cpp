// Builds the console table from the board's UARTs.
#include "firmware/tables/pcdp.h"

#include "firmware/tables/byte_image.h"

namespace ia64::firmware {

namespace {

constexpr u8 kActiveLow = 1 << 1, kPrimaryConsole = 1 << 2, kInterruptValid = 1 << 6;

void add_uart(ByteImage& t, const UartInfo& uart, bool primary) {
  t.u8v(0).u8v(8).u8v(1).u8v(1).zeros(4);  // UART; 8 bits, no parity, one stop bit; not on PCI
  t.u64v(uart.baud);
  t.u8v(0).u8v(8).u8v(0).u8v(0).u64v(uart.base);                // generic address: byte-wide memory
  t.u16v(0).u16v(0).u32v(uart.gsi).u32v(uart.clock_hz).u8v(2);  // programming interface: 16550
  t.u8v(kActiveLow | kInterruptValid | (primary ? kPrimaryConsole : 0)).u16v(0).u32v(0);
}

}  // namespace

std::vector<u8> build_pcdp(const BoardDescription& board) {
  ByteImage t;
  t.text("HCDP", 4).u32v(0).u8v(3).u8v(0).text("HP", 6).text("hpvm", 8).u32v(0).text("HP", 4).u32v(0);
  t.u32v(board.uarts.size());
  for (size_t n = 0; n < board.uarts.size(); n++) add_uart(t, board.uarts[n], n == 0);
  t.patch<u32>(4, static_cast<u32>(t.size()));
  t.fix_checksum(9, 0, t.size());
  return t.take();
}

GuestPhys install_pcdp(const BoardDescription& board, AddressSpace& bus, const TableAllocator& allocate) {
  return place_table(bus, allocate, build_pcdp(board), 16, TableMemory::RuntimeData);
}

}  // namespace ia64::firmware
