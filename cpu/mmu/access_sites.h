// The pages that single instructions of generated code last accessed.
#pragma once

#include "base/int_types.h"

namespace ia64::cpu {

namespace jit {
struct CoreLayout;
}

/// The level in front of the software TLB: a place (a site) for one load or store instruction of generated code, with the page that it
/// found there last time. A hit needs neither the index nor the context of the address. What is found in a
/// site was in the software TLB, for the context of the moment; FastTlb drops it when that ends. So a site needs no test but of its
/// tag. Sites are given out to code of one privilege, in two banks: kernel entry and return drop nothing.
class AccessSites {
 public:
  static constexpr unsigned kBanks = 2;
  static constexpr unsigned kSitesOfBank = 4096;

  struct Entry {
    u64 tag;     ///< the page, bits 11:0 zero; kEmpty: none
    u64 addend;  ///< host address = virtual address + addend
  };
  static constexpr u64 kEmpty = ~u64{0};  ///< no page

  AccessSites();

  /// Which bank code of a privilege level uses; kBanks: none.
  static constexpr unsigned bank_of(unsigned pl) { return pl == 0 ? 0 : pl == 3 ? 1 : kBanks; }

  /// Site `n` remembers what was found in the software TLB for `va`.
  void fill(unsigned n, u64 va, u64 addend);
  /// Data accesses of privilege `pl` are done in `mode` from now on (bits that FastTlb understands).
  void enter(unsigned pl, u64 mode);
  /// Forgets all.
  void clear();
  /// Forgets the sites whose entries `goes` is true of.
  template <class Goes>
  void drop(Goes goes) {
    if (filled_count_ > kLooked) return clear();
    u32 kept = 0;
    for (u32 k = 0; k < filled_count_; k++) {
      const u32 n = filled_[k];
      if (goes(entries_[n])) entries_[n].tag = kEmpty;
      else filled_[kept++] = n;
    }
    filled_count_ = kept;
  }
  /// How many sites hold something.
  unsigned filled() const { return filled_count_; }
  const Entry& at(unsigned n) const { return entries_[n]; }

 private:
  friend struct jit::CoreLayout;
  /// When more are filled, looking at each whenever something changes costs more than filling them again.
  static constexpr u32 kLooked = 256;

  alignas(64) Entry entries_[kBanks * kSitesOfBank];
  u32 filled_[kBanks * kSitesOfBank];  ///< the sites that are not empty
  u32 filled_count_ = 0;
  u64 mode_[kBanks] = {};  ///< in which the bank was filled
};

}  // namespace ia64::cpu
