// The storage of a machine, and nothing else: no processor, no firmware, no guest.
#pragma once

#include "base/address_space.h"
#include "base/interrupt_bus.h"
#include "devices/irq/io_sapic.h"
#include "devices/pci/pci_host.h"
#include "machine/storage_bays.h"

namespace ia64::test {

/// Nobody hears interrupts.
struct NoProcessors final : InterruptBus {
  void deliver(u16, DeliveryMode, u8) override {}
};

struct StorageBoard {
  NoProcessors processors;
  AddressSpace memory, ports;
  devices::IoSapic io_sapic{processors, 1, 80};
  devices::pci::PciHost pci{memory, ports};
  machine::StorageBays bays{{.pci = &pci, .io_sapic = &io_sapic, .memory = &memory}};
};

}  // namespace ia64::test
