// Passes that compute less: the same value once, and sums of shifted copies as one multiplication.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

namespace {

bool commutes(Opcode c) {
  return c == Opcode::add || c == Opcode::and_ || c == Opcode::or_ || c == Opcode::xor_ || c == Opcode::mul;
}
/// Operations worth remembering. Relations are not: one that only a branch uses needs no register.
bool is_sharable(Opcode c) { return c == Opcode::constant || (c >= Opcode::add && c <= Opcode::parallel_imm); }

/// What an operation computes.
struct Computation {
  Opcode code;
  Value a, b;
  u64 imm;
  bool operator==(const Computation&) const = default;
};
struct ComputationHash {
  size_t operator()(const Computation& c) const {
    u64 h = (c.imm + static_cast<u64>(c.code)) * 0x9e3779b97f4a7c15;
    h = (h ^ h >> 29 ^ (u64{c.a} << 32 | c.b)) * 0xc4ceb9fe1a85ec53;
    return h ^ h >> 32;
  }
};

class Sharer {
 public:
  explicit Sharer(Unit& u) : u_(u), same_(u.ops.size()), known_(u.blocks.size()) {
    for (Value v = 0; v < same_.size(); v++) same_[v] = v;
  }
  void run() {
    for (u32 b = 0; b < u_.blocks.size(); b++) block(b);
    for (auto& phi : u_.phis)
      for (Value& v : phi) rename(v);
    for (auto& list : u_.lists)
      for (PendingWrite& w : list) rename(w.value);
    for (BasicBlock& block : u_.blocks)
      if (auto* indirect = std::get_if<LeaveIndirect>(&block.terminal)) rename(indirect->target);
  }

 private:
  using Known = std::unordered_map<Computation, Value, ComputationHash>;

  void rename(Value& v) {
    if (v != kNone) v = same_[v];
  }
  /// A block knows what its only predecessor has computed; behind a call it would have to be kept in memory.
  void block(u32 b) {
    const BasicBlock& block = u_.blocks[b];
    Known known;
    if (block.preds.size() == 1 && block.preds[0] < b) known = known_[block.preds[0]];
    for (u32 n = block.first; n < block.end; n++) {
      Op& op = u_.ops[n];
      for (Value* v : {&op.a, &op.b, &op.c, &op.guard}) rename(*v);
      const Effect effect = info(op.code).effect;
      if (effect == Effect::Call || effect == Effect::Sync) known.clear();
      if (!is_sharable(op.code)) continue;
      Computation c{op.code, op.a, op.b, op.imm};
      if (commutes(op.code) && c.a > c.b) std::swap(c.a, c.b);
      same_[n] = known.try_emplace(c, n).first->second;
    }
    known_[b] = std::move(known);
  }

  Unit& u_;
  std::vector<Value> same_;
  std::vector<Known> known_;  // at the end of each block
};

/// A value whose low bits are those of a multiple of another one.
struct Multiple {
  Value base = kNone;
  u64 factor = 1;
  unsigned bits = 64;        ///< how many of them; all others may be anything
  unsigned operations = 0;   ///< that it takes to compute it
};

class Multiples {
 public:
  explicit Multiples(Unit& u) : u_(u), of_(u.ops.size()) {}
  void run() {
    for (Value n = 0; n < u_.ops.size(); n++) {
      Op& op = u_.ops[n];
      of_[n] = look(n, op);
      const Multiple& m = of_[n];
      if (m.operations >= kWorth && m.bits == 64) op = {.code = Opcode::mul_imm, .a = m.base, .imm = m.factor};
      else if (const auto field = field_of(op)) op = *field;
    }
  }

 private:
  /// Shifts and sums that are as slow as a multiplication and what it takes to make its constant.
  static constexpr unsigned kWorth = 5;

  bool mask(Value v, unsigned& width) const {
    if (v == kNone || u_.ops[v].code != Opcode::constant) return false;
    const u64 k = u_.ops[v].imm;
    width = static_cast<unsigned>(__builtin_popcountll(k));
    return k && (k & (k + 1)) == 0;
  }
  /// The operand that a mask of low bits is applied to, and how many bits it leaves.
  std::pair<Value, unsigned> masked(const Op& op) const {
    unsigned width = 32;
    if (op.code == Opcode::zxt32) return {op.a, width};
    if (op.code != Opcode::and_) return {kNone, 0};
    return mask(op.b, width) ? std::pair{op.a, width} : mask(op.a, width) ? std::pair{op.b, width} : std::pair{kNone, 0u};
  }
  Multiple look(Value n, const Op& op) const {
    const Multiple itself{.base = n};
    const auto with = [](Multiple m, unsigned bits, unsigned more) {
      return Multiple{m.base, m.factor, std::min(bits, m.bits), m.operations + more};
    };
    switch (op.code) {
      case Opcode::shl_imm: {
        Multiple m = of_[op.a];
        m.factor <<= op.imm, m.bits = static_cast<unsigned>(std::min<u64>(64, m.bits + op.imm)), m.operations++;
        return m;
      }
      case Opcode::add:
      case Opcode::sub: {
        const Multiple &a = of_[op.a], &b = of_[op.b];
        if (a.base != b.base || a.base == kNone) return itself;
        Multiple m = with(a, b.bits, b.operations + 1);
        m.factor = op.code == Opcode::add ? a.factor + b.factor : a.factor - b.factor;
        return m;
      }
      default: {
        const auto [value, width] = masked(op);
        return value == kNone ? itself : with(of_[value], width, 1);
      }
    }
  }
  /// A field of a multiple's low 32 bits.
  std::optional<Op> field_of(const Op& op) const {
    auto [value, width] = masked(op);
    if (value == kNone || width > 32) return std::nullopt;
    u64 position = 0;
    if (u_.ops[value].code == Opcode::rotr_imm) position = u_.ops[value].imm, value = u_.ops[value].a;
    const Multiple& m = of_[value];
    if (m.operations < kWorth || position + width > std::min(32u, m.bits)) return std::nullopt;
    return Op{.code = Opcode::mul_bits, .a = m.base, .imm = BitsOfProduct{static_cast<u32>(m.factor), u8(position), u8(width)}.pack()};
  }

  Unit& u_;
  std::vector<Multiple> of_;
};

}  // namespace

void share_values(Unit& unit) {
  make_blocks(unit);
  Sharer(unit).run();
}

void find_multiples(Unit& unit) {
  make_blocks(unit);
  Multiples(unit).run();
}

}  // namespace ia64::cpu::ir
