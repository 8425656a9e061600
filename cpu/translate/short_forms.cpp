// A pass that finds forms for which the host has one instruction: sums with a shifted operand, steps that depend on a predicate. And values that
// only ways out need are left to them: inversions of predicates.
#include <optional>

#include "cpu/translate/each_value.h"

namespace ia64::cpu::ir {

namespace {

/// Which values are 0 or 1.
std::vector<bool> find_booleans(const Unit& u) {
  // All that may be are taken for 0 or 1 first, which goes around loops; what is contradicted goes.
  std::vector<bool> boolean(u.ops.size(), true);
  const auto is = [&](Value v) { return v != kNone && boolean[v]; };
  const auto look = [&](const Op& op) {
    switch (op.code) {
      case Opcode::constant: return op.imm <= 1;
      case Opcode::get: {
        const File file = Location::unpack(op.imm).file;
        return file == File::Predicate || file == File::RotatingPredicate;
      }
      case Opcode::phi:
        for (Value v : u.phis[op.imm])
          if (!is(v)) return false;
        return true;
      case Opcode::and_: return is(op.a) || is(op.b);
      case Opcode::andn: return is(op.a);
      case Opcode::or_:
      case Opcode::xor_: return is(op.a) && is(op.b);
      case Opcode::select: return is(op.b) && is(op.c);
      default: return op.code >= Opcode::cmp_eq && op.code <= Opcode::invert;
    }
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (Value v = 0; v < u.ops.size(); v++)
      if (boolean[v] && !look(u.ops[v])) boolean[v] = false, changed = true;
  }
  return boolean;
}

class ShortForms {
 public:
  explicit ShortForms(Unit& u) : u_(u), boolean_(find_booleans(u)), same_(u.ops.size()) {}
  void run() {
    for (Value n = 0; n < u_.ops.size(); n++) {
      Op& op = u_.ops[n];
      each_operand(op, [&](Value& v) { v = same_[v]; });
      same_[n] = n;
      if (op.code == Opcode::select) op = reduced(op);
      if (const Value copy = copied(op); copy != kNone) same_[n] = copy;
      else if (const auto other = shorter(op)) op = *other;
    }
    each_outer_use(u_, [&](Value& v) { v = same_[v]; });
  }

 private:
  bool is_constant(Value v, u64 k) const { return u_.ops[v].code == Opcode::constant && u_.ops[v].imm == k; }
  bool is_boolean(Value v) const { return boolean_[v]; }

  Value copied(const Op& op) const {
    if (op.code == Opcode::invert && u_.ops[op.a].code == Opcode::invert) return u_.ops[op.a].a;
    if (op.code == Opcode::and_ && is_constant(op.a, 1) && is_boolean(op.b)) return op.b;
    if (op.code == Opcode::and_ && is_constant(op.b, 1) && is_boolean(op.a)) return op.a;
    if (op.code == Opcode::select && is_constant(op.b, 1) && is_constant(op.c, 0)) return op.a;
    return kNone;
  }
  /// Selections by the same condition have decided already.
  Op reduced(Op op) const {
    const Value inverse = u_.ops[op.a].code == Opcode::invert ? u_.ops[op.a].a : kNone;
    const auto decided = [&](Value arm, bool yes) {
      for (const Op* s = &u_.ops[arm]; s->code == Opcode::select && (s->a == op.a || s->a == inverse); s = &u_.ops[arm])
        arm = (s->a == op.a) == yes ? s->b : s->c;
      return arm;
    };
    op.b = decided(op.b, true), op.c = decided(op.c, false);
    if (inverse != kNone && is_constant(op.b, 0) && is_constant(op.c, 1)) op.a = inverse, std::swap(op.b, op.c);
    return op;
  }
  std::optional<Op> shorter(const Op& op) const {
    if (op.code == Opcode::add) return sum(op);
    if (op.code == Opcode::select) return selection(op);
    return std::nullopt;
  }
  std::optional<Op> sum(const Op& op) const {
    const auto with = [&](Value shifted, Value other) -> std::optional<Op> {
      const Op& shift = u_.ops[shifted];
      if (shift.code != Opcode::shl_imm || shift.imm > 3) return std::nullopt;
      return Op{.code = Opcode::scaled_add, .a = shift.a, .b = other, .imm = shift.imm};
    };
    if (const auto first = with(op.a, op.b)) return first;
    return with(op.b, op.a);
  }
  std::optional<Op> selection(const Op& op) const {
    if (const auto step = stepped(op.a, op.b, op.c)) return step;
    if (u_.ops[op.a].code == Opcode::invert) {  // the other way round
      const Op other{.code = Opcode::select, .a = u_.ops[op.a].a, .b = op.c, .c = op.b};
      const auto shorter = selection(other);
      return shorter ? shorter : other;
    }
    if (is_constant(op.b, 0) && is_constant(op.c, 1)) return Op{.code = Opcode::invert, .a = op.a};
    if (is_constant(op.c, 0) && is_boolean(op.b)) return Op{.code = Opcode::and_, .a = op.b, .b = op.a};
    if (is_constant(op.b, 1) && is_boolean(op.c)) return Op{.code = Opcode::or_, .a = op.c, .b = op.a};
    if (is_constant(op.b, 0) && is_boolean(op.c)) return Op{.code = Opcode::andn, .a = op.c, .b = op.a};
    return std::nullopt;
  }
  /// condition ? from + k : from
  std::optional<Op> stepped(Value condition, Value to, Value from) const {
    const Op& sum = u_.ops[to];
    if (sum.code != Opcode::add) return std::nullopt;
    const Value step = sum.a == from ? sum.b : sum.b == from ? sum.a : kNone;
    if (step == kNone) return std::nullopt;
    if (is_constant(step, ~u64{0})) return Op{.code = Opcode::sub, .a = from, .b = condition};
    for (u64 scale = 0; scale <= 3; scale++)
      if (is_constant(step, u64{1} << scale)) return Op{.code = Opcode::scaled_add, .a = condition, .b = from, .imm = scale};
    return std::nullopt;
  }

  Unit& u_;
  std::vector<bool> boolean_;
  std::vector<Value> same_;
};

}  // namespace

void find_short_forms(Unit& unit) {
  make_blocks(unit);
  ShortForms(unit).run();
}

void leave_inversions_to_exits(Unit& unit) {
  make_blocks(unit);
  std::vector<bool> used(unit.ops.size());
  const auto note = [&](Value& v) { used[v] = true; };
  for (Op& op : unit.ops) each_operand(op, note);
  for (auto& phi : unit.phis)
    for (Value& v : phi) note(v);
  const auto is_predicate = [](const PendingWrite& w) {
    const File file = Location::unpack(w.location).file;
    return file == File::Predicate || file == File::RotatingPredicate;
  };
  for (auto& list : unit.lists)
    for (PendingWrite& w : list)
      if (!is_predicate(w)) note(w.value);
  for (auto& list : unit.lists)
    for (PendingWrite& w : list) {
      const Op& op = unit.ops[w.value];
      if (!used[w.value] && op.code == Opcode::invert && is_predicate(w)) w.value = op.a, w.inverse = true;
    }
}

}  // namespace ia64::cpu::ir
