// Hash chains of the translation caches.
#include "cpu/mmu/translation_cache.h"

#include <cstring>

namespace ia64::cpu {

TranslationCache::TranslationCache() {
  clear();
}

void TranslationCache::clear() {
  entries_.fill({});
  buckets_.fill(kNone);
  std::memset(sizes_, 0, sizeof sizes_);
  std::memset(size_count_, 0, sizeof size_count_);
  next_victim_ = count_ = 0;
  changes_++;
}

unsigned TranslationCache::bucket_of(u32 rid, u64 page, unsigned ps) {
  const u64 mixed = (page ^ u64{rid} << 20 ^ u64{ps} << 50) * 0x9e3779b97f4a7c15;
  return static_cast<unsigned>(mixed >> 52) % kBuckets;
}

unsigned TranslationCache::find_page(u32 rid, u64 offset, unsigned ps) const {
  for (unsigned n = buckets_[bucket_of(rid, offset >> ps, ps)]; n != kNone; n = next_[n])
    if (entries_[n].ps == ps && entries_[n].matches(rid, offset)) return n;
  return kNone;
}

const TlbEntry* TranslationCache::find(u32 rid, u64 offset) const {
  for (u64 sizes = sizes_[group_of(rid)]; sizes; sizes &= sizes - 1) {
    const unsigned n = find_page(rid, offset, static_cast<unsigned>(__builtin_ctzll(sizes)));
    if (n != kNone) return &entries_[n];
  }
  return nullptr;
}

void TranslationCache::link(unsigned n, const TlbEntry& entry) {
  const unsigned bucket = bucket_of(entry.rid, entry.va >> entry.ps, entry.ps), group = group_of(entry.rid);
  entries_[n] = entry;
  next_[n] = buckets_[bucket];
  buckets_[bucket] = static_cast<u16>(n);
  size_count_[group][entry.ps]++;
  sizes_[group] |= bit(entry.ps);
  count_++;
  changes_++;
}

void TranslationCache::unlink(unsigned n) {
  TlbEntry& entry = entries_[n];
  const unsigned group = group_of(entry.rid);
  u16* where = &buckets_[bucket_of(entry.rid, entry.va >> entry.ps, entry.ps)];
  while (*where != n) where = &next_[*where];
  *where = next_[n];
  if (--size_count_[group][entry.ps] == 0) sizes_[group] &= ~bit(entry.ps);
  entry = {};
  count_--;
  changes_++;
}

}  // namespace ia64::cpu
