// The hpvm-1 board as the table tests describe it, with flat RAM and a bump allocator.
#pragma once

#include "firmware/board_description.h"
#include "firmware/tables/table_memory.h"

namespace ia64::firmware::testing {

inline BoardDescription hpvm_board() {
  BoardDescription b;
  b.machine_name = "hpvm-1";
  b.ram = {{0, u64{1} << 30}, {u64{1} << 32, u64{3} << 30}};
  b.cpus = {{0, 0}, {1, 0}};
  for (u8 bus = 0; bus < 8; bus++) {
    b.pci_roots.push_back({bus,
                           {0x8000'0000 + bus * u64{0x0c00'0000}, 0x0c00'0000},
                           bus ? bus * 0x2000u : 0x1000u,
                           bus ? 0x2000u : 0x1000u});
    for (u8 device = 0; device < 8; device++)
      for (u8 pin = 0; pin < 4; pin++) b.pci_routes.push_back({bus, device, pin, 16u + bus * 8u + device});
  }
  b.io_sapics = {{0, 0xfec0'0000, 16, 80}};
  b.uarts = {{0xff5e'0000, 80}};
  b.pci_config_base = 0xf000'0000;
  b.acpi_pm_base = 0xff5c'1000;
  b.sci_gsi = 81;
  b.smbios.uuid[0] = 0xab;
  return b;
}

/// RAM at `base` handed out upwards.
struct TableRam {
  static constexpr GuestPhys kBase = 0x3f00'0000;
  TableRam() { bus.add_ram(kBase, host.size(), host.data(), "ram"); }
  TableAllocator allocator() {
    return [this](u64 size, u64 alignment, TableMemory kind) {
      next = (next + alignment - 1) & ~(alignment - 1);
      kinds.push_back(kind);
      const GuestPhys at = next;
      next += size;
      return at;
    };
  }
  std::vector<u8> bytes(GuestPhys at, size_t n) {
    std::vector<u8> out(n);
    bus.read_bytes(at, out.data(), n);
    return out;
  }
  std::vector<u8> host = std::vector<u8>(1 << 20);
  AddressSpace bus;
  GuestPhys next = kBase;
  std::vector<TableMemory> kinds;
};

inline u8 sum(const std::vector<u8>& v, size_t first, size_t count) {
  u8 s = 0;
  for (size_t i = 0; i < count; i++) s = static_cast<u8>(s + v.at(first + i));
  return s;
}

}  // namespace ia64::firmware::testing
