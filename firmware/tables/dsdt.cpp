// Generates the namespace: \_SB with processors, PCI root bridges, UARTs and motherboard resources, and \_S0,
// \_S5.
#include "firmware/tables/dsdt.h"

#include <fmt/format.h>

#include "firmware/tables/aml.h"

namespace ia64::firmware {

namespace {

using aml::Term;

constexpr u64 kPresent = 0xf;  // _STA: present, enabled, shown, functioning
constexpr u64 kSleepTypeS5 = 5;

Term sleep_states() {
  const auto state = [](u64 type) {
    return aml::package({aml::integer(type), aml::integer(type), aml::integer(0), aml::integer(0)});
  };
  return aml::list({aml::name("\\_S0", state(0)), aml::name("\\_S5", state(kSleepTypeS5))});
}

Term routing_table(const BoardDescription& board, u8 bus) {
  std::vector<Term> rows;
  for (const auto& r : board.pci_routes)
    if (r.bus == bus)
      rows.push_back(aml::package({aml::integer(u64{r.device} << 16 | 0xffff), aml::integer(r.pin),
                                   aml::integer(0), aml::integer(r.gsi)}));
  return aml::package(rows);
}

Term pci_root(const BoardDescription& board, const PciRoot& root) {
  aml::ResourceTemplate crs;
  crs.bus_range(root.bus, root.bus);
  if (root.port_count) crs.sparse_port_window(root.port_base, root.port_count, board.port_space_base);
  if (root.mmio.size_bytes) crs.memory_window(root.mmio.base, root.mmio.size_bytes);
  return aml::device(
      fmt::format("PC{:02X}", root.bus),
      aml::list({aml::name("_HID", aml::eisa_id("PNP0A03")), aml::name("_UID", aml::integer(root.bus)),
                 aml::name("_BBN", aml::integer(root.bus)), aml::name("_SEG", aml::integer(0)),
                 aml::name("_STA", aml::integer(kPresent)), aml::name("_CRS", crs.finish()),
                 aml::name("_PRT", routing_table(board, root.bus))}));
}

Term uart(const UartInfo& info, unsigned n) {
  aml::ResourceTemplate crs;
  crs.memory32(static_cast<u32>(info.base), 8).interrupt(info.gsi);
  return aml::device(
      fmt::format("UAR{:X}", n),
      aml::list({aml::name("_HID", aml::eisa_id("PNP0501")), aml::name("_UID", aml::integer(n)),
                 aml::name("_STA", aml::integer(kPresent)), aml::name("_CRS", crs.finish())}));
}

Term motherboard_resources(const BoardDescription& board) {
  aml::ResourceTemplate crs;
  if (board.acpi_pm_base) crs.memory32(static_cast<u32>(board.acpi_pm_base), 0x20);
  for (const auto& s : board.io_sapics) crs.memory32(static_cast<u32>(s.base), 0x1000);
  crs.memory32(static_cast<u32>(board.interrupt_block_base), 0x20'0000);
  return aml::device(
      "MBRD", aml::list({aml::name("_HID", aml::eisa_id("PNP0C02")), aml::name("_UID", aml::integer(0)),
                         aml::name("_CRS", crs.finish())}));
}

}  // namespace

std::vector<u8> build_dsdt_body(const BoardDescription& board) {
  Term system_bus;
  const auto add = [&system_bus](const Term& t) { system_bus.insert(system_bus.end(), t.begin(), t.end()); };
  for (size_t n = 0; n < board.cpus.size(); n++)
    add(aml::processor(fmt::format("CP{:02X}", n), static_cast<u8>(n), {}));
  for (const auto& root : board.pci_roots) add(pci_root(board, root));
  for (size_t n = 0; n < board.uarts.size(); n++) add(uart(board.uarts[n], static_cast<unsigned>(n)));
  add(motherboard_resources(board));
  return aml::list({sleep_states(), aml::scope("\\_SB", system_bus)});
}

}  // namespace ia64::firmware
