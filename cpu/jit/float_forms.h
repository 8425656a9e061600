// Changes of form of floating-point registers, and the host's rounding state, for generated code.
#pragma once

#include "cpu/core.h"

namespace ia64::cpu::jit {

/// Whether the host has what native floating point needs (AVX and FMA3).
bool host_has_fma() noexcept;

// All take physical register numbers, 2..127. Called from generated code only.

/// Puts a register back into register format.
void settle_register(Core& core, u64 physical) noexcept;
/// Writes register format too, but leaves the form as it is: for handlers that only read.
void copy_register(Core& core, u64 physical) noexcept;
/// Makes the form kDouble. @returns 0 when the register holds nothing that a double could stand for
u64 make_double(Core& core, u64 physical) noexcept;

/// Prepares MXCSR; before the first floating-point instruction after generated code was entered.
void begin_floats(Core& core, u64) noexcept;
/// Moves what MXCSR gathered into the flags of status field 0.
void merge_float_flags(Core& core, u64) noexcept;
/// Everything back to where the architecture has it; when generated code is left.
void end_floats(Core& core, u64) noexcept;

}  // namespace ia64::cpu::jit
