// Lowering of division and root sequences, and of what stands in front of divisions of natural numbers.
#include "cpu/exec/handlers.h"
#include "cpu/translate/float_sequence.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

using L = Lowering;

/// fnorm.s1 of an integer just keeps the number; all else is a multiply-add in the widest format.
void widest_multiply_add(L& l, const Insn& i) {
  const unsigned from = i.r4 == 1 ? i.r3 : i.r4;
  if (i.x != 1 || i.r2 != 0 || (i.r3 != 1 && i.r4 != 1) || from < 2 || !l.holds_integer(from)) {
    l.check_floats(i, {i.r1, i.r2, i.r3, i.r4}, false);
    return l.wide_float(i);
  }
  l.check_floats(i, {i.r1, from}, false);
  l.to_fr_natural(i, i.r1, l.fr_integer(i, from));
}

/// Nothing may leave behind the operation that has done all steps.
bool never_leaves(const L& l, const Insn& other) {
  if (!l.has_rule(other)) return false;
  if (other.handler == &sub_a1) return l.reads_without_leaving(other.r2) && l.reads_without_leaving(other.r3);
  return other.handler != &setf_sig_m18 || l.reads_without_leaving(other.r2);
}

void approximation(L& l, const Insn& i) {
  auto found = match_float_sequence(i, l.first_insn());
  if (!found) return l.call(i);
  for (const Insn* other : found->others)
    if (!never_leaves(l, *other)) return l.call(i);
  const bool doubles = found->kind != FloatSequence::Kind::Natural;
  if (doubles && (l.holds_other(found->dividend) || l.holds_other(found->divisor))) return l.call(i);
  l.do_sequence(i, std::make_shared<const FloatSequence>(std::move(*found)));
}

}  // namespace

void add_float_sequence_rules(LowerTable& t) {
  t[&fma_f1] = widest_multiply_add;
  t[&frcpa_f6] = t[&frsqrta_f7] = approximation;
}

}  // namespace ia64::cpu::ir
