// Emission of handler calls, side exits and block ends.
#include <cstddef>
#include <utility>

#include "cpu/exec/handlers.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

namespace {

/// Handlers that branch often, to addresses that only the machine knows.
bool branches_anywhere(Handler h) {
  return h == &br_ret_b4 || h == &br_cond_b4 || h == &br_call_b5 || h == &rfi_b8 || h == &br_ctop_b2 || h == &br_cexit_b2 ||
         h == &br_wtop_b1 || h == &br_wexit_b1;
}

}  // namespace

u64 X64Emitter::part_ip() const {
  return unit_.parts.empty() ? unit_.ip : unit_.parts[unit_.blocks[block_].part].ip;
}
NativeBlock* X64Emitter::part_native() {
  return native_.parts.empty() ? &native_ : &native_.parts[unit_.blocks[block_].part];
}

/// eax is what the stub wants there.
void X64Emitter::leave_with(const void* stub, const Insn* insn) {
  a_.mov(rdx, imm(insn));
  a_.mov(rcx, imm(part_native()));
  a_.jmp(imm(stub));
}

void X64Emitter::emit_call(const Op& op) {
  const Label done = a_.newLabel(), other = a_.newLabel();
  skip_unless(op.guard, done);
  if (l_.handler_counts) {
    a_.mov(rax, imm(l_.handler_counts + op.insn->op));
    a_.inc(qword_ptr(rax));
  }
  a_.lea(rdi, qword_ptr(rbx, static_cast<i32>(reinterpret_cast<char*>(l_.core) - reinterpret_cast<char*>(&l_.core->regs()))));
  a_.mov(rsi, imm(op.insn));
  a_.call(imm(reinterpret_cast<void*>(op.insn->handler)));
  if (op.code == ir::Opcode::call_branch) {
    a_.cmp(al, static_cast<u8>(Next::Branch));
    a_.jne(other);
    jump_to_exit(unit_.exits[op.imm], true);
  } else {
    a_.cmp(al, static_cast<u8>(op.imm));
    a_.jne(other);
    if (op.imm >> ir::kCallReloadsFrame & 1) reload_frame();
  }
  a_.bind(done);
  later([this, other, &op] {
    a_.bind(other);
    a_.movzx(eax, al);
    const Label plain = a_.newLabel(), no_sync = a_.newLabel();
    if (branches_anywhere(op.insn->handler)) {
      a_.cmp(eax, static_cast<u32>(Next::Branch));
      a_.jne(plain);
      leave_with(stubs_.dynamic, op.insn);
    }
    a_.bind(plain);
    if (on_.sync_targets) {
      a_.cmp(eax, static_cast<u32>(Next::Sync));
      a_.jne(no_sync);
      go_on_behind(*op.insn);
    }
    a_.bind(no_sync);
    leave_with(stubs_.handler, op.insn);
  });
}

/// Looks up the block behind `insn`, whatever the mode is there.
void X64Emitter::go_on_behind(const Insn& insn) {
  const bool last = insn.flags & kLastSlot;
  a_.mov(rax, part_ip() + (u64{insn.bundle} + last) * 16);
  a_.mov(qword_ptr(rbx, static_cast<i32>(offsetof(Registers, ip))), rax);
  a_.mov(byte_ptr(rbx, static_cast<i32>(offsetof(Registers, slot))), last ? 0 : insn.slot + 1);
  leave_with(stubs_.dynamic, &insn);
}

void X64Emitter::reload_frame() {
  a_.mov(ecx, dword_ptr(rbx, static_cast<i32>(offsetof(Registers, bof))));
  a_.lea(r14, qword_ptr(rbx, rcx, 3, static_cast<i32>(offsetof(Registers, stack_gr))));
}

void X64Emitter::emit_check_nat(const Op& op) {
  const Label nat = a_.newLabel();
  a_.cmp(nat_of(ir::Location::unpack(op.imm)), 0);
  a_.jne(nat);
  later([this, nat, &op, pending = snapshot(op.pending)] {
    a_.bind(nat);
    store_pending(pending);
    leave_with(stubs_.deopt, op.insn);
  });
}

