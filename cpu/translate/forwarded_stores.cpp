// Loads of what was stored just before.
#include <optional>

#include "cpu/translate/ir.h"
#include "cpu/translate/memory_form.h"

namespace ia64::cpu::ir {

namespace {

/// An address as the sum of a value and a constant.
struct Place {
  Value base = kNone;
  u64 offset = 0;
};

/// What a block has stored through one base; nothing else was stored since.
struct Stored {
  u64 offset = 0;
  unsigned size = 0;
  bool swap = false;
  Value value = kNone;
};

/// A load's value: parts of it, each shifted to its place.
struct Piece {
  Value value = kNone;
  unsigned size = 0, shift = 0;
};

constexpr u64 kPageBytes = 4096;  // the smallest: places that are closer cannot be the same memory under two addresses
constexpr size_t kMostStores = 16;

unsigned size_behind(Opcode code, Opcode first) { return 1u << (static_cast<unsigned>(code) - static_cast<unsigned>(first)); }
bool is_store(Opcode c) { return c >= Opcode::store8 && c <= Opcode::store64; }
/// Whether an operation may write memory, or let somebody else write it.
bool leaves_memory_alone(Opcode c) {
  const Effect effect = info(c).effect;
  if (effect == Effect::Pure || effect == Effect::Read || effect == Effect::Write || effect == Effect::Phi) return true;
  return (c >= Opcode::load8 && c <= Opcode::fill64) || c == Opcode::touch || c == Opcode::exit_if || c == Opcode::check_nat;
}

class Forwarder {
 public:
  explicit Forwarder(Unit& u) : u_(u), number_(u.ops.size(), kNone) { out_.reserve(u.ops.size() + 16); }

  void run() {
    for (BasicBlock& block : u_.blocks) {
      const u32 first = static_cast<u32>(out_.size());
      base_ = kNone, stores_.clear();
      for (u32 n = block.first; n < block.end; n++) {
        const std::optional<Op> reload = reload_of(u_.ops[n]);
        const Op op = reload ? *reload : renamed(u_.ops[n]);
        follow(u_.ops[n]);
        number_[n] = static_cast<Value>(out_.size());
        out_.push_back(op);
      }
      block.first = first, block.end = static_cast<u32>(out_.size());
    }
    renumber(u_, std::move(out_), number_);
  }

 private:
  Value renamed(Value v) const { return v == kNone ? v : number_[v]; }
  Op renamed(Op op) const {
    for (Value* v : {&op.a, &op.b, &op.c, &op.guard}) *v = renamed(*v);
    return op;
  }
  Place place_of(Value v) const {
    Place p{v, 0};
    while (u_.ops[p.base].code == Opcode::add) {
      const Op& sum = u_.ops[p.base];
      const bool second = u_.ops[sum.b].code == Opcode::constant;
      if (!second && u_.ops[sum.a].code != Opcode::constant) break;
      p.offset += u_.ops[second ? sum.b : sum.a].imm;
      p.base = second ? sum.a : sum.b;
    }
    return p;
  }
  static bool near(u64 a, u64 b) { return a - b + kPageBytes / 2 < kPageBytes; }

  /// Remembers a store, forgets all when others may have been overwritten.
  void follow(const Op& op) {
    if (!is_store(op.code)) {
      if (!leaves_memory_alone(op.code)) stores_.clear();
      return;
    }
    const Place p = place_of(op.a);
    if (op.guard != kNone) return stores_.clear();
    if (p.base != base_ || stores_.size() == kMostStores) stores_.clear();
    for (const Stored& s : stores_)
      if (!near(s.offset, p.offset)) return stores_.clear();
    base_ = p.base;
    stores_.push_back({p.offset, size_behind(op.code, Opcode::store8), MemoryForm::unpack(op.imm).swap, op.b});
  }

  /// The newest stores that together are what lies at `offset`; empty when they are not all known.
  std::vector<Piece> pieces_of(u64 offset, int size, bool swap) const {
    std::vector<Piece> pieces;
    const unsigned all = (1u << size) - 1;
    unsigned covered = 0;
    for (size_t n = stores_.size(); n-- > 0 && covered != all;) {
      const Stored& s = stores_[n];
      const i64 at = static_cast<i64>(s.offset - offset), end = at + s.size;
      if (end <= 0 || at >= size) continue;
      if (at < 0 || end > size || (s.swap != swap && s.size > 1)) return {};
      const unsigned bytes = ((1u << s.size) - 1) << at;
      if ((bytes & covered) == bytes) continue;
      if (bytes & covered) return {};
      covered |= bytes;
      pieces.push_back({s.value, s.size, static_cast<unsigned>(8 * (swap ? size - end : at))});
    }
    return covered == all ? pieces : std::vector<Piece>{};
  }

  Value emit(const Op& op) {
    out_.push_back(op);
    return static_cast<Value>(out_.size() - 1);
  }
  /// The low bytes of a new-numbered value, the rest 0.
  Value low_bytes(Value v, unsigned size) {
    const Opcode had = out_[v].code;
    if (had >= Opcode::load8 && had <= Opcode::load64 && size_behind(had, Opcode::load8) <= size) return v;
    if (size == 8) return v;
    return emit({.code = size == 1 ? Opcode::zxt8 : size == 2 ? Opcode::zxt16 : Opcode::zxt32, .a = v});
  }

  /// What takes the place of a load, when its bytes are known; emits what that needs.
  std::optional<Op> reload_of(const Op& op) {
    if (op.code < Opcode::load8 || op.code > Opcode::load64 || op.guard != kNone || op.b != kNone || stores_.empty()) return std::nullopt;
    const MemoryForm form = MemoryForm::unpack(op.imm);
    const Place p = place_of(op.a);
    if (form.kind != LoadKind::Plain || p.base != base_) return std::nullopt;
    const unsigned size = size_behind(op.code, Opcode::load8);
    Value whole = kNone;
    for (const Piece& piece : pieces_of(p.offset, static_cast<int>(size), form.swap)) {
      Value part = low_bytes(renamed(piece.value), piece.size);
      if (piece.shift) part = emit({.code = Opcode::shl_imm, .a = part, .imm = piece.shift});
      whole = whole == kNone ? part : emit({.code = Opcode::or_, .a = whole, .b = part});
    }
    if (whole == kNone) return std::nullopt;
    Op reload = renamed(op);
    reload.code = Opcode(static_cast<unsigned>(Opcode::reload8) + static_cast<unsigned>(op.code) - static_cast<unsigned>(Opcode::load8));
    reload.b = whole;
    return reload;
  }

  Unit& u_;
  std::vector<Value> number_;
  std::vector<Op> out_;
  Value base_ = kNone;
  std::vector<Stored> stores_;
};

}  // namespace

void forward_stores(Unit& unit) {
  make_blocks(unit);
  Forwarder(unit).run();
}

}  // namespace ia64::cpu::ir
