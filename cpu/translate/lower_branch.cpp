// Lowering of branches. Calls run their handlers but go on to a known address; returns and rotating loops end the block.
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;

void relative(L& l, const Insn& i) {
  const unsigned exit = l.add_exit(i, l.insn_ip(i) + i.imm, 0, l.mode());
  if (i.qp == 0) return l.finish(Leave{exit});
  l.emit({.code = exit_if, .a = l.pr(i.qp), .imm = exit, .insn = &i});
}

/// Only the unconditional form; else the handler leaves the block when the branch is taken.
void indirect(L& l, const Insn& i) {
  if (i.qp) return l.call(i);
  l.finish(LeaveIndirect{l.get({File::Branch, i.r2}), &i});
}

void counted(L& l, const Insn& i) {
  const unsigned exit = l.add_exit(i, l.insn_ip(i) + i.imm, 0, l.mode());
  const Location lc{File::LoopCount};
  const Value count = l.get(lc);
  const Value ended = l.binary(cmp_eq, count, l.constant(0)), goes_on = l.unary(invert, ended);
  l.set(lc, l.binary(sub, count, goes_on));
  l.emit({.code = exit_if, .a = goes_on, .imm = exit, .insn = &i});
}

void call_relative(L& l, const Insn& i) {
  Mode inside = l.mode();
  inside.rotating = 0, inside.rrb_pr = false;
  l.call_branch(i, l.add_exit(i, l.insn_ip(i) + i.imm, 0, inside));
}

}  // namespace

void add_branch_rules(LowerTable& t) {
  t[&br_cond_b1] = t[&brl_cond_x3] = relative;
  t[&br_cond_b4] = indirect;
  t[&br_cloop_b2] = counted;
  t[&br_call_b3] = t[&brl_call_x4] = call_relative;
  const LowerFunction nothing = [](L&, const Insn&) {};
  t[&brp_b6] = t[&brp_b7] = t[&brp_ret_b7] = nothing;
  t[&hint_m48] = t[&hint_i18] = t[&hint_b9] = t[&hint_x5] = nothing;
}

}  // namespace ia64::cpu::ir
