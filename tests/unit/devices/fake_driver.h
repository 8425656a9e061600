// A small virtio driver over the PCI windows: enough of Linux's virtio_pci_modern and virtio_scsi to test the
// device.
#pragma once

#include <cstring>
#include <vector>

#include "base/endian.h"
#include "devices/irq/interrupt_block.h"
#include "devices/pci/pci_host.h"
#include "devices/virtio/virtio_scsi.h"
#include "tests/support/test.h"
#include "tests/unit/devices/fakes.h"

namespace ia64::testing {

using devices::pci::PciHost;

/// RAM, the PCI roots and the interrupt block.
struct Board {
  std::vector<u8> ram = std::vector<u8>(4 << 20);
  AddressSpace memory, ports;
  FakeInterruptBus interrupts;
  devices::InterruptBlock block{interrupts};
  PciHost host{memory, ports};
  FakeLine intx;
  Board() {
    memory.add_ram(0, ram.size(), ram.data(), "ram");
    memory.add_mmio(0xfee0'0000, devices::InterruptBlock::kSizeBytes, &block, "pib");
  }
  u64 get(u64 phys, unsigned size) {
    u64 v = 0;
    memory.read(phys, size, v);
    return v;
  }
  void set(u64 phys, unsigned size, u64 v) { memory.write(phys, size, v); }
};

/// The driver's side of one split ring, at fixed places in RAM.
struct DriverRing {
  Board& board;
  u16 size;
  u64 desc, avail, used;
  u16 next_desc = 0, seen = 0;

  DriverRing(Board& b, u64 base, u16 n)
      : board(b), size(n), desc(base), avail(base + 0x2000), used(base + 0x3000) {}

  void put_desc(u16 i, u64 phys, u32 bytes, u16 flags, u16 next) {
    board.set(desc + 16 * i, 8, phys);
    board.set(desc + 16 * i + 8, 4, bytes);
    board.set(desc + 16 * i + 12, 2, flags);
    board.set(desc + 16 * i + 14, 2, next);
  }
  struct Piece {
    u64 phys;
    u32 bytes;
    bool write;
  };
  u16 add(const std::vector<Piece>& pieces) {
    const u16 head = next_desc;
    for (size_t k = 0; k < pieces.size(); k++) {
      const u16 i = next_desc;
      next_desc = static_cast<u16>((next_desc + 1) % size);
      const bool last = k + 1 == pieces.size();
      put_desc(i, pieces[k].phys, pieces[k].bytes,
               static_cast<u16>((last ? 0 : 1) | (pieces[k].write ? 2 : 0)), next_desc);
    }
    publish(head);
    return head;
  }
  void publish(u16 head) {
    const u16 idx = static_cast<u16>(board.get(avail + 2, 2));
    board.set(avail + 4 + 2 * (idx % size), 2, head);
    board.set(avail + 2, 2, static_cast<u16>(idx + 1));
  }
  u16 used_index() { return static_cast<u16>(board.get(used + 2, 2)); }
  bool more() { return used_index() != seen; }
  /// Takes the next used element: head and length.
  std::pair<u32, u32> take() {
    const u64 at = used + 4 + 8 * (seen++ % size);
    return {static_cast<u32>(board.get(at, 4)), static_cast<u32>(board.get(at + 4, 4))};
  }
};

/// Finds the structures through the capability list and drives a device in bus 1, slot 2.
struct Driver {
  static constexpr u64 kConfig = 0xf000'0000 + (1 << 20) + (2 << 15);
  static constexpr u64 kBar0 = 0x8c00'0000, kBar1 = 0x8c01'0000;
  Board& board;
  u64 common = 0, notify = 0, isr = 0, device = 0;
  u32 multiplier = 0;
  unsigned msix = 0, pci_cfg = 0;

  explicit Driver(Board& b) : board(b) { probe(); }

  void probe() {
    board.set(kConfig + 0x10, 4, kBar0);
    board.set(kConfig + 0x14, 4, kBar1);
    board.set(kConfig + 4, 2, 6);
    for (u64 at = board.get(kConfig + 0x34, 1); at; at = board.get(kConfig + at + 1, 1)) {
      if (board.get(kConfig + at, 1) == 0x11) msix = static_cast<unsigned>(at);
      if (board.get(kConfig + at, 1) != 9) continue;
      const u64 where = kBar0 + board.get(kConfig + at + 8, 4);
      switch (board.get(kConfig + at + 3, 1)) {
        case 1: common = where; break;
        case 2: notify = where, multiplier = static_cast<u32>(board.get(kConfig + at + 16, 4)); break;
        case 3: isr = where; break;
        case 4: device = where; break;
        case 5: pci_cfg = static_cast<unsigned>(at); break;
      }
    }
  }
  u8 status() { return static_cast<u8>(board.get(common + 20, 1)); }
  void status(u8 v) { board.set(common + 20, 1, v); }
  u64 offered() {
    board.set(common, 4, 0);
    u64 v = board.get(common + 4, 4);
    board.set(common, 4, 1);
    return v | (board.get(common + 4, 4) << 32);
  }
  void accept(u64 features) {
    board.set(common + 8, 4, 0);
    board.set(common + 12, 4, features & 0xffff'ffff);
    board.set(common + 8, 4, 1);
    board.set(common + 12, 4, features >> 32);
  }
  void setup_queue(unsigned n, const DriverRing& r, u16 vector = 0xffff) {
    board.set(common + 22, 2, n);
    board.set(common + 24, 2, r.size);
    board.set(common + 26, 2, vector);
    const u64 addresses[] = {r.desc, r.avail, r.used};
    for (unsigned i = 0; i < 3; i++) {
      board.set(common + 32 + 8 * i, 4, addresses[i] & 0xffff'ffff);
      board.set(common + 36 + 8 * i, 4, addresses[i] >> 32);
    }
    board.set(common + 28, 2, 1);
  }
  void kick(unsigned n) {
    board.set(common + 22, 2, n);
    board.set(notify + multiplier * board.get(common + 30, 2), 2, n);
  }
  void enable_msix(unsigned vectors) {
    for (unsigned n = 0; n < vectors; n++) {
      board.set(kBar1 + 16 * n, 8, 0xfee0'0000);
      board.set(kBar1 + 16 * n + 8, 4, 0x40 + n);
      board.set(kBar1 + 16 * n + 12, 4, 0);
    }
    board.set(kConfig + msix + 2, 2, 0x8000);
  }
};

}  // namespace ia64::testing
