// Lowering of calls, returns and alloc.
#include "cpu/arch/registers.h"
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;

/// A call, a return or a jump that is always taken ends the block.
void leave(L& l, const Insn& i, Op op) {
  op.guard = l.guard(i), op.insn = &i;
  l.emit(op);
  if (i.qp == 0) l.finish(Left{});
}

/// The callee's blocks are in the unit: only ways out make its frame. The unit's entry sees to it that AR.EC is 0 and that there is room.
void call_inside(L& l, const Insn& i) {
  const Inlining& how = l.inlining();
  const Mode from = l.mode();
  const Frame frame{static_cast<u8>(from.sol()), static_cast<u8>(from.sof() - from.sol())};
  l.set({File::Application, ar::kPfs}, l.constant(from.pfs_behind_call()));
  l.set({File::Branch, i.r1}, l.constant(l.insn_ip(i) + 16));
  l.finish(Leave{l.add_crossing(Crossing::Call, i, *how.target, from.called(), frame, how.called)});
}

/// Whether the block takes in what `i` calls.
bool goes_inside(const L& l, const Insn& i) { return l.inlining().target && i.qp == 0; }

/// Back behind the inlined call, if that is what branch register and AR.PFS say: which is known, as a rule.
void return_inside(L& l, const Insn& i, Value target, Value pfs) {
  const Inlining::Back& back = *l.inlining().back;
  const Value there = l.binary(cmp_eq, target, l.constant(back.ip)), frame = l.binary(cmp_eq, pfs, l.constant(back.mode.pfs_behind_call()));
  const Value elsewhere = l.unary(invert, l.binary(and_, there, frame));
  const Value leaves = i.qp ? l.binary(and_, l.pr(i.qp), elsewhere) : elsewhere;
  l.emit({.code = frame_return, .a = target, .b = pfs, .guard = leaves, .insn = &i});
  const unsigned exit = l.add_crossing(Crossing::Return, i, back.ip, back.mode, {}, 0);
  if (i.qp == 0) return l.finish(Leave{exit});
  l.emit({.code = exit_if, .a = l.pr(i.qp), .imm = exit, .insn = &i});
}

void call_relative(L& l, const Insn& i) {
  if (goes_inside(l, i)) return call_inside(l, i);
  leave(l, i, {.code = frame_call, .imm = l.add_exit(i, l.insn_ip(i) + i.imm, 0, l.mode().called())});
}
void call_indirect(L& l, const Insn& i) {
  const Value target = l.get({File::Branch, i.r2});
  Op op{.code = frame_call_to, .a = target, .imm = l.mode().pack()};
  if (!goes_inside(l, i)) return leave(l, i, op);
  const Value expected = l.binary(cmp_eq, target, l.constant(*l.inlining().target));
  op.guard = l.unary(invert, expected), op.insn = &i;
  l.emit(op);
  call_inside(l, i);
}

void branch_return(L& l, const Insn& i) {
  const Value target = l.get({File::Branch, i.r2}), pfs = l.get({File::Application, ar::kPfs});
  if (l.inlining().back) return return_inside(l, i, target, pfs);
  leave(l, i, {.code = frame_return, .a = target, .b = pfs});
}

void jump(L& l, const Insn& i) {
  const Value target = l.get({File::Branch, i.r2});
  if (i.qp == 0) return l.finish(LeaveIndirect{target, &i, l.mode()});
  leave(l, i, {.code = jump_to, .a = target, .imm = l.mode().pack()});
}

/// Frames with rotating registers, or after them, are left to the handler: rename bases decide whether it faults.
void allocate(L& l, const Insn& i) {
  const Cfm wanted = Cfm::unpack(i.imm & low_mask(18));
  const bool plain = wanted.sof <= kStackedRegisters && wanted.sol <= wanted.sof && wanted.sor == 0 && l.mode().rotating == 0;
  if (!plain) return l.call(i);
  const Value pfs = l.get({File::Application, ar::kPfs});
  l.emit({.code = frame_alloc, .imm = !l.assume_clean_frame(wanted.sof), .insn = &i});
  l.new_frame(wanted);
  l.frame_is_clean(wanted.sof);
  l.set_gr(i, i.r1, pfs);
}

}  // namespace

void add_frame_rules(LowerTable& t) {
  t[&br_call_b3] = t[&brl_call_x4] = call_relative;
  t[&br_call_b5] = call_indirect;
  t[&br_ret_b4] = branch_return;
  t[&br_cond_b4] = jump;
  t[&alloc_m34] = allocate;
}

}  // namespace ia64::cpu::ir
