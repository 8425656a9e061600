// What the translator knows about the access sites that it gave to instructions.
#pragma once

#include <unordered_set>

#include "cpu/decode/insn.h"
#include "cpu/mmu/access_sites.h"

namespace ia64::cpu::jit {

struct NativeBlock;
class NativeEngine;

/// One access site in use. Generated code holds its address.
struct SiteRecord {
  static constexpr i32 kMisses = 512;  ///< between two judgements

  i32 misses_left = kMisses;  ///< until the engine judges again; counted down by generated code
  u32 site = 0;               ///< in AccessSites
  u64 va = 0, addend = 0;     ///< of the miss that is judged
  u64 since = 0;              ///< instructions that the processor had executed at the last judgement
  u64 round = 0;              ///< instructions of one round of the loop around it, at most
  const Insn* insn = nullptr;
  NativeBlock* region = nullptr;
  NativeEngine* engine = nullptr;
};

/// Gives out sites. CPU thread only.
class SiteChooser {
 public:
  /// @param pl  of the code that asks  @returns the number of a site, or -1 when `insn` should do without
  int take(const Insn& insn, unsigned pl) {
    const unsigned bank = AccessSites::bank_of(pl);
    if (bank == AccessSites::kBanks || scattered_.count(&insn)) return -1;
    return static_cast<int>(bank * AccessSites::kSitesOfBank + next_[bank]++ % AccessSites::kSitesOfBank);
  }
  /// `insn` accesses another page too often. @returns false when that was known
  bool note_scattered(const Insn& insn) { return scattered_.insert(&insn).second; }
  /// Decoded instructions go away.
  void forget() { scattered_.clear(); }

 private:
  u32 next_[AccessSites::kBanks] = {};
  std::unordered_set<const Insn*> scattered_;
};

}  // namespace ia64::cpu::jit
