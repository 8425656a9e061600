// Comparison of addresses with the data and instruction breakpoint registers.
#include "cpu/mmu/debug_match.h"

#include "cpu/arch/registers.h"

namespace ia64::cpu::mmu {

namespace {
constexpr unsigned kPairs = 4;
constexpr u64 kRead = bit(63), kWrite = bit(62), kExecute = bit(63);

bool enabled_at(u64 control, unsigned pl) {
  return control >> (56 + pl) & 1;
}
/// Bits 63:56 have no mask bit and always count.
u64 compared_bits(u64 control) {
  return (control & low_mask(56)) | ~low_mask(56);
}
}  // namespace

bool data_breakpoint(const Registers& r, u64 va, unsigned size, bool read, bool write, unsigned pl) noexcept {
  for (unsigned n = 0; n < kPairs; n++) {
    const u64 address = r.dbr[2 * n], control = r.dbr[2 * n + 1];
    if (!((read && (control & kRead)) || (write && (control & kWrite))) || !enabled_at(control, pl)) continue;
    for (unsigned k = 0; k < size; k++)
      if ((((va + k) ^ address) & compared_bits(control)) == 0) return true;
  }
  return false;
}

bool page_has_data_breakpoint(const Registers& r, u64 va) noexcept {
  for (unsigned n = 0; n < kPairs; n++) {
    const u64 address = r.dbr[2 * n], control = r.dbr[2 * n + 1];
    if ((control & (kRead | kWrite)) && ((va ^ address) & compared_bits(control) & ~low_mask(12)) == 0)
      return true;
  }
  return false;
}

bool instruction_breakpoint(const Registers& r, u64 ip, unsigned pl) noexcept {
  for (unsigned n = 0; n < kPairs; n++) {
    const u64 address = r.ibr[2 * n], control = r.ibr[2 * n + 1];
    if ((control & kExecute) && enabled_at(control, pl) &&
        ((ip ^ address) & compared_bits(control) & ~low_mask(4)) == 0)
      return true;
  }
  return false;
}

}  // namespace ia64::cpu::mmu
