// The host's rounding state, and the way back to register format when generated code is left.
#pragma once

#include "cpu/core.h"

namespace ia64::cpu::jit {


// Called from generated code, which finds its registers as they were.

/// Prepares MXCSR; before the first floating-point instruction after generated code was entered.
void begin_floats(Core& core, u64) noexcept;
/// Moves what MXCSR gathered into the flags of status field 0.
void merge_float_flags(Core& core, u64) noexcept;
/// Everything back to where the architecture has it; when generated code is left.
void end_floats(Core& core, u64) noexcept;

}  // namespace ia64::cpu::jit
