// Emission of floating-point loads and stores.
#include "cpu/jit/float_forms.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::Opcode;

namespace {

u64 prepare_read(Core& core, u64 va, u64 size) noexcept { return core.prepare_access(va, static_cast<unsigned>(size), false); }

}  // namespace

/// An address in a register that is not scratch: the look-up needs those.
Gp X64Emitter::address(Value v) {
  u64 k;
  if (!constant(v, k)) return use(v, rax);
  const int r = take_register();
  pinned_ |= 1u << r;
  a_.mov(gpq(static_cast<u32>(r)), k);
  return gpq(static_cast<u32>(r));
}

/// From rax + va, after tlb_check(). Without traps for what computes with a denormal, the exponent is looked at where it is.
void X64Emitter::load_double(const Op& op, const Xmm& d, const Gp& va) {
  if (on_.float_traps && !unit_.mode.big_endian) {
    a_.vmovsd(d, qword_ptr(va, rax));
    return;
  }
  const Label tiny = a_.newLabel(), fine = a_.newLabel();
  if (unit_.mode.big_endian) {
    a_.mov(rcx, qword_ptr(va, rax));
    a_.bswap(rcx);
    a_.vmovq(d, rcx);
    if (on_.float_traps) return;
    a_.shr(rcx, 32);
    a_.test(ecx, 0x7ff00000);
  } else {
    a_.vmovsd(d, qword_ptr(va, rax));
    a_.test(dword_ptr(va, rax, 0, 4), 0x7ff00000);
  }
  a_.jz(tiny);
  a_.bind(fine);
  leave_if_denormal(op, d, tiny, fine);
}

/// A miss brings in the page and looks again: the register is written once only, so the instruction is never done half.
void X64Emitter::emit_load_float(const Op& op, Value v) {
  const bool single = op.code == Opcode::load_single, integer = op.code == Opcode::load_integer;
  const bool fill = op.code == Opcode::load_fill;
  const unsigned size = single ? 4 : fill ? 16 : 8;
  const Label done = a_.newLabel(), slow = a_.newLabel(), hit = a_.newLabel(), no = deopt(op);
  const Gp va = address(op.a);
  const Gp whole = integer ? define(v) : Gp(rcx);
  // Behind the look-up nothing leaves but what the exponents tell, and for them the register is written last.
  const bool last = on_.float_traps && op.guard == ir::kNone && !unit_.mode.big_endian;
  const Xmm d = integer || fill ? Xmm(xmm0) : last ? define_float_last(op, v) : define_float(v);
  skip_unless(op.guard, done);
  tlb_check(op, va, size, l_.tlb_read, slow);
  a_.bind(hit);
  if (fill) {
    const ir::FloatTarget target = ir::FloatTarget::unpack(op.imm);
    a_.vmovups(xmm0, xmmword_ptr(va, rax));
    a_.vpextrq(rdx, xmm0, 1);
    a_.and_(edx, 0x3ffff);
    a_.vpinsrq(xmm0, xmm0, rdx, 1);
    mark_floats(target);
    find_float(target.reg);
    a_.mov(float_form(target.reg), u8{FloatFile::kRegister});
    a_.vmovups(float_register(target.reg, 0).cloneResized(16), xmm0);
  } else if (single && on_.float_traps && !unit_.mode.big_endian) {
    a_.vmovss(xmm0, dword_ptr(va, rax));
    may_trap(op), a_.vcvtss2sd(d, xmm0, xmm0);
    store_result(op, d);
  } else if (single) {
    a_.mov(ecx, dword_ptr(va, rax));
    if (unit_.mode.big_endian) a_.bswap(ecx);
    single_to_double(op, rcx, d);
    store_result(op, d);
  } else if (integer) {
    a_.mov(whole, qword_ptr(va, rax));
    if (unit_.mode.big_endian) a_.bswap(whole);
    store_integer_result(op, whole);
  } else {
    load_double(op, d, va);
    store_result(op, d);
  }
  a_.bind(done);
  later([this, slow, hit, no, va, size] {
    a_.bind(slow);
    a_.mov(rdx, va);
    a_.mov(ecx, size);
    a_.mov(rax, imm(reinterpret_cast<const void*>(&prepare_read)));
    a_.call(imm(stubs_.kept));
    a_.test(eax, eax);
    a_.jz(no);
    tlb_look_up(va, size, l_.tlb_read, no);
    a_.jmp(hit);
  });
}

void X64Emitter::emit_store_float(const Op& op) {
  const bool single = op.code == Opcode::store_single, integer = op.code == Opcode::store_integer;
  const bool spill = op.code == Opcode::store_spill;
  const unsigned size = single ? 4 : spill ? 16 : 8;
  const Label done = a_.newLabel(), slow = a_.newLabel();
  const Gp va = address(op.a);
  const Gp whole = integer ? address(op.b) : Gp(rcx);
  const Xmm value = integer || spill ? Xmm(xmm0) : use_float(op.b);
  skip_unless(op.guard, done);
  alat_check_store(va, slow);
  tlb_check(op, va, size, l_.tlb_write, slow);
  if (spill) {
    if (op.insn->r2 >= 32) a_.mov(rdx, rax);
    find_float(op.insn->r2);
    a_.vmovups(xmm0, float_register(op.insn->r2, 0).cloneResized(16));
    a_.vmovups(xmmword_ptr(va, op.insn->r2 >= 32 ? rdx : rax), xmm0);
  } else if (single) {
    a_.vmovq(rcx, value);
    a_.mov(rdx, rcx);
    a_.shr(rdx, 29);
    a_.and_(edx, 0x3fffffff);
    a_.shr(rcx, 32);
    a_.and_(ecx, 0xc0000000);
    a_.or_(ecx, edx);
    if (unit_.mode.big_endian) a_.bswap(ecx);
    a_.mov(dword_ptr(va, rax), ecx);
  } else if (!integer && !unit_.mode.big_endian) {
    a_.vmovsd(qword_ptr(va, rax), value);
  } else {
    integer ? a_.mov(rcx, whole) : a_.vmovq(rcx, value);
    if (unit_.mode.big_endian) a_.bswap(rcx);
    a_.mov(qword_ptr(va, rax), rcx);
  }
  a_.bind(done);
  later([this, slow, done, &op, pending = snapshot(op.pending)] {
    a_.bind(slow);
    store_pending(pending);
    find_float(op.insn->r2);
    call_lean(lean_function(&copy_register), op.insn->r2);
    run_slowly(op);
    a_.jmp(done);
  });
}

}  // namespace ia64::cpu::jit
