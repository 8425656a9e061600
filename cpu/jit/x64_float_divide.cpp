// Emission of division and root sequences.
#include "base/bits.h"
#include "cpu/jit/x64_emitter.h"
#include "cpu/translate/float_sequence.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::FloatTarget;

namespace {

constexpr i32 kFpsr = static_cast<i32>(offsetof(Registers, fpsr));
/// Status field 1 of the FPSR: widest range, 64 bits, round to nearest; whether Denormal or Inexact is set already.
constexpr u32 kControls1 = 0x3eu << 19, kWidest1 = 0x0eu << 19, kDenormal1 = 1u << 27, kInexact1 = 1u << 31;
/// Traps that are disabled: Denormal; overflow, underflow and inexact.
constexpr u32 kNoDenormalTrap = 0x02, kNoTraps = 0x38;

}  // namespace

/// Leaves unless all bits of `set` are set and status field 1 has its usual controls.
void X64Emitter::check_widest(const Op& op, u32 set) {
  const Label no = deopt(op);
  a_.mov(eax, dword_ptr(rbx, kFpsr));
  a_.and_(eax, kControls1 | set);
  a_.cmp(eax, kWidest1 | set);
  a_.jne(no);
}

void X64Emitter::emit_set_natural(const Op& op) {
  const FloatTarget target = FloatTarget::unpack(op.imm);
  const Label done = a_.newLabel();
  const Gp n = use(op.a, rdx);
  skip_unless(op.guard, done);
  check_widest(op, kDenormal1 | kNoDenormalTrap);
  mark_floats(target);
  find_float(target.reg);
  a_.mov(float_value(target.reg), n);
  a_.mov(float_form(target.reg), u8{FloatFile::kNatural});
  a_.bind(done);
}

void X64Emitter::emit_get_natural(const Op& op, Value v) {
  const unsigned f = static_cast<unsigned>(op.imm);
  const Label no = deopt(op);
  const Gp d = define(v);
  find_float(f);
  a_.cmp(float_form(f), u8{FloatFile::kNatural});
  a_.jne(no);
  a_.mov(d, float_value(f));
}

/// The registers of the sequence wait for a record of its operands.
void X64Emitter::emit_defer_steps(const Op& op) {
  const ir::FloatSequence& sequence = *unit_.sequences[op.imm];
  FloatRecord& record = native_.floats.emplace_back();
  record.naturals = sequence.kind == ir::FloatSequence::Kind::Natural;
  record.dividend = sequence.dividend, record.divisor = sequence.divisor;
  record.copies = sequence.copies, record.constants = sequence.constants, record.steps = sequence.steps;
  const auto keep = [this](Value v, i32 offset) {
    const Mem place = qword_ptr(rdx, offset);
    is_float(v) ? a_.vmovsd(place, use_float(v)) : a_.mov(place, use(v, rax));
  };
  a_.mov(rdx, imm(&record));
  keep(op.a, static_cast<i32>(offsetof(FloatRecord, a)));
  if (op.b != op.a) keep(op.b, static_cast<i32>(offsetof(FloatRecord, b)));
  for (u8 f : sequence.left) {
    a_.mov(float_value(f), rdx);
    a_.mov(float_form(f), u8{FloatFile::kDeferred});
  }
}

/// Uses xmm0.
void X64Emitter::leave_unless_single(const Op& op, const Xmm& a, const Xmm& b) {
  a_.vorpd(xmm0, a, b);
  a_.vmovd(eax, xmm0);
  a_.test(eax, 0x1fffffff);
  a_.jnz(deopt(op));
}

/// Operands that are not normal give a result that is not normal.
void X64Emitter::emit_float_quotient(const Op& op, Value v) {
  const bool single = unit_.sequences[op.imm]->kind == ir::FloatSequence::Kind::Single;
  const Label no = deopt(op);
  const Xmm a = use_float(op.a), b = use_float(op.b), d = define_float(v);
  check_widest(op, kInexact1 | kNoTraps);
  if (single) {
    leave_unless_single(op, a, b);
    a_.vdivsd(xmm0, a, b);  // of so few bits: rounding a second time does no harm
    a_.vcvtsd2ss(xmm0, xmm0, xmm0);
    jump_unless_normal_single(no);
    a_.vcvtss2sd(d, xmm0, xmm0);
  } else {
    a_.vdivsd(d, a, b);
    jump_unless_normal(d, no);
  }
}

/// Of a positive normal number.
void X64Emitter::emit_float_root(const Op& op, Value v) {
  const Label no = deopt(op);
  const Xmm a = use_float(op.a), d = define_float(v);
  check_widest(op, kInexact1 | kNoTraps);
  a_.vpextrd(eax, a, 1);
  a_.sub(eax, 0x00100000);
  a_.cmp(eax, 0x7fe00000);
  a_.jae(no);
  a_.vsqrtsd(d, a, a);
}

void X64Emitter::emit_natural_quotient(const Op& op, Value v) {
  const Label no = deopt(op);
  const Gp a = use(op.a, rax), b = use(op.b, rcx), d = define(v);
  const bool a_in_rax = a.id() == rax.id();
  a_.test(a, a);
  a_.jz(no);
  a_.test(b, b);
  a_.jz(no);
  a_.mov(edx, dword_ptr(rbx, kFpsr));
  a_.and_(edx, kControls1 | kInexact1 | kNoTraps);
  a_.cmp(edx, kWidest1 | kInexact1 | kNoTraps);
  a_.jne(no);
  if (!a_in_rax) a_.mov(rax, a);
  a_.xor_(edx, edx);
  a_.div(b);
  a_.mov(d, rax);
}

}  // namespace ia64::cpu::jit
