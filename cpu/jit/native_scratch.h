// What generated code remembers between blocks, near the register file.
#pragma once

#include "cpu/arch/registers.h"

namespace ia64::cpu::jit {

/// Where a rotating loop keeps its rotating registers: register 32 + k is general[place + k], predicate 16 + k is
/// predicates[place + k], and a rotation takes one from `place`. Filled by open_window(), put back by close_window().
struct RotationWindow {
  static constexpr unsigned kSteps = 512;  ///< rotations until it has to be filled anew
  u64 general[kSteps + 96];
  u8 predicates[kSteps + 48 + 16];  ///< some more for comparisons of eight at a time
  u8 rrb_gr = 0, rrb_fr = 0, rrb_pr = 0;  ///< when it was filled
};

/// Guesses of one processor about where its branches lead. CPU thread only; filled and cleared by generated code and NativeEngine.
struct NativeScratch {
  static constexpr unsigned kJumps = 2048;

  /// Where an indirect branch led: right while its key is the fetch key of the address.
  struct Jump {
    u64 ip = ~u64{0};
    u64 key = 0;
    const void* code = nullptr;
    u32 mode = 0;  ///< ir::Mode::pack() of code and branch
    u32 unused = 0;
  };
  static constexpr unsigned kJumpShift = 5;  ///< log2 of its size
  static_assert(sizeof(Jump) == 1u << kJumpShift);
  static constexpr unsigned jump_index(u64 ip) { return static_cast<unsigned>(ip >> 4) % kJumps; }

  /// Room that calls and returns leave at both ends of the window of stacked registers, in registers; at the ends the RSE moves the window.
  static constexpr i32 kFrameMargin = 256;
  /// Where calls return to, by the place that the callee's r32 has in the window of stacked registers: host code behind the call that
  /// takes the frame back. It looks itself whether the return is the one it expects, so that an entry may be wrong but must be code;
  /// NativeEngine sees to that.
  const void* returns[Registers::kStackSlots] = {};
  Jump jumps[kJumps];
  RotationWindow window = {};
};

}  // namespace ia64::cpu::jit
