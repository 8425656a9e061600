// Emission of calls, returns, alloc and indirect branches: the common case in line, the handler for the rest.
#include <cstddef>

#include "base/bits.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

namespace {

template <class T>
constexpr i32 disp(T offset) { return static_cast<i32>(offset); }
constexpr i32 kCfm = disp(offsetof(Registers, cfm)), kBof = disp(offsetof(Registers, bof)), kPfs = disp(offsetof(Registers, pfs));
constexpr i32 kEc = disp(offsetof(Registers, ec)), kDirty = disp(offsetof(Registers, rse_dirty));
constexpr i32 kBr = disp(offsetof(Registers, br)), kStackNat = disp(offsetof(Registers, stack_nat));

/// The bits of the fields in the bytes of Cfm, lowest first: their order in the packed form. The unit of sor is 8 registers.
constexpr u64 kCfmBits = 0x3f'7f'7f'78'7f'7f;
static_assert(offsetof(Cfm, sof) == 0 && offsetof(Cfm, sol) == 1 && offsetof(Cfm, sor) == 2 && offsetof(Cfm, rrb_gr) == 3 &&
              offsetof(Cfm, rrb_fr) == 4 && offsetof(Cfm, rrb_pr) == 5 && sizeof(Cfm) == 8);
constexpr unsigned kPfsEcPos = 52, kPfsPplPos = 62;
/// As the RSE keeps it: room at both ends of the register window.
constexpr i32 kMargin = 256;

}  // namespace

/// The mode behind a call or return in line: the same without rotation.
u32 X64Emitter::unrotated_mode() const {
  ir::Mode mode = unit_.mode;
  mode.rotating = 0, mode.rrb_pr = false;
  return static_cast<u32>(mode.pack());
}

/// Emits a way out behind a test of the guard, with the pending writes in front of it. It may use all registers. Operands must be
/// in registers: use() them first, load() them in `code`.
void X64Emitter::when(const Op& op, std::function<void()> code) {
  if (op.guard == ir::kNone) {
    store_pending(snapshot(op.pending));
    return code();
  }
  const Gp g = use(op.guard, rax);
  const Label taken = a_.newLabel();
  a_.test(g.r32(), g.r32());
  a_.jnz(taken);
  later([this, taken, pending = snapshot(op.pending), code = std::move(code)] {
    a_.bind(taken);
    store_pending(pending);
    code();
  });
}

/// Into `to` what use() gave as `from`; constants are made again.
void X64Emitter::load(const Gp& to, Value v, const Gp& from) {
  if (u64 k; constant(v, k)) {
    a_.mov(to, k);
  } else if (to.id() != from.id()) {
    a_.mov(to, from);
  }
}

/// Runs the handler of a branch and leaves.
void X64Emitter::branch_by_handler(const Op& op) {
  const Label other = a_.newLabel();
  a_.mov(rcx, part_ip());
  a_.mov(qword_ptr(rbx, l_.block_ip), rcx);
  a_.mov(rdi, imm(l_.core));
  a_.mov(rsi, imm(op.insn));
  a_.call(imm(reinterpret_cast<void*>(op.insn->handler)));
  a_.movzx(eax, al);
  a_.cmp(eax, static_cast<u32>(Next::Branch));
  a_.jne(other);
  leave_with(stubs_.dynamic, op.insn);
  a_.bind(other);
  leave_with(stubs_.handler, op.insn);
}

// --- calls -------------------------------------------------------------------------------------------------------

void X64Emitter::push_return(u64 ip) {
  if (!on_.return_stack) return;
  const Link* link = &kNowhere;
  if ((ip ^ unit_.ip) >> 12 == 0) {
    ir::Mode mode = unit_.mode;
    mode.rotating = 0, mode.rrb_pr = false;
    native_.links.push_back({0, stubs_.unlinked, ip, 0, mode});
    native_.links.back().packed_mode = static_cast<u32>(mode.pack());
    link = &native_.links.back();
  }
  a_.mov(ecx, dword_ptr(rbx, l_.return_top));
  a_.add(ecx, 8);
  a_.and_(ecx, (NativeScratch::kReturns - 1) * 8);
  a_.mov(dword_ptr(rbx, l_.return_top), ecx);
  a_.mov(rax, imm(link));
  a_.mov(qword_ptr(rbx, rcx, 0, l_.returns), rax);
}