void X64Emitter::emit_exit_if(const Op& op) {
  const ir::Exit& exit = unit_.exits[op.imm];
  CondCode when = CondCode::kNZ;
  if (const auto known = flags_say(op.a)) {
    when = *known;
  } else {
    const Gp condition = use(op.a, rax);
    test(op.a, condition);
  }
  const Label taken = a_.newLabel();
  if (exit.block == ir::kOutside) {
    a_.j(when, taken);
    aside([this, taken, &exit, pending = snapshot(op.pending, exit.frame)] {
      a_.bind(taken);
      store_pending(pending);
      jump_to_exit(exit, false);
    });
    return;
  }
  const u32 from = block_, to = exit.block;
  decide_entry(from, to);
  if (to <= from) {
    a_.j(negateCond(when), taken);
    emit_edge(from, to, &exit, snapshot(op.pending, exit.frame), moves_to(from, to));
    a_.jmp(labels_[to]);
    a_.bind(taken);
    return;
  }
  a_.j(when, taken);
  aside([this, taken, from, to, &exit, moves = moves_to(from, to)] {
    a_.bind(taken);
    emit_edge(from, to, &exit, {}, moves);
    a_.jmp(labels_[to]);
  });
}

/// The way back of rounds that need no look-up. The budget is not tested: the gate has chosen the limit so.
void X64Emitter::emit_next_round(const Op& op) {
  const Label out = a_.newLabel();
  const ir::Exit& exit = unit_.exits[op.imm];
  decide_entry(block_, exit.block);
  a_.sub(rbp, exit.executed);
  const bool in_register = home_[op.a].reg >= 0;
  in_register ? a_.cmp(rbp, use(op.a, rax)) : a_.cmp(rbp, qword_ptr(rsp, home_[op.a].spill * 8));
  a_.jle(out);
  a_.cmp(dword_ptr(rbx, l_.attention), 0);
  const std::vector<Move> moves = moves_to(block_, exit.block);
  if (moves.empty()) {
    a_.je(labels_[exit.block]);
  } else {
    a_.jne(out);
    emit_moves(moves);
    a_.jmp(labels_[exit.block]);
  }
  a_.bind(out);
}

void X64Emitter::emit_leave_if(const Op& op) {
  const Label leave = a_.newLabel();
  const Gp condition = use(op.a, rax);
  a_.test(condition, condition);
  a_.jnz(leave);
  later([this, leave, &op, pending = snapshot(op.pending)] {
    a_.bind(leave);
    store_pending(pending);
    leave_with(stubs_.deopt, op.insn);
  });
}

u64 X64Emitter::ip_of(const Insn& insn) const { return part_ip() + u64{insn.bundle} * 16; }

void X64Emitter::store_iipa(u64 ip) {
  a_.mov(rcx, ip);
  a_.mov(qword_ptr(rbx, static_cast<i32>(offsetof(Registers, iipa))), rcx);
}
void X64Emitter::store_iipa(const Insn& insn) { store_iipa(ip_of(insn)); }

/// A way out behind `insn`: the budget, and under PSR.ic the address that IIPA remembers. Uses rcx.
void X64Emitter::account(const Insn& insn) {
  a_.sub(rbp, insn.spare + 1);
  if (unit_.mode.ic) store_iipa(insn);
}

/// @param frame_changed  the frame pointer must be found again
void X64Emitter::jump_to_exit(const ir::Exit& exit, bool frame_changed) {
  a_.sub(rbp, exit.executed);
  if (unit_.mode.ic) store_iipa(exit.last_ip);
  if (frame_changed) reload_frame();
  if (on_.loops && exit.ip == unit_.ip && exit.slot == unit_.slot && exit.mode == unit_.mode) {
    a_.jmp(entry_);
    return;
  }
  jump_to_link(exit);
}

