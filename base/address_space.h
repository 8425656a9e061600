// The physical address space: RAM, ROM and device regions, and the marks that tie RAM pages to translated code.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "base/int_types.h"

namespace ia64 {

/// What the bus did with an access.
enum class AccessResult : u8 {
  Ok,
  Unmapped,  ///< nothing answers there: reads give all ones, writes vanish
  BadSize,   ///< a device refused this width: reads give all ones, writes vanish
};

/// A device's register window. Values are little-endian integers in the low bits.
class MmioRegion {
 public:
  virtual ~MmioRegion() = default;
  /// @param offset bytes from the start of the region; offset + size lies inside it
  /// @param size   1, 2, 4 or 8
  /// Thread rule: any thread; the device locks itself.
  virtual AccessResult read(u64 offset, unsigned size, u64& value) = 0;
  virtual AccessResult write(u64 offset, unsigned size, u64 value) = 0;
};

/// The physical bus as CPUs, DMA and firmware see it. Regions are added while the machine is built or when a PCI BAR
/// moves; accesses may run concurrently from any thread.
class AddressSpace {
 public:
  static constexpr unsigned kPageBits = 12;
  static constexpr u64 kPageSize = u64{1} << kPageBits;

  AddressSpace();
  ~AddressSpace();
  AddressSpace(const AddressSpace&) = delete;

  /// Adds RAM backed by `host`, which must outlive this. Base and size are multiples of 4 KiB.
  void add_ram(GuestPhys base, u64 size_bytes, u8* host, std::string name);
  /// Adds memory that only the emulator writes; guest writes are dropped.
  void add_rom(GuestPhys base, u64 size_bytes, u8* host, std::string name);
  /// Adds a device window. Overlaps with memory are refused by INVARIANT; among devices the newest wins.
  void add_mmio(GuestPhys base, u64 size_bytes, MmioRegion* region, std::string name);
  void remove_mmio(GuestPhys base, MmioRegion* region);

  /// Host address of the RAM or ROM byte at `phys`, or nullptr. Valid to the end of its 4 KiB page at least.
  /// @param for_write true refuses ROM
  u8* host_ptr(GuestPhys phys, bool for_write) const;
  /// Host address of a whole RAM range for scatter/gather, or nullptr when any byte is not RAM of one region.
  u8* ram_span(GuestPhys phys, u64 size_bytes) const;
  bool is_ram(GuestPhys phys) const { return host_ptr(phys, true) != nullptr; }

  /// One access of 1, 2, 4 or 8 bytes, naturally aligned or at least inside one region; little-endian value.
  AccessResult read(GuestPhys phys, unsigned size, u64& value);
  AccessResult write(GuestPhys phys, unsigned size, u64 value);

  /// Block transfers by DMA or firmware, through RAM, ROM and devices alike. Writes drop translated code (code_written).
  AccessResult read_bytes(GuestPhys phys, void* out, size_t size_bytes);
  AccessResult write_bytes(GuestPhys phys, const void* in, size_t size_bytes);

  /// Marks the RAM page at `phys` as holding decoded or translated code. Any thread. Reads of the page that follow
  /// either see what another thread wrote before its has_code_mark() or code_written(), or that thread sees the mark.
  void mark_code(GuestPhys phys);
  void clear_code_mark(GuestPhys phys);
  bool has_code_mark(GuestPhys phys) const;
  /// Must be called by whoever changes RAM without write()/write_bytes(), after the change (DMA into ram_span()).
  /// Clears the marks it finds in the range and calls the listeners for those pages.
  void code_written(GuestPhys phys, u64 size_bytes) {
    std::atomic_thread_fence(std::memory_order_seq_cst);  // the caller's stores before the look at the marks
    if (any_marks_.load(std::memory_order_relaxed)) code_written_slow(phys, size_bytes);
  }
  /// Called with the physical address of each marked 4 KiB page that was written. Listeners must be thread-safe.
  void add_code_listener(std::function<void(GuestPhys page)> listener);

  /// From now on host_ptr() for writing notes the address of RAM in `log`; nullptr ends that. For a bus that one thread uses.
  void log_writes(std::vector<GuestPhys>* log) { write_log_ = log; }

  struct RegionInfo {
    GuestPhys base;
    u64 size_bytes;
    std::string name;
    enum class Kind : u8 { Ram, Rom, Mmio } kind;
  };
  /// Every region in address order, for dumps and the firmware memory map.
  std::vector<RegionInfo> regions() const;

 private:
  struct Region;
  const Region* find(GuestPhys phys) const;
  void code_written_slow(GuestPhys phys, u64 size_bytes);

  mutable std::shared_mutex mutex_;            // guards regions_
  std::vector<std::unique_ptr<Region>> regions_;  // newest last; memory regions never change after building
  std::vector<std::unique_ptr<Region>> retired_;
  std::vector<const Region*> memory_;             // RAM and ROM only: lock-free look-up
  std::vector<std::function<void(GuestPhys)>> listeners_;
  std::vector<GuestPhys>* write_log_ = nullptr;
  std::atomic<bool> any_marks_{false};
};

}  // namespace ia64
