// Commands that look at the machine: PCI devices, counters, registers.
#include <fmt/format.h>

#include "devices/pci/pci_host.h"
#include "devices/pci/pci_regs.h"
#include "machine/bare/state_report.h"
#include "machine/board.h"
#include "machine/control/command.h"
#include "machine/inspect_json.h"
#include "machine/machine.h"
#include "machine/storage_bays.h"
#include "storage/scsi/disk_target.h"

namespace ia64::machine::control {
namespace {

using devices::pci::PciDevice;
using devices::pci::PciHost;
using devices::pci::RootBus;

/// Base addresses as the guest has set them; sizes are the device's own affair.
Json bars_of(PciDevice& device) {
  namespace pci = devices::pci;
  Json out = Json::array();
  for (unsigned n = 0; n < 6; n++) {
    const u32 low = device.config_read(pci::kBar0 + 4 * n, 4);
    if (!low) continue;
    const bool io = low & 1, wide = !io && (low & 6) == 4;
    u64 base = low & ~u64{io ? 3u : 15u};
    if (wide) base |= u64{device.config_read(pci::kBar0 + 4 * n + 4, 4)} << 32;
    out.push_back(fmt::format("{} {} {:#x}", n, io ? "io" : "memory", base));
    n += wide;
  }
  return out;
}

Json describe(unsigned bus, unsigned slot, PciDevice& device) {
  namespace pci = devices::pci;
  const u16 command = static_cast<u16>(device.config_read(pci::kCommand, 2));
  const u32 class_code = device.config_read(pci::kRevision, 4) >> 8;
  return {{"bus", bus},
          {"slot", slot},
          {"device", device.name()},
          {"vendor_id", fmt::format("{:04x}", device.config_read(pci::kVendorId, 2))},
          {"device_id", fmt::format("{:04x}", device.config_read(pci::kDeviceId, 2))},
          {"class", fmt::format("{:06x}", class_code)},
          {"subsystem", fmt::format("{:04x}:{:04x}", device.config_read(pci::kSubsystemVendor, 2),
                                    device.config_read(pci::kSubsystemId, 2))},
          {"enabled", fmt::format("{}{}{}", command & pci::kCommandIo ? "io " : "", command & pci::kCommandMemory ? "memory " : "",
                                  command & pci::kCommandMaster ? "master" : "")},
          {"bars", bars_of(device)}};
}

Result<Json> devices_(Call& call) {
  PciHost& host = call.context.machine->board().pci();
  Json out = Json::array();
  for (unsigned bus = 0; bus < PciHost::kBuses; bus++)
    for (unsigned slot = 0; slot < RootBus::kSlots; slot++)
      if (PciDevice* device = host.bus(bus).device(slot)) out.push_back(describe(bus, slot, *device));
  return Json{{"pci", std::move(out)}};
}

/// Follows `a.b.c` through objects.
Result<Json> part_of(const Json& tree, std::string_view path) {
  const Json* at = &tree;
  for (std::string_view rest = path; !rest.empty();) {
    const auto dot = rest.find('.');
    const std::string name(rest.substr(0, dot));
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    if (!at->is_object() || !at->contains(name)) {
      std::string known;
      if (at->is_object())
        for (const auto& [key, value] : at->items()) known += " " + key;
      return Error{ErrorKind::NotFound, fmt::format("there is no '{}' in '{}'; there is:{}", name, path, known)};
    }
    at = &(*at)[name];
  }
  return at->is_object() ? *at : Json{{std::string(path), *at}};
}

Result<Json> counters(Call& call) {
  return part_of(Json::parse(inspect_json(*call.context.machine)), call.arguments.text("part"));
}

Result<Json> registers(Call& call) {
  const std::string part = call.arguments.text("part");
  const Json all = report_core(call.context.machine->core());
  if (part == "all") return all;
  if (!part.empty()) return part_of(all, part);
  Json out = Json::object();
  for (const char* name : {"ip", "slot", "psr", "cfm", "pr", "gr", "nat", "br"}) out[name] = all[name];
  return out;
}

/// Bytes that all disks have moved since power-on.
std::pair<u64, u64> disk_bytes(Machine& machine) {
  u64 read = 0, written = 0;
  for (const auto& [slot, adapter] : machine.board().storage().adapters())
    for (const auto& [number, device] : adapter.devices)
      if (device.disk) {
        const auto n = device.disk->device().counters();
        read += n.read_bytes, written += n.written_bytes;
      }
  return {read, written};
}

Result<Json> activity(Call& call) {
  Machine& m = *call.context.machine;
  const u64 psr = m.core().full_psr();
  const bool system = m.operating_system_runs();
  const auto [read, written] = disk_bytes(m);
  return Json{{"state", m.paused() ? "Paused" : system ? "On (OS)" : "On (EFI)"},
              {"runs", system ? "OS" : "EFI"},
              {"virtual_ns", m.virtual_ns()},
              {"idle_ns", m.idle_ns()},
              {"instructions", m.slots_retired()},
              {"read_bytes", read},
              {"written_bytes", written},
              {"cpl", (psr >> cpu::psr::kCplPos) & 3},
              {"big_endian", (psr & cpu::psr::kBe) != 0},
              {"interruption_collection", (psr & cpu::psr::kIc) != 0},
              {"instruction_translation", (psr & cpu::psr::kIt) != 0}};
}

Result<Json> state_hash(Call& call) { return Json{{"hash", call.context.machine->state_hash()}}; }

}  // namespace

std::vector<CommandRow> inspect_commands() {
  using enum ArgumentType;
  return {
      {"devices", nullptr, {}, Where::Machine, devices_, "PCI devices by bus and slot, as the guest has set them up"},
      {"counters", nullptr, {{"part", Text, false, "a name, or names joined by dots; without it, everything"}}, Where::Machine, counters,
       "state and counters of processor and devices"},
      {"activity", nullptr, {}, Where::Machine, activity, "what the guest does: time, idle time, instructions, disk bytes, processor mode"},
      {"registers", nullptr, {{"part", Text, false, "ar, cr, fr, rr, translations, interruptions ..., or all"}}, Where::Machine, registers,
       "registers of the processor"},
      {"state-hash", nullptr, {}, Where::Machine, state_hash, "a number for all registers and memory; equal where a deterministic run was equal so far"},
  };
}

}  // namespace ia64::machine::control
