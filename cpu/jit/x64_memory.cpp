// Emission of loads and stores: the software TLB in line, the interpreter's handler when it does not know the page.
#include "base/bits.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::Opcode;

void X64Emitter::skip_unless(Value guard, Label target) {
  if (guard == ir::kNone) return;
  const Gp g = use(guard, rax);
  a_.test(g.r32(), g.r32());
  a_.jz(target);
}

/// Leaves the addend in rax when the page is known and the address aligned, else goes to `slow`. Uses rcx and rdx.
/// The tables are in the mode of PSR: the engine sees to that whenever it enters generated code.
void X64Emitter::tlb_check(const Gp& va, unsigned size, i32 table, Label slow) {
  a_.mov(rcx, va);
  a_.shr(rcx, 61);
  a_.mov(rdx, qword_ptr(rbx, l_.tlb_active));
  a_.mov(rdx, qword_ptr(rdx, rcx, 3));
  a_.mov(rax, va);
  a_.shr(rax, 12 - 4);
  a_.and_(eax, (FastTlb::kDataSlots - 1) << 4);
  a_.mov(rcx, va);
  a_.and_(rcx, static_cast<i32>(0xfffff000u | (size - 1)));
  a_.or_(rcx, rdx);
  a_.cmp(rcx, qword_ptr(rbx, rax, 0, table));
  a_.jne(slow);
  a_.mov(rax, qword_ptr(rbx, rax, 0, table + 8));
}

void X64Emitter::emit_load(const Op& op, Value v) {
  const unsigned size = 1u << (static_cast<unsigned>(op.code) - static_cast<unsigned>(Opcode::load8));
  const Label done = a_.newLabel(), slow = a_.newLabel();
  u64 k;
  Gp va = use(op.a, rcx);
  const Gp old = op.guard == ir::kNone ? Gp(rdx) : use(op.b, rdx);
  if (op.guard != ir::kNone && !constant(op.guard, k)) use(op.guard, rax);  // in its register before any branch
  const Gp d = define(v);
  if (op.guard != ir::kNone) {
    a_.mov(d, old);
    skip_unless(op.guard, done);
  }
  if (constant(op.a, k)) {  // not in a scratch register: the check needs them all
    a_.mov(d, k);
    va = d;
  }
  tlb_check(va, size, l_.tlb_read, slow);
  const Mem m = x86::ptr(va, rax, 0, 0, size);
  if (size == 8) {
    a_.mov(d, m);
  } else if (size == 4) {
    a_.mov(d.r32(), m);
  } else {
    a_.movzx(d.r32(), m);
  }
  a_.bind(done);
  later([this, slow, done, d, &op, pending = snapshot(op.pending)] {
    a_.bind(slow);
    store_pending(pending);
    a_.mov(rdx, imm(op.insn));
    a_.mov(rcx, part_ip());
    a_.call(imm(stubs_.slow));
    const Label fine = a_.newLabel();
    a_.test(eax, eax);
    a_.jz(fine);
    leave_with(stubs_.handler, op.insn);
    a_.bind(fine);
    a_.mov(d, general(ir::Location::unpack(op.imm)));
    a_.jmp(done);
  });
}

void X64Emitter::emit_store(const Op& op) {
  const unsigned size = 1u << (static_cast<unsigned>(op.code) - static_cast<unsigned>(Opcode::store8));
  const Label done = a_.newLabel(), slow = a_.newLabel();
  u64 k;
  // Constants get registers of their own: the check needs all scratch registers.
  const auto operand = [&](Value v) -> Gp {
    if (!constant(v, k)) return use(v, rax);
    const int r = take_register();
    pinned_ |= 1u << r;
    a_.mov(gpq(static_cast<u32>(r)), k);
    return gpq(static_cast<u32>(r));
  };
  const Gp va = operand(op.a), value = operand(op.b);
  if (op.guard != ir::kNone && !constant(op.guard, k)) use(op.guard, rax);
  skip_unless(op.guard, done);
  a_.mov(rax, imm(l_.alat_valid));
  a_.cmp(dword_ptr(rax), 0);
  a_.jne(slow);
  tlb_check(va, size, l_.tlb_write, slow);
  const Mem m = x86::ptr(va, rax, 0, 0, size);
  switch (size) {
    case 1: a_.mov(m, value.r8()); break;
    case 2: a_.mov(m, value.r16()); break;
    case 4: a_.mov(m, value.r32()); break;
    default: a_.mov(m, value); break;
  }
  a_.bind(done);
  later([this, slow, done, &op, pending = snapshot(op.pending)] {
    a_.bind(slow);
    store_pending(pending);
    a_.mov(rdx, imm(op.insn));
    a_.mov(rcx, part_ip());
    a_.call(imm(stubs_.slow));
    a_.test(eax, eax);
    a_.jz(done);
    leave_with(stubs_.handler, op.insn);
  });
}

}  // namespace ia64::cpu::jit
