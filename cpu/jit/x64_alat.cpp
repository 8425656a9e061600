// The advanced load address table in generated code.
#include <cstddef>
#include <cstring>

#include "cpu/decode/op_info.h"
#include "cpu/exec/handlers.h"
#include "cpu/jit/x64_emitter.h"
#include "cpu/translate/memory_form.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::Opcode;

namespace {
constexpr i32 kBof = static_cast<i32>(offsetof(Registers, bof));
constexpr i32 kRrbFr = static_cast<i32>(offsetof(Registers, cfm) + offsetof(Cfm, rrb_fr));
constexpr i32 kPsr = static_cast<i32>(offsetof(Registers, psr));
constexpr unsigned kBankBit = 5;  // of the tag: set in the bank that PSR.bn = 0 selects
static_assert(psr::kBn == u64{1} << 44);
}  // namespace

/// Leaves the tag of a general register in ecx, as alat_gr_tag() computes it; uses rax.
void X64Emitter::alat_gr_tag(ir::Location l) {
  if (l.index >= 32) {
    const bool rotates = l.file == ir::File::RotatingGeneral;
    if (rotates) general(l);  // leaves the rotated number in rax
    a_.mov(ecx, dword_ptr(rbx, kBof));
    rotates ? a_.lea(ecx, dword_ptr(rcx, rax, 0, 0x100)) : a_.add(ecx, 0x100 + l.index - 32);
  } else if (l.index >= 16) {
    a_.mov(rcx, qword_ptr(rbx, kPsr));
    a_.shr(rcx, 44 - kBankBit);
    a_.not_(ecx);
    a_.and_(ecx, 1u << kBankBit);
    a_.add(ecx, l.index);
  } else {
    a_.mov(ecx, l.index);
  }
}

/// The same for a floating-point register.
void X64Emitter::alat_fr_tag(unsigned f) {
  if (f < 32) {
    a_.mov(ecx, 0x80 + f);
    return;
  }
  a_.movzx(eax, byte_ptr(rbx, kRrbFr));
  a_.add(eax, f - 32);
  a_.lea(ecx, dword_ptr(rax, -96));
  a_.cmp(eax, 96);
  a_.cmovb(ecx, eax);
  a_.add(ecx, 0x80 + 32);
}

/// From the tag in ecx to the place of its entry in rax.
void X64Emitter::alat_place() {
  a_.mov(eax, ecx);
  a_.and_(eax, 31);
  a_.shl(eax, 4);
}
X64Emitter::Mem X64Emitter::alat_tag_at_rax() { return word_ptr(rbx, rax, 0, l_.alat_entries + l_.alat_tag); }
X64Emitter::Mem X64Emitter::alat_start_at_rax() { return qword_ptr(rbx, rax, 0, l_.alat_entries + l_.alat_start); }

/// The counter of the granule in which the bytes of the entry at rax lie; uses `r`.
X64Emitter::Mem X64Emitter::alat_granule_at_rax(const Gp& r) {
  a_.movzx(r.r32(), byte_ptr(rbx, rax, 0, l_.alat_entries + l_.alat_tag + 3));
  return byte_ptr(rbx, r.r64(), 0, l_.alat_in_granule);
}

/// Goes to `absent` unless the table has an entry of the register; else its place is in rax.
void X64Emitter::alat_compare(ir::Location l, Label absent) {
  alat_gr_tag(l);
  alat_place();
  a_.cmp(alat_tag_at_rax(), cx);
  a_.jne(absent);
}

/// Removes the entry at rax.
void X64Emitter::alat_remove() {
  a_.mov(alat_tag_at_rax(), -1);
  a_.dec(dword_ptr(rbx, l_.alat_count));
  a_.dec(alat_granule_at_rax(rax));
}

/// Enters the aligned bytes at `va`, whose host address is in rax. Uses rcx and rdx.
void X64Emitter::alat_insert(ir::Location target, const Gp& va, unsigned size) {
  a_.mov(rdx, rax);
  alat_gr_tag(target);
  alat_enter(va, size);
}

