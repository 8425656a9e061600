// What the decoded instructions of a block tell before it is lowered.
#pragma once

#include "cpu/interp/block.h"
#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

/// The block's alloc, or nullptr.
const Insn* find_alloc(Block& block);
/// Whether `i` branches to a fixed address in the same frame, without rotation.
bool branches_plainly(const Insn& i);

/// Whether something in `unit` looks at CFM, or needs the interpreter on its way: it cannot be part of an inlined call.
bool needs_true_frame(const Unit& unit);

}  // namespace ia64::cpu::ir
