// Builds one power-on: memory map, services, tables, console; runs the boot manager; crash and wake-up gates.
#include "firmware/power_on.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/invariant.h"
#include "base/log.h"
#include "firmware/crash.h"
#include "firmware/efi/boot_manager.h"
#include "firmware/efi/fpswa.h"
#include "firmware/entry_state.h"
#include "firmware/loader/direct_boot.h"
#include "firmware/tables/acpi.h"
#include "firmware/tables/pcdp.h"
#include "firmware/tables/sal_system_table.h"
#include "firmware/tables/smbios.h"

namespace ia64::firmware {
namespace {

constexpr u64 kRamAttributes = efi::kMemoryUc | efi::kMemoryWc | efi::kMemoryWt | efi::kMemoryWb;
constexpr u64 kPortSpaceBytes = u64{64} << 20;
constexpr std::u16string_view kMonotonicVariable = u"MTC";

u64 pages(const MemoryRange& r) {
  return r.size_bytes / efi::kPageSize;
}

}  // namespace

GuestPhys Bump::take(u64 size_bytes, u64 alignment) {
  const GuestPhys at = align_up(next_, alignment);
  INVARIANT(at <= end_ && size_bytes <= end_ - at);
  next_ = at + size_bytes;
  return at;
}

PowerOn::PowerOn(const BoardDescription& board, AddressSpace& bus, Clock& clock, FirmwareHost& host,
                 const FirmwareOptions& options, VariableStore& variables)
    : board(board),
      host(host),
      options(options),
      variables(variables),
      layout(Layout::of(board)),
      gate(bus, layout, static_cast<unsigned>(board.cpus.size())),
      efi(board, bus, clock, host, gate),
      runtime_data({layout.runtime_data.base + CallGate::kDescriptorBytes,
                    layout.runtime_data.size_bytes - CallGate::kDescriptorBytes}),
      acpi_reclaim(layout.acpi_reclaim),
      acpi_nvs(layout.acpi_nvs),
      map_built(*this),
      table(efi, runtime_data.take(SystemTable::kBytes, 4096)),
      images(efi, table.address()),
      watchdog(efi),
      counter(count_start()),
      runtime(efi, gate, table, images, variables, counter),
      console(efi),
      pal(board, bus),
      sal(board, bus),
      media(efi, options.relax) {
  efi.at_exit_boot_services([this] {
    gate.hand_over();
    this->host.operating_system_started();
  });
  install_services();
  install_tables();
  console.install(table);
}

/// The high half of the monotonic counter grows by one each power-on. @source EFI 1.10, 5.5
/// (GetNextMonotonicCount)
u32 PowerOn::count_start() {
  const VariableStore::Key key{std::u16string(kMonotonicVariable), guid::kGlobalVariable};
  u32 high = 0;
  if (const auto* v = variables.get(key, false); v && v->data.size() == 4)
    std::copy_n(v->data.data(), 4, reinterpret_cast<u8*>(&high));
  high++;
  (void)variables.set(key, efi::kVariableNonVolatile | efi::kVariableBootServiceAccess,
                      {reinterpret_cast<const u8*>(&high), sizeof high}, false);
  return high;
}

void PowerOn::build_memory_map() {
  auto& map = efi.memory;
  // Page 0 is nobody's, but keeps the attribute of its neighbours: an OS uses only granules that are
  // cacheable throughout.
  for (const auto& r : board.ram) {
    const u64 skip = r.base == 0 ? efi::kPageSize : 0;
    if (skip) map.declare(0, 1, MemoryType::Reserved, kRamAttributes);
    map.declare(r.base + skip, (r.size_bytes - skip) / efi::kPageSize, MemoryType::Conventional,
                kRamAttributes);
  }
  const u64 runtime = kRamAttributes | efi::kMemoryRuntime;
  const auto take = [&](const MemoryRange& r, MemoryType type, u64 attributes) {
    INVARIANT(map.reserve(r.base, pages(r), type, attributes));
  };
  take(layout.pal, MemoryType::PalCode, runtime);
  take(layout.runtime_code, MemoryType::RuntimeServicesCode, runtime);
  take(layout.runtime_data, MemoryType::RuntimeServicesData, runtime);
  take(layout.acpi_reclaim, MemoryType::AcpiReclaim, kRamAttributes);
  take(layout.acpi_nvs, MemoryType::AcpiNvs, kRamAttributes);
  take(layout.boot_data, MemoryType::BootServicesData, kRamAttributes);
  map.declare(board.port_space_base, kPortSpaceBytes / efi::kPageSize, MemoryType::MemoryMappedIoPortSpace,
              efi::kMemoryUc | efi::kMemoryRuntime);
}

void PowerOn::install_services() {
  std::vector<EfiServiceRow> rows;
  for (auto group : {memory_services(efi), event_services(efi, watchdog, counter),
                     protocol_services(efi, table), image_services(efi, table, images)})
    rows.insert(rows.end(), group.begin(), group.end());
  table.set_boot_services(rows);
  table.set_runtime_services(runtime.rows());
  fpswa = install_fpswa(efi, runtime, runtime_data.take(16, 16));

  gate.set_core_service(gate_imm::kBoot, "boot", [this](GateCall& c) { boot(c); });
  gate.set_core_service(gate_imm::kApWait, "rendezvous", [](GateCall& c) { c.cpu().halt(); });
  gate.set_core_service(gate_imm::kApVector, "wake-up", [this](GateCall& c) { woken(c); });
  gate.set_core_service(gate_imm::kExternalInterrupt, "external interrupt", [](GateCall&) {});
  for (unsigned n = 0; n < kVectorCount; n++)
    if (vector_offset(n) != 0x3000)
      gate.set_core_service(gate_imm::kVectors + n, vector_name(n),
                            [this, n](GateCall& c) { crashed(c, n); });
}

void PowerOn::install_tables() {
  const TableAllocator allocate = [this](u64 size_bytes, u64 alignment, TableMemory kind) {
    Bump& from = kind == TableMemory::AcpiReclaim ? acpi_reclaim
                 : kind == TableMemory::AcpiNvs   ? acpi_nvs
                                                  : runtime_data;
    return from.take(size_bytes, alignment);
  };
  const GuestPhys pal_proc = gate.entry_of(pal.install(gate)), sal_proc = gate.entry_of(sal.install(gate));
  const SalTableInput input{pal_proc, sal_proc, gate.global_pointer(), layout.pal};
  (void)table.set_configuration_table(guid::kSalSystemTable,
                                      install_sal_system_table(input, efi.bus, allocate));
  (void)table.set_configuration_table(guid::kAcpi20Table, install_acpi(board, efi.bus, allocate));
  (void)table.set_configuration_table(guid::kSmbiosTable, install_smbios(board, efi.bus, allocate));
  (void)table.set_configuration_table(guid::kHcdpTable, install_pcdp(board, efi.bus, allocate));
}

void PowerOn::boot(GateCall& call) {
  media.connect();
  BootManager manager({efi, images, console, watchdog, variables, runtime, options.boot_timeout_s});
  manager.set_default_variables();
  if (options.direct_boot) {
    const auto why = direct_boot(*options.direct_boot, efi, table, call, fpswa);
    if (why.empty()) return;
    // Whoever names a kernel wants that kernel, not a menu.
    LOG(Error, "--kernel: {}", why);
    console.terminal().print(why + "\n");
    return call.stop();
  }
  if (efi.boot_services) manager.run(call);
  // The user asked for a reset, or an image came back after it had ended boot services: nothing is left to
  // run.
  if (!efi.boot_services) host.reset(true);
  call.stop();
}

void PowerOn::crashed(GateCall& call, unsigned vector) {
  const std::string text = crash_text(call.cpu(), vector);
  console.terminal().print(text);
  host.firmware_crashed(
      fmt::format("unexpected {} interruption at {:#x} before an operating system took over",
                  vector_name(vector), call.cpu().regs().iip));
  call.stop();
}

/// A secondary processor has taken an interrupt in its waiting loop; its vector is in r16.
void PowerOn::woken(GateCall& call) {
  auto& r = call.cpu().regs();
  const auto& entry = sal.os_entry(Sal::kBootRendezvous);
  if (r.gr(16) != kApWakeVector || entry.entry == 0) return;
  r.ip = align_down(entry.entry, 16);
  r.slot = 0;
  r.set_gr(1, entry.gp);
  r.br[0] = gate.core_address(core_stub::kApWait);
  call.leave();
}

}  // namespace ia64::firmware
