// The advanced load address table: insertion and invalidation by address.
#include "cpu/exec/alat.h"

#include <cstring>

namespace ia64::cpu {

void Alat::drop(Entry& e) {
  e.tag = kNoTag;
  in_granule_[e.granule]--;
  count_--;
}

void Alat::insert(AlatTag tag, u64 address, const void* start, unsigned size) {
  Entry& e = place(tag);
  if (e.tag != kNoTag) drop(e);
  if (granule(address) != granule(address + size - 1)) return;
  e = {reinterpret_cast<u64>(start), tag, static_cast<u8>(size), static_cast<u8>(granule(address))};
  in_granule_[e.granule]++;
  count_++;
}

void Alat::clear() {
  if (empty()) return;
  for (Entry& e : entries_) e.tag = kNoTag;
  std::memset(in_granule_, 0, sizeof in_granule_);
  count_ = 0;
}

void Alat::invalidate_range(const void* start, u64 size) {
  const u64 first = reinterpret_cast<u64>(start);
  for (Entry& e : entries_) {
    // Written as differences so that ranges at the top of the address space cannot wrap.
    const bool overlap = e.start >= first ? e.start - first < size : first - e.start < e.size;
    if (e.tag != kNoTag && overlap) drop(e);
  }
}

void Alat::invalidate_offsets(u64 address, unsigned size) {
  const unsigned first = granule(address), last = granule(address + size - 1);
  for (Entry& e : entries_)
    if (e.tag != kNoTag && (e.granule == first || e.granule == last)) drop(e);
}

}  // namespace ia64::cpu
