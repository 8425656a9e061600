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

/// Without traps for what computes with a denormal, the exponent is looked at where it is. Uses rcx.
void X64Emitter::load_double(const Op& op, const Xmm& d, const Mem& from) {
  if (on_.float_traps && !unit_.mode.big_endian) {
    a_.vmovsd(d, from);
    return;
  }
  const Label tiny = a_.newLabel(), fine = a_.newLabel();
  if (unit_.mode.big_endian) {
    a_.mov(rcx, from);
    a_.bswap(rcx);
    a_.vmovq(d, rcx);
    if (on_.float_traps) return;
    a_.shr(rcx, 32);
    a_.test(ecx, 0x7ff00000);
  } else {
    a_.vmovsd(d, from);
    Mem high = from.cloneAdjusted(4);
    high.setSize(4);
    a_.test(high, 0x7ff00000);
  }
  a_.jz(tiny);
  a_.bind(fine);
  leave_if_denormal(op, d, tiny, fine);
}

/// The same for a single.
void X64Emitter::load_single(const Op& op, const Xmm& d, const Mem& from) {
  if (on_.float_traps && !unit_.mode.big_endian) {
    a_.vmovss(xmm0, from);
    may_trap(op), a_.vcvtss2sd(d, xmm0, xmm0);
    return;
  }
  a_.mov(ecx, from);
  if (unit_.mode.big_endian) a_.bswap(ecx);
  single_to_double(op, rcx, d);
}

/// Leaves the addend of aligned readable memory in rax. A miss brings in the page and looks again, or leaves before the instruction: its
/// registers are written once only, so that it is never done half.
void X64Emitter::reach(const Op& op, const Gp& va, unsigned size) {
  const Label slow = a_.newLabel(), hit = a_.newLabel(), no = deopt(op);
  tlb_check(op, va, size, l_.tlb_read, slow);
  a_.bind(hit);
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

void X64Emitter::emit_load_float(const Op& op, Value v) {
  const bool single = op.code == Opcode::load_single, integer = op.code == Opcode::load_integer;
  const bool fill = op.code == Opcode::load_fill;
  const unsigned size = single ? 4 : fill ? 16 : 8;
  const Label done = a_.newLabel();
  const Gp va = address(op.a);
  const Gp whole = integer ? define(v) : Gp(rcx);
  // Behind the look-up nothing leaves but what the exponents tell, and for them the register is written last.
  const bool last = on_.float_traps && op.guard == ir::kNone && !unit_.mode.big_endian;
  const Xmm d = integer || fill ? Xmm(xmm0) : last ? define_float_last(op, v) : define_float(v);
  skip_unless(op.guard, done);
  reach(op, va, size);
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
  } else if (single) {
    load_single(op, d, dword_ptr(va, rax));
    store_result(op, d);
  } else if (integer) {
    a_.mov(whole, qword_ptr(va, rax));
    if (unit_.mode.big_endian) a_.bswap(whole);
    store_integer_result(op, whole);
  } else {
    load_double(op, d, qword_ptr(va, rax));
    store_result(op, d);
  }
  a_.bind(done);
}

void X64Emitter::emit_host_address(const Op& op, Value v) {
  const Label done = a_.newLabel();
  const Gp va = address(op.a), d = define(v);
  skip_unless(op.guard, done);
  reach(op, va, static_cast<unsigned>(op.imm));
  a_.lea(d, ptr(va, rax));
  a_.bind(done);
}

void X64Emitter::emit_host_read(const Op& op, Value v) {
  const Label done = a_.newLabel();
  const Gp host = address(op.a);
  const Mem from = ptr(host, static_cast<i32>(op.imm));
  if (op.code == Opcode::host_integer) {
    const Gp d = define(v);
    skip_unless(op.guard, done);
    emit_read(d, from, 8, unit_.mode.big_endian);
  } else {
    const Xmm d = define_float(v);
    skip_unless(op.guard, done);
    op.code == Opcode::host_single ? load_single(op, d, from.cloneResized(4)) : load_double(op, d, from.cloneResized(8));
  }
  a_.bind(done);
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
