// Places firmware's memory at the top of low RAM.
#include "firmware/layout.h"

#include "base/bits.h"
#include "base/invariant.h"

namespace ia64::firmware {
namespace {
constexpr u64 kKiB = 1024;
constexpr u64 kPalBytes = 256 * kKiB;
constexpr u64 kReserved = 4096 * kKiB;
}  // namespace

Layout Layout::of(const BoardDescription& board) {
  INVARIANT(!board.ram.empty() && board.ram[0].base == 0 && board.ram[0].size_bytes >= 8 * kReserved);
  GuestPhys next = align_down(board.ram[0].size_bytes - kReserved, kPalBytes);
  auto take = [&](u64 size_bytes) {
    const MemoryRange r{next, size_bytes};
    next += size_bytes;
    return r;
  };
  // Nothing an OS may use lies above what firmware keeps: Linux without sparse memory takes everything below
  // its highest free page for RAM, holes included.
  Layout l;
  l.boot_data = take(kBackingStoreBytes + kStackBytes);
  l.pal = take(kPalBytes);
  l.runtime_code = take(256 * kKiB);
  l.runtime_data = take(1024 * kKiB);
  l.acpi_nvs = take(64 * kKiB);
  INVARIANT(next < board.ram[0].size_bytes && is_aligned(l.pal.base, kPalBytes));
  l.acpi_reclaim = take(board.ram[0].size_bytes - next);
  return l;
}

}  // namespace ia64::firmware
