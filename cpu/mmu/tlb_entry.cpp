// Access rights and the checks of inserted translations.
#include "cpu/mmu/tlb_entry.h"

namespace ia64::cpu {

namespace {
constexpr u8 kNone = 0, kR = kRightRead, kW = kRightWrite, kX = kRightExecute;

/// Rights by AR for an access less privileged than the page, at its level, above it, and at level 0 (which
/// counts as above even for a page of level 0).
struct RightsRow {
  u8 below, same, above, kernel;
};
constexpr RightsRow kRights[8] = {
    {kNone, kR, kR, kR},
    {kNone, kR | kX, kR | kX, kR | kX},
    {kNone, kR | kW, kR | kW, kR | kW},
    {kNone, kR | kW | kX, kR | kW | kX, kR | kW | kX},
    {kNone, kR, kR | kW, kR | kW},
    {kNone, kR | kX, kR | kX, kR | kW | kX},
    {kNone, kR | kW | kX, kR | kW, kR | kW},
    {kX, kX, kX, kR | kX},
};
}  // namespace

u8 page_rights(unsigned ar, unsigned pl, unsigned cpl) {
  const RightsRow& row = kRights[ar & 7];
  if (cpl == 0) return row.kernel;
  return cpl > pl ? row.below : cpl == pl ? row.same : row.above;
}

bool is_reserved_translation(u64 pte_word, u64 itir, u64 page_sizes) {
  constexpr u64 kItirDefined = low_mask(32) & ~low_mask(2);
  if ((itir & ~kItirDefined) != 0 || !(page_sizes >> field(itir, 2, 6) & 1)) return true;
  if (!(pte_word & pte::kPresent)) return false;
  const auto attribute = field(pte_word, 2, 3);
  return (pte_word & pte::kReserved) != 0 || (attribute >= 1 && attribute <= 3);
}

TlbEntry make_tlb_entry(u64 va, u32 rid, u64 pte_word, u64 itir) {
  const auto ps = static_cast<u8>(field(itir, 2, 6));
  return {.va = va & low_mask(61) & ~low_mask(ps),
          .pte = pte_word,
          .rid = rid,
          .key = static_cast<u32>(field(itir, 8, 24)),
          .ps = ps};
}

}  // namespace ia64::cpu
