// Moves between general registers and branch registers, predicates and the instruction pointer.
// @source SDM vol. 3, mov br, mov pr, mov ip
#include "base/endian.h"
#include "cpu/exec/handlers.h"
#include "cpu/exec/operands.h"

namespace ia64::cpu {

namespace {

// The moves see predicates in physical numbering: they act as if CFM.rrb.pr were zero. Eight 0/1 bytes are packed into
// eight bits, and spread again, by one multiplication each.
u64 gather_predicates(const Registers& r) {
  u64 all = 0;
  for (unsigned n = 0; n < 8; n++) all |= (load_le<u64>(r.pr_phys + 8 * n) * 0x0102040810204080) >> 56 << (8 * n);
  return all;
}

void spread_eight(Registers& r, unsigned n, u64 bits) {
  const u64 marked = (bits & 0xff) * 0x0101010101010101 & 0x8040201008040201;
  store_le<u64>(r.pr_phys + 8 * n, (marked + 0x7f7f7f7f7f7f7f7f) >> 7 & 0x0101010101010101);
}

void spread_rotating(Registers& r, u64 bits) {
  for (unsigned n = 2; n < 8; n++) spread_eight(r, n, bits >> (8 * n));
}

}  // namespace

Next mov_i21(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.nat(i.r2)) [[unlikely]] return core.raise_nat_consumption();
  r.br[i.r1] = r.gr(i.r2);
  return Next::Continue;
}

Next mov_i22(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  r.set_gr(i.r1, r.br[i.r2]);
  return Next::Continue;
}

// Bits 1..15 of the mask select static predicates, bit 16 all rotating ones; predicate 0 stays 1.
Next mov_i23(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.nat(i.r2)) [[unlikely]] return core.raise_nat_consumption();
  const u64 mask = i.imm & 0xfffe, source = r.gr(i.r2);
  const u64 kept = mask == 0xfffe ? 0 : gather_predicates(r) & ~mask;
  const u64 low = (source & mask) | kept | 1;
  spread_eight(r, 0, low);
  spread_eight(r, 1, low >> 8);
  if (i.imm & bit(16)) spread_rotating(r, source);
  return Next::Continue;
}

Next mov_i24(Core& core, const Insn& i) noexcept {
  spread_rotating(core.regs(), i.imm);
  return Next::Continue;
}

Next mov_ip_i25(Core& core, const Insn& i) noexcept {
  core.regs().set_gr(i.r1, core.insn_ip(i));
  return Next::Continue;
}

Next mov_pr_i25(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  r.set_gr(i.r1, gather_predicates(r));
  return Next::Continue;
}

}  // namespace ia64::cpu
