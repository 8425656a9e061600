// Lowering of branches to fixed addresses and of rotating loops; of calls and jumps as far as lower_frame.cpp does not know better.
#include "cpu/arch/registers.h"
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
  l.finish(LeaveIndirect{l.get({File::Branch, i.r2}), &i, l.mode()});
}

void counted(L& l, const Insn& i) {
  const unsigned exit = l.add_exit(i, l.insn_ip(i) + i.imm, 0, l.mode());
  const Location lc{File::LoopCount};
  const Value count = l.get(lc);
  const Value ended = l.binary(cmp_eq, count, l.constant(0)), goes_on = l.unary(invert, ended);
  l.set(lc, l.unary(count_down, count));
  l.emit({.code = exit_if, .a = goes_on, .imm = exit, .insn = &i});
}

void call_relative(L& l, const Insn& i) {
  l.call_branch(i, l.add_exit(i, l.insn_ip(i) + i.imm, 0, l.mode().called()));
}

/// Rotation makes the rename bases unknown. Blocks that allow for any value are right for zero too.
Mode rotated(const L& l) {
  Mode m = l.mode();
  m.rotated = true;
  return m;
}

enum class Count : u8 { ByLc, ByPredicate };
enum class Taken : u8 { GoingOn, Ending };

/// A round of a rotating loop in a window. Counted loops go on in their steady state as soon as all stages are at work.
template <Count kCount, Taken kTaken>
void pipeline_in_window(L& l, const Insn& i) {
  const Location lc{File::LoopCount}, ec{File::Application, ar::kEc};
  const Value zero = l.constant(0), epilogue = l.get(ec);
  Value kernel, stage = zero, left = kNone;
  if (kCount == Count::ByLc) {
    const Value count = l.get(lc);
    kernel = stage = l.unary(invert, l.binary(cmp_eq, count, zero));
    l.set(lc, left = l.binary(sub, count, kernel));
  } else {
    kernel = l.pr(i.qp);
  }
  const Value draining = l.unary(invert, l.binary(cmp_eq, epilogue, zero));
  const Value goes_on = l.binary(or_, kernel, l.binary(cmp_ltu, l.constant(1), epilogue));
  l.set(ec, l.binary(sub, epilogue, l.binary(andn, draining, kernel)));
  l.slide(stage, l.binary(or_, kernel, draining));
  if (l.loop().stages) {
    const Location stages{File::RotatingPredicate, 16, l.loop().stages};
    const Value ones = l.emit({.code = window_ones, .a = l.get(l.window()), .imm = stages.pack()});
    const Value more = l.unary(invert, l.binary(cmp_eq, left, zero));
    const unsigned steady = l.add_exit(i, l.insn_ip(i) + i.imm, 0, rotated(l));
    l.make_steady(steady);
    l.emit({.code = exit_if, .a = l.binary(and_, more, ones), .imm = steady, .insn = &i});
  }
  const unsigned exit = l.add_exit(i, l.insn_ip(i) + i.imm, 0, rotated(l));
  l.emit({.code = exit_if, .a = kTaken == Taken::GoingOn ? goes_on : l.unary(invert, goes_on), .imm = exit, .insn = &i});
  l.finish(Leave{l.add_exit(i, l.insn_ip(i) + 16, 0, rotated(l))});
}

/// LC is above 0: the branch is taken, and the stages stay as they are.
void steady_round(L& l, const Insn& i) {
  const Location lc{File::LoopCount};
  const Value left = l.binary(sub, l.get(lc), l.constant(1));
  l.set(lc, left);
  l.slide(l.constant(1), kNone);
  const unsigned steady = l.add_exit(i, l.insn_ip(i) + i.imm, 0, rotated(l));
  l.make_steady(steady);
  l.emit({.code = exit_if, .a = l.unary(invert, l.binary(cmp_eq, left, l.constant(0))), .imm = steady, .insn = &i});
  l.finish(Leave{l.add_exit(i, l.insn_ip(i) + i.imm, 0, rotated(l))});
}

/// One step of a software-pipelined loop: the epilogue counts down in EC once the kernel has ended, and stops rotating at 0.
template <Count kCount, Taken kTaken>
void pipeline(L& l, const Insn& i) {
  if (l.loop().steady) return steady_round(l, i);
  if (l.loop().windowed) return pipeline_in_window<kCount, kTaken>(l, i);
  const Location lc{File::LoopCount}, ec{File::Application, ar::kEc};
  const Value zero = l.constant(0), epilogue = l.get(ec);
  Value kernel, stage = zero;
  if (kCount == Count::ByLc) {
    const Value count = l.get(lc);
    kernel = stage = l.unary(invert, l.binary(cmp_eq, count, zero));
    l.set(lc, l.binary(sub, count, kernel));
  } else {
    kernel = l.pr(i.qp);
  }
  const Value draining = l.unary(invert, l.binary(cmp_eq, epilogue, zero));
  const Value goes_on = l.binary(or_, kernel, l.binary(cmp_ltu, l.constant(1), epilogue));
  l.set(ec, l.binary(sub, epilogue, l.binary(andn, draining, kernel)));
  l.set_pr(63, stage);
  l.emit({.code = rotate, .guard = l.binary(or_, kernel, draining), .imm = l.mode().rotating});
  l.forget();
  const unsigned exit = l.add_exit(i, l.insn_ip(i) + i.imm, 0, rotated(l));
  l.emit({.code = exit_if, .a = kTaken == Taken::GoingOn ? goes_on : l.unary(invert, goes_on), .imm = exit, .insn = &i});
  l.finish(Leave{l.add_exit(i, l.insn_ip(i) + 16, 0, rotated(l))});
}

/// @tparam kPredicatesOnly  clrrrb.pr
template <bool kPredicatesOnly>
void clear(L& l, const Insn& i) {
  l.emit({.code = clear_bases, .imm = kPredicatesOnly});
  l.forget();
  Mode m = l.mode();
  const bool last = i.flags & kLastSlot;
  const u64 ip = l.insn_ip(i) + (last ? 16 : 0);
  const u8 slot = last ? u8{0} : static_cast<u8>(i.slot + 1);
  if (kPredicatesOnly && m.rotated) return l.finish(LeaveUnknown{&i, {ip, slot, &i, {}}});  // the other bases may be zero or not
  m.rotated = false;
  l.finish(Leave{l.add_exit(i, ip, slot, m)});
}

}  // namespace

void add_rotation_rules(LowerTable& t) {
  t[&br_ctop_b2] = pipeline<Count::ByLc, Taken::GoingOn>, t[&br_cexit_b2] = pipeline<Count::ByLc, Taken::Ending>;
  t[&br_wtop_b1] = pipeline<Count::ByPredicate, Taken::GoingOn>, t[&br_wexit_b1] = pipeline<Count::ByPredicate, Taken::Ending>;
  t[&clrrrb_b8] = clear<false>, t[&clrrrb_pr_b8] = clear<true>;
}

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
