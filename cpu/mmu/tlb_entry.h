// One translation: the insertion format of the manual, its fields, and the page access rights.
#pragma once

#include "base/bits.h"

namespace ia64::cpu {

/// Fields of the first word of a translation (GR[r2] of itc/itr, first word of a VHPT entry).
/// @source SDM vol. 2, 4.1.1.5 (Translation Insertion Format)
namespace pte {
inline constexpr u64 kPresent = bit(0), kAccessed = bit(5), kDirty = bit(6), kEd = bit(52);
inline constexpr u64 kReserved = bit(1) | bit(50) | bit(51);
inline constexpr u64 kPpn = low_mask(50) & ~low_mask(12);
}  // namespace pte

/// Memory attributes of a translation; 1, 2 and 3 are reserved. @source SDM vol. 2, 4.4.1
enum class MemoryAttribute : u8 {
  WriteBack = 0,
  Uncacheable = 4,
  UncacheableExported = 5,
  WriteCoalescing = 6,
  NatPage = 7
};

/// One entry of a translation register or cache. `ps` = 0 marks an unused one.
struct TlbEntry {
  u64 va = 0;   ///< offset in the region (bits 60:0), aligned to the page size
  u64 pte = 0;  ///< as inserted
  u32 rid = 0;
  u32 key = 0;
  u8 ps = 0;  ///< page size is 2^ps bytes

  constexpr bool valid() const { return ps != 0; }
  /// @param offset a virtual address without its region bits
  constexpr bool matches(u32 region_id, u64 offset) const {
    return rid == region_id && ((va ^ offset) >> ps) == 0;
  }
  /// Whether any byte is common with the aligned page of 2^other_ps bytes at `offset`.
  constexpr bool overlaps(u32 region_id, u64 offset, unsigned other_ps) const {
    return rid == region_id && ((va ^ offset) >> (ps > other_ps ? ps : other_ps)) == 0;
  }
  /// Physical address of the byte at `address` (any virtual address inside the page).
  constexpr u64 physical(u64 address) const {
    const u64 in_page = low_mask(ps);
    return (pte & pte::kPpn & ~in_page) | (address & in_page);
  }
  constexpr bool present() const { return pte & pte::kPresent; }
  constexpr bool accessed() const { return pte & pte::kAccessed; }
  constexpr bool dirty() const { return pte & pte::kDirty; }
  constexpr bool exception_deferral() const { return pte & pte::kEd; }
  constexpr unsigned privilege() const { return static_cast<unsigned>(field(pte, 7, 2)); }
  constexpr unsigned access_rights() const { return static_cast<unsigned>(field(pte, 9, 3)); }
  constexpr MemoryAttribute attribute() const { return static_cast<MemoryAttribute>(field(pte, 2, 3)); }
};

/// Bits of a rights set.
enum Right : u8 { kRightRead = 1, kRightWrite = 2, kRightExecute = 4 };

/// What a page allows at a privilege level, as a set of Right bits.
/// @param ar  TLB.ar, 0..7
/// @param pl  TLB.pl, 0..3
/// @param cpl privilege level of the access, 0..3
/// @source SDM vol. 2, table 4-2 (Page Access Rights)
u8 page_rights(unsigned ar, unsigned pl, unsigned cpl);

/// Whether itc, itr and the VHPT walker must refuse this pair: reserved bits or attributes, unsupported page
/// size. Of a not-present translation only the second word counts.
/// @param itir       second word: page size in bits 7:2, key in bits 31:8
/// @param page_sizes CpuModel::insertable_page_sizes
bool is_reserved_translation(u64 pte_word, u64 itir, u64 page_sizes);

/// The entry that itc/itr would make. The words must not be reserved.
TlbEntry make_tlb_entry(u64 va, u32 rid, u64 pte_word, u64 itir);

}  // namespace ia64::cpu
