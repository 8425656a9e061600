// Access sites in generated code: instructions of regions that remember the page they accessed last.
#include <algorithm>

#include "cpu/jit/native_engine.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

/// The most instructions that one round of the innermost loop around the present operation executes, or one run through the region.
u64 X64Emitter::longest_round() const {
  u32 head = 0;
  for (u32 b = 0; b <= block_; b++)
    if (unit_.blocks[b].loop_end >= block_ && unit_.blocks[b].depth == unit_.blocks[block_].depth) head = b;
  if (head == 0) return unit_.slots;
  u64 all = 0;
  for (u32 b = head; b <= unit_.blocks[head].loop_end; b++) {
    unsigned first = 256, last = 0;
    for (u32 n = unit_.blocks[b].first; n < unit_.blocks[b].end; n++)
      if (const Insn* const i = unit_.ops[n].insn) first = std::min<unsigned>(first, i->spare), last = std::max(last, i->spare + 1u);
    if (last) all += last - first;
  }
  return std::min<u64>(std::max<u64>(all, 1), unit_.blocks[head].needed);
}

/// The number of a site for `op`, or -1. What the kernel does outside loops is left alone: it runs rarely between two changes of the
/// address space, and many filled sites make those slow.
int X64Emitter::take_site(const Op& op) {
  const unsigned pl = unit_.mode.fetch >> 1 & 3;
  if (!native_.fallback || !on_.access_sites || (pl == 0 && !unit_.blocks[block_].depth)) return -1;
  return sites_.take(*op.insn, pl);
}

/// Goes to `slow` unless the page is known and the address aligned. Leaves the addend in rax: the host address is the guest's plus this.
/// Uses rcx and rdx.
void X64Emitter::tlb_check(const Op& op, const Gp& va, unsigned size, i32 table, Label slow) {
  const int site = take_site(op);
  if (site < 0) return tlb_look_up(va, size, table, slow);
  SiteRecord& record = native_.sites.emplace_back();
  record.site = static_cast<u32>(site), record.insn = op.insn, record.region = &native_;
  record.round = longest_round();
  const Label miss = a_.newLabel(), hit = a_.newLabel();
  const i32 place = l_.sites + site * static_cast<i32>(sizeof(AccessSites::Entry));
  a_.mov(rdx, va);
  a_.and_(rdx, static_cast<i32>(0xfffff000u | (size - 1)));
  a_.cmp(rdx, qword_ptr(rbx, place));
  a_.jne(miss);
  a_.mov(rax, qword_ptr(rbx, place + 8));
  a_.bind(hit);
  later([this, miss, hit, va, size, table, slow, &record] {
    a_.bind(miss);
    tlb_look_up(va, size, table, slow);
    a_.mov(rdx, va);
    a_.mov(rcx, imm(&record));
    a_.call(imm(stubs_.fill_site));
    a_.jmp(hit);
  });
}

}  // namespace ia64::cpu::jit
