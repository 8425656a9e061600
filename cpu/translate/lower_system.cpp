// Lowering of system instructions that end a block only so that the engine may look up: their handlers run, and the translation
// goes on behind them in a mode that is known beforehand.
#include "cpu/arch/psr.h"
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

using L = Lowering;

/// PSR bits that neither the engine's way of running nor the software TLB depends on; be and ic are part of Mode.
constexpr u64 kSimpleBits = psr::kBe | psr::kUp | psr::kAc | psr::kMfl | psr::kMfh | psr::kIc | psr::kI | psr::kDfl | psr::kDfh |
                            psr::kSp | psr::kPp | psr::kDi | psr::kSi;

/// What is written takes effect at once, so serialization has nothing to do. The block ends all the same, and the next one
/// looks for interrupts.
void serialize(L&, const Insn&) {}

void same_mode(L& l, const Insn& i) { l.call_to_end(i, l.mode()); }

/// cover leaves an empty frame; clrrrb clears the rename bases.
void no_rotation(L& l, const Insn& i) {
  Mode after = l.mode();
  if (i.handler == &clrrrb_pr_b8 && after.rotated) return l.call(i);  // the other bases may be zero or not
  if (i.handler == &cover_b8) after = after.called();
  after.rotated = false;
  l.call_to_end(i, after);
}

/// ssm, rsm, sum and rum with bits whose meaning for the mode is known.
template <bool kOn>
void mask(L& l, const Insn& i) {
  if (i.imm & ~kSimpleBits) return l.call(i);
  Mode after = l.mode();
  if (i.imm & psr::kBe) after.big_endian = kOn;
  if (i.imm & psr::kIc) after.ic = kOn;
  l.call_to_end(i, after);
}

}  // namespace

// Not here, because they change what the fetch key stands for or more of PSR: itc.i, itr, ptc, ptr, mov to rr, pkr, ibr and psr.l,
// epc, rfi. They find the next block by a look-up.
void add_system_rules(LowerTable& t) {
  t[&srlz_d_m24] = t[&srlz_i_m24] = t[&sync_i_m24] = serialize;
  t[&ssm_m44] = t[&sum_m44] = mask<true>;
  t[&rsm_m44] = t[&rum_m44] = mask<false>;
  t[&cover_b8] = t[&clrrrb_b8] = t[&clrrrb_pr_b8] = no_rotation;
  t[&bsw_0_b8] = t[&bsw_1_b8] = t[&loadrs_m25] = t[&mov_m32] = t[&itc_d_m41] = same_mode;
}

}  // namespace ia64::cpu::ir
