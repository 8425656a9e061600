// Emission of loads and stores: the software TLB in line, the interpreter's handler when it does not know the page.
#include "cpu/jit/x64_emitter.h"
#include "cpu/translate/memory_form.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::Opcode;

void X64Emitter::skip_unless(Value guard, Label target) {
  if (guard == ir::kNone) return;
  const Gp g = use(guard, rax);
  test(guard, g);
  a_.jz(target);
}

/// Goes to `slow` unless the page is known and the address aligned. Leaves the entry's place in rax and its tag in rdx, uses rcx.
/// The tables are in the mode of PSR: the engine sees to that whenever it enters generated code.
void X64Emitter::tlb_compare(const Gp& va, unsigned size, i32 table, Label slow) {
  if (l_.host.bmi2) {
    a_.rorx(eax, va.r32(), 12 - 4);
  } else {
    a_.mov(eax, va.r32());
    a_.shr(eax, 12 - 4);
  }
  a_.mov(rcx, va);
  a_.mov(rdx, va);
  a_.and_(eax, (FastTlb::kDataSlots - 1) << 4);
  a_.shr(rcx, 61);
  a_.and_(rdx, static_cast<i32>(0xfffff000u | (size - 1)));
  a_.or_(rdx, qword_ptr(rbx, rcx, 3, l_.tlb_active));
  a_.cmp(rdx, qword_ptr(rbx, rax, 0, table));
  a_.jne(slow);
}

/// As above; then leaves the addend in rax: the host address is the guest's plus this.
void X64Emitter::tlb_look_up(const Gp& va, unsigned size, i32 table, Label slow) {
  tlb_compare(va, size, table, slow);
  a_.mov(rax, qword_ptr(rbx, rax, 0, table + 8));
}

/// The register of an operand that must not be in a scratch register.
X64Emitter::Gp X64Emitter::in_register(Value v) {
  u64 k;
  if (!constant(v, k)) return use(v, rax);
  const Gp r = gpq(static_cast<u32>(take_register()));
  pinned_ |= 1u << r.id();
  a_.mov(r, k);
  return r;
}

/// Brings a guard into a register before any branch, since a reload must not be skipped.
void X64Emitter::prepare_guard(Value guard) {
  u64 k;
  if (guard != ir::kNone && !constant(guard, k)) use(guard, rax);
}

/// Runs the handler of `op`, out of line and behind store_pending(). Goes on behind this code when it says Continue.
void X64Emitter::run_slowly(const Op& op) {
  const Label fine = a_.newLabel();
  a_.mov(rdx, imm(op.insn));
  a_.mov(rcx, part_ip());
  a_.call(imm(stubs_.slow));
  a_.test(eax, eax);
  a_.jz(fine);
  leave_with(stubs_.handler, op.insn);
  a_.bind(fine);
  unmake_frame(unit_.blocks[block_].frame);
}

/// Emits the slow way of `op` out of line: its handler, then the target as the handler left it in `d`, then `done`.
/// @param d  may be an invalid register: there is no target
void X64Emitter::slow_way(const Op& op, Label slow, Label done, const Gp& d) {
  later([this, slow, done, d, &op, pending = snapshot(op.pending)] {
    const ir::MemoryForm form = ir::MemoryForm::unpack(op.imm);
    a_.bind(slow);
    store_pending(pending);
    run_slowly(op);
    if (d.isValid()) {
      if (may_give_nat(form.kind)) leave_if_nat(op, form.target);
      a_.mov(d, general(form.target));
    }
    a_.jmp(done);
  });
}

/// The handler has deferred: what follows in the block takes the target for clean.
void X64Emitter::leave_if_nat(const Op& op, ir::Location target) {
  const Label clean = a_.newLabel();
  a_.cmp(nat_of(target), 0);
  a_.je(clean);
  make_frame(unit_.blocks[block_].frame);
  a_.mov(eax, static_cast<u32>(Next::Sync));
  leave_with(stubs_.handler, op.insn);
  a_.bind(clean);
}

/// d = what lies at `m`, zero-extended, in guest order.
void X64Emitter::emit_read(const Gp& d, Mem m, unsigned size, bool swap) {
  m.setSize(size);
  switch (size) {
    case 1: a_.movzx(d.r32(), m); break;
    case 2:
      a_.movzx(d.r32(), m);
      if (swap) a_.rol(d.r16(), 8);
      break;
    default: {
      const Gp r = size == 8 ? d : Gp(d.r32());
      if (swap && l_.host.movbe) {
        a_.movbe(r, m);
      } else {
        a_.mov(r, m);
        if (swap) a_.bswap(r);
      }
      break;
    }
  }
}

/// Writes the low `size` bytes of `value` to `m`; uses rdx.
void X64Emitter::emit_write(Mem m, const Gp& value, unsigned size, bool swap) {
  m.setSize(size);
  Gp v = value;
  if (swap && size > 1) {
    if (l_.host.movbe) {
      size == 2 ? a_.movbe(m, v.r16()) : size == 4 ? a_.movbe(m, v.r32()) : a_.movbe(m, v);
      return;
    }
    v = rdx;
    a_.mov(v, value);
    size == 2 ? a_.rol(v.r16(), 8) : a_.bswap(size == 4 ? Gp(v.r32()) : v);
  }
  switch (size) {
    case 1: a_.mov(m, v.r8()); break;
    case 2: a_.mov(m, v.r16()); break;
    case 4: a_.mov(m, v.r32()); break;
    default: a_.mov(m, v); break;
  }
}