/// AR.PFS from CFM, EC and CPL; the outputs become the frame. Uses rax, rcx, rdx, r8, r9.
void X64Emitter::new_frame(Label slow) {
  a_.mov(rax, qword_ptr(rbx, kCfm));
  a_.mov(edx, dword_ptr(rbx, kBof));
  a_.movzx(ecx, ah);
  a_.add(edx, ecx);
  a_.cmp(edx, static_cast<i32>(Registers::kStackSlots) - kMargin);
  a_.ja(slow);
  a_.mov(r8, kCfmBits);
  a_.pext(r8, rax, r8);
  a_.movzx(r9d, byte_ptr(rbx, kEc));
  a_.shl(r9, kPfsEcPos);
  a_.or_(r8, r9);
  if (const u64 cpl = unit_.mode.fetch >> 1 & 3) {
    a_.mov(r9, cpl << kPfsPplPos);
    a_.or_(r8, r9);
  }
  a_.mov(qword_ptr(rbx, kPfs), r8);
  a_.mov(dword_ptr(rbx, kBof), edx);
  a_.add(dword_ptr(rbx, kDirty), ecx);
  a_.sub(al, ah);
  a_.movzx(eax, al);
  a_.mov(qword_ptr(rbx, kCfm), rax);
  a_.lea(r14, qword_ptr(r14, rcx, 3));
}

void X64Emitter::emit_frame_call(const Op& op) {
  const Gp target = op.a == ir::kNone ? Gp(rdx) : use(op.a, rdx);
  when(op, [this, &op, target] {
    const Label slow = a_.newLabel();
    if (op.a != ir::kNone) load(r13, op.a, target);
    const u64 back = ip_of(*op.insn) + 16;
    push_return(back);
    new_frame(slow);
    a_.mov(rax, back);
    a_.mov(qword_ptr(rbx, kBr + 8 * op.insn->r1), rax);
    if (op.a == ir::kNone) {
      jump_to_exit(unit_.exits[op.imm], false);
    } else {
      account(*op.insn);
      a_.mov(rax, r13);
      a_.and_(rax, -16);
      jump_to_address(unrotated_mode());
    }
    later([this, slow, &op] {
      a_.bind(slow);
      branch_by_handler(op);
    });
  });
}

// --- returns -----------------------------------------------------------------------------------------------------

/// The frame that AR.PFS in rdx names, when all of it is still in registers, nothing rotates and the privilege level stays.
/// Uses rcx, rsi, rdi, r8, r9; keeps rax and rdx.
void X64Emitter::old_frame(Label slow) {
  if (const u32 cpl = unit_.mode.fetch >> 1 & 3; cpl < 3) {
    a_.mov(rcx, rdx);
    a_.shr(rcx, kPfsPplPos);
    a_.cmp(ecx, cpl);
    a_.ja(slow);
  }
  a_.mov(rcx, kCfmBits);
  a_.pdep(rcx, rdx, rcx);
  a_.mov(r8, rcx);
  a_.shr(r8, 16);
  a_.jnz(slow);
  a_.cmp(cl, kStackedRegisters);
  a_.ja(slow);
  a_.cmp(ch, cl);
  a_.ja(slow);
  a_.movzx(esi, ch);
  a_.movzx(edi, cl);
  a_.mov(r8d, dword_ptr(rbx, kDirty));
  a_.sub(r8d, esi);
  a_.js(slow);
  a_.add(edi, r8d);
  a_.cmp(edi, kStackedRegisters);
  a_.ja(slow);
  a_.mov(r9d, dword_ptr(rbx, kBof));
  a_.cmp(r9d, kMargin);
  a_.jb(slow);
  a_.sub(r9d, esi);
  a_.mov(dword_ptr(rbx, kDirty), r8d);
  a_.mov(dword_ptr(rbx, kBof), r9d);
  a_.mov(qword_ptr(rbx, kCfm), rcx);
  a_.shl(esi, 3);
  a_.sub(r14, rsi);
  a_.shr(rdx, kPfsEcPos);
  a_.and_(edx, 63);
  a_.mov(byte_ptr(rbx, kEc), dl);
}

/// Takes the newest return point into r10.
void X64Emitter::pop_return() {
  if (!on_.return_stack) return;
  a_.mov(ecx, dword_ptr(rbx, l_.return_top));
  a_.mov(r10, qword_ptr(rbx, rcx, 0, l_.returns));
  a_.sub(ecx, 8);
  a_.and_(ecx, (NativeScratch::kReturns - 1) * 8);
  a_.mov(dword_ptr(rbx, l_.return_top), ecx);
}

/// Goes on behind the call that r10 is from if that is what rax says.
void X64Emitter::jump_to_return() {
  const u32 mode = unrotated_mode();
  if (!on_.return_stack) return jump_to_address(mode);
  const Label missed = a_.newLabel();
  a_.cmp(qword_ptr(r10, offsetof(Link, ip)), rax);
  a_.jne(missed);
  a_.cmp(dword_ptr(r10, offsetof(Link, packed_mode)), mode);
  a_.jne(missed);
  a_.mov(rcx, qword_ptr(rbx, l_.fetch_changes));
  a_.cmp(rcx, qword_ptr(rbx, l_.returns_changes));
  a_.jne(missed);
  a_.mov(rax, r10);
  a_.jmp(qword_ptr(r10, offsetof(Link, target)));
  later([this, missed, mode] {
    a_.bind(missed);
    jump_to_address(mode);
  });
}

