// Board hpvm-1: address map, devices and media.
#include "machine/board_hpvm.h"

#include <fmt/format.h>

#include <vector>

#include "base/endian.h"
#include "devices/chipset/acpi_pm.h"
#include "devices/chipset/acpi_pm_regs.h"
#include "devices/chipset/port_space.h"
#include "devices/irq/interrupt_block.h"
#include "devices/irq/io_sapic.h"
#include "devices/irq/io_sapic_regs.h"
#include "devices/pci/pci_host.h"
#include "devices/serial/uart16550.h"
#include "machine/guest_memory.h"
#include "machine/snapshot/state_sections.h"
#include "machine/storage_bays.h"

namespace ia64::machine {
namespace {

using devices::pci::PciHost;
using devices::pci::RootBus;

// @source integrity-vm reference 1.1 and 1.7, platform reference 1; what no document gives is our choice.
constexpr u64 kMiB = u64{1} << 20, kGiB = u64{1} << 30;
constexpr u64 kMinRam = 64 * kMiB, kMaxRam = 256 * kGiB, kRamUnit = kMiB;
constexpr u64 kLowRamLimit = 2 * kGiB;
constexpr GuestPhys kHighRamBase = 0x1'0000'0000;
constexpr GuestPhys kIoSapicBase = 0xfec0'0000;
constexpr GuestPhys kInterruptBlockBase = 0xfee0'0000;
constexpr GuestPhys kAcpiPmBase = 0xff5c'1000;
constexpr GuestPhys kUartBase = 0xff5e'0000;
constexpr GuestPhys kPortSpaceBase = 0xfff'fc00'0000;
constexpr u32 kGsiBase = 16;
constexpr unsigned kIoSapicPins = 80;
constexpr unsigned kUartPin = 64, kSciPin = 65;
constexpr u8 kIoSapicId = 1;

class BoardHpvm1 final : public Board {
 public:
  BoardHpvm1(const MachineConfig& config, const BoardWires& wires);

  Result<void> build(const MachineConfig& config);
  AddressSpace& bus() override { return memory_bus_; }
  const firmware::BoardDescription& description() const override { return description_; }
  std::span<GuestMemory> ram() override { return ram_; }
  void reset(bool cold) override;
  void press_power_button() override { acpi_pm_.press_power_button(); }
  PciHost& pci() override { return pci_; }
  StorageBays& storage() override { return storage_; }
  void visit_state(StateSections& state) override;
  void inspect(InspectWriter& out) const override;

 private:
  Result<void> add_ram(GuestPhys base, u64 size_bytes);
  void describe(const std::string& name);

