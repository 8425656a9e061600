// The advanced load address table: insertion, look-up by register, invalidation by address.
#include "cpu/exec/alat.h"

#include <bit>

namespace ia64::cpu {

u32 Alat::find(AlatTag tag) const {
  for (u32 rest = valid_; rest; rest &= rest - 1) {
    const int n = std::countr_zero(rest);
    if (tags_[n] == tag) return u32{1} << n;
  }
  return 0;
}

void Alat::insert(AlatTag tag, GuestPhys phys, unsigned size) {
  remove(tag);
  unsigned n = static_cast<unsigned>(std::countr_one(valid_));
  if (n == kEntries) n = next_++ % kEntries;
  tags_[n] = tag;
  starts_[n] = phys;
  sizes_[n] = static_cast<u8>(size);
  valid_ |= u32{1} << n;
}

u32 Alat::overlapping_offsets(u64 address, unsigned size) const {
  const u64 first = address & kOffsetMask;
  u32 hits = 0;
  for (u32 rest = valid_; rest; rest &= rest - 1) {
    const int n = std::countr_zero(rest);
    const u64 start = starts_[n] & kOffsetMask;
    if (start < first + size && first < start + sizes_[n]) hits |= u32{1} << n;
  }
  return hits;
}

void Alat::invalidate_range(GuestPhys phys, u64 size) {
  for (u32 rest = valid_; rest; rest &= rest - 1) {
    const int n = std::countr_zero(rest);
    // Written as differences so that ranges at the top of the address space cannot wrap.
    const bool overlap = starts_[n] >= phys ? starts_[n] - phys < size : phys - starts_[n] < sizes_[n];
    if (overlap) valid_ &= ~(u32{1} << n);
  }
}

}  // namespace ia64::cpu