void X64Emitter::emit_load(const Op& op, Value v) {
  const ir::MemoryForm form = ir::MemoryForm::unpack(op.imm);
  const unsigned size =
      op.code == Opcode::fill64 ? 8 : 1u << (static_cast<unsigned>(op.code) - static_cast<unsigned>(Opcode::load8));
  const Label done = a_.newLabel(), slow = a_.newLabel();
  const Gp va = in_register(op.a);
  Gp unat, old;
  if (form.kind == ir::LoadKind::Fill) unat = in_register(op.c);
  if (op.b != ir::kNone) old = use(op.b, rdx);
  prepare_guard(op.guard);
  const Gp d = define(v);
  if (old.isValid()) a_.mov(d, old);
  skip_unless(op.guard, done);
  if (is_check(form.kind)) {
    alat_compare(form.target, slow);
    if (form.kind == ir::LoadKind::CheckClear) alat_remove();
  } else {
    if (form.kind == ir::LoadKind::Acquire) leave_unless_alat_empty(slow);
    if (form.kind == ir::LoadKind::Fill) {
      a_.mov(ecx, va.r32());
      a_.shr(ecx, 3);
      a_.bt(unat, rcx);
      a_.jc(slow);
    }
    tlb_check(op, va, size, l_.tlb_read, slow);
    if (is_advanced(form.kind)) {
      a_.add(rax, va);
      emit_read(d, x86::ptr(rax), size, form.swap);
      alat_insert(form.target, va, size);
    } else {
      emit_read(d, x86::ptr(va, rax), size, form.swap);
    }
  }
  a_.bind(done);
  slow_way(op, slow, done, d);
}

void X64Emitter::emit_store(const Op& op) {
  const ir::MemoryForm form = ir::MemoryForm::unpack(op.imm);
  const unsigned size = 1u << (static_cast<unsigned>(op.code) - static_cast<unsigned>(Opcode::store8));
  const Label done = a_.newLabel(), slow = a_.newLabel();
  i32 k = 0;
  const bool small = !form.swap && small_constant(op.b, k);
  const Gp va = in_register(op.a);
  const Gp value = small ? Gp() : in_register(op.b);
  prepare_guard(op.guard);
  skip_unless(op.guard, done);
  alat_check_store(va, slow);
  tlb_check(op, va, size, l_.tlb_write, slow);
  const Mem m = x86::ptr(va, rax, 0, 0, size);
  if (small) {
    a_.mov(m, k);
  } else {
    emit_write(m, value, size, form.swap);
  }
  a_.bind(done);
  slow_way(op, slow, done, Gp());
}

/// Where the address is one of known, aligned memory, it holds what the block stored there.
void X64Emitter::emit_reload(const Op& op, Value v) {
  const unsigned size = 1u << (static_cast<unsigned>(op.code) - static_cast<unsigned>(Opcode::reload8));
  const Label done = a_.newLabel(), slow = a_.newLabel();
  const Gp va = in_register(op.a), known = in_register(op.b);
  const Gp d = define(v);
  tlb_check(op, va, size, l_.tlb_read, slow);
  if (d.id() != known.id()) a_.mov(d, known);
  a_.bind(done);
  slow_way(op, slow, done, d);
}

void X64Emitter::emit_host_of(const Op& op, Value v) {
  const Label done = a_.newLabel(), absent = a_.newLabel();
  const Gp va = in_register(op.a), d = define(v);
  tlb_look_up(va, op.imm & 0xff, op.imm >> 8 ? l_.tlb_write : l_.tlb_read, absent);
  a_.lea(d, x86::ptr(va, rax));
  a_.bind(done);
  later([this, absent, done, d] {
    a_.bind(absent);
    a_.xor_(d.r32(), d.r32());
    a_.jmp(done);
  });
}

/// Memory at host address a plus b, which is worth no register. May use rax.
Mem X64Emitter::direct(const Op& op) {
  const Gp at = in_register(op.a);
  const i32 distance = static_cast<i32>(op.imm >> 32);
  if (op.b == ir::kNone) return x86::ptr(at, distance);
  if (home_[op.b].reg >= 0) return x86::ptr(at, use(op.b, rax), 0, distance);
  a_.mov(rax, qword_ptr(rsp, home_[op.b].spill * 8));
  return x86::ptr(at, rax, 0, distance);
}
void X64Emitter::emit_direct_load(const Op& op, Value v) {
  const Mem m = direct(op);
  emit_read(define(v), m, op.imm & 0xff, op.imm >> 8 & 1);
}
void X64Emitter::emit_direct_store(const Op& op) {
  const unsigned size = op.imm & 0xff;
  const bool swap = op.imm >> 8 & 1;
  i32 k = 0;
  if (!swap && small_constant(op.c, k)) {
    Mem m = direct(op);
    m.setSize(size);
    a_.mov(m, k);
    return;
  }
  const Gp value = in_register(op.c);
  emit_write(direct(op), value, size, swap);
}

/// Nothing when a read of the address cannot fault.
void X64Emitter::emit_touch(const Op& op) {
  const Label done = a_.newLabel(), slow = a_.newLabel();
  const Gp va = in_register(op.a);
  prepare_guard(op.guard);
  skip_unless(op.guard, done);
  tlb_compare(va, 1, l_.tlb_read, slow);
  a_.bind(done);
  slow_way(op, slow, done, Gp());
}

}  // namespace ia64::cpu::jit
