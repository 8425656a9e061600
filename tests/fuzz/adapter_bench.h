// What a SCSI adapter under fuzz stands on: RAM, PCI roots, targets whose requests can be held back.
#pragma once

#include <memory>
#include <string>

#include "devices/irq/interrupt_block.h"
#include "devices/pci/pci_host.h"
#include "storage/scsi/disk_target.h"
#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/devices/fakes.h"

namespace ia64::fuzz {

/// Little RAM, so that random addresses often hit something.
struct AdapterBench {
  static constexpr u64 kRamBytes = 256 << 10, kConfig = 0xf000'0000 + (1 << 20) + (2 << 15);
  std::vector<u8> ram = std::vector<u8>(kRamBytes);
  AddressSpace memory, ports;
  testing::FakeInterruptBus interrupts;
  devices::InterruptBlock block{interrupts};
  devices::pci::PciHost host{memory, ports};
  testing::FakeLine line;
  std::vector<storage::FaultInjectingStore*> stores;
  Random random;

  explicit AdapterBench(u64 seed) : random(seed) {
    memory.add_ram(0, ram.size(), ram.data(), "ram");
    memory.add_mmio(0xfee0'0000, devices::InterruptBlock::kSizeBytes, &block, "pib");
  }
  std::unique_ptr<storage::scsi::ScsiTarget> disk() {
    auto store =
        std::make_unique<storage::FaultInjectingStore>(std::make_unique<storage::MemoryStore>(u64{64} << 10));
    stores.push_back(store.get());
    return std::make_unique<storage::scsi::DiskTarget>(
        std::make_unique<storage::BlockDevice>(std::move(store)), storage::scsi::DiskIdentity{.serial = "F"});
  }
  void hold() {
    for (auto* s : stores) s->hold();
  }
  void release() {
    for (auto* s : stores) s->release();
  }
  void set(u64 phys, unsigned size, u64 v) { memory.write(phys, size, v); }
  u64 get(u64 phys, unsigned size) {
    u64 v = 0;
    memory.read(phys, size, v);
    return v;
  }
  static bool inside(u64 at, u64 bytes) { return at <= kRamBytes && bytes <= kRamBytes - at; }
  void put32(u64 at, u64 v) {
    if (inside(at, 4)) store_le<u32>(&ram[at], static_cast<u32>(v));
  }
  /// Mostly in RAM; sometimes across its end, in a device or nowhere.
  u64 address() {
    switch (random.below(12)) {
      case 0: return kRamBytes - random.below(64);
      case 1: return 0x8c00'0000 + random.below(0x100);
      case 2: return 0xfee0'0000;
      case 3: return random.awkward();
      default: return random.below(kRamBytes) & ~u64{7};
    }
  }
  /// Read, write, inquire, and whatever else comes to mind.
  void random_cdb(u8* cdb) {
    std::fill_n(cdb, 16, u8{0});
    if (random.one_in(2)) {  // a few blocks that exist
      cdb[0] = random.one_in(2) ? 0x28 : 0x2a;
      cdb[5] = static_cast<u8>(random.below(120));
      cdb[8] = static_cast<u8>(random.below(4));
      return;
    }
    constexpr u8 kUsual[] = {0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x25, 0x28, 0x2a,
                             0x35, 0x41, 0x42, 0x88, 0x8a, 0x93, 0x9e, 0xa0};
    for (unsigned i = 1; i < 16; i++) cdb[i] = random.one_in(3) ? static_cast<u8>(random.awkward()) : u8{0};
    cdb[0] = random.one_in(6) ? static_cast<u8>(random.next()) : random.pick(kUsual);
    if (!random.one_in(4)) cdb[8] = static_cast<u8>(random.below(20)), cdb[7] = 0;
  }
};

}  // namespace ia64::fuzz
