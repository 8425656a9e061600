// Context keys and invalidation of the software TLB.
#include "cpu/mmu/fast_tlb.h"

#include <algorithm>
#include <cstring>

namespace ia64::cpu {

namespace {
constexpr bool is_protected_mode(FastTlb::Mode mode) {
  return mode & (1u << 3 | 1u << 4);
}  // PSR.pk or PSR.db
constexpr bool is_translated(FastTlb::Mode mode) {
  return mode & 1;
}

/// Whether a page lies in a range of region offsets, in whatever region.
constexpr bool in_range(u64 tag, u64 offset, unsigned ps) {
  return ((tag ^ offset) & low_mask(61)) >> ps == 0;
}

/// Empties each slot of a table that holds a page of the range.
template <class Entry, unsigned N>
void drop_range(Entry (&table)[N], u64 offset, unsigned ps, u64 no_entry) {
  const auto drop = [&](Entry& e) {
    if (in_range(e.tag, offset, ps)) e.tag = no_entry;
  };
  const u64 pages = ps < 12 ? 1 : u64{1} << (ps - 12), first = offset >> 12 & ~(pages - 1);
  if (pages < N) {
    for (u64 page = first; page < first + pages; page++) drop(table[page % N]);
  } else {
    for (Entry& e : table) drop(e);
  }
}
/// Purges and new RIDs come in rows: with more sites than this, emptying all at the first one is cheaper than looking at each every time.
constexpr unsigned kFewSites = 64;

template <class Goes>
void drop_sites(AccessSites& sites, Goes goes) {
  sites.filled() > kFewSites ? sites.clear() : sites.drop(goes);
}
}  // namespace

bool FastTlb::follow_psr(u64 psr) {
  if (((psr ^ mode_psr_) & kModeBits) == 0) return false;
  mode_psr_ = psr & kModeBits;
  sites_.enter(static_cast<unsigned>(field(psr, psr::kCplPos, 2)), mode_psr_);
  copy_active();
  return true;
}

void FastTlb::copy_active() {
  std::memcpy(active_, contexts_[data_mode(mode_psr_)], sizeof active_);
}

void FastTlb::fill(unsigned number, const Entry& entry) {
  Entry& e = at(number);
  const unsigned group = group_of(entry.tag);
  if (e.tag == kNoEntry || group_of(e.tag) != group) filled_.note(group, number);
  e = entry;
}

bool FastTlb::refill(unsigned first, const Entry* second, u64 va) {
  const Entry& e = second[second_slot(va)];
  const bool found = e.tag == ((va & kPageMask) | active_[va >> 61]);
  if (found) fill(first + slot(va), e);
  found ? misses_.second_level++ : misses_.translated++;
  return found;
}

u64 FastTlb::owner(Mode mode, u32 rid) const {
  return u64{mode} | u64{is_translated(mode) ? rid : 0} << 5 |
         (is_protected_mode(mode) ? generation_ << 29 : 0);
}

u64 FastTlb::context(Mode mode, unsigned region, u32 rid) {
  u64& context = contexts_[mode][region];
  if (context != kNoContext) return context;
  const u64 wanted = owner(mode, rid);
  u64* owners = owners_[region];
  unsigned key = 0;
  while (key < used_keys_[region] && owners[key] != wanted) key++;
  if (key == kKeys) {
    clear_tables();
    forget_contexts();
    std::memset(used_keys_, 0, sizeof used_keys_);
    key = 0;
  }
  if (key == used_keys_[region]) owners[used_keys_[region]++] = wanted;
  context = u64{key} << 4;
  region_rid_[region] = rid;
  fetch_keys_[mode][region] = make_fetch_key(mode, region);
  copy_active();
  return context;
}

void FastTlb::forget_data(u64 offset, unsigned ps) {
  constexpr unsigned kSmall = 18;  // up to here as few slots can hold the range as notes would name
  const u64 chunks = ps <= kChunkBits ? 1 : u64{1} << (ps - kChunkBits);
  if (ps <= kSmall || chunks >= kGroups) {
    drop_range(read_, offset, ps, kNoEntry);
    drop_range(write_, offset, ps, kNoEntry);
    drop_range(second_read_, offset, ps, kNoEntry);
    drop_range(second_write_, offset, ps, kNoEntry);
  } else {
    const unsigned first = group_of(offset) & ~static_cast<unsigned>(chunks - 1);
    for (unsigned group = first; group < first + chunks; group++) forget_data_chunk(group, offset, ps);
  }
  drop_sites(sites_, [=](const AccessSites::Entry& e) { return in_range(e.tag, offset, ps); });
}

/// The part of forget_data() that concerns one group.
void FastTlb::forget_data_chunk(unsigned group, u64 offset, unsigned ps) {
  const auto stays = [&](unsigned number) {
    Entry& e = at(number);
    if (e.tag == kNoEntry || group_of(e.tag) != group) return false;
    if (!in_range(e.tag, offset, ps)) return true;
    e.tag = kNoEntry;
    return false;
  };
  if (filled_.complete(group)) return filled_.review(group, stays);
  filled_.begin(group);
  for (unsigned number = 0; number < kAllSlots; number++)
    if (stays(number)) filled_.note(group, number);
}

void FastTlb::forget_fetch(u64 offset, unsigned ps) {
  drop_range(fetch_, offset, ps, kNoEntry);
}

void FastTlb::region_changed(unsigned region) {
  fetch_changes_++;
  drop_sites(sites_, [=](const AccessSites::Entry& e) { return e.tag >> 61 == region; });
  for (Mode mode = 0; mode < kModes; mode++)
    if (is_translated(mode)) contexts_[mode][region] = kNoContext, fetch_keys_[mode][region] = 0;
  copy_active();
}

void FastTlb::protection_changed() {
  generation_++;
  fetch_changes_++;
  sites_.clear();
  for (Mode mode = 0; mode < kModes; mode++)
    if (is_protected_mode(mode))
      for (unsigned region = 0; region < kRegions; region++)
        contexts_[mode][region] = kNoContext, fetch_keys_[mode][region] = 0;
  copy_active();
}

u64 FastTlb::make_fetch_key(Mode mode, unsigned region) const {
  const u64 context = contexts_[mode][region];
  if (context == kNoContext) return 0;
  const u64 of_rid = is_translated(mode) ? rid_changes_[region_rid_[region] % kRidSets] : 0;
  return std::max(fetch_epoch_, of_rid) << 12 | context;
}

void FastTlb::end_fetch_epoch() {
  fetch_epoch_ = ++fetch_changes_;
  for (Mode mode = 0; mode < kModes; mode++)
    for (unsigned region = 0; region < kRegions; region++) fetch_keys_[mode][region] = make_fetch_key(mode, region);
}

void FastTlb::end_fetches_of(u32 rid) {
  rid_changes_[rid % kRidSets] = ++fetch_changes_;
  for (unsigned region = 0; region < kRegions; region++) {
    if ((region_rid_[region] ^ rid) % kRidSets) continue;
    for (Mode mode = 0; mode < kModes; mode++)
      if (is_translated(mode)) fetch_keys_[mode][region] = make_fetch_key(mode, region);
  }
}

void FastTlb::forget_writes(const u8* host_page) {
  const auto page = reinterpret_cast<u64>(host_page);
  const auto forget = [&](auto& table) {
    for (Entry& e : table)
      if ((e.tag & kPageMask) + e.addend == page) e.tag = kNoEntry;
  };
  forget(write_);
  forget(second_write_);
  drop_sites(sites_, [=](const AccessSites::Entry& e) { return e.tag + e.addend == page; });
}

void FastTlb::forget_all_writes() {
  sites_.clear();
  for (Entry& e : write_) e = {kNoEntry, 0};
  for (Entry& e : second_write_) e = {kNoEntry, 0};
}

void FastTlb::clear_tables() {
  for (Entry& e : read_) e = {kNoEntry, 0};
  forget_all_writes();
  for (Entry& e : second_read_) e = {kNoEntry, 0};
  for (FetchEntry& e : fetch_) e = {kNoEntry, 0, nullptr, 3, false};
  filled_.clear();
}

void FastTlb::forget_contexts() {
  for (auto& mode : contexts_)
    for (u64& context : mode) context = kNoContext;
  copy_active();
  end_fetch_epoch();  // keys will be given out again, for others
}

void FastTlb::reset() {
  clear_tables();
  forget_contexts();
  std::memset(used_keys_, 0, sizeof used_keys_);
}

}  // namespace ia64::cpu
