// Guest memory as a debugger reads and writes it.
#pragma once

#include <optional>
#include <span>

#include "cpu/core.h"

namespace ia64::machine::debugger {

/// Memory at the addresses of the program that runs: through TLB and VHPT, without faults and without a trace in either. What no
/// translation is known for is taken as identity mapped in regions 6 and 7, where operating systems keep physical memory. The
/// register stack appears in its backing store (BackingStore). Devices are neither read nor written. CPU thread.
class DebugMemory {
 public:
  explicit DebugMemory(cpu::Core& core) : core_(core) {}
  /// @returns how many bytes from the start on could be read
  size_t read(u64 address, std::span<u8> out) const;
  /// @returns false when a byte lies in no RAM; what lies before it has been written
  bool write(u64 address, std::span<const u8> in);
  size_t read_physical(GuestPhys address, std::span<u8> out) const;
  /// Physical address of what instructions see at `address` now.
  std::optional<GuestPhys> physical(u64 address) const;

 private:
  std::optional<GuestPhys> translated(u64 address) const;
  bool is_memory(GuestPhys phys) const;

  cpu::Core& core_;
};

}  // namespace ia64::machine::debugger
