// Floating-point registers in generated code: their forms, checks before their use, and moves without arithmetic.
#include <cstddef>

#include "base/bits.h"
#include "cpu/jit/float_forms.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::FloatTarget;
using ir::Opcode;

namespace {

template <class T>
constexpr i32 disp(T offset) { return static_cast<i32>(offset); }
constexpr i32 kPsr = disp(offsetof(Registers, psr)), kFpsr = disp(offsetof(Registers, fpsr));
constexpr i32 kSignExponent = disp(offsetof(FpReg, sign_exp));
/// FPSR: overflow, underflow and inexact traps disabled; widest range and rounding of status field 0.
constexpr u32 kTrapsDisabled = 0x38, kWideRange0 = 1u << 7, kRounding0 = 3u << 10;

template <class F>
const void* address_of(F* function) { return reinterpret_cast<const void*>(function); }

}  // namespace

bool X64Emitter::emit_float(const Op& op, Value v) {
  switch (op.code) {
    case Opcode::float_check: return emit_float_check(op), true;
    case Opcode::get_double: return emit_get_double(op, v), true;
    case Opcode::get_integer: return emit_get_integer(op, v), true;
    case Opcode::float_const: {
      const Xmm d = define_float(v);
      if (op.imm == 0) return a_.vxorps(d, d, d), true;
      a_.mov(rax, op.imm);
      a_.vmovq(d, rax);
      return true;
    }
    case Opcode::float_min:
    case Opcode::float_max: return emit_float_pick(op, v), true;
    case Opcode::float_merge:
    case Opcode::float_nmerge:
    case Opcode::float_move: return emit_float_merge(op, v), true;
    case Opcode::float_lt:
    case Opcode::float_le:
    case Opcode::float_eq: return emit_float_relation(op, v), true;
    case Opcode::float_to_int:
    case Opcode::float_to_int_trunc: return emit_float_to_int(op, v), true;
    case Opcode::int_to_float: return emit_int_to_float(op, v), true;
    case Opcode::bits_to_double:
    case Opcode::bits_to_single: return emit_bits_to_float(op, v), true;
    case Opcode::set_integer: {
      const Label done = a_.newLabel();
      const Gp value = use(op.a, rdx);
      skip_unless(op.guard, done);
      store_integer_result(op, value);
      a_.bind(done);
      return true;
    }
    case Opcode::double_bits:
    case Opcode::single_bits:
    case Opcode::significand: return emit_float_to_bits(op, v), true;
    case Opcode::load_double:
    case Opcode::load_single:
    case Opcode::load_integer: return emit_load_float(op, v), true;
    case Opcode::load_fill: return emit_load_float(op, v), true;
    case Opcode::host_address: return emit_host_address(op, v), true;
    case Opcode::host_double:
    case Opcode::host_single:
    case Opcode::host_integer: return emit_host_read(op, v), true;
    case Opcode::enter_advanced: return emit_enter_advanced(op), true;
    case Opcode::find_advanced: return emit_find_advanced(op), true;
    case Opcode::store_spill:
    case Opcode::store_double:
    case Opcode::store_single:
    case Opcode::store_integer: return emit_store_float(op), true;
    case Opcode::wide_float: return emit_wide_float(op), true;
    case Opcode::set_natural: return emit_set_natural(op), true;
    case Opcode::get_natural: return emit_get_natural(op, v), true;
    case Opcode::float_quotient: return emit_float_quotient(op, v), true;
    case Opcode::natural_quotient: return emit_natural_quotient(op, v), true;
    case Opcode::float_root: return emit_float_root(op, v), true;
    case Opcode::defer_steps: return emit_defer_steps(op), true;
    case Opcode::copy_float: return emit_copy_float(op), true;
    case Opcode::settle_float: return emit_settle(op), true;
    case Opcode::merge_flags: return emit_merge_flags(), true;
    case Opcode::mul_high:
    case Opcode::mul_high_u: return emit_mul_high(op, v), true;
    default: return emit_float_arithmetic(op, v), true;
  }
}

// --- places ------------------------------------------------------------------------------------------------------

