// Filling and emptying of access sites.
#include "cpu/mmu/access_sites.h"

#include "base/bits.h"

namespace ia64::cpu {

AccessSites::AccessSites() {
  for (Entry& e : entries_) e = {kEmpty, 0};
}

void AccessSites::fill(unsigned n, u64 va, u64 addend) {
  if (entries_[n].tag == kEmpty) filled_[filled_count_++] = n;
  entries_[n] = {va & ~low_mask(12), addend};
}

void AccessSites::enter(unsigned pl, u64 mode) {
  const unsigned bank = bank_of(pl);
  if (bank == kBanks || mode_[bank] == mode) return;
  mode_[bank] = mode;
  const Entry* const first = entries_ + bank * kSitesOfBank;
  drop([=](const Entry& e) { return &e >= first && &e < first + kSitesOfBank; });
}

void AccessSites::clear() {
  for (u32 k = 0; k < filled_count_; k++) entries_[filled_[k]].tag = kEmpty;
  filled_count_ = 0;
}

}  // namespace ia64::cpu
