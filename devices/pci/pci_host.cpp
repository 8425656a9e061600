// PCI roots: window routing and configuration accesses.
#include "devices/pci/pci_host.h"

#include "base/bits.h"
#include "base/invariant.h"
#include "base/log.h"

namespace ia64::devices::pci {

/// Routes one window by BAR instead of mapping every BAR into the address space: a guest may move BARs
/// forever without the address space growing or CPUs waiting.
class RootBus::Window final : public MmioRegion {
 public:
  Window(const RootBus& bus, bool io, u64 base) : bus_(bus), io_(io), base_(base) {}

  AccessResult read(u64 offset, unsigned size, u64& value) override {
    for (PciDevice* device : bus_.slots_)
      if (device)
        if (const auto hit = device->decode(io_, base_ + offset, size))
          return device->access_read(*hit, size, value);
    log_unclaimed("read", offset);
    return AccessResult::Unmapped;
  }
  AccessResult write(u64 offset, unsigned size, u64 value) override {
    for (PciDevice* device : bus_.slots_)
      if (device)
        if (const auto hit = device->decode(io_, base_ + offset, size))
          return device->access_write(*hit, size, value);
    log_unclaimed("write", offset);
    return AccessResult::Unmapped;
  }

 private:
  void log_unclaimed(const char* what, u64 offset) const {
    LOG_ONCE(Unknown, (base_ + offset) | (io_ ? bit(63) : 0), "PCI {} {} at {:#x}: no BAR there",
             io_ ? "port" : "memory", what, base_ + offset);
  }

  const RootBus& bus_;
  const bool io_;
  const u64 base_;
};

RootBus::RootBus(unsigned number, const Windows& windows, AddressSpace& memory, AddressSpace& ports)
    : windows_(windows), memory_(memory), ports_(ports) {
  memory_window_ = std::make_unique<Window>(*this, false, windows.memory_base);
  port_window_ = std::make_unique<Window>(*this, true, windows.port_base);
  memory.add_mmio(windows.memory_base, windows.memory_bytes, memory_window_.get(),
                  fmt::format("pci{} memory", number));
  ports.add_mmio(windows.port_base, windows.port_count, port_window_.get(),
                 fmt::format("pci{} ports", number));
}

RootBus::~RootBus() {
  memory_.remove_mmio(windows_.memory_base, memory_window_.get());
  ports_.remove_mmio(windows_.port_base, port_window_.get());
}

void RootBus::plug(unsigned slot, PciDevice& device) {
  INVARIANT(slot < kSlots && !slots_[slot]);
  slots_[slot] = &device;
}

void RootBus::unplug(unsigned slot) {
  INVARIANT(slot < kSlots && slots_[slot]);
  slots_[slot] = nullptr;
}

RootBus::Windows PciHost::windows(unsigned bus) {
  constexpr u64 kMemoryPerBus = 0x0c00'0000, kPortsPerBus = 0x2000, kFirstPort = 0x1000;
  // Ports below 0x1000 belong to legacy devices, so bus 0 starts there.
  const u64 port_base = bus == 0 ? kFirstPort : bus * kPortsPerBus;
  return {.memory_base = 0x8000'0000 + bus * kMemoryPerBus,
          .memory_bytes = kMemoryPerBus,
          .port_base = port_base,
          .port_count = (bus + 1) * kPortsPerBus - port_base};
}

PciHost::PciHost(AddressSpace& memory, AddressSpace& ports) : memory_(memory) {
  for (unsigned n = 0; n < kBuses; n++) buses_[n] = std::make_unique<RootBus>(n, windows(n), memory, ports);
  memory.add_mmio(kConfigBase, kConfigBytes, this, "pci configuration");
}

PciHost::~PciHost() {
  memory_.remove_mmio(kConfigBase, this);
}

PciDevice* PciHost::find(unsigned bus, unsigned device, unsigned function, unsigned reg,
                         unsigned size) const {
  const bool fits = reg < kConfigSize && (size == 1 || size == 2 || size == 4) && reg % size == 0;
  return bus < kBuses && function == 0 && fits ? buses_[bus]->device(device) : nullptr;
}

u32 PciHost::config_read(unsigned bus, unsigned device, unsigned function, unsigned reg, unsigned size) {
  PciDevice* d = find(bus, device, function, reg, size);
  const u32 v = d ? d->config_read(reg, size) : static_cast<u32>(low_mask(8 * size));
  if (d) LOG(Pci, "config {}:{}.{} +{:#x} read {:#x}", bus, device, function, reg, v);
  return v;
}

void PciHost::config_write(unsigned bus, unsigned device, unsigned function, unsigned reg, unsigned size,
                           u32 value) {
  PciDevice* d = find(bus, device, function, reg, size);
  LOG(Pci, "config {}:{}.{} +{:#x} write {:#x}", bus, device, function, reg, value);
  if (d) d->config_write(reg, size, value);
}

AccessResult PciHost::read(u64 offset, unsigned size, u64& value) {
  if (size > 4) return AccessResult::BadSize;
  value = config_read(
      static_cast<unsigned>(field(offset, 20, 8)), static_cast<unsigned>(field(offset, 15, 5)),
      static_cast<unsigned>(field(offset, 12, 3)), static_cast<unsigned>(field(offset, 0, 12)), size);
  return AccessResult::Ok;
}

AccessResult PciHost::write(u64 offset, unsigned size, u64 value) {
  if (size > 4) return AccessResult::BadSize;
  config_write(static_cast<unsigned>(field(offset, 20, 8)), static_cast<unsigned>(field(offset, 15, 5)),
               static_cast<unsigned>(field(offset, 12, 3)), static_cast<unsigned>(field(offset, 0, 12)), size,
               static_cast<u32>(value));
  return AccessResult::Ok;
}

}  // namespace ia64::devices::pci