  const bool share_memory_;  ///< two engines look at it
  AddressSpace memory_bus_, port_bus_;
  std::vector<GuestMemory> ram_;
  devices::IoSapic io_sapic_;
  devices::InterruptBlock interrupt_block_;
  devices::Uart16550 uart_;
  devices::AcpiPm acpi_pm_;
  devices::PortSpace port_space_{port_bus_};
  PciHost pci_;
  StorageBays storage_;
  firmware::BoardDescription description_;
};

BoardHpvm1::BoardHpvm1(const MachineConfig& config, const BoardWires& wires)
    : share_memory_(config.engine.engine == Engine::Lockstep),
      io_sapic_(*wires.interrupts, kIoSapicId, kIoSapicPins),
      interrupt_block_(*wires.interrupts),
      uart_(io_sapic_.pin(kUartPin), *wires.console),
      acpi_pm_(*wires.clock, io_sapic_.pin(kSciPin), wires.on_soft_off),
      pci_(memory_bus_, port_bus_),
      storage_({.pci = &pci_, .io_sapic = &io_sapic_, .memory = &memory_bus_, .pace = wires.pace, .undo = wires.undo}) {
  memory_bus_.add_mmio(kIoSapicBase, devices::io_sapic::kSizeBytes, &io_sapic_, "I/O SAPIC");
  memory_bus_.add_mmio(kInterruptBlockBase, devices::InterruptBlock::kSizeBytes, &interrupt_block_, "processor interrupt block");
  memory_bus_.add_mmio(kAcpiPmBase, devices::acpi_pm::kSizeBytes, &acpi_pm_, "ACPI PM block");
  memory_bus_.add_mmio(kUartBase, devices::Uart16550::kSizeBytes, &uart_, "16550");
  memory_bus_.add_mmio(kPortSpaceBase, devices::PortSpace::kSizeBytes, &port_space_, "I/O port space");
}

Result<void> BoardHpvm1::build(const MachineConfig& config) {
  const u64 size = config.memory_bytes;
  if (size < kMinRam || size > kMaxRam || size % kRamUnit)
    return Error{ErrorKind::Invalid, fmt::format("-m: {} KiB is not a whole number of MiB from {} MiB to {} GiB", size >> 10,
                                                 kMinRam / kMiB, kMaxRam / kGiB)};
  if (auto ok = add_ram(0, std::min(size, kLowRamLimit)); !ok) return ok;
  if (size > kLowRamLimit)
    if (auto ok = add_ram(kHighRamBase, size - kLowRamLimit); !ok) return ok;
  for (const ResourceStatement& statement : config.storage)
    if (auto ok = storage_.plug(statement); !ok) return ok;
  describe(config.name);
  return {};
}

Result<void> BoardHpvm1::add_ram(GuestPhys base, u64 size_bytes) {
  auto memory = share_memory_ ? GuestMemory::map_shared(size_bytes) : GuestMemory::map(size_bytes);
  if (!memory) return memory.error();
  memory_bus_.add_ram(base, size_bytes, memory->data(), "RAM");
  ram_.push_back(std::move(*memory));
  description_.ram.push_back({base, size_bytes});
  return {};
}

/// A UUID that stays the same for a guest's name and differs between names (RFC 4122 layout, version 8: our own scheme).
void uuid_of_name(const std::string& name, u8 (&uuid)[16]) {
  u64 hash[2] = {0xcbf29ce484222325, 0x84222325cbf29ce4};  // FNV-1a with two starting values
  for (const char c : name)
    for (u64& h : hash) h = (h ^ static_cast<u8>(c)) * 0x100000001b3;
  store_le(&uuid[0], hash[0]);
  store_le(&uuid[8], hash[1]);
  uuid[7] = static_cast<u8>((uuid[7] & 0x0f) | 0x80);
  uuid[8] = static_cast<u8>((uuid[8] & 0x3f) | 0x80);
}

void BoardHpvm1::describe(const std::string& name) {
  auto& d = description_;
  uuid_of_name(name, d.smbios.uuid);
  d.machine_name = "hpvm-1";
  d.cpus = {{.id = 0, .eid = 0}};
  for (u8 bus = 0; bus < PciHost::kBuses; bus++) {
    const RootBus::Windows w = PciHost::windows(bus);
    d.pci_roots.push_back({.bus = bus, .mmio = {w.memory_base, w.memory_bytes}, .port_base = static_cast<u32>(w.port_base),
                           .port_count = static_cast<u32>(w.port_count)});
    for (u8 slot = 0; slot < RootBus::kSlots; slot++)
      for (u8 pin = 0; pin < 4; pin++)
        d.pci_routes.push_back({bus, slot, pin, kGsiBase + PciHost::interrupt_pin(bus, slot)});
  }
  d.io_sapics = {{.id = kIoSapicId, .base = kIoSapicBase, .gsi_base = kGsiBase, .pins = kIoSapicPins}};
  d.uarts = {{.base = kUartBase, .gsi = kGsiBase + kUartPin}};
  d.pci_config_base = PciHost::kConfigBase;
  d.port_space_base = kPortSpaceBase;
  d.interrupt_block_base = kInterruptBlockBase;
  d.acpi_pm_base = kAcpiPmBase;
  d.sci_gsi = kGsiBase + kSciPin;
}

void BoardHpvm1::reset(bool cold) {
  storage_.restart();
  uart_.reset();
  acpi_pm_.reset();
  interrupt_block_.reset();
  io_sapic_.reset();
  if (cold)
    for (GuestMemory& m : ram_) m.clear();
}

void BoardHpvm1::visit_state(StateSections& state) {
  state.part("io-sapic", io_sapic_);
  state.part("uart", uart_);
  state.part("acpi-pm", acpi_pm_);
  storage_.visit_state(state);
}

void BoardHpvm1::inspect(InspectWriter& out) const {
  const auto show = [&](const devices::Device& d) {
    out.begin(d.name());
    d.inspect(out);
    out.end();
  };
  show(io_sapic_);
  show(uart_);
  show(acpi_pm_);
  for (const auto& [slot, adapter] : storage_.adapters()) show(*adapter.device);
}

}  // namespace

Result<std::unique_ptr<Board>> make_board_hpvm_1(const MachineConfig& config, const BoardWires& wires) {
  auto board = std::make_unique<BoardHpvm1>(config, wires);
  if (auto ok = board->build(config); !ok) return ok.error();
  return std::unique_ptr<Board>(std::move(board));
}

}  // namespace ia64::machine