void X64Emitter::emit_frame_return(const Op& op) {
  const Gp target = use(op.a, rcx), pfs = use(op.b, rdx);
  when(op, [this, &op, target, pfs] {
    const Label slow = a_.newLabel();
    load(rax, op.a, target);
    a_.and_(rax, -16);
    load(rdx, op.b, pfs);
    pop_return();
    old_frame(slow);
    account(*op.insn);
    jump_to_return();
    later([this, slow, &op] {
      a_.bind(slow);
      branch_by_handler(op);
    });
  });
}

// --- indirect branches ---------------------------------------------------------------------------------------------

void X64Emitter::emit_jump_to(const Op& op) {
  const Gp target = use(op.a, rcx);
  when(op, [this, &op, target] {
    load(rax, op.a, target);
    a_.and_(rax, -16);
    account(*op.insn);
    jump_to_address(static_cast<u32>(unit_.mode.pack()));
  });
}

/// Goes on at rax in `mode`; the instruction is accounted for. Uses rcx and rdx.
void X64Emitter::jump_to_address(u32 mode) {
  if (on_.inline_lookup) {
    const Label missed = a_.newLabel();
    a_.mov(rcx, rax);
    a_.shr(rcx, 61);
    a_.mov(rcx, qword_ptr(rbx, rcx, 3, l_.fetch_keys + disp(unit_.mode.fetch * 64u)));
    a_.lea(edx, dword_ptr(rax, rax));  // ip >> 4 << kJumpShift
    a_.and_(edx, (NativeScratch::kJumps - 1) << NativeScratch::kJumpShift);
    const auto field = [this](size_t offset) { return qword_ptr(rbx, rdx, 0, l_.jumps + disp(offset)); };
    a_.cmp(field(offsetof(NativeScratch::Jump, ip)), rax);
    a_.jne(missed);
    a_.cmp(field(offsetof(NativeScratch::Jump, key)), rcx);
    a_.jne(missed);
    a_.cmp(dword_ptr(rbx, rdx, 0, l_.jumps + disp(offsetof(NativeScratch::Jump, mode))), mode);
    a_.jne(missed);
    a_.jmp(field(offsetof(NativeScratch::Jump, code)));
    a_.bind(missed);
  }
  a_.jmp(imm(stubs_.find));
}

// --- alloc ---------------------------------------------------------------------------------------------------------

/// No register is to be stored first and no NaT is in the new frame: then it is a change of CFM. Otherwise the handler does it and
/// the block ends.
void X64Emitter::emit_frame_alloc(const Op& op) {
  const u32 sof = op.insn->imm & 0x7f, sol = op.insn->imm >> 7 & 0x7f;
  const Label slow = a_.newLabel();
  a_.cmp(dword_ptr(rbx, kDirty), static_cast<i32>(kStackedRegisters - sof));
  a_.jg(slow);
  if (sof && op.imm) {
    const u32 last = (sof - 1) / 8, unused = 8 - (sof - last * 8);
    a_.mov(ecx, dword_ptr(rbx, kBof));
    const auto nats = [](u32 group) { return qword_ptr(rbx, rcx, 0, kStackNat + disp(group * 8)); };
    a_.mov(rax, nats(last));
    if (unused) a_.shl(rax, unused * 8);
    for (u32 group = 0; group < last; group++) a_.or_(rax, nats(group));
    a_.test(rax, rax);
    a_.jnz(slow);
  }
  a_.mov(rax, qword_ptr(rbx, kCfm));
  a_.mov(ax, sof | sol << 8);
  a_.mov(qword_ptr(rbx, kCfm), rax);
  later([this, slow, &op, pending = snapshot(op.pending)] {
    a_.bind(slow);
    store_pending(pending);
    const Label fault = a_.newLabel();
    a_.mov(rcx, part_ip());
    a_.mov(qword_ptr(rbx, l_.block_ip), rcx);
    a_.mov(rdi, imm(l_.core));
    a_.mov(rsi, imm(op.insn));
    a_.call(imm(reinterpret_cast<void*>(op.insn->handler)));
    a_.movzx(eax, al);
    a_.test(eax, eax);
    a_.jnz(fault);
    go_on_behind(*op.insn);
    a_.bind(fault);
    leave_with(stubs_.handler, op.insn);
  });
}

}  // namespace ia64::cpu::jit
