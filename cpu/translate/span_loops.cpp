// A pass that gives loops which walk through memory rounds without look-ups: as many as stay on the pages that the loop is on.
#include <algorithm>
#include <optional>

#include "cpu/translate/each_value.h"
#include "cpu/translate/memory_form.h"

namespace ia64::cpu::ir {

namespace {

constexpr u64 kPageBytes = 4096;
/// Fewer rounds do not pay for finding out that there are so many.
constexpr u64 kFewest = 8;
/// More never follow each other: a step of one byte through a page.
constexpr u64 kMost = kPageBytes;

/// An address that changes by the same amount in each round.
struct Walk {
  Value base = kNone;       ///< a phi of the loop, or a value from outside
  Value next = kNone;       ///< the base at the start of the next round
  i64 step = 0;
  i64 anchor = 0;           ///< offset of the widest access
  i64 low = 0, high = 0;    ///< bytes from the base that a round touches
  unsigned size = 0;        ///< of the widest access
  bool by_table[2] = {};    ///< reads, writes
  Value distance[2] = {kNone, kNone};  ///< from the guest's to the host's address, by table
};

struct Access {
  Value op;
  size_t walk;
  i64 offset;
  unsigned size;
  bool write;
};

struct Affine {
  Value base;
  i64 offset;
};

unsigned size_of(Opcode c) {
  const Opcode first = c >= Opcode::store8 ? Opcode::store8 : Opcode::load8;
  return 1u << (static_cast<unsigned>(c) - static_cast<unsigned>(first));
}

/// One loop of one block. The loop's way back leads to the gate, which finds out how many rounds are possible without look-ups. When there
/// are some, it leads to a copy of the block that does them, else to the block. Behind the last of those rounds the block does one.
class SpanLoop {
 public:
  SpanLoop(Unit& u, u32 block) : u_(u), loop_(block) {}
  bool fits() { return is_loop() && can_do_all() && step_evenly(); }
  void make();

 private:
  const BasicBlock& block() const { return u_.blocks[loop_]; }
  const Op& op(Value v) const { return u_.ops[v]; }
  bool inside(Value v) const { return v != kNone && v >= block().first && v < block().end; }
  bool is_constant(Value v) const { return op(v).code == Opcode::constant; }
  bool is_constant(Value v, u64 k) const { return is_constant(v) && op(v).imm == k; }
  Value back_operand(Value phi) const { return u_.phis[op(phi).imm][pred_]; }

  bool is_loop();
  bool counts(Value condition);
  bool can_do_all();
  bool note_access(Value v);
  bool step_evenly();
  Affine affine(Value v) const;
  std::optional<i64> step_of(Value base) const;
  size_t walk_of(Value base);

  // Building.
  Value emit(Op o) { return u_.ops.push_back(o), static_cast<Value>(u_.ops.size() - 1); }
  Value constant(u64 k) { return emit({.code = Opcode::constant, .imm = k}); }
  Value binary(Opcode c, Value a, Value b) { return emit({.code = c, .a = a, .b = b}); }
  Value smaller(Value a, Value b) { return emit({.code = Opcode::select, .a = binary(Opcode::cmp_lt, a, b), .b = a, .c = b}); }
  void require(Value condition) { all_ = all_ == kNone ? condition : binary(Opcode::and_, all_, condition); }
  void require_not(Value v) { require(emit({.code = Opcode::invert, .a = v})); }
  Value rounds_of(Walk& w, Value most);
  Value limit();
  u32 begin_block();
  void end_block(Terminal t) { u_.blocks.back().end = static_cast<u32>(u_.ops.size()), u_.blocks.back().terminal = t; }
  unsigned exit_to(u32 to, u16 executed);
  Value moved(Value v) const { return inside(v) ? moved_[v - block().first] : v; }
  u32 moved_list(u32 list);
  void copy_loop();
  void copy(Value n);

