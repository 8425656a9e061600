// Builders of the fixed ACPI tables. @source ACPI 2.0, 5.2; SPCR specification 1.00; platform reference 7.1
#include "firmware/tables/acpi.h"

#include "firmware/tables/byte_image.h"
#include "firmware/tables/dsdt.h"

namespace ia64::firmware {

namespace {

constexpr u8 kSystemMemory = 0;

/// Starts a table: the length and checksum are set by finish(). "HP" is padded with zeros, as real tables and
/// the platform checks of old kernels have it.
ByteImage header(std::string_view signature, u8 revision) {
  ByteImage t;
  t.text(signature, 4)
      .u32v(0)
      .u8v(revision)
      .u8v(0)
      .text("HP", 6)
      .text("hpvm", 8)
      .u32v(0)
      .text("HP", 4)
      .u32v(0);
  return t;
}

std::vector<u8> finish(ByteImage& t) {
  t.patch<u32>(4, static_cast<u32>(t.size()));
  t.fix_checksum(9, 0, t.size());
  return t.take();
}

void generic_address(ByteImage& t, u8 bits, GuestPhys address) {
  t.u8v(kSystemMemory).u8v(bits).u8v(0).u8v(0).u64v(address);
}
void no_address(ByteImage& t) {
  t.zeros(12);
}

u8 spcr_baud(u64 baud) {
  switch (baud) {
    case 9600: return 3;
    case 19200: return 4;
    case 57600: return 6;
    default: return 7;  // 115200
  }
}

}  // namespace

std::vector<u8> build_madt(const BoardDescription& board) {
  ByteImage t = header("APIC", 1);
  t.u32v(board.interrupt_block_base).u32v(0);  // no 8259s
  for (size_t n = 0; n < board.cpus.size(); n++)
    t.u8v(7).u8v(12).u8v(n).u8v(board.cpus[n].id).u8v(board.cpus[n].eid).zeros(3).u32v(1);
  for (const auto& s : board.io_sapics) t.u8v(6).u8v(16).u8v(s.id).u8v(0).u32v(s.gsi_base).u64v(s.base);
  return finish(t);
}

std::vector<u8> build_spcr(const BoardDescription& board) {
  const UartInfo& uart = board.uarts.at(0);
  ByteImage t = header("SPCR", 1);
  t.u8v(0).zeros(3);  // full 16550
  generic_address(t, 8, uart.base);
  t.u8v(8).u8v(0).u32v(uart.gsi);                                  // interrupt through an I/O SAPIC
  t.u8v(spcr_baud(uart.baud)).u8v(0).u8v(1).u8v(0).u8v(3).u8v(0);  // 8N1, no flow control, ANSI terminal
  t.u16v(0xffff).u16v(0xffff).zeros(3).u32v(0).u8v(0).u32v(0);     // not a PCI device
  return finish(t);
}

std::vector<u8> build_dsdt(const BoardDescription& board) {
  ByteImage t = header("DSDT", 2);  // revision 2: 64-bit integers
  t.append(build_dsdt_body(board));
  return finish(t);
}

std::vector<u8> build_facs() {
  ByteImage t;
  t.text("FACS", 4).u32v(64).u32v(0x8000'0001).zeros(20).u8v(1).zeros(31);
  return t.take();
}

std::vector<u8> build_fadt(const BoardDescription& board, GuestPhys facs, GuestPhys dsdt) {
  constexpr u32 kWbinvd = 1 << 0, kNoSleepButton = 1 << 5, kTimer32 = 1 << 8;
  const GuestPhys pm = board.acpi_pm_base;
  ByteImage t = header("FACP", 3);
  t.u32v(facs).u32v(dsdt).u8v(0).u8v(4);    // preferred profile: enterprise server
  t.u16v(board.sci_gsi).u32v(0).zeros(4);   // no SMI command: ACPI is always on
  t.zeros(32);                              // 32-bit port blocks: none, the registers are memory
  t.u8v(4).u8v(2).u8v(0).u8v(4).zeros(4);   // lengths: PM1_EVT, PM1_CNT, -, PM_TMR, GPE0, GPE1, base, C-state
  t.u16v(101).u16v(1001).zeros(4);          // no C2, no C3; no cache flush parameters
  t.u8v(0).u8v(0).zeros(3).u16v(0).u8v(0);  // duty, day and month alarm, century, boot architecture
  t.u32v(kWbinvd | kNoSleepButton | kTimer32);  // the power button is the fixed one
  no_address(t);                                // no reset register: EFI ResetSystem is the way
  t.u8v(0).zeros(3).u64v(facs).u64v(dsdt);
  generic_address(t, 32, pm + 8), no_address(t);   // PM1a, PM1b events
  generic_address(t, 16, pm + 12), no_address(t);  // PM1a, PM1b control
  no_address(t), generic_address(t, 32, pm + 4);   // PM2 control, PM timer
  no_address(t), no_address(t);                    // GPE0, GPE1: no general-purpose events
  return finish(t);
}

std::vector<u8> build_xsdt(const std::vector<GuestPhys>& tables) {
  ByteImage t = header("XSDT", 1);
  for (const GuestPhys p : tables) t.u64v(p);
  return finish(t);
}

std::vector<u8> build_rsdp(GuestPhys xsdt) {
  ByteImage t;
  t.text("RSD PTR ", 8).u8v(0).text("HP", 6).u8v(2).u32v(0).u32v(36).u64v(xsdt).zeros(4);
  t.fix_checksum(8, 0, 20);
  t.fix_checksum(32, 0, 36);
  return t.take();
}

GuestPhys install_acpi(const BoardDescription& board, AddressSpace& bus, const TableAllocator& allocate) {
  const auto place = [&](const std::vector<u8>& image, TableMemory kind = TableMemory::AcpiReclaim) {
    return place_table(bus, allocate, image, 64, kind);
  };
  const GuestPhys facs = place(build_facs(), TableMemory::AcpiNvs);
  const GuestPhys dsdt = place(build_dsdt(board));
  std::vector<GuestPhys> tables{place(build_fadt(board, facs, dsdt)), place(build_madt(board))};
  if (!board.uarts.empty()) tables.push_back(place(build_spcr(board)));
  return place(build_rsdp(place(build_xsdt(tables))));
}

}  // namespace ia64::firmware
