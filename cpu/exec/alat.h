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

/// The table. An entry remembers the physical bytes an advanced load read. Losing an entry early is always allowed (the
/// check reloads or branches to recovery); keeping a stale one never is.
///
/// Stores of this CPU remove what they overlap (store()). Stores of other CPUs and DMA become visible to a program only
/// through an acquire or fence of its own, so those instructions empty the table (acquire()).
/// CPU thread only. @source SDM vol. 1, 4.4.5.3; SDM vol. 2, 4.4.5
class Alat {
 public:
  static constexpr unsigned kEntries = 32;

  bool empty() const { return valid_ == 0; }
  /// Whether an entry for `tag` exists.
  bool hit(AlatTag tag) const { return valid_ != 0 && find(tag) != 0; }
  /// Adds the entry of an advanced load, replacing an older one of the same register, or the oldest when full.
  /// @param phys  physical address of the first byte read
  /// @param size  bytes read, 1..32
  void insert(AlatTag tag, GuestPhys phys, unsigned size);
  /// Removes the entry of one register, if any (checks with .clr, invala.e).
  void remove(AlatTag tag) { valid_ &= ~find(tag); }
  /// Removes everything: invala, loss of the register window that tags refer to, changes of physical memory.
  void clear() { valid_ = 0; }
  /// Ordering point after which stores by others must be seen.
  void acquire() { valid_ = 0; }

  /// Whether a store to these bytes could overlap an entry, judged by the offset in the smallest page alone: virtual and
  /// physical addresses agree there, so most stores need no translation.
  /// @param address virtual or physical
  bool may_overlap(u64 address, unsigned size) const { return valid_ != 0 && overlapping_offsets(address, size) != 0; }
  /// Removes the entries that overlap `size` bytes at `phys`; any size.
  void invalidate_range(GuestPhys phys, u64 size);
  /// Removes the entries that may overlap a store whose physical address is not known.
  void invalidate_offsets(u64 address, unsigned size) { valid_ &= ~overlapping_offsets(address, size); }

  /// Physical address of a byte of RAM by its host address, when its page was met before: spares a look into the TLB. True for
  /// ever, since RAM does not move.
  /// @returns false when unknown
  bool find_page(const u8* host, GuestPhys& phys) const {
    const u64 address = reinterpret_cast<u64>(host), page = address & ~kOffsetMask;
    const KnownPage& known = known_pages_[(page >> 12) % kKnownPages];
    phys = known.phys | (address & kOffsetMask);
    return known.host == page;
  }
  /// Notes what find_page() will answer. Both addresses name the same byte of RAM, and agree in their low twelve bits.
  void learn_page(const u8* host, GuestPhys phys) {
    const u64 page = reinterpret_cast<u64>(host) & ~kOffsetMask;
    if (((reinterpret_cast<u64>(host) ^ phys) & kOffsetMask) == 0)
      known_pages_[(page >> 12) % kKnownPages] = {page, phys & ~kOffsetMask};
  }

  /// Number of entries held, for dumps and tests.
  unsigned count() const { return static_cast<unsigned>(__builtin_popcount(valid_)); }

 private:
  friend struct jit::CoreLayout;
  static constexpr u64 kOffsetMask = 0xfff;  // in the smallest page, which no data reference crosses
  static constexpr unsigned kKnownPages = 32;
  struct KnownPage {
    u64 host = 0;
    GuestPhys phys = 0;
  };

  u32 find(AlatTag tag) const;
  u32 overlapping_offsets(u64 address, unsigned size) const;

  u32 valid_ = 0;  ///< bit n: entry n
  u32 next_ = 0;   ///< victim when full
  AlatTag tags_[kEntries] = {};
  u8 sizes_[kEntries] = {};
  GuestPhys starts_[kEntries] = {};
  KnownPage known_pages_[kKnownPages];
};

}  // namespace ia64::cpu