/// Leaves the distance of a rotating register from f32 in eax; uses ecx. Nothing for the others.
void X64Emitter::find_float(unsigned f) {
  if (f < 32) return;
  a_.movzx(eax, byte_ptr(rbx, disp(offsetof(Registers, cfm) + offsetof(Cfm, rrb_fr))));
  if (f > 32) a_.add(eax, f - 32);
  a_.lea(ecx, dword_ptr(rax, -96));
  a_.cmp(eax, 96);
  a_.cmovae(eax, ecx);
}

// After find_float().
Mem X64Emitter::float_value(unsigned f) {
  if (f < 32) return qword_ptr(rbx, l_.float_value + 8 * disp(f));
  return qword_ptr(rbx, rax, 3, l_.float_value + 8 * 32);
}
Mem X64Emitter::float_form(unsigned f) {
  if (f < 32) return byte_ptr(rbx, l_.float_form + disp(f));
  return byte_ptr(rbx, rax, 0, l_.float_form + 32);
}
/// Changes eax to twice the distance.
Mem X64Emitter::float_register(unsigned f, i32 offset) {
  constexpr i32 kFirst = disp(offsetof(Registers, fr_phys));
  if (f < 32) return qword_ptr(rbx, kFirst + 16 * disp(f) + offset);
  a_.add(eax, eax);
  return qword_ptr(rbx, rax, 3, kFirst + 16 * 32 + offset);
}

/// Calls a function of float_forms.h.
void X64Emitter::call_kept(const void* function) {
  a_.mov(rax, imm(function));
  a_.call(imm(stubs_.kept));
}
/// Calls a function of lean_float.h for register `f`, after find_float().
void X64Emitter::call_lean(LeanFunction function, unsigned f) {
  f < 32 ? a_.mov(edx, f) : a_.lea(edx, dword_ptr(rax, 32));
  a_.mov(rax, imm(reinterpret_cast<const void*>(function)));
  a_.call(imm(stubs_.lean));
}

/// A label that leaves before the instruction of `op`, the present operation.
Label X64Emitter::deopt(const Op&) {
  if (!deopt_) deopt_ = a_.newLabel();
  return *deopt_;
}

/// A label that leaves a region in front of its first instruction, because registers are not in the forms that it assumes.
Label X64Emitter::misfit() {
  if (misfit_) return *misfit_;
  misfit_ = a_.newLabel();
  later([this] {
    a_.bind(*misfit_);
    a_.mov(rax, imm(&native_));
    a_.dec(dword_ptr(rax, offsetof(NativeBlock, misfits_left)));
    a_.jnz(bail_);
    a_.mov(rax, imm(native_.fallback));
    a_.jmp(imm(stubs_.hot));
  });
  return *misfit_;
}

/// The next host instruction raises an exception when the guest's result may not be the host's.
void X64Emitter::may_trap(const Op& op) {
  if (on_.float_traps) trap_sites_.push_back({a_.offset(), deopt(op)});
}

/// Called behind the operation, when its operands and result have their places.
void X64Emitter::bind_deopt(const Op& op) {
  later([this, label = *deopt_, insn = op.insn, pending = snapshot(op.pending)] {
    a_.bind(label);
    store_pending(pending);
    leave_with(stubs_.deopt, insn);
  });
}

void X64Emitter::mark_floats(const FloatTarget& target) {
  if (target.marked) return;
  const u8 bit = static_cast<u8>(target.reg < 32 ? psr::kMfl : psr::kMfh);
  const Label unmarked = a_.newLabel(), marked = a_.newLabel();
  a_.test(byte_ptr(rbx, kPsr), bit);
  a_.jz(unmarked);
  a_.bind(marked);
  later([this, unmarked, marked, bit] {
    a_.bind(unmarked);
    a_.or_(byte_ptr(rbx, kPsr), bit);
    a_.jmp(marked);
  });
}

void X64Emitter::store_result(const Op& op, const Xmm& value) {
  const FloatTarget target = FloatTarget::unpack(op.imm);
  mark_floats(target);
  if (target.put_off) return;
  find_float(target.reg);
  a_.vmovsd(float_value(target.reg), value);
  if (!target.form_known) a_.mov(float_form(target.reg), u8{FloatFile::kDouble});
}

