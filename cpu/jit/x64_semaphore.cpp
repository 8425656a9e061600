// Semaphores and fences as locked host instructions.
#include "cpu/jit/x64_emitter.h"
#include "cpu/translate/memory_form.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::Opcode;

namespace {

Gp sized(const Gp& r, unsigned size) {
  return size == 1 ? Gp(r.r8()) : size == 2 ? Gp(r.r16()) : size == 4 ? Gp(r.r32()) : Gp(r.r64());
}

unsigned size_of(Opcode code) {
  const auto from = [code](Opcode first) { return 1u << (static_cast<unsigned>(code) - static_cast<unsigned>(first)); };
  if (code >= Opcode::fetch_add32) return 4 * from(Opcode::fetch_add32);
  return code >= Opcode::compare_exchange8 ? from(Opcode::compare_exchange8) : from(Opcode::exchange8);
}

}  // namespace

/// Reverses the low `size` bytes of `r`.
void X64Emitter::swap_low(const Gp& r, unsigned size) {
  if (size == 2) a_.rol(r.r16(), 8);
  if (size > 2) a_.bswap(sized(r, size));
}

/// d = the low `size` bytes of `from`.
void X64Emitter::zero_extend(const Gp& d, const Gp& from, unsigned size) {
  if (size < 4) {
    a_.movzx(d.r32(), sized(from, size));
  } else {
    a_.mov(sized(d, size), sized(from, size));
  }
}

/// Leaves the host address of a page that may be read and written in rcx.
void X64Emitter::semaphore_address(const Gp& va, unsigned size, Label slow) {
  leave_unless_alat_empty(slow);
  tlb_compare(va, size, l_.tlb_write, slow);
  a_.cmp(rdx, qword_ptr(rbx, rax, 0, l_.tlb_read));
  a_.jne(slow);
  a_.mov(rcx, qword_ptr(rbx, rax, 0, l_.tlb_write + 8));
  a_.add(rcx, va);
}

void X64Emitter::emit_semaphore(const Op& op, Value v) {
  const ir::MemoryForm form = ir::MemoryForm::unpack(op.imm);
  const unsigned size = size_of(op.code);
  const bool compares = op.c != ir::kNone;
  const Label done = a_.newLabel(), slow = a_.newLabel();
  const Gp va = in_register(op.a), operand = in_register(op.b);
  const Gp expected = compares ? in_register(op.c) : Gp();
  prepare_guard(op.guard);
  const Gp d = define(v);
  skip_unless(op.guard, done);
  semaphore_address(va, size, slow);
  Mem m = x86::ptr(rcx);
  m.setSize(size);
  a_.mov(rdx, operand);
  if (form.swap) swap_low(rdx, size);
  if (compares) {
    if (size < 8) {  // a value with more bits never matches: left to the handler
      zero_extend(rax, expected, size);
      a_.cmp(rax, expected);
      a_.jne(slow);
    } else {
      a_.mov(rax, expected);
    }
    if (form.swap) swap_low(rax, size);
    a_.lock().cmpxchg(m, sized(rdx, size));
    a_.mov(rdx, rax);
  } else if (op.code >= Opcode::fetch_add32) {
    a_.lock().xadd(m, sized(rdx, size));
  } else {
    a_.xchg(m, sized(rdx, size));
  }
  if (form.swap) swap_low(rdx, size);
  zero_extend(d, rdx, size);
  a_.bind(done);
  slow_way(op, slow, done, d);
}

void X64Emitter::emit_fence(const Op& op) {
  const Label done = a_.newLabel(), slow = a_.newLabel();
  prepare_guard(op.guard);
  skip_unless(op.guard, done);
  leave_unless_alat_empty(slow);
  a_.lock().or_(dword_ptr(rsp), 0);
  a_.bind(done);
  slow_way(op, slow, done, Gp());
}

}  // namespace ia64::cpu::jit
