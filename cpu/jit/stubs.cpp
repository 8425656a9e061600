// The shared host code.
#include "cpu/jit/stubs.h"

#include <cstddef>

#include "base/invariant.h"
#include "cpu/jit/float_forms.h"
#include "cpu/jit/site_record.h"

namespace ia64::cpu::jit {

namespace {

using namespace asmjit;
using namespace asmjit::x86;

constexpr i32 offset_of_register(size_t n) { return static_cast<i32>(n); }

class StubMaker {
 public:
  StubMaker(CodeCache& cache, const CoreLayout& layout, ExitState& state) : cache_(cache), l_(layout), state_(state) {
    code_.init(Environment::host());
    code_.attach(&a_);
  }
  Stubs make(const void* helper, const void* finder, const void* judge);

 private:
  Label begin() {
    Label label = a_.newLabel();
    a_.bind(label);
    return label;
  }
  void load_frame() {
    a_.mov(eax, dword_ptr(rbx, offset_of_register(offsetof(Registers, bof))));
    a_.lea(r14, qword_ptr(rbx, rax, 3, offset_of_register(offsetof(Registers, stack_gr))));
  }
  void enter();
  void leave(ExitKind kind, Gp where);
  void dynamic(const void* helper, Label plain_handler);
  void find(const void* finder);
  void slow();
  void kept();
  void lean();
  void keep_values(bool save);
  void fill_site(const void* judge, Label kept);

