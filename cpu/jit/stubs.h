// Hand-written host code that all blocks share: the way in, the ways out, calls of handlers from slow paths.
#pragma once

#include <asmjit/x86.h>

#include "cpu/jit/code_cache.h"
#include "cpu/jit/core_layout.h"

namespace ia64::cpu::jit {

class NativeEngine;

/// Why generated code returned.
enum class ExitKind : u32 {
  Bail,     ///< `native` did not execute anything
  Handler,  ///< a handler of `insn` returned `next`
  Deopt,    ///< `insn` must be interpreted
  Unlinked, ///< `link` has no target yet, or an old one
  Plain,    ///< ip and slot are set
  Hot,      ///< `native` did not execute anything, and is to become a region
};

/// What generated code and the engine tell each other.
struct ExitState {
  i64 budget = 0;  ///< instructions left
  ExitKind kind = ExitKind::Plain;
  u32 next = 0;
  const Insn* insn = nullptr;
  void* where = nullptr;  ///< NativeBlock or Link
  u64 slow_calls = 0;     ///< memory accesses that the software TLB in line could not do
};

/// Host registers with a fixed meaning: rbx the register file, rbp the budget, r14 r32 of the current frame. rax, rcx, rdx are
/// scratch. The stack is aligned to 16 and has kSpillSlots words for values, then room for saved registers.
inline constexpr unsigned kSpillSlots = 128;
inline constexpr i32 kSaveArea = kSpillSlots * 8;
inline constexpr i32 kFrameBytes = kSaveArea + 200;

struct Stubs {
  using Enter = void (*)(ExitState*, const void* code);
  Enter enter = nullptr;
  const void* bail = nullptr;       ///< rax NativeBlock
  const void* handler = nullptr;    ///< eax Next, rdx Insn, rcx NativeBlock
  const void* deopt = nullptr;      ///< rdx Insn, rcx NativeBlock
  const void* unlinked = nullptr;   ///< rax Link
  const void* plain = nullptr;
  const void* hot = nullptr;        ///< rax NativeBlock
  const void* dynamic = nullptr;    ///< ip and slot are set; rdx Insn, rcx NativeBlock
  const void* find = nullptr;       ///< goes on at rax; the last instruction is accounted for
  const void* return_missed = nullptr;  ///< what a return finds where no call has left a return point: back to r10
  const void* kept = nullptr;       ///< called: rax(Core, rdx, rcx), all value registers kept; rax its result
  const void* lean = nullptr;       ///< called: rax(Registers, rdx, FloatFile), a LeanFunction; changes rax and rdx
  const void* fill_site = nullptr;  ///< called: SiteRecord rcx gets the page of rdx and the addend in rax, which it keeps; changes rcx and rdx
  const void* slow = nullptr;       ///< called: runs rdx Insn's handler in the block at rcx, all value registers kept; eax Next
};

/// @param helper  looks up the block at ip/slot: (state, insn, native) -> host code, or nullptr when a trap waits
/// @param finder  the same without an instruction to account for: (state) -> host code, never nullptr
/// @param judge   fills a site that has missed often: (core, SiteRecord, instructions left) -> its addend
Stubs make_stubs(CodeCache& cache, const CoreLayout& layout, ExitState& state, const void* helper, const void* finder,
                 const void* judge);

}  // namespace ia64::cpu::jit
