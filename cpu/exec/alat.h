// The advanced load address table: which registers still hold what memory holds since an advanced load.
#pragma once

#include "cpu/arch/registers.h"

namespace ia64::cpu {

namespace jit {
struct CoreLayout;
}

/// Names one target register of an advanced load, independent of rotation, of the current frame and of the bank, so that
/// another register that happens to have the same name can never hit the entry.
using AlatTag = u16;

/// The tag of general register `r` (0..127) of the current frame and bank.
inline AlatTag alat_gr_tag(const Registers& regs, unsigned r) {
  if (r >= 32) return static_cast<AlatTag>(0x100 + regs.stack_index(r));
  const bool other_bank = r >= 16 && !(regs.psr & psr::kBn);
  return static_cast<AlatTag>(other_bank ? r + 0x20 : r);
}
/// The tag of floating-point register `f` (0..127), after rotation.
inline AlatTag alat_fr_tag(const Registers& regs, unsigned f) { return static_cast<AlatTag>(0x80 + regs.fr_index(f)); }

/// The table. An entry remembers the bytes an advanced load read, by their host address: that names a byte of memory whatever
/// virtual address leads to it, and RAM does not move. Losing an entry early is always allowed (the check reloads or branches to
/// recovery); keeping a stale one never is. A register has one place only, so that generated code finds it at once.
///
/// Stores of this CPU remove what they overlap (drop_overlapping()). Stores of other CPUs and DMA become visible to a program only
/// through an acquire or fence of its own, so those instructions empty the table (acquire()).
/// CPU thread only. @source SDM vol. 1, 4.4.5.3; SDM vol. 2, 4.4.5
class Alat {
 public:
  static constexpr unsigned kEntries = 32;

  bool empty() const { return count_ == 0; }
  /// Whether an entry for `tag` exists.
  bool hit(AlatTag tag) const { return place(tag).tag == tag; }
  /// Adds the entry of an advanced load in place of the one that is there. Bytes that lie in two granules make none.
  /// @param address  guest address of the first byte read, virtual or physical
  /// @param start    its host address
  /// @param size     bytes read, 1..32
  void insert(AlatTag tag, u64 address, const void* start, unsigned size);
  /// Removes the entry of one register, if any (checks with .clr, invala.e).
  void remove(AlatTag tag) {
    if (hit(tag)) drop(place(tag));
  }
  /// Removes everything: invala, loss of the register window that tags refer to, changes of physical memory.
  void clear();
  /// Ordering point after which stores by others must be seen.
  void acquire() { clear(); }

  /// Whether a store to these bytes could overlap an entry, judged by the granules of the smallest page alone: all guest addresses of a
  /// byte agree there, so most stores need no translation.
  /// @param address  guest address, virtual or physical
  bool may_overlap(u64 address, unsigned size) const {
    return count_ != 0 && (in_granule_[granule(address)] | in_granule_[granule(address + size - 1)]) != 0;
  }
  /// Removes the entries that overlap `size` bytes of host memory.
  void invalidate_range(const void* start, u64 size);
  /// Removes the entries that may overlap a store whose host address is not known.
  void invalidate_offsets(u64 address, unsigned size);

  /// Number of entries held, for dumps and tests.
  unsigned count() const { return count_; }

 private:
  friend struct jit::CoreLayout;
  static constexpr unsigned kGranules = 256;  // of 16 bytes, which no aligned access crosses
  static constexpr AlatTag kNoTag = 0xffff;
  struct alignas(16) Entry {
    u64 start = 0;
    AlatTag tag = kNoTag;
    u8 size = 0;
    u8 granule = 0;
  };

  static constexpr unsigned granule(u64 address) { return static_cast<unsigned>(address >> 4) % kGranules; }
  Entry& place(AlatTag tag) { return entries_[tag % kEntries]; }
  const Entry& place(AlatTag tag) const { return entries_[tag % kEntries]; }
  void drop(Entry& e);

  Entry entries_[kEntries];
  u32 count_ = 0;
  u8 in_granule_[kGranules] = {};  ///< entries whose bytes lie there
};

}  // namespace ia64::cpu