void X64Emitter::store_integer_result(const Op& op, const Gp& value) {
  const FloatTarget target = FloatTarget::unpack(op.imm);
  mark_floats(target);
  if (target.put_off) return;
  find_float(target.reg);
  a_.mov(float_value(target.reg), value);
  if (!target.form_known) a_.mov(float_form(target.reg), u8{FloatFile::kInteger});
}

/// A pending write. Changes rax and rcx.
void X64Emitter::store_float(ir::Location l, const Xmm& value) {
  find_float(l.index);
  a_.vmovsd(float_value(l.index), value);
  a_.mov(float_form(l.index), u8{FloatFile::kDouble});
}
template <class Operand>
void X64Emitter::store_float_bits(ir::Location l, const Operand& value) {
  find_float(l.index);
  a_.mov(float_value(l.index), value);
  a_.mov(float_form(l.index), u8{l.file == ir::File::Float ? FloatFile::kDouble : FloatFile::kInteger});
}
template void X64Emitter::store_float_bits(ir::Location l, const Gp& value);
template void X64Emitter::store_float_bits(ir::Location l, const i32& value);

// --- operations --------------------------------------------------------------------------------------------------

void X64Emitter::emit_float_check(const Op& op) {
  const Label no = deopt_or_bail(op);
  const u32 disabled = (op.imm & ir::kLowEnabled ? static_cast<u32>(psr::kDfl) : 0) |
                       (op.imm & ir::kHighEnabled ? static_cast<u32>(psr::kDfh) : 0);
  const u32 marks = (op.imm & ir::kLowMarked ? static_cast<u32>(psr::kMfl) : 0) |
                    (op.imm & ir::kHighMarked ? static_cast<u32>(psr::kMfh) : 0);
  if (marks) {
    a_.mov(eax, dword_ptr(rbx, kPsr));
    a_.and_(eax, disabled | marks);
    a_.cmp(eax, marks);
    a_.jne(no);
  } else if (disabled) {
    a_.test(dword_ptr(rbx, kPsr), disabled);
    a_.jnz(no);
  }
  if (op.imm & ir::kNearest) {
    a_.mov(eax, dword_ptr(rbx, kFpsr));
    a_.and_(eax, kTrapsDisabled | kWideRange0 | kRounding0);
    a_.cmp(eax, kTrapsDisabled);
    a_.jne(no);
  }
  if (!(op.imm & ir::kActive)) return;
  const Label begin = a_.newLabel(), go_on = a_.newLabel();
  a_.cmp(byte_ptr(rbx, l_.float_active), 0);
  a_.je(begin);
  a_.bind(go_on);
  later([this, begin, go_on] {
    a_.bind(begin);
    a_.mov(edx, mxcsr());
    call_kept(address_of(&begin_floats));
    a_.jmp(go_on);
  });
}

void X64Emitter::emit_get_double(const Op& op, Value v) {
  const unsigned f = op.imm & 0x7f;
  const Label other = a_.newLabel(), done = a_.newLabel(), no = deopt_or_bail(op);
  const Xmm d = define_float(v);
  skip_unless(op.guard, done);
  find_float(f);
  a_.cmp(float_form(f), u8{FloatFile::kDouble});
  a_.jne(other);
  a_.vmovsd(d, float_value(f));
  a_.bind(done);
  later([this, other, done, no, f, d] {
    a_.bind(other);
    call_lean(lean_function(&make_double), f);
    a_.test(eax, eax);
    a_.jz(no);
    find_float(f);
    a_.vmovsd(d, float_value(f));
    a_.jmp(done);
  });
}

void X64Emitter::emit_get_integer(const Op& op, Value v) {
  const unsigned f = op.imm & 0x7f;
  const Label other = a_.newLabel(), done = a_.newLabel(), no = deopt_or_bail(op);
  const Gp d = define(v);
  skip_unless(op.guard, done);
  find_float(f);
  a_.cmp(float_form(f), u8{FloatFile::kInteger});
  a_.jne(other);
  a_.mov(d, float_value(f));
  a_.bind(done);
  later([this, other, done, no, f, d] {
    a_.bind(other);
    a_.cmp(float_form(f), u8{FloatFile::kRegister});
    a_.jne(no);
    Mem significand = float_register(f, 0), exponent = significand.cloneAdjusted(kSignExponent);
    exponent.setSize(4);
    a_.cmp(exponent, kFpIntegerExponent);
    a_.jne(no);
    a_.mov(d, significand);
    a_.jmp(done);
  });
}

