// Commands about buses: the PCI tree, SCSI targets and their queues.
#include <fmt/format.h>

#include "devices/pci/pci_host.h"
#include "devices/pci/pci_regs.h"
#include "devices/scsi_host.h"
#include "machine/board.h"
#include "machine/control/command.h"
#include "machine/control/debug_arguments.h"
#include "machine/inspect_json.h"
#include "machine/machine.h"
#include "machine/storage_bays.h"

namespace ia64::machine::control {
namespace {

using devices::pci::PciDevice;
using devices::pci::PciHost;
using devices::pci::RootBus;
namespace pci = devices::pci;

struct Lines {
  Json list = Json::array();
  template <class... A>
  void say(fmt::format_string<A...> f, A&&... a) {
    list.push_back(fmt::format(f, std::forward<A>(a)...));
  }
};

const char* class_name(u32 code) {
  switch (code >> 8) {
    case 0x0100: return "SCSI controller";
    case 0x0107: return "SAS controller";
    case 0x0180: return "storage controller";
    case 0x0200: return "Ethernet controller";
    case 0x0300: return "VGA controller";
    case 0x0700: return "serial port";
    default: return "device";
  }
}

void say_bars(Lines& out, PciDevice& device) {
  for (unsigned n = 0; n < 6; n++) {
    const u32 low = device.config_read(pci::kBar0 + 4 * n, 4);
    if (!low) continue;
    const bool io = low & 1, wide = !io && (low & 6) == 4;
    u64 base = low & ~u64{io ? 3u : 15u};
    if (wide) base |= u64{device.config_read(pci::kBar0 + 4 * n + 4, 4)} << 32;
    out.say("        bar {}: {} at {:#x}{}", n, io ? "ports" : "memory", base, wide ? ", 64 bits wide" : "");
    n += wide;
  }
}

/// A list that a guest cannot make endless: configuration space has room for so many.
std::string capabilities(PciDevice& device) {
  if (!(device.config_read(pci::kStatus, 2) & pci::kStatusCapabilities)) return "none";
  std::string out;
  unsigned at = device.config_read(pci::kCapabilities, 1) & ~3u;
  for (unsigned n = 0; at >= pci::kFirstCapability && n < pci::kConfigSize / 4; n++) {
    const u32 id = device.config_read(at, 1), control = device.config_read(at + 2, 2);
    out += out.empty() ? "" : ", ";
    if (id == pci::kCapMsi) out += control & pci::kMsiEnable ? "MSI (on)" : "MSI (off)";
    else if (id == pci::kCapMsix) out += fmt::format("MSI-X of {} ({})", (control & 0x7ff) + 1, control & pci::kMsixEnable ? "on" : "off");
    else if (id == pci::kCapVendor) out += "vendor";
    else out += fmt::format("{:#x}", id);
    at = device.config_read(at + 1, 1) & ~3u;
  }
  return out;
}

std::string route(const firmware::BoardDescription& board, unsigned bus, unsigned slot, unsigned pin) {
  if (pin == 0) return "no interrupt pin";
  for (const auto& r : board.pci_routes)
    if (r.bus == bus && r.device == slot && r.pin == pin - 1) return fmt::format("INT{} is interrupt {}", static_cast<char>('A' + pin - 1), r.gsi);
  return fmt::format("INT{}", static_cast<char>('A' + pin - 1));
}

void say_device(Lines& out, const firmware::BoardDescription& board, unsigned bus, unsigned slot, PciDevice& device) {
  const u32 command = device.config_read(pci::kCommand, 2), code = device.config_read(pci::kRevision, 4) >> 8;
  out.say("  {},{}  {:04x}:{:04x} {} ({:06x}) {}", bus, slot, device.config_read(pci::kVendorId, 2), device.config_read(pci::kDeviceId, 2), class_name(code),
          code, device.name());
  out.say("        ports {}, memory {}, bus master {}; {}", command & pci::kCommandIo ? "on" : "off", command & pci::kCommandMemory ? "on" : "off",
          command & pci::kCommandMaster ? "on" : "off", route(board, bus, slot, device.config_read(pci::kInterruptPin, 1)));
  say_bars(out, device);
  out.say("        capabilities: {}", capabilities(device));
}

Result<Json> pci_tree(Call& call) {
  Board& board = call.context.machine->board();
  PciHost& host = board.pci();
  Lines out;
  for (const auto& root : board.description().pci_roots) {
    out.say("bus {}: memory {:#x} to {:#x}, ports {:#x} to {:#x}", root.bus, root.mmio.base, root.mmio.base + root.mmio.size_bytes - 1, root.port_base,
            root.port_base + root.port_count - 1);
    for (unsigned slot = 0; slot < RootBus::kSlots; slot++)
      if (PciDevice* device = host.bus(root.bus).device(slot)) say_device(out, board.description(), root.bus, slot, *device);
  }
  return Json{{"lines", std::move(out.list)}};
}

Result<Json> scsi(Call& call) {
  Json targets = Json::array(), adapters = Json::array();
  for (const auto& [slot, adapter] : call.context.machine->board().storage().adapters()) {
    for (const auto& [number, d] : adapter.devices)
      targets.push_back({{"target", fmt::format("{},{},{}", slot.first, slot.second, number)},
                         {"device", d.statement.device},
                         {"in_flight", adapter.host->requests_in_flight(number)},
                         {"medium", d.target->describe()}});
    adapters.push_back({{"adapter", fmt::format("{},{}", slot.first, slot.second)}, {"state", Json::parse(inspect_json(*adapter.device))}});
  }
  return Json{{"targets", std::move(targets)}, {"adapters", std::move(adapters)}};
}

}  // namespace

std::vector<CommandRow> bus_commands() {
  return {
      {"pci", nullptr, {}, Where::Machine, pci_tree, "the PCI buses as a tree: windows, devices, base addresses, interrupts, capabilities"},
      {"scsi", nullptr, {}, Where::Machine, scsi, "SCSI targets, their requests in flight, and the queues of their adapters"},
  };
}

}  // namespace ia64::machine::control
