// What branches tell about predicates: behind a branch that was not taken its predicate is 0, on the way out it is 1. And about loop
// counts: where the count is known to be above 0, counting down is a subtraction.
#include <algorithm>

#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

namespace {

/// The first values of a unit that this pass works on.
constexpr Value kZero = 0, kOne = 1, kMinusOne = 2, kConstants = 3;

template <class F>
void each_value(Unit& u, F f) {
  for (Op& op : u.ops)
    for (Value* v : {&op.a, &op.b, &op.c, &op.guard}) f(*v);
  for (auto& phi : u.phis)
    for (Value& v : phi) f(v);
  for (auto& list : u.lists)
    for (PendingWrite& w : list) f(w.value);
  for (BasicBlock& block : u.blocks)
    if (auto* indirect = std::get_if<LeaveIndirect>(&block.terminal)) f(indirect->target);
}

void put_constants_in_front(Unit& u) {
  each_value(u, [](Value& v) { v += v == kNone ? 0 : kConstants; });
  u.ops.insert(u.ops.begin(), {Op{.code = Opcode::constant, .imm = 0}, Op{.code = Opcode::constant, .imm = 1},
                               Op{.code = Opcode::constant, .imm = ~u64{0}}});
  for (BasicBlock& block : u.blocks) block.first += kConstants, block.end += kConstants;
  u.blocks.front().first = 0;
}

class Facts {
 public:
  explicit Facts(Unit& u) : u_(u), inverse_(u.ops.size(), kNone), down_(u.ops.size(), kNone), is_zero_(u.ops.size(), kNone), saturates_(u.ops.size()),
                            at_end_(u.blocks.size()) {
    for (Value v = 0; v < u.ops.size(); v++) {
      if (u.ops[v].code == Opcode::invert) inverse_[u.ops[v].a] = v;
      if (u.ops[v].code == Opcode::count_down) down_[u.ops[v].a] = v;
    }
    for (Value v = 0; v < u.ops.size(); v++)
      if (const Value down = counted_down(v); down != kNone) is_zero_[down] = v;
  }
  void run() {
    for (u32 b = 0; b < u_.blocks.size(); b++) block(b);
    for (u32 b = 0; b < u_.blocks.size(); b++) tell_phis(b);
    for (Op& op : u_.ops)
      if (const auto v = static_cast<Value>(&op - u_.ops.data()); is_zero_[v] != kNone && !saturates_[v])
        op.code = Opcode::add, op.b = kMinusOne;
  }

 private:
  using Known = std::vector<std::pair<Value, Value>>;  // a value and the constant it is

  bool is_exit(const BasicBlock& block, u32 n) const { return n < block.end && u_.ops[n].code == Opcode::exit_if; }

  /// Of a comparison of a count with 0: the count after counting down.
  Value counted_down(Value v) const {
    const Op& op = u_.ops[v];
    if (op.code != Opcode::cmp_eq || u_.ops[op.b].code != Opcode::constant || u_.ops[op.b].imm) return kNone;
    return down_[op.a];
  }
  void learn_one(Known& known, Value v, bool one) const {
    known.push_back({v, one ? kOne : kZero});
    if (const Value down = one ? counted_down(v) : kNone; down != kNone) known.push_back({down, kZero});
  }
  void learn(Known& known, Value v, bool one) const {
    learn_one(known, v, one);
    if (u_.ops[v].code == Opcode::invert) learn_one(known, u_.ops[v].a, !one);
    if (inverse_[v] != kNone) learn_one(known, inverse_[v], !one);
  }
  /// Notes a use of `v` after it was replaced: unless the count is known to be above 0 there, it must stay at 0.
  void note_use(Value v, const Known& known) {
    if (v != kNone && is_zero_[v] != kNone && look_up(known, is_zero_[v]) != kZero) saturates_[v] = true;
  }
  void note_uses(u32 list, const Known& known) {
    for (const PendingWrite& w : u_.lists[list]) note_use(w.value, known);
  }
  static Value look_up(const Known& known, Value v) {
    for (const auto& [value, constant] : known)
      if (value == v) return constant;
    return v;
  }
  u32 rewritten(u32 list, const Known& known) {
    const auto knows = [&](const PendingWrite& w) { return look_up(known, w.value) != w.value; };
    if (std::none_of(u_.lists[list].begin(), u_.lists[list].end(), knows)) return list;
    std::vector<PendingWrite> copy = u_.lists[list];
    for (PendingWrite& w : copy) w.value = look_up(known, w.value);
    u_.lists.push_back(std::move(copy));
    return static_cast<u32>(u_.lists.size() - 1);
  }

  /// What is known on the edge between two blocks. Nothing about the branch when both its ways lead there.
  Known on_edge(u32 from, u32 to) const {
    const BasicBlock& block = u_.blocks[from];
    const Successors next = successors(u_, block);
    Known known = at_end_[from];
    if (block.end == block.first || !is_exit(block, block.end - 1) || (next.count == 2 && next.to[0] == next.to[1])) return known;
    const Op& branch = u_.ops[block.end - 1];
    if (u_.exits[branch.imm].block == to) learn(known, branch.a, true);
    else learn(known, branch.a, false);
    return known;
  }

