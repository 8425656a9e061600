// Passes over the intermediate form of one block. All keep the numbering until drop_dead_values() compacts it.
#include <map>
#include <optional>

#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

namespace {

bool is_constant(const Unit& u, Value v) {
  return v != kNone && u.ops[v].code == Opcode::constant;
}

/// The result of a pure operation on constants, where it is worth knowing.
std::optional<u64> evaluate(const Op& op, u64 a, u64 b) {
  switch (op.code) {
    case Opcode::add: return a + b;
    case Opcode::sub: return a - b;
    case Opcode::and_: return a & b;
    case Opcode::andn: return a & ~b;
    case Opcode::or_: return a | b;
    case Opcode::xor_: return a ^ b;
    case Opcode::shl_imm: return a << op.imm;
    case Opcode::shr_imm: return a >> op.imm;
    case Opcode::sar_imm: return static_cast<u64>(static_cast<i64>(a) >> op.imm);
    case Opcode::zxt8: return a & 0xff;
    case Opcode::zxt16: return a & 0xffff;
    case Opcode::zxt32: return a & 0xffff'ffff;
    case Opcode::cmp_eq: return a == b;
    case Opcode::invert: return a ^ 1;
    default: return std::nullopt;
  }
}

/// The operand that `op` merely copies, or kNone.
Value copied(const Unit& u, const Op& op) {
  const auto zero = [&](Value v) { return is_constant(u, v) && u.ops[v].imm == 0; };
  switch (op.code) {
    case Opcode::add:
    case Opcode::or_:
    case Opcode::xor_: return zero(op.a) ? op.b : zero(op.b) ? op.a : kNone;
    case Opcode::sub: return zero(op.b) ? op.a : kNone;
    case Opcode::shl_imm:
    case Opcode::shr_imm:
    case Opcode::sar_imm: return op.imm == 0 ? op.a : kNone;
    case Opcode::select:
      if (is_constant(u, op.a)) return u.ops[op.a].imm ? op.b : op.c;
      return op.b == op.c ? op.b : kNone;
    default: return kNone;
  }
}

template <class F>
void each_operand(Op& op, F f) {
  for (Value* v : {&op.a, &op.b, &op.c, &op.guard})
    if (*v != kNone) f(*v);
}

void fold(Unit& u, Op& op) {
  const OpcodeInfo& what = info(op.code);
  const bool known = what.operands > 0 && is_constant(u, op.a) && (what.operands < 2 || is_constant(u, op.b));
  if (!known || what.effect != Effect::Pure || what.operands > 2) return;
  if (const auto value = evaluate(op, u.ops[op.a].imm, what.operands < 2 ? 0 : u.ops[op.b].imm))
    op = Op{.code = Opcode::constant, .imm = *value};
}

}  // namespace

void fold_constants(Unit& unit) {
  std::vector<Value> same(unit.ops.size());
  for (unsigned n = 0; n < unit.ops.size(); n++) {
    Op& op = unit.ops[n];
    same[n] = static_cast<Value>(n);
    each_operand(op, [&](Value& v) { v = same[v]; });
    fold(unit, op);
    if (const Value source = copied(unit, op); source != kNone) same[n] = source;
  }
  if (auto* indirect = std::get_if<LeaveIndirect>(&unit.terminal)) indirect->target = same[indirect->target];
}

void drop_dead_writes(Unit& unit) {
  std::map<u64, bool> overwritten;
  for (size_t n = unit.ops.size(); n-- > 0;) {
    Op& op = unit.ops[n];
    switch (info(op.code).effect) {
      case Effect::Exit:
      case Effect::Sync:
      case Effect::Call: overwritten.clear(); break;
      case Effect::Read: overwritten[op.imm] = false; break;
      case Effect::Write: {
        if (op.code != Opcode::set) break;
        bool& dead = overwritten[op.imm];
        if (dead) op = Op{.code = Opcode::constant};
        dead = true;
        break;
      }
      case Effect::Pure: break;
    }
  }
}

void drop_dead_values(Unit& unit) {
  std::vector<bool> used(unit.ops.size());
  if (const auto* indirect = std::get_if<LeaveIndirect>(&unit.terminal)) used[indirect->target] = true;
  for (size_t n = unit.ops.size(); n-- > 0;) {
    Op& op = unit.ops[n];
    const Effect effect = info(op.code).effect;
    if (effect == Effect::Pure || effect == Effect::Read) {
      if (!used[n]) continue;
    } else {
      used[n] = true;
    }
    each_operand(op, [&](Value& v) { used[v] = true; });
  }
  std::vector<Value> number(unit.ops.size());
  std::vector<Op> kept;
  for (unsigned n = 0; n < unit.ops.size(); n++) {
    if (!used[n]) continue;
    number[n] = static_cast<Value>(kept.size());
    kept.push_back(unit.ops[n]);
    each_operand(kept.back(), [&](Value& v) { v = number[v]; });
  }
  if (auto* indirect = std::get_if<LeaveIndirect>(&unit.terminal)) indirect->target = number[indirect->target];
  unit.ops = std::move(kept);
}

void optimise(Unit& unit, const Optimisations& on) {
  if (on.fold_constants) fold_constants(unit);
  if (on.dead_writes) drop_dead_writes(unit);
  if (on.dead_values) drop_dead_values(unit);
}

}  // namespace ia64::cpu::ir