/// @param look_at_key  other mappings may have come since the unit was entered
void X64Emitter::jump_to_link(const ir::Exit& exit, bool look_at_key) {
  native_.links.push_back({.key = 0, .target = stubs_.unlinked, .ip = exit.ip, .slot = exit.slot, .mode = exit.mode});
  Link& link = native_.links.back();
  look_at_key |= (exit.ip ^ unit_.ip) >> 12 != 0;
  const Mem key = qword_ptr(rbx, l_.fetch_keys + static_cast<i32>(unit_.mode.fetch * 8u + (exit.ip >> 61)) * 8);
  on_.direct_links ? jump_directly(link, look_at_key, key) : jump_through(link, look_at_key, key);
}

/// The engine writes key and distance into the code: a way out touches no memory but code. Until then it leads to the engine.
void X64Emitter::jump_directly(Link& link, bool look_at_key, const Mem& key) {
  const Label leave = a_.newLabel();
  if (look_at_key) {
    a_.mov(rcx, Link::kNoKey);
    link.key_end = static_cast<u32>(a_.offset());
    a_.cmp(rcx, key);
    a_.jne(leave);
  }
  a_.long_().jmp(leave);
  link.jump_end = static_cast<u32>(a_.offset());
  later([this, leave, &link] {
    a_.bind(leave);
    a_.mov(rax, imm(&link));
    a_.jmp(imm(stubs_.unlinked));
  });
}

void X64Emitter::jump_through(Link& link, bool look_at_key, const Mem& key) {
  a_.mov(rax, imm(&link));
  if (look_at_key) {
    const Label stale = a_.newLabel();
    a_.mov(rcx, key);
    a_.cmp(rcx, qword_ptr(rax, offsetof(Link, key)));
    a_.jne(stale);
    later([this, stale] {
      a_.bind(stale);
      a_.jmp(imm(stubs_.unlinked));
    });
  }
  a_.jmp(qword_ptr(rax, offsetof(Link, target)));
}

void X64Emitter::emit_terminal(const ir::BasicBlock& block) {
  const auto set_slot = [this](u8 slot) { a_.mov(byte_ptr(rbx, static_cast<i32>(offsetof(Registers, slot))), slot); };
  const Mem ip = qword_ptr(rbx, static_cast<i32>(offsetof(Registers, ip)));
  const auto* leave = std::get_if<ir::Leave>(&block.terminal);
  const auto* next = std::get_if<ir::Goto>(&block.terminal);
  const u32 to = next ? next->block : leave ? unit_.exits[leave->exit].block : ir::kOutside;
  if (to != ir::kOutside) {
    decide_entry(block_, to);
    const WayOut pending = leave && to <= block_ ? snapshot(block.pending, unit_.exits[leave->exit].frame) : WayOut();
    emit_edge(block_, to, leave ? &unit_.exits[leave->exit] : nullptr, pending, moves_to(block_, to));
    if (to != block_ + 1) a_.jmp(labels_[to]);
  } else if (leave) {
    store_pending(snapshot(block.pending, unit_.exits[leave->exit].frame));
    jump_to_exit(unit_.exits[leave->exit], false);
  } else if (const auto* indirect = std::get_if<ir::LeaveIndirect>(&block.terminal)) {
    const Gp target = use(indirect->target, rax);
    store_pending(snapshot(block.pending));
    u64 k;
    constant(indirect->target, k) ? a_.mov(rax, k) : a_.mov(rax, target);
    a_.and_(rax, -16);
    if (on_.inline_lookup) {
      account(*indirect->insn);
      return jump_to_address(indirect->mode);
    }
    a_.mov(ip, rax);
    set_slot(0);
    leave_with(stubs_.dynamic, indirect->insn);
  } else if (const auto* unknown_mode = std::get_if<ir::LeaveUnknown>(&block.terminal)) {
    const auto& unknown = *unknown_mode;
    store_pending(snapshot(block.pending));
    a_.mov(rax, unknown.next.ip);
    a_.mov(ip, rax);
    set_slot(unknown.next.slot);
    leave_with(stubs_.dynamic, unknown.insn);
  }
}

}  // namespace ia64::cpu::jit
