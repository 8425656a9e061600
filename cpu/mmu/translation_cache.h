// A translation cache (ITC or DTC): hashed by page, any mix of page sizes, oldest entry replaced when full.
#pragma once

#include <array>

#include "base/state_archive.h"
#include "cpu/mmu/tlb_entry.h"

namespace ia64::cpu {

/// Up to kEntries translations that do not overlap. The RID is part of every key; region numbers are not.
///
/// Look-up costs one hash probe per page size present in the RID's group. Removing a range probes page by
/// page or scans all entries, whichever is less. CPU thread only.
class TranslationCache {
 public:
  static constexpr unsigned kEntries = 2048;

  TranslationCache();

  const TlbEntry* find(u32 rid, u64 offset) const;
  /// Adds an entry that overlaps none (call remove_overlaps first). Calls `dropped(entry)` for the one it
  /// replaces.
  template <class F>
  void insert(const TlbEntry& entry, F&& dropped) {
    if (entries_[next_victim_].valid()) {
      dropped(entries_[next_victim_]);
      unlink(next_victim_);
    }
    link(next_victim_, entry);
    next_victim_ = (next_victim_ + 1) % kEntries;
  }
  /// Removes what overlaps the aligned 2^ps bytes at `offset`, calling `dropped(entry)` for each.
  template <class F>
  void remove_overlaps(u32 rid, u64 offset, unsigned ps, F&& dropped) {
    const auto drop = [&](unsigned n) {
      dropped(entries_[n]);
      unlink(n);
    };
    const u64 start = offset & ~low_mask(ps);
    for (u64 sizes = sizes_[group_of(rid)]; sizes; sizes &= sizes - 1) {
      const auto size = static_cast<unsigned>(__builtin_ctzll(sizes));
      if (size + kMostProbes < ps) {
        for (unsigned n = 0; n < kEntries; n++)
          if (entries_[n].valid() && entries_[n].overlaps(rid, start, ps)) drop(n);
        return;
      }
      const u64 pages = size >= ps ? 1 : u64{1} << (ps - size);
      for (u64 page = 0; page < pages; page++)
        if (const unsigned n = find_page(rid, start + (page << size), size); n != kNone) drop(n);
    }
  }
  void clear();

  /// Entry by place, 0..kEntries-1; may be invalid. For dumps.
  const TlbEntry& at(unsigned index) const { return entries_[index]; }
  unsigned count() const { return count_; }
  /// Grows with every change.
  u64 changes() const { return changes_; }
  /// Saves or replaces the content: `visit(entry)` for the entry at each place, then the place that is replaced next.
  template <class Visit>
  void visit_state(StateArchive& a, Visit&& visit) {
    if (a.loading()) clear();
    for (unsigned n = 0; n < kEntries; n++) {
      TlbEntry entry = entries_[n];
      visit(entry);
      if (a.loading() && a.ok() && entry.valid()) link(n, entry);
    }
    a(next_victim_);
    a.require(next_victim_ < kEntries, "the place of a translation");
    if (!a.ok()) clear();
  }

 private:
  /// log2 of the pages looked up one by one before a scan of all entries is cheaper.
  static constexpr unsigned kMostProbes = 6;
  static constexpr unsigned kNone = 0xffff, kBuckets = 4096, kGroups = 64, kSizes = 64;

  static unsigned bucket_of(u32 rid, u64 page, unsigned ps);
  static unsigned group_of(u32 rid) { return rid % kGroups; }
  unsigned find_page(u32 rid, u64 offset, unsigned ps) const;
  void link(unsigned n, const TlbEntry& entry);
  void unlink(unsigned n);

  std::array<TlbEntry, kEntries> entries_;
  std::array<u16, kEntries> next_;
  std::array<u16, kBuckets> buckets_;
  u64 sizes_[kGroups];  // bit ps: the group has such entries
  u16 size_count_[kGroups][kSizes];
  unsigned next_victim_ = 0;
  unsigned count_ = 0;
  u64 changes_ = 0;
};

}  // namespace ia64::cpu
