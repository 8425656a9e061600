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

void call_relative(L& l, const Insn& i) {
  leave(l, i, {.code = frame_call, .imm = l.add_exit(i, l.insn_ip(i) + i.imm, 0, l.mode().called())});
}
void call_indirect(L& l, const Insn& i) {
  leave(l, i, {.code = frame_call_to, .a = l.get({File::Branch, i.r2}), .imm = l.mode().pack()});
}

void branch_return(L& l, const Insn& i) {
  const Value target = l.get({File::Branch, i.r2}), pfs = l.get({File::Application, ar::kPfs});
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