  void block(u32 b) {
    BasicBlock& block = u_.blocks[b];
    Known known;
    if (block.preds.size() == 1 && block.preds[0] < b) known = on_edge(block.preds[0], b);
    for (u32 n = block.first; n < block.end; n++) {
      Op& op = u_.ops[n];
      if (op.code == Opcode::exit_if) {
        Known taken = known;
        learn(taken, op.a, true);
        op.pending = rewritten(op.pending, taken);
        note_use(op.a, known);
        note_uses(op.pending, taken);
        if (n + 1 < block.end) learn(known, op.a, false);
        continue;
      }
      op.pending = rewritten(op.pending, known);
      if (info(op.code).effect == Effect::Pure)
        for (Value* v : {&op.a, &op.b, &op.c})
          if (*v != kNone) *v = look_up(known, *v);
      for (Value v : {op.a, op.b, op.c, op.guard}) note_use(v, known);
      note_uses(op.pending, known);
    }
    at_end_[b] = known;
    if (block.end > block.first && is_exit(block, block.end - 1)) learn(known, u_.ops[block.end - 1].a, false);
    block.pending = rewritten(block.pending, known);
    note_uses(block.pending, known);
    if (const auto* indirect = std::get_if<LeaveIndirect>(&block.terminal)) note_use(indirect->target, known);
  }

  void tell_phis(u32 b) {
    BasicBlock& block = u_.blocks[b];
    for (size_t k = 0; k < block.preds.size(); k++) {
      const Known known = on_edge(block.preds[k], b);
      for (u32 n = block.first; n < block.end && is_phi(u_.ops[n]); n++) {
        Value& v = u_.phis[u_.ops[n].imm][k];
        v = look_up(known, v);
        note_use(v, known);
      }
    }
  }

  Unit& u_;
  std::vector<Value> inverse_;
  std::vector<Value> down_;      // by count: what counting down makes of it
  std::vector<Value> is_zero_;   // by count_down: a comparison of its operand with 0
  std::vector<bool> saturates_;  // by count_down: whether somebody needs the 0 that stays 0
  std::vector<Known> at_end_;  // by block, without what its last operation tells
};

/// Where compares go: directly in front of the branch that they decide, and with them the writes of predicates that they decide.
class Sinker {
 public:
  explicit Sinker(Unit& u) : u_(u), late_(u.ops.size(), kNone) {}
  void run() {
    for (u32 b = 0; b < u_.blocks.size(); b++) note_branches(u_.blocks[b]);
    renumber();
  }

 private:
  static bool is_predicate_write(const Op& op) { return op.code == Opcode::set && Location::unpack(op.imm).file == File::Predicate; }

  bool uses(const Op& op, Value v) const {
    if (op.a == v || op.b == v || op.c == v || op.guard == v) return true;
    for (const PendingWrite& w : u_.lists[op.pending])
      if (w.value == v) return true;
    return false;
  }
  /// Whether what `write` writes may as well be written at `to`: nobody looks before, or writes the same place.
  bool may_wait(u32 write, u32 to) const {
    for (u32 n = write + 1; n < to; n++) {
      const Op& op = u_.ops[n];
      const Effect effect = info(op.code).effect;
      if (effect != Effect::Pure && (op.code != Opcode::set || op.imm == u_.ops[write].imm)) return false;
    }
    return true;
  }
  /// Whether `relation` may be made at the branch `to`, and `inverse` of it: all uses in between are the writes in `writes`, which wait too.
  bool may_sink(Value relation, Value inverse, u32 to, std::vector<u32>& writes) const {
    for (u32 n = relation + 1; n < to; n++) {
      const Op& op = u_.ops[n];
      if (n == inverse || (!uses(op, relation) && (inverse == kNone || !uses(op, inverse)))) continue;
      if (!is_predicate_write(op) || !may_wait(n, to)) return false;
      writes.push_back(n);
    }
    return true;
  }
  void note_branches(const BasicBlock& block) {
    std::vector<u32> writes;
    for (u32 n = block.first; n < block.end; n++) {
      if (u_.ops[n].code != Opcode::exit_if) continue;
      const Value condition = u_.ops[n].a;
      if (condition < block.first || late_[condition] != kNone) continue;
      const Value relation = u_.ops[condition].code == Opcode::invert ? u_.ops[condition].a : condition;
      if (relation < block.first || late_[relation] != kNone || !is_relation(u_.ops[relation].code)) continue;
      writes.clear();
      const Value inverse = relation == condition ? inverse_of(relation, n) : condition;
      if (!may_sink(relation, inverse, n, writes)) continue;
      late_[relation] = n;
      if (inverse != kNone) late_[inverse] = n;
      for (u32 w : writes) late_[w] = n;
    }
  }
  Value inverse_of(Value relation, u32 to) const {
    for (Value n = relation + 1; n < to; n++)
      if (u_.ops[n].code == Opcode::invert && u_.ops[n].a == relation) return n;
    return kNone;
  }
  void renumber() {
    std::vector<Value> number(u_.ops.size());
    std::vector<Op> moved;
    moved.reserve(u_.ops.size());
    const auto put = [&](Value n) { number[n] = static_cast<Value>(moved.size()), moved.push_back(u_.ops[n]); };
    for (const BasicBlock& block : u_.blocks)
      for (u32 n = block.first; n < block.end; n++) {
        if (late_[n] != kNone) continue;
        if (u_.ops[n].code == Opcode::exit_if)
          for (u32 k = block.first; k < n; k++)
            if (late_[k] == n) put(k);
        put(n);
      }
    u_.ops = std::move(moved);
    each_value(u_, [&](Value& v) { v = v == kNone ? v : number[v]; });
  }

  Unit& u_;
  std::vector<Value> late_;  // the branch that an operation moves to
};

}  // namespace

void use_branch_facts(Unit& unit) {
  make_blocks(unit);
  put_constants_in_front(unit);
  Facts(unit).run();
}

void sink_compares(Unit& unit) {
  make_blocks(unit);
  Sinker(unit).run();
}

}  // namespace ia64::cpu::ir
