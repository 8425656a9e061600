// Passes over the intermediate form of one block. All keep the numbering until drop_dead_values() compacts it.
#include <algorithm>
#include <map>
#include <optional>

#include "cpu/translate/each_value.h"

namespace ia64::cpu::ir {

namespace {

bool is_constant(const Unit& u, Value v) {
  return v != kNone && u.ops[v].code == Opcode::constant;
}

/// The result of a pure operation on constants, where it is worth knowing.
std::optional<u64> evaluate(const Op& op, u64 a, u64 b) {
  switch (op.code) {
    case Opcode::add: return a + b;
    case Opcode::scaled_add: return (a << op.imm) + b;
    case Opcode::sub: return a - b;
    case Opcode::and_: return a & b;
    case Opcode::andn: return a & ~b;
    case Opcode::or_: return a | b;
    case Opcode::xor_: return a ^ b;
    case Opcode::shl_imm: return a << op.imm;
    case Opcode::shr_imm: return a >> op.imm;
    case Opcode::sar_imm: return static_cast<u64>(static_cast<i64>(a) >> op.imm);
    case Opcode::count_down: return a - (a != 0);
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
    case Opcode::and_: return zero(op.a) ? op.a : zero(op.b) ? op.b : kNone;
    case Opcode::shl_imm:
    case Opcode::shr_imm:
    case Opcode::sar_imm: return op.imm == 0 ? op.a : kNone;
    case Opcode::phi: {  // of one constant, which must be known wherever the phi is
      const std::vector<Value>& from = u.phis[op.imm];
      const bool same = !from.empty() && is_constant(u, from[0]) && from[0] < u.blocks[0].end && std::all_of(from.begin(), from.end(), [&](Value v) {
        return is_constant(u, v) && u.ops[v].imm == u.ops[from[0]].imm;
      });
      return same ? from[0] : kNone;
    }
    case Opcode::select:
      if (is_constant(u, op.a)) return u.ops[op.a].imm ? op.b : op.c;
      return op.b == op.c ? op.b : kNone;
    default: return kNone;
  }
}

/// Ways out under a condition that is known not to hold.
bool never_leaves(const Unit& u, const Op& op) {
  const Value condition = op.code == Opcode::leave_if ? op.a : op.code == Opcode::frame_return ? op.guard : kNone;
  return is_constant(u, condition) && u.ops[condition].imm == 0;
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
  make_blocks(unit);
  std::vector<Value> same(unit.ops.size());
  for (unsigned n = 0; n < unit.ops.size(); n++) {
    Op& op = unit.ops[n];
    same[n] = static_cast<Value>(n);
    each_operand(op, [&](Value& v) { v = same[v]; });
    fold(unit, op);
    if (never_leaves(unit, op)) op = Op{.code = Opcode::constant};
    if (const Value source = copied(unit, op); source != kNone) same[n] = source;
  }
  each_outer_use(unit, [&](Value& v) { v = same[v]; });
}

void drop_dead_writes(Unit& unit) {
  make_blocks(unit);
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
      case Effect::Pure:
      case Effect::Phi: break;
    }
  }
}

namespace {

/// Finds the operations that matter, from those with an effect on.
class Marker {
 public:
  explicit Marker(Unit& unit) : unit_(unit), used_(unit.ops.size()), list_seen_(unit.lists.size()) {}
  std::vector<bool> run() {
    for (Value n = 0; n < unit_.ops.size(); n++) {
      const Effect effect = info(unit_.ops[n].code).effect;
      if (effect != Effect::Pure && effect != Effect::Read && effect != Effect::Phi) mark(n);
    }
    for (const BasicBlock& block : unit_.blocks) {
      if (const auto* indirect = std::get_if<LeaveIndirect>(&block.terminal)) mark(indirect->target);
      mark_list(block.pending);
    }
    while (!work_.empty()) {
      const Value v = work_.back();
      work_.pop_back();
      Op& op = unit_.ops[v];
      each_operand(op, [&](Value& o) { mark(o); });
      mark_list(op.pending);
      if (is_phi(op))
        for (Value o : unit_.phis[op.imm]) mark(o);
    }
    return std::move(used_);
  }

 private:
  void mark(Value v) {
    if (used_[v]) return;
    used_[v] = true;
    work_.push_back(v);
  }
  void mark_list(u32 list) {
    if (list_seen_[list]) return;
    list_seen_[list] = true;
    for (const PendingWrite& w : unit_.lists[list]) {
      mark(w.value);
      if (w.plus != kNone) mark(w.plus);
    }
  }

  Unit& unit_;
  std::vector<bool> used_, list_seen_;
  std::vector<Value> work_;
};

}  // namespace

void renumber(Unit& unit, std::vector<Op> kept, const std::vector<Value>& number) {
  each_outer_use(unit, [&](Value& v) { v = number[v]; });
  unit.ops = std::move(kept);
}

void drop_dead_values(Unit& unit) {
  make_blocks(unit);
  const std::vector<bool> used = Marker(unit).run();
  std::vector<Value> number(unit.ops.size(), kNone);
  std::vector<Op> kept;
  kept.reserve(unit.ops.size());
  for (BasicBlock& block : unit.blocks) {
    const u32 first = static_cast<u32>(kept.size());
    for (u32 n = block.first; n < block.end; n++) {
      if (!used[n]) continue;
      number[n] = static_cast<Value>(kept.size());
      kept.push_back(unit.ops[n]);
    }
    block.first = first, block.end = static_cast<u32>(kept.size());
  }
  for (Op& op : kept) each_operand(op, [&](Value& v) { v = number[v]; });
  renumber(unit, std::move(kept), number);
}

void optimise(Unit& unit, const Optimisations& on) {
  make_blocks(unit);
  if (on.pending_writes || unit.blocks.size() > 1) promote_state(unit, on.pending_writes, on.float_values, on.loop_writes);
  if (on.branch_facts) use_branch_facts(unit);
  if (on.fold_constants) fold_constants(unit);
  if (on.shared_values) share_values(unit);
  if (on.multiples) find_multiples(unit);
  if (on.short_forms) find_short_forms(unit);
  if (on.forwarded_stores) forward_stores(unit);
  if (!on.pending_writes && on.dead_writes && unit.blocks.size() == 1) drop_dead_writes(unit);
  if (on.short_forms) leave_inversions_to_exits(unit);
  if (on.span_loops) make_span_loops(unit, on.span_series);
  if (on.dead_values) drop_dead_values(unit);
  if (on.fused_branches) sink_compares(unit);
}

}  // namespace ia64::cpu::ir
