// Operands that are illegal whatever the machine state: targets that cannot be written, equal targets, wrong
// slots.
#include "cpu/decode/static_checks.h"

#include "base/bits.h"
#include "cpu/core.h"
#include "cpu/exec/handlers.h"

namespace ia64::cpu {
namespace {

using namespace op_flag;

constexpr u32 kBothPredicates = kWritesP1 | kWritesP2;

bool general_target_illegal(const OpInfo& op, const Insn& i) {
  if ((op.flags & kWritesR1) && i.r1 == 0) return true;
  if (!(op.flags & kWritesR3)) return false;
  return i.r3 == 0 || ((op.flags & kWritesR1) && i.r1 == i.r3);
}

/// A load pair needs one odd and one even physical register. Within the static or within the rotating
/// registers the numbers decide (rotation moves both by the same amount); across them RRB.fr does, and the
/// handler checks.
bool pair_illegal(const Insn& i) {
  const bool same_side = (i.r1 < 32) == (i.r2 < 32);
  return same_side && ((i.r1 ^ i.r2) & 1) == 0;
}

bool fp_target_illegal(const OpInfo& op, const Insn& i) {
  if ((op.flags & kWritesF1) && i.r1 < 2) return true;
  return (op.flags & kWritesF2) && (i.r2 < 2 || pair_illegal(i));
}

/// mbtype4 of mux1: only @brcst, @mix, @shuf, @alt and @rev exist.
bool mux1_type_reserved(u64 type) {
  return type != 0 && (type < 8 || type > 11);
}

bool alloc_illegal(const Insn& i) {
  const u64 sof = field(i.imm, 0, 7), sol = field(i.imm, 7, 7), rotating = field(i.imm, 14, 4) * 8;
  return sof > 96 || sol > sof || rotating > sof || i.r1 == 0 || i.r1 >= 32 + sof;
}

}  // namespace

StaticFault static_fault(const OpInfo& op, const Insn& i) noexcept {
  if ((op.flags & kSlot2) && i.slot != 2) return StaticFault::Always;
  if (op.handler == br_ia_b4 && i.qp != 0) return StaticFault::Always;
  if ((op.flags & kBothPredicates) == kBothPredicates && i.p1 == i.p2)
    return op.flags & kReadsQp ? StaticFault::Always
                               : StaticFault::IfPredicated;  // .unc acts even when predicated off
  bool illegal = general_target_illegal(op, i) || fp_target_illegal(op, i);
  if (op.format == Format::A10) illegal |= i.pos == 4;
  if (op.format == Format::I3) illegal |= mux1_type_reserved(i.imm);
  if (op.format == Format::M34 && alloc_illegal(i)) return StaticFault::Always;
  return illegal ? StaticFault::IfPredicated : StaticFault::None;
}

Next illegal_approximation(Core& core, const Insn& insn) noexcept {
  if (core.regs().pr(insn.qp)) return core.raise_illegal_operation();
  core.regs().set_pr(insn.p2, false);
  return Next::Continue;
}

}  // namespace ia64::cpu
