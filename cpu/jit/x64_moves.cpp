// Emission of operations on rename bases and on all predicates at once.
#include <cstddef>

#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

namespace {

template <class T>
constexpr i32 disp(T offset) { return static_cast<i32>(offset); }
constexpr i32 kPredicates = disp(offsetof(Registers, pr_phys));
constexpr i32 cfm_byte(size_t offset) { return disp(offsetof(Registers, cfm) + offset); }

}  // namespace

/// One off a rename base of CFM.
void X64Emitter::rotate_base(size_t base, u32 modulus) {
  a_.movzx(eax, byte_ptr(rbx, cfm_byte(base)));
  a_.mov(ecx, modulus - 1);
  a_.sub(eax, 1);
  a_.cmovs(eax, ecx);
  a_.mov(byte_ptr(rbx, cfm_byte(base)), al);
}

void X64Emitter::emit_rotate(const Op& op) {
  const Label done = a_.newLabel();
  skip_unless(op.guard, done);
  if (op.imm) rotate_base(offsetof(Cfm, rrb_gr), static_cast<u32>(op.imm));
  rotate_base(offsetof(Cfm, rrb_fr), 96);
  rotate_base(offsetof(Cfm, rrb_pr), 48);
  a_.bind(done);
}

void X64Emitter::emit_clear_bases(const Op& op) {
  a_.mov(byte_ptr(rbx, cfm_byte(offsetof(Cfm, rrb_pr))), 0);
  if (op.imm) return;
  a_.mov(byte_ptr(rbx, cfm_byte(offsetof(Cfm, rrb_gr))), 0);
  a_.mov(byte_ptr(rbx, cfm_byte(offsetof(Cfm, rrb_fr))), 0);
}

/// Sixteen bytes of 0 or 1 give sixteen bits.
void X64Emitter::emit_gather_predicates(Value v) {
  const Gp d = define(v);
  for (u32 group = 0; group < 4; group++) {
    a_.movdqu(xmm0, xmmword_ptr(rbx, kPredicates + disp(group * 16)));
    a_.psllw(xmm0, 7);
    a_.pmovmskb(group ? eax : d.r32(), xmm0);
    if (group == 0) continue;
    a_.shl(rax, group * 16);
    a_.or_(d, rax);
  }
}

/// Predicate 0 stays 1.
void X64Emitter::emit_spread_predicates(const Op& op) {
  const Label done = a_.newLabel();
  const Gp v = use(op.a, rdx);
  skip_unless(op.guard, done);
  const u32 first = op.imm & 1 ? 0 : 2, end = op.imm & 2 ? 8 : 2;
  for (u32 group = first; group < end; group++) {
    a_.mov(rcx, u64{0x0101010101010101});
    a_.mov(rax, v);
    if (group) a_.shr(rax, group * 8);
    if (group == 0) a_.or_(rax, 1);
    a_.pdep(rax, rax, rcx);
    a_.mov(qword_ptr(rbx, kPredicates + disp(group * 8)), rax);
  }
  a_.bind(done);
}

}  // namespace ia64::cpu::jit