void X64Emitter::emit_settle(const Op& op) {
  const unsigned f = static_cast<unsigned>(op.imm);
  const Label held = a_.newLabel(), done = a_.newLabel();
  find_float(f);
  a_.cmp(float_form(f), 0);
  a_.jne(held);
  a_.bind(done);
  later([this, held, done, f] {
    a_.bind(held);
    call_lean(lean_function(&settle_register), f);
    a_.jmp(done);
  });
}

/// A multiply-add on registers in register format; what is not ordinary goes to the handler.
void X64Emitter::emit_wide_float(const Op& op) {
  const Label done = a_.newLabel(), other = a_.newLabel();
  const Insn& i = *op.insn;
  skip_unless(op.guard, done);
  const QuickCase quick = quick_multiply_add_case(i);
  if (quick.function) {
    a_.mov(eax, dword_ptr(rbx, kFpsr));
    a_.and_(eax, quick.fpsr_mask);
    a_.cmp(eax, quick.fpsr_value);
    a_.jne(other);
    const auto place = [this](const Gp& to, unsigned f) {
      find_float(f);
      a_.lea(to, float_register(f, 0));
    };
    place(rdi, i.r3), place(rsi, i.r4), place(rdx, i.r2), place(rcx, i.r1);
    a_.call(imm(reinterpret_cast<const void*>(quick.function)));
    a_.test(rax, rax);
    a_.jz(other);
    if (quick.as_double) {
      if (i.r1 >= 32) a_.mov(rdx, rax);
      find_float(i.r1);
      a_.mov(float_value(i.r1), i.r1 >= 32 ? rdx : rax);
      a_.mov(float_form(i.r1), u8{FloatFile::kDouble});
    }
    mark_floats(FloatTarget::unpack(op.imm));
  } else {
    a_.jmp(other);
  }
  a_.bind(done);
  later([this, other, done, &op, pending = snapshot(op.pending)] {
    a_.bind(other);
    a_.mov(rdx, imm(op.insn));
    a_.mov(rax, imm(reinterpret_cast<const void*>(wide_multiply_add(*op.insn))));
    a_.call(imm(stubs_.lean));
    a_.test(eax, eax);
    a_.jnz(done);
    store_pending(pending);
    run_slowly(op);
    a_.jmp(done);
  });
}

void X64Emitter::emit_copy_float(const Op& op) {
  const FloatTarget target = FloatTarget::unpack(op.imm);
  const unsigned from = static_cast<unsigned>(op.imm >> 16), to = target.reg;
  const Label done = a_.newLabel();
  skip_unless(op.guard, done);
  mark_floats(target);
  // A record knows its own registers only.
  const Label deferred = a_.newLabel(), known = a_.newLabel();
  find_float(from);
  a_.movzx(edx, float_form(from));
  a_.cmp(edx, u8{FloatFile::kDeferred});
  a_.je(deferred);
  a_.bind(known);
  later([this, deferred, known, from] {
    a_.bind(deferred);
    call_lean(lean_function(&settle_register), from);
    find_float(from);
    a_.movzx(edx, float_form(from));
    a_.jmp(known);
  });
  a_.vmovsd(xmm0, float_value(from));
  a_.vmovups(xmm1, float_register(from, 0).cloneResized(16));
  find_float(to);
  a_.mov(float_form(to), dl);
  a_.vmovsd(float_value(to), xmm0);
  a_.vmovups(float_register(to, 0).cloneResized(16), xmm1);
  a_.bind(done);
}

void X64Emitter::emit_merge_flags() {
  const Label active = a_.newLabel(), done = a_.newLabel();
  a_.cmp(byte_ptr(rbx, l_.float_active), 0);
  a_.jne(active);
  a_.bind(done);
  later([this, active, done] {
    a_.bind(active);
    a_.mov(edx, mxcsr());
    call_kept(address_of(&merge_float_flags));
    a_.jmp(done);
  });
}

}  // namespace ia64::cpu::jit