/// The same with the tag in ecx and the host address in rdx.
void X64Emitter::alat_enter(const Gp& va, unsigned size) {
  const Label occupied = a_.newLabel(), fill = a_.newLabel();
  alat_place();
  a_.cmp(alat_tag_at_rax(), -1);
  a_.jne(occupied);
  a_.inc(dword_ptr(rbx, l_.alat_count));
  a_.bind(fill);
  a_.mov(alat_start_at_rax(), rdx);
  a_.mov(edx, va.r32());
  a_.shr(edx, 4);
  a_.movzx(edx, dl);
  a_.inc(byte_ptr(rbx, rdx, 0, l_.alat_in_granule));
  a_.shl(edx, 24);
  a_.lea(ecx, dword_ptr(rcx, rdx, 0, static_cast<i32>(size << 16)));
  Mem tag_size_and_granule = alat_tag_at_rax();
  tag_size_and_granule.setSize(4);
  a_.mov(tag_size_and_granule, ecx);
  later([this, occupied, fill] {
    a_.bind(occupied);
    a_.push(rdx);
    a_.dec(alat_granule_at_rax(rdx));
    a_.pop(rdx);
    a_.jmp(fill);
  });
}

void X64Emitter::leave_unless_alat_empty(Label slow) {
  a_.cmp(dword_ptr(rbx, l_.alat_count), 0);
  a_.jne(slow);
}

/// Goes to `slow` when an entry lies in the granule of an aligned store. The table is empty most of the time.
void X64Emitter::alat_check_store(const Gp& va, Label slow) {
  const Label entries = a_.newLabel(), free = a_.newLabel();
  a_.cmp(dword_ptr(rbx, l_.alat_count), 0);
  a_.jne(entries);
  a_.bind(free);
  later([this, entries, free, slow, va] {
    a_.bind(entries);
    a_.mov(ecx, va.r32());
    a_.shr(ecx, 4);
    a_.movzx(ecx, cl);
    a_.cmp(byte_ptr(rbx, rcx, 0, l_.alat_in_granule), 0);
    a_.je(free);
    a_.jmp(slow);
  });
}

void X64Emitter::emit_advanced_check(const Op& op, Value v) {
  const bool clears = op.insn->handler == &chk_a_clr_m22 || op.insn->handler == &chk_a_clr_m23;
  const Label done = a_.newLabel(), absent = a_.newLabel();
  prepare_guard(op.guard);
  const Gp d = define(v);
  a_.xor_(d.r32(), d.r32());
  skip_unless(op.guard, done);
  if (op.code == Opcode::advanced_check_fp) {
    alat_fr_tag(op.insn->r1);
  } else {
    alat_gr_tag(ir::MemoryForm::unpack(op.imm).target);
  }
  alat_place();
  a_.cmp(alat_tag_at_rax(), cx);
  a_.jne(absent);
  if (clears) alat_remove();
  a_.bind(done);
  later([this, absent, done, d] {
    a_.bind(absent);
    a_.mov(d.r32(), 1);
    a_.jmp(done);
  });
}

void X64Emitter::emit_enter_advanced(const Op& op) {
  const Label done = a_.newLabel();
  const Gp va = in_register(op.a), host = in_register(op.b);
  skip_unless(op.guard, done);
  a_.mov(rdx, host);
  alat_fr_tag(op.insn->r1);
  alat_enter(va, static_cast<unsigned>(op.imm));
  a_.bind(done);
}

void X64Emitter::emit_find_advanced(const Op& op) {
  const char* const text = op_info(op.insn->op).text;
  const Label done = a_.newLabel(), no = deopt(op);
  skip_unless(op.guard, done);
  alat_fr_tag(op.insn->r1);
  alat_place();
  a_.cmp(alat_tag_at_rax(), cx);
  a_.jne(no);
  if (std::strstr(text, ".clr")) alat_remove();
  a_.bind(done);
}

}  // namespace ia64::cpu::jit
