// Visits to all places of a unit that name values.
#pragma once

#include <variant>

#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

/// Calls f(Value&) on each operand of `op`.
template <class F>
void each_operand(Op& op, F f) {
  for (Value* v : {&op.a, &op.b, &op.c, &op.guard})
    if (*v != kNone) f(*v);
}

/// Calls f(Value&) on each value that is named outside of operations' own operands.
template <class F>
void each_outer_use(Unit& unit, F f) {
  for (auto& phi : unit.phis)
    for (Value& v : phi)
      if (v != kNone) f(v);
  for (auto& list : unit.lists)
    for (PendingWrite& w : list)
      for (Value* v : {&w.value, &w.plus})
        if (*v != kNone) f(*v);
  for (BasicBlock& block : unit.blocks)
    if (auto* indirect = std::get_if<LeaveIndirect>(&block.terminal)) f(indirect->target);
}

}  // namespace ia64::cpu::ir