  CodeCache& cache_;
  const CoreLayout& l_;
  ExitState& state_;
  CodeHolder code_;
  Assembler a_;
};

void StubMaker::enter() {
  for (const Gp& r : {rbx, rbp, r12, r13, r14, r15}) a_.push(r);
  a_.sub(rsp, kFrameBytes);
  a_.mov(rbx, imm(&l_.core->regs()));
  a_.mov(rbp, qword_ptr(rdi, offsetof(ExitState, budget)));
  load_frame();
  a_.jmp(rsi);
}

/// Stores what the engine wants to know and returns to it. eax, rdx, rcx as the kind says.
void StubMaker::leave(ExitKind kind, Gp where) {
  a_.mov(r11, imm(&state_));
  a_.mov(qword_ptr(r11, offsetof(ExitState, budget)), rbp);
  a_.mov(dword_ptr(r11, offsetof(ExitState, kind)), static_cast<u32>(kind));
  a_.mov(dword_ptr(r11, offsetof(ExitState, next)), eax);
  a_.mov(qword_ptr(r11, offsetof(ExitState, insn)), rdx);
  a_.mov(qword_ptr(r11, offsetof(ExitState, where)), where);
  const Label no_floats = a_.newLabel();
  a_.cmp(byte_ptr(rbx, l_.float_active), 0);
  a_.je(no_floats);
  a_.mov(rdi, imm(l_.core));
  a_.call(imm(reinterpret_cast<const void*>(&end_floats)));
  a_.bind(no_floats);
  a_.add(rsp, kFrameBytes);
  for (const Gp& r : {r15, r14, r13, r12, rbp, rbx}) a_.pop(r);
  a_.ret();
}

void StubMaker::dynamic(const void* helper, Label handler) {
  const Label trap = a_.newLabel();
  a_.mov(r12, rdx);
  a_.mov(r13, rcx);
  a_.mov(rdi, imm(&state_));
  a_.mov(rsi, rdx);
  a_.mov(rdx, rcx);
  a_.call(imm(helper));
  a_.test(rax, rax);
  a_.jz(trap);
  a_.mov(rdx, rax);
  a_.movzx(ecx, byte_ptr(r12, offsetof(Insn, spare)));
  a_.inc(rcx);
  a_.sub(rbp, rcx);
  load_frame();
  a_.jmp(rdx);
  a_.bind(trap);
  a_.mov(eax, static_cast<u32>(Next::Branch));
  a_.mov(rdx, r12);
  a_.mov(rcx, r13);
  a_.jmp(handler);
}

void StubMaker::find(const void* finder) {
  a_.mov(qword_ptr(rbx, offset_of_register(offsetof(Registers, ip))), rax);
  a_.mov(byte_ptr(rbx, offset_of_register(offsetof(Registers, slot))), 0);
  a_.mov(rdi, imm(&state_));
  a_.call(imm(finder));
  a_.jmp(rax);
}

void StubMaker::slow() {
  keep_values(true);
  a_.sub(rsp, 8);
  a_.mov(qword_ptr(rbx, l_.block_ip), rcx);
  a_.mov(rdi, imm(l_.core));
  a_.mov(rsi, rdx);
  a_.mov(rcx, imm(&state_.slow_calls));
  a_.inc(qword_ptr(rcx));
  if (l_.handler_counts) {
    a_.movzx(eax, word_ptr(rsi, offsetof(Insn, op)));
    a_.mov(rcx, imm(l_.handler_counts));
    a_.inc(qword_ptr(rcx, rax, 3));
  }
  a_.call(qword_ptr(rsi, offsetof(Insn, handler)));
  a_.movzx(eax, al);
  a_.add(rsp, 8);
  keep_values(false);
  a_.ret();
}

/// Saves or brings back the registers that hold values and that a C++ function may change.
void StubMaker::keep_values(bool save) {
  i32 at = kSaveArea + 8;  // behind the return address
  for (const Gp& r : {rsi, rdi, r8, r9, r10, r11}) {
    const Mem place = qword_ptr(rsp, at);
    save ? a_.mov(place, r) : a_.mov(r, place);
    at += 8;
  }
  for (u32 n = 3; n < 16; n++) {
    const Mem place = qword_ptr(rsp, at);
    save ? a_.movsd(place, xmm(n)) : a_.movsd(xmm(n), place);
    at += 8;
  }
}

void StubMaker::lean() {
  a_.push(rdi);
  a_.push(rsi);
  a_.mov(rdi, rbx);
  a_.mov(rsi, rdx);
  a_.lea(rdx, qword_ptr(rbx, l_.float_file));
  a_.call(rax);
  a_.pop(rsi);
  a_.pop(rdi);
  a_.ret();
}

void StubMaker::kept() {
  keep_values(true);
  a_.sub(rsp, 8);
  a_.mov(rdi, imm(l_.core));
  a_.mov(rsi, rdx);
  a_.mov(rdx, rcx);
  a_.call(rax);
  a_.add(rsp, 8);
  keep_values(false);
  a_.ret();
}

/// Done often enough by sites that have to be found out to be in generated code.
void StubMaker::fill_site(const void* judge, Label kept) {
  const Label again = a_.newLabel(), empty = a_.newLabel();
  a_.dec(dword_ptr(rcx, offsetof(SiteRecord, misses_left)));
  a_.jz(again);
  a_.and_(rdx, -4096);
  a_.mov(ecx, dword_ptr(rcx, offsetof(SiteRecord, site)));
  a_.shl(ecx, 4);
  a_.cmp(qword_ptr(rbx, rcx, 0, l_.sites), -1);
  a_.mov(qword_ptr(rbx, rcx, 0, l_.sites), rdx);
  a_.mov(qword_ptr(rbx, rcx, 0, l_.sites + 8), rax);
  a_.je(empty);
  a_.ret();
  a_.bind(empty);
  a_.shr(ecx, 4);
  a_.mov(edx, dword_ptr(rbx, l_.sites_filled_count));
  a_.mov(dword_ptr(rbx, rdx, 2, l_.sites_filled), ecx);
  a_.inc(dword_ptr(rbx, l_.sites_filled_count));
  a_.ret();
  a_.bind(again);
  a_.mov(qword_ptr(rcx, offsetof(SiteRecord, addend)), rax);
  a_.mov(qword_ptr(rcx, offsetof(SiteRecord, va)), rdx);
  a_.mov(rdx, rcx);
  a_.mov(rcx, rbp);
  a_.mov(rax, imm(judge));
  a_.jmp(kept);  // returns to our caller
}

Stubs StubMaker::make(const void* helper, const void* finder, const void* judge) {
  const Label in = begin();
  enter();
  const Label bail = begin();
  leave(ExitKind::Bail, rax);
  const Label handler = begin();
  leave(ExitKind::Handler, rcx);
  const Label deopt = begin();
  leave(ExitKind::Deopt, rcx);
  const Label unlinked = begin();
  leave(ExitKind::Unlinked, rax);
  const Label plain = begin();
  leave(ExitKind::Plain, rcx);
  const Label hot = begin();
  leave(ExitKind::Hot, rax);
  const Label dynamic_label = begin();
  dynamic(helper, handler);
  const Label find_label = begin();
  find(finder);
  const Label return_missed = begin();
  a_.jmp(r10);
  const Label slow_label = begin();
  slow();
  const Label kept_label = begin();
  kept();
  const Label lean_label = begin();
  lean();
  const Label fill_label = begin();
  fill_site(judge, kept_label);

  const u8* const base = cache_.add(code_);
  INVARIANT(base);
  const auto at = [&](const Label& label) { return base + code_.labelOffset(label); };
  Stubs s;
  s.enter = reinterpret_cast<Stubs::Enter>(reinterpret_cast<uintptr_t>(at(in)));
  s.bail = at(bail), s.handler = at(handler), s.deopt = at(deopt), s.unlinked = at(unlinked), s.plain = at(plain), s.hot = at(hot);
  s.dynamic = at(dynamic_label), s.find = at(find_label), s.slow = at(slow_label), s.kept = at(kept_label), s.lean = at(lean_label), s.return_missed = at(return_missed), s.fill_site = at(fill_label);
  return s;
}

}  // namespace

Stubs make_stubs(CodeCache& cache, const CoreLayout& layout, ExitState& state, const void* helper,
                 const void* finder, const void* judge) {
  return StubMaker(cache, layout, state).make(helper, finder, judge);
}

}  // namespace ia64::cpu::jit
