// BAR sizing and assignment.
#include "firmware/media/pci_enumeration.h"

#include <algorithm>

#include "base/bits.h"
#include "base/log.h"

namespace ia64::firmware {

namespace {

enum : unsigned {
  kVendor = 0x00,
  kDevice = 0x02,
  kCommand = 0x04,
  kRevision = 0x08,
  kCacheLine = 0x0c,
  kHeaderType = 0x0e,
  kBar0 = 0x10,
  kRomBar = 0x30,
  kInterruptLine = 0x3c,
  kInterruptPin = 0x3d,
};
constexpr u16 kIoEnable = 1, kMemoryEnable = 2, kDecodeAndMaster = 7;
constexpr u32 kCacheLineDwords = 32;  // 128 bytes

u32 probe(PciConfig& c, unsigned reg, u32 ones) {
  const u32 old = c.read(reg, 4);
  c.write(reg, 4, ones);
  const u32 v = c.read(reg, 4);
  c.write(reg, 4, old);
  return v;
}

void size_bars(PciConfig& c, PciFunction& f) {
  for (unsigned n = 0; n < f.bars.size(); n++) {
    PciBar& bar = f.bars[n];
    const u32 v = probe(c, kBar0 + 4 * n, ~0u);
    if (v == 0 || v == ~0u) continue;
    bar.io = v & 1;
    if (bar.io) {
      const u32 mask = (v & ~3u) | ((v >> 16) == 0 ? 0xffff'0000u : 0);
      bar.size_bytes = u64{~mask} + 1;
      continue;
    }
    bar.wide = (v & 6) == 4;
    u64 mask = (v & ~15u) | 0xffff'ffff'0000'0000;
    if (bar.wide && n + 1 < f.bars.size()) mask = (v & ~15u) | u64{probe(c, kBar0 + 4 * (n + 1), ~0u)} << 32;
    bar.size_bytes = ~mask + 1;
    if (bar.wide) n++;
  }
}

/// Hands out one window from its bottom, naturally aligned.
struct WindowCursor {
  u64 next, end;
  u64 take(u64 size) {
    const u64 at = align_up(next, size);
    if (size == 0 || at < next || at > end || size > end - at) return 0;
    next = at + size;
    return at;
  }
};

struct Wanted {
  PciFunction* function;
  unsigned bar;
  u64 size() const { return function->bars[bar].size_bytes; }
};

void place_bars(const BoardDescription& board, AddressSpace& bus, const PciRoot& root,
                std::vector<Wanted> wanted) {
  WindowCursor memory{root.mmio.base, root.mmio.base + root.mmio.size_bytes},
      ports{root.port_base, u64{root.port_base} + root.port_count};
  std::stable_sort(wanted.begin(), wanted.end(),
                   [](const Wanted& a, const Wanted& b) { return a.size() > b.size(); });
  for (const Wanted& w : wanted) {
    PciBar& bar = w.function->bars[w.bar];
    bar.base = (bar.io ? ports : memory).take(bar.size_bytes);
    if (!bar.base)
      LOG(Warn, "PCI {}:{}.{}: no room for BAR {} of {:#x} bytes", w.function->bus, w.function->device,
          w.function->function, w.bar, bar.size_bytes);
    PciConfig c(bus, board, *w.function);
    c.write(kBar0 + 4 * w.bar, 4, static_cast<u32>(bar.base));
    if (bar.wide) c.write(kBar0 + 4 * w.bar + 4, 4, static_cast<u32>(bar.base >> 32));
  }
}

/// Decoding goes on for a space only when every BAR in it has an address.
u16 decode_bits(const PciFunction& f) {
  u16 have = 0, missing = 0;
  for (const PciBar& b : f.bars)
    if (b.size_bytes) (b.base ? have : missing) |= b.io ? kIoEnable : kMemoryEnable;
  return have & ~missing;
}

void finish_function(const BoardDescription& board, AddressSpace& bus, const PciFunction& f) {
  PciConfig c(bus, board, f);
  const u32 pin = c.read(kInterruptPin, 1);
  for (const auto& r : board.pci_routes)
    if (r.bus == f.bus && r.device == f.device && pin && r.pin == pin - 1)
      c.write(kInterruptLine, 1, r.gsi & 0xff);
  c.write(kCacheLine, 1, kCacheLineDwords);
  c.write(kRomBar, 4, 0);
  c.write(kCommand, 2, (c.read(kCommand, 2) & ~kDecodeAndMaster) | decode_bits(f));
  LOG(Pci, "PCI {}:{}.{} {:04x}:{:04x} class {:06x}", f.bus, f.device, f.function, f.vendor_id, f.device_id,
      f.class_code);
}

void find_functions(const BoardDescription& board, AddressSpace& bus, u8 bus_number,
                    std::vector<PciFunction>& out) {
  for (u8 device = 0; device < 32; device++)
    for (u8 function = 0; function < 8; function++) {
      PciConfig c(bus, board, bus_number, device, function);
      PciFunction f{bus_number,
                    device,
                    function,
                    static_cast<u16>(c.read(kVendor, 2)),
                    static_cast<u16>(c.read(kDevice, 2)),
                    0,
                    {}};
      const u32 header = c.read(kHeaderType, 1);
      if (f.vendor_id != 0xffff && (header & 0x7f) == 0) {
        f.class_code = c.read(kRevision, 4) >> 8;
        c.write(kCommand, 2, c.read(kCommand, 2) & ~kDecodeAndMaster);
        size_bars(c, f);
        out.push_back(f);
      }
      if (function == 0 && (f.vendor_id == 0xffff || !(header & 0x80))) break;
    }
}

}  // namespace

std::vector<PciFunction> assign_pci_resources(const BoardDescription& board, AddressSpace& bus) {
  std::vector<PciFunction> all;
  for (const PciRoot& root : board.pci_roots) {
    std::vector<PciFunction> here;
    find_functions(board, bus, root.bus, here);
    std::vector<Wanted> wanted;
    for (PciFunction& f : here)
      for (unsigned n = 0; n < f.bars.size(); n++)
        if (f.bars[n].size_bytes) wanted.push_back({&f, n});
    place_bars(board, bus, root, wanted);
    for (const PciFunction& f : here) finish_function(board, bus, f);
    all.insert(all.end(), here.begin(), here.end());
  }
  return all;
}

}  // namespace ia64::firmware
