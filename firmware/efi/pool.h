// The EFI pool: small allocations of each memory type, cut from pages of the memory map.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "firmware/efi/memory_map.h"

namespace ia64::firmware {

/// AllocatePool/FreePool. Book-keeping is on the host, so a guest cannot damage it. Blocks are 16-byte
/// aligned. Thread rule: the firmware's lock.
class Pool {
 public:
  explicit Pool(MemoryMap& memory) : memory_(memory) {}
  /// @source EFI 1.10, 5.2 (AllocatePool). A size of 0 gives a minimal block.
  EfiStatus allocate(MemoryType type, u64 size_bytes, GuestPhys& address);
  /// @returns InvalidParameter when `address` is not a live block
  EfiStatus free(GuestPhys address);

 private:
  static constexpr unsigned kMinBits = 5, kMaxBits = 11;  // 32 bytes .. 2 KiB; larger blocks are whole pages
  struct Block {
    MemoryType type;
    u8 bits;    // size class, 0 for whole pages
    u64 pages;  // for whole pages
  };
  EfiStatus refill(MemoryType type, unsigned bits);

  MemoryMap& memory_;
  std::map<GuestPhys, Block> live_;
  std::map<std::pair<u32, u8>, std::vector<GuestPhys>> free_;
};

}  // namespace ia64::firmware
