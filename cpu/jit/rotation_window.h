// The copy of the rotating registers that rotating loops work on.
#pragma once

#include "cpu/core.h"
#include "cpu/jit/native_scratch.h"

namespace ia64::cpu::jit {

/// Copies the rotating general registers, which must be without NaT, and the rotating predicates into the window in the order of
/// their names. CPU thread only.
/// @returns the place of the first one
u64 open_window(RotationWindow& window, const Registers& r);

/// Puts everything back and sets CFM's rename bases for what was rotated since the window was opened. The window stays open:
/// doing it again gives the same.
void close_window(const RotationWindow& window, Registers& r, u64 place);

}  // namespace ia64::cpu::jit
