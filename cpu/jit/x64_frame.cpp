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
constexpr i32 kMargin = NativeScratch::kFrameMargin;

}  // namespace

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
  aside([this, taken, pending = snapshot(op.pending), code = std::move(code)] {
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

/// Where the call to which `back` is the way behind lets the callee return to: takes the known frame of the caller back and goes on
/// there, if that is what the return asks for: rax the address, rdx AR.PFS, ecx the mode. Otherwise on to r10. Uses rcx and r8.
void X64Emitter::emit_return_point(Label point, const ir::Exit& back) {
  const u32 sof = back.mode.sof(), sol = back.mode.sol();
  const Label missed = a_.newLabel(), address = a_.newLabel(), pfs = a_.newLabel();
  a_.bind(point);
  a_.cmp(rax, qword_ptr(address));
  a_.jne(missed);
  a_.cmp(rdx, qword_ptr(pfs));
  a_.jne(missed);
  a_.cmp(ecx, back.mode.called().pack());
  a_.jne(missed);
  a_.cmp(byte_ptr(rbx, kEc), 0);
  a_.jne(missed);
  a_.cmp(dword_ptr(rbx, kBof), kMargin);
  a_.jb(missed);
  a_.mov(r8d, dword_ptr(rbx, kDirty));
  a_.sub(r8d, sol);
  a_.cmp(r8d, kStackedRegisters - sof);
  a_.ja(missed);
  a_.mov(dword_ptr(rbx, kDirty), r8d);
  a_.sub(dword_ptr(rbx, kBof), sol);
  a_.mov(qword_ptr(rbx, kCfm), sof | sol << 8);
  a_.sub(r14, sol * 8);
  jump_to_link(back, true);
  a_.bind(missed);
  a_.jmp(r10);
  a_.bind(address);
  a_.embedUInt64(back.ip);
  a_.bind(pfs);
  a_.embedUInt64(back.mode.pfs_behind_call());
}

/// A call from a frame that is known: new_frame() with constants, and the return point.
void X64Emitter::known_frame(const ir::Mode& from, u64 back, Label slow) {
  const u32 sol = from.sol(), outputs = from.sof() - sol;
  const Label loops = a_.newLabel(), packed = a_.newLabel(), point = a_.newLabel();
  a_.cmp(dword_ptr(rbx, kBof), static_cast<i32>(Registers::kStackSlots) - kMargin - static_cast<i32>(sol));
  a_.ja(slow);
  a_.mov(rax, from.pfs_behind_call());
  a_.cmp(byte_ptr(rbx, kEc), 0);
  a_.jne(loops);
  a_.bind(packed);
  a_.mov(qword_ptr(rbx, kPfs), rax);
  a_.add(dword_ptr(rbx, kBof), sol);
  a_.add(dword_ptr(rbx, kDirty), sol);
  a_.mov(qword_ptr(rbx, kCfm), outputs);
  a_.add(r14, sol * 8);
  a_.lea(rax, ptr(point));
  a_.mov(qword_ptr(r14, l_.returns - disp(offsetof(Registers, stack_gr))), rax);
  ir::Exit behind;
  behind.ip = back, behind.mode = from;
  aside([this, point, behind] { emit_return_point(point, behind); });
  later([this, loops, packed] {
    a_.bind(loops);
    a_.movzx(ecx, byte_ptr(rbx, kEc));
    a_.shl(rcx, kPfsEcPos);
    a_.or_(rax, rcx);
    a_.jmp(packed);
  });
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
    const ir::Mode from = op.a == ir::kNone ? unit_.exits[op.imm].from : ir::Mode::unpack(static_cast<u32>(op.imm));
    if (op.a != ir::kNone) load(r13, op.a, target);
    const u64 back = ip_of(*op.insn) + 16;
    const bool known = on_.return_stack && from.knows_cfm() && from.sol() <= from.sof() && from.sof() <= kStackedRegisters;
    known ? known_frame(from, back, slow) : new_frame(slow);
    a_.mov(rax, back);
    a_.mov(qword_ptr(rbx, kBr + 8 * op.insn->r1), rax);
    if (op.a == ir::kNone) {
      jump_to_exit(unit_.exits[op.imm], false);
    } else {
      account(*op.insn);
      a_.mov(rax, r13);
      a_.and_(rax, -16);
      jump_to_address(from.called());
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

void X64Emitter::emit_frame_return(const Op& op) {
  const Gp target = use(op.a, rcx), pfs = use(op.b, rdx);
  when(op, [this, &op, target, pfs] {
    load(rax, op.a, target);
    load(rdx, op.b, pfs);
    if (!on_.return_stack) return return_anywhere(op, false);
    const Label missed = a_.newLabel();
    account(*op.insn);
    a_.mov(ecx, unit_.mode.called().pack());
    a_.lea(r10, ptr(missed));
    a_.jmp(qword_ptr(r14, l_.returns - disp(offsetof(Registers, stack_gr))));
    later([this, missed, &op] {
      a_.bind(missed);
      return_anywhere(op, true);
    });
  });
}

/// A return to rax with AR.PFS rdx. @param accounted  the instruction is accounted for
void X64Emitter::return_anywhere(const Op& op, bool accounted) {
  const Label slow = a_.newLabel();
  a_.and_(rax, -16);
  a_.mov(r11d, edx);
  old_frame(slow);
  if (!accounted) account(*op.insn);
  a_.xor_(ecx, ecx);
  a_.and_(r11d, 0x3fff);
  a_.test(r11d, 0x7f << 7);
  a_.cmovz(r11d, ecx);
  a_.shl(r11d, ir::Mode::kFramePos);
  a_.or_(r11d, unit_.mode.called().pack());
  jump_to_address(std::nullopt);
  later([this, slow, accounted, &op] {
    a_.bind(slow);
    if (accounted) a_.add(rbp, op.insn->spare + 1);
    branch_by_handler(op);
  });
}

// --- indirect branches ---------------------------------------------------------------------------------------------

void X64Emitter::emit_jump_to(const Op& op) {
  const Gp target = use(op.a, rcx);
  when(op, [this, &op, target] {
    load(rax, op.a, target);
    a_.and_(rax, -16);
    account(*op.insn);
    jump_to_address(ir::Mode::unpack(static_cast<u32>(op.imm)));
  });
}

/// Goes on at rax in `mode`, or in the packed mode in r11d; the instruction is accounted for. Uses rcx and rdx.
void X64Emitter::jump_to_address(std::optional<ir::Mode> mode) {
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
    const Mem wanted = dword_ptr(rbx, rdx, 0, l_.jumps + disp(offsetof(NativeScratch::Jump, mode)));
    mode ? a_.cmp(wanted, mode->pack()) : a_.cmp(wanted, r11d);
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
  if (unit_.mode.rotated) {
    a_.mov(rax, qword_ptr(rbx, kCfm));
    a_.mov(ax, sof | sol << 8);
    a_.mov(qword_ptr(rbx, kCfm), rax);
  } else {
    a_.mov(qword_ptr(rbx, kCfm), sof | sol << 8);
  }
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