  Unit& u_;
  const u32 loop_;
  size_t pred_ = 0;            // of the way back among the block's predecessors
  unsigned back_ = 0;          // the exit that leads back
  u32 back_pending_ = 0;
  bool ends_in_branch_ = false;  // the last operation leads back when a condition holds
  Value count_ = kNone;        // phi that counts down to the end of the loop
  Value window_ = kNone;       // phi of the place in a window that slides each round
  bool shifts_ = false;
  std::vector<Walk> walks_;
  std::vector<Access> accesses_;
  const Insn* insn_ = nullptr;
  Value all_ = kNone;          // of the gate: all conditions so far
  std::vector<Value> moved_;   // the copy's name of an operation
};

bool SpanLoop::is_loop() {
  const BasicBlock& b = block();
  if (b.end == b.first || !b.loop_end) return false;
  const auto self = std::find(b.preds.begin(), b.preds.end(), loop_);
  if (self == b.preds.end() || std::count(b.preds.begin(), b.preds.end(), loop_) != 1) return false;
  pred_ = static_cast<size_t>(self - b.preds.begin());
  const Op& last = op(b.end - 1);
  const auto* leave = std::get_if<Leave>(&b.terminal);
  const bool falls_out = leave && u_.exits[leave->exit].block == kOutside;
  if (last.code == Opcode::exit_if && u_.exits[last.imm].block == loop_) {
    ends_in_branch_ = true, back_ = static_cast<unsigned>(last.imm), back_pending_ = last.pending, insn_ = last.insn;
    return counts(last.a) || falls_out;
  }
  if (!leave || u_.exits[leave->exit].block != loop_) return false;
  back_ = leave->exit, back_pending_ = b.pending;
  return true;
}

/// Whether the branch back is taken as long as a number that counts down is not 0.
bool SpanLoop::counts(Value condition) {
  Value v = condition;
  if (op(v).code != Opcode::invert) return false;
  v = op(v).a;
  if (op(v).code != Opcode::cmp_eq || !is_constant(op(v).b, 0)) return false;
  v = op(v).a;
  if (!inside(v)) return false;
  const Value phi = op(v).code == Opcode::phi ? v : op(v).a;
  if (!inside(phi) || op(phi).code != Opcode::phi) return false;
  const Value next = back_operand(phi);
  if (!inside(next) || op(next).a != phi || (v != phi && v != next)) return false;
  const Op& down = op(next);
  const bool steps = down.code == Opcode::count_down || (down.code == Opcode::sub && is_constant(down.b, 1));
  if (steps) count_ = phi;
  return steps;
}

/// Whether all operations can be done without leaving but by exits from the unit.
bool SpanLoop::can_do_all() {
  for (Value n = block().first; n < block().end; n++) {
    const Op& o = op(n);
    if (o.insn && !insn_) insn_ = o.insn;
    switch (o.code) {
      case Opcode::phi: continue;
      case Opcode::window_get:
      case Opcode::window_set: continue;
      case Opcode::slide:
        if (o.guard != kNone || window_ != kNone || !inside(o.a) || op(o.a).code != Opcode::phi || back_operand(o.a) != n) return false;
        window_ = o.a;
        continue;
      case Opcode::exit_if:
        if (u_.exits[o.imm].block != kOutside && n + 1 != block().end) return false;
        continue;
      case Opcode::load8: case Opcode::load16: case Opcode::load32: case Opcode::load64:
      case Opcode::store8: case Opcode::store16: case Opcode::store32: case Opcode::store64:
        if (!note_access(n)) return false;
        continue;
      default:
        if (info(o.code).effect != Effect::Pure || info(o.code).result != ValueClass::Integer) return false;
    }
  }
  const bool last_is_inner = op(block().end - 1).code == Opcode::exit_if && u_.exits[op(block().end - 1).imm].block != kOutside;
  return !accesses_.empty() && insn_ && last_is_inner == ends_in_branch_;
}

Affine SpanLoop::affine(Value v) const {
  i64 offset = 0;
  for (;;) {
    const Op& o = op(v);
    if (!inside(v) || o.code == Opcode::phi || o.code == Opcode::constant) return {v, offset};
    if (o.code == Opcode::add && (is_constant(o.a) || is_constant(o.b))) {
      offset += static_cast<i64>(op(is_constant(o.a) ? o.a : o.b).imm);
      v = is_constant(o.a) ? o.b : o.a;
    } else if (o.code == Opcode::sub && is_constant(o.b)) {
      offset -= static_cast<i64>(op(o.b).imm);
      v = o.a;
    } else {
      return {kNone, 0};
    }
  }
}

/// By how much phi `base` changes in each round but the first. What follows another phi changes as that one does, a round later.
std::optional<i64> SpanLoop::step_of(Value base) const {
  const Affine next = affine(back_operand(base));
  if (next.base == base) return next.offset;
  if (!inside(next.base) || op(next.base).code != Opcode::phi) return {};
  const Affine ahead = affine(back_operand(next.base));
  return ahead.base == next.base ? std::optional(ahead.offset) : std::nullopt;
}

size_t SpanLoop::walk_of(Value base) {
  for (size_t k = 0; k < walks_.size(); k++)
    if (walks_[k].base == base) return k;
  Walk w;
  w.base = w.next = base;
  if (inside(base) && op(base).code == Opcode::phi) {
    w.next = back_operand(base);
    const std::optional<i64> step = step_of(base);
    if (!step) return walks_.size();
    w.step = *step;
  }
  walks_.push_back(w);
  return walks_.size() - 1;
}

bool SpanLoop::note_access(Value v) {
  const Op& o = op(v);
  const MemoryForm form = MemoryForm::unpack(o.imm);
  const bool write = o.code >= Opcode::store8;
  if (o.guard != kNone || (form.kind != LoadKind::Plain && form.kind != LoadKind::Speculative)) return false;
  const Affine at = affine(o.a);
  if (at.base == kNone) return false;
  const size_t k = walk_of(at.base);
  if (k == walks_.size()) return false;
  const unsigned size = size_of(o.code);
  Walk& w = walks_[k];
  if (w.size == 0) w.low = w.high = at.offset;
  w.low = std::min(w.low, at.offset), w.high = std::max(w.high, at.offset + static_cast<i64>(size));
  if (size > w.size) w.size = size, w.anchor = at.offset;
  w.by_table[write] = true;
  accesses_.push_back({v, k, at.offset, size, write});
  return true;
}

/// Whether an aligned widest access makes all others aligned, now and in all rounds; and a page holds several rounds.
bool SpanLoop::step_evenly() {
  for (const Walk& w : walks_) {
    const i64 far = static_cast<i64>(kPageBytes / (2 * kFewest));
    if (w.step % static_cast<i64>(w.size) || w.step > far || w.step < -far || w.high - w.low > far) return false;
  }
  return std::all_of(accesses_.begin(), accesses_.end(),
                     [this](const Access& a) { return (a.offset - walks_[a.walk].anchor) % static_cast<i64>(a.size) == 0; });
}

// --- the gate ------------------------------------------------------------------------------------------------------

u32 SpanLoop::begin_block() {
  BasicBlock b;
  b.first = b.end = static_cast<u32>(u_.ops.size());
  b.part = block().part, b.frame = block().frame, b.needed = block().needed, b.depth = block().depth;
  u_.blocks.push_back(std::move(b));
  return static_cast<u32>(u_.blocks.size() - 1);
}

/// A copy of the way back that leads to `to`.
unsigned SpanLoop::exit_to(u32 to, u16 executed) {
  Exit e = u_.exits[back_];
  e.block = to, e.executed = executed;
  u_.exits.push_back(e);
  return static_cast<unsigned>(u_.exits.size() - 1);
}

/// How many rounds from the next one on stay on the page that it begins on, at most `most`. Requires that there is such memory.
Value SpanLoop::rounds_of(Walk& w, Value most) {
  const Value at = w.anchor ? binary(Opcode::add, w.next, constant(static_cast<u64>(w.anchor))) : w.next;
  for (const bool write : {false, true}) {
    if (!w.by_table[write]) continue;
    const Value host = emit({.code = Opcode::host_of, .a = at, .imm = w.size | u64{write} << 8, .insn = insn_});
    require_not(binary(Opcode::cmp_eq, host, constant(0)));
    w.distance[write] = binary(Opcode::sub, host, at);
  }
  const i64 low = w.low - w.anchor, high = w.high - w.anchor;
  const Value offset = binary(Opcode::and_, at, constant(kPageBytes - 1));
  if (low < 0 && w.step >= 0) require_not(binary(Opcode::cmp_lt, offset, constant(static_cast<u64>(-low))));
  if (high > w.size && w.step <= 0) require_not(binary(Opcode::cmp_lt, constant(kPageBytes - static_cast<u64>(high)), offset));
  if (w.step == 0) return most;
  const Value room = w.step > 0 ? binary(Opcode::sub, constant(kPageBytes - static_cast<u64>(high)), offset)
                                : binary(Opcode::add, offset, constant(static_cast<u64>(low)));
  unsigned shift = 0;
  while (i64{1} << shift < (w.step > 0 ? w.step : -w.step)) shift++;
  const Value more = shift ? emit({.code = Opcode::sar_imm, .a = room, .imm = shift}) : room;
  return smaller(binary(Opcode::add, more, constant(1)), most);
}

/// The rounds as the number of instructions at which they end: the loop has only that to count.
Value SpanLoop::limit() {
  Value rounds = constant(kMost);
  if (count_ != kNone) {
    const Value count = back_operand(count_), few = binary(Opcode::cmp_ltu, count, rounds);
    rounds = emit({.code = Opcode::select, .a = few, .b = binary(Opcode::sub, count, constant(1)), .c = rounds});
  }
  if (window_ != kNone) rounds = smaller(back_operand(window_), rounds);
  for (Walk& w : walks_) rounds = rounds_of(w, rounds);
  if (std::any_of(walks_.begin(), walks_.end(), [](const Walk& w) { return w.by_table[1]; }))
    require(emit({.code = Opcode::alat_is_empty, .insn = insn_}));
  const u64 round = u_.exits[back_].executed;
  const Value left = emit({.code = Opcode::instructions_left, .insn = insn_}), needed = constant(block().needed);
  const Value end = binary(Opcode::sub, left, emit({.code = Opcode::mul_imm, .a = rounds, .imm = round}));
  const Value low = binary(Opcode::cmp_lt, end, needed);
  const Value limit = emit({.code = Opcode::select, .a = low, .b = needed, .c = end});
  require(binary(Opcode::cmp_lt, binary(Opcode::add, limit, constant(kFewest * round - 1)), left));
  return limit;
}

// --- the rounds ----------------------------------------------------------------------------------------------------

u32 SpanLoop::moved_list(u32 list) {
  if (!list) return 0;
  std::vector<PendingWrite> writes = u_.lists[list];
  for (PendingWrite& w : writes) w.value = moved(w.value);
  u_.lists.push_back(std::move(writes));
  return static_cast<u32>(u_.lists.size() - 1);
}

void SpanLoop::copy(Value n) {
  Op o = op(n);
  if (o.code == Opcode::constant) {
    moved_[n - block().first] = n;
    return;
  }
  const auto access = std::find_if(accesses_.begin(), accesses_.end(), [n](const Access& a) { return a.op == n; });
  const bool shifts = o.code == Opcode::shl || o.code == Opcode::shr;
  if (shifts && !inside(o.b)) o.imm = kCountInRange;
  each_operand(o, [this](Value& v) { v = moved(v); });
  if (o.code == Opcode::count_down && o.a == moved(count_)) o.code = Opcode::sub, o.b = constant(1);
  if (o.code == Opcode::slide) {
    Slide s = Slide::unpack(o.imm);
    s.has_room = true;
    o.imm = s.pack();
  }
  if (o.code == Opcode::exit_if) {
    const Exit e = u_.exits[o.imm];
    u_.exits.push_back(e);
    o.imm = u_.exits.size() - 1, o.pending = moved_list(o.pending);
  }
  if (access != accesses_.end()) {
    const u64 how = access->size | u64{MemoryForm::unpack(o.imm).swap} << 8;
    const Value distance = walks_[access->walk].distance[access->write];
    if (access->write) o = {.code = Opcode::direct_store, .a = o.a, .b = distance, .c = o.b, .imm = how, .insn = o.insn};
    else o = {.code = Opcode::direct_load, .a = o.a, .b = distance, .imm = how, .insn = o.insn};
  }
  moved_[n - block().first] = emit(o);
}

/// The operations of the block, then what is left of its end.
void SpanLoop::copy_loop() {
  const Value end = block().end - (ends_in_branch_ ? 1 : 0);
  Value n = block().first;
  for (; n < end && is_phi(op(n)); n++) {
    const Value next = back_operand(n);
    moved_[n - block().first] = emit({.code = Opcode::phi, .imm = u_.phis.size()});
    u_.phis.push_back({next, kNone});
  }
  for (; n < end; n++) copy(n);
  for (Value phi = block().first; phi < block().end && is_phi(op(phi)); phi++)
    u_.phis[op(moved(phi)).imm][1] = moved(back_operand(phi));
  if (!ends_in_branch_ || count_ != kNone) return;
  // What the branch decides goes the other way: out.
  const Op branch = op(block().end - 1);
  const Exit out = u_.exits[std::get<Leave>(block().terminal).exit];
  const u32 pending = block().pending;
  u_.exits.push_back(out);
  const Value condition = moved(branch.a);
  const Value ends = op(condition).code == Opcode::invert ? op(condition).a : emit({.code = Opcode::invert, .a = condition});
  emit({.code = Opcode::exit_if, .a = ends, .imm = u_.exits.size() - 1, .insn = branch.insn, .pending = moved_list(pending)});
}

void SpanLoop::make() {
  moved_.assign(block().end - block().first, kNone);
  const u16 round = u_.exits[back_].executed;
  const u8 depth = block().depth;
  std::vector<u32> gates;
  if (count_ != kNone) {  // short loops shall not pay for a look at their memory
    const u32 first = begin_block();
    const Value few = binary(Opcode::cmp_ltu, back_operand(count_), constant(kFewest + 1));
    emit({.code = Opcode::exit_if, .a = few, .imm = exit_to(loop_, 0), .insn = insn_, .pending = back_pending_});
    end_block(Goto{first + 1});
    u_.blocks[first].preds = {loop_};
    gates.push_back(first);
  }
  const u32 gate = begin_block(), rounds = gate + 1;
  u_.blocks[gate].preds = {gates.empty() ? loop_ : gates[0]};
  gates.push_back(gate);
  for (Value n = block().first; n < block().end; n++) {
    const Op o = op(n);
    if ((o.code == Opcode::shl || o.code == Opcode::shr) && !inside(o.b)) require(binary(Opcode::cmp_ltu, o.b, constant(64)));
  }
  const Value end = limit();
  emit({.code = Opcode::exit_if, .a = all_, .imm = exit_to(rounds, 0), .insn = insn_});
  end_block(Leave{exit_to(loop_, 0)});
  u_.blocks[gate].pending = back_pending_;

  begin_block();
  u_.blocks[rounds].preds = {gate, rounds};
  u_.blocks[rounds].depth = static_cast<u8>(depth + 1), u_.blocks[rounds].loop_end = rounds;
  copy_loop();
  emit({.code = Opcode::next_round, .a = end, .imm = exit_to(rounds, round), .insn = insn_});
  end_block(Leave{exit_to(loop_, 0)});
  u_.blocks[rounds].pending = moved_list(back_pending_);

  // The ways back into the loop: from the gate in place of its own, and behind the rounds.
  for (Value phi = block().first; phi < block().end && is_phi(op(phi)); phi++) {
    std::vector<Value>& from = u_.phis[op(phi).imm];
    const Value next = from[pred_];
    if (gates.size() > 1) from.push_back(next);
    from.push_back(moved(next));
  }
  BasicBlock& b = u_.blocks[loop_];
  b.preds[pred_] = gates[0];
  if (gates.size() > 1) b.preds.push_back(gates[1]);
  b.preds.push_back(rounds);
  u_.exits[back_].block = gates[0];
  for (u32 head = 0; head <= loop_; head++)
    if (u_.blocks[head].loop_end >= loop_) u_.blocks[head].loop_end = rounds;
}

}  // namespace

void make_span_loops(Unit& unit) {
  if (unit.blocks.size() < 2) return;
  const u32 count = static_cast<u32>(unit.blocks.size());
  for (u32 b = 1; b < count; b++)
    if (SpanLoop loop(unit, b); loop.fits()) loop.make(), unit.span_loops++;
}

}  // namespace ia64::cpu::ir
