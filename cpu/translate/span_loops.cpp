// A pass that gives loops which walk through memory rounds without look-ups: as many as stay on the pages that the loop is on. Here: which
// loops these are, and what their rounds need.
#include <algorithm>

#include "cpu/translate/each_value.h"
#include "cpu/translate/memory_form.h"
#include "cpu/translate/span_loop.h"

namespace ia64::cpu::ir {

namespace {

constexpr i64 kMostOffset = 1 << 20;
constexpr i64 kFarthest = 4096 / 16;  ///< steps and spreads beyond leave few rounds to a page

unsigned size_of(Opcode c) {
  const Opcode first = c >= Opcode::store8 ? Opcode::store8 : Opcode::load8;
  return 1u << (static_cast<unsigned>(c) - static_cast<unsigned>(first));
}

}  // namespace

bool SpanLoop::fits() {
  if (!is_loop() || !can_do_all() || !step_evenly()) return false;
  find_lead();
  find_needed();
  return !redoes_ || can_redo();
}

bool SpanLoop::is_loop() {
  const BasicBlock& b = block();
  if (b.end == b.first || !b.loop_end) return false;
  tail_ = loop_;
  if (const auto* next = std::get_if<Goto>(&b.terminal); next && only_leads_back(next->block)) tail_ = next->block;
  if (b.loop_end < tail_ || std::count(b.preds.begin(), b.preds.end(), tail_) != 1) return false;
  pred_ = static_cast<size_t>(std::find(b.preds.begin(), b.preds.end(), tail_) - b.preds.begin());
  const Op& last = op(b.end - 1);
  const bool inner = last.code == Opcode::exit_if && u_.exits[last.imm].block != kOutside;
  const auto* leave = std::get_if<Leave>(&u_.blocks[tail_].terminal);
  if (inner && tail_ == loop_ && u_.exits[last.imm].block == loop_) {
    const bool falls_out = leave && u_.exits[leave->exit].block == kOutside;
    ends_in_branch_ = true, back_ = static_cast<unsigned>(last.imm), back_pending_ = last.pending, insn_ = last.insn;
    return counts(last.a) || falls_out;
  }
  if (!leave || u_.exits[leave->exit].block != loop_) return false;
  redoes_ = inner;
  back_ = leave->exit, back_pending_ = u_.blocks[tail_].pending;
  return true;
}

/// Whether a block does nothing but lead back to the loop's. What others made of it may still lie there, but not be used.
bool SpanLoop::only_leads_back(u32 b) const {
  const BasicBlock& tail = u_.blocks[b];
  const auto* leave = std::get_if<Leave>(&tail.terminal);
  if (b != loop_ + 1 || tail.preds.size() != 1 || !leave || u_.exits[leave->exit].block != loop_) return false;
  const auto there = [&tail](Value v) { return v >= tail.first && v < tail.end; };
  for (Value n = tail.first; n < tail.end; n++)
    if (info(op(n).code).effect != Effect::Pure) return false;
  for (const PendingWrite& w : u_.lists[tail.pending])
    if (there(w.value)) return false;
  for (Value v = block().first; v < block().end && is_phi(op(v)); v++)
    for (Value from : u_.phis[op(v).imm])
      if (there(from)) return false;
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

/// Whether all operations can be done without leaving but by exits from the unit, and by the last one.
bool SpanLoop::can_do_all() {
  for (Value n = block().first; n < block().end; n++) {
    const Op& o = op(n);
    if (o.insn && !insn_) insn_ = o.insn;
    switch (o.code) {
      case Opcode::phi: continue;
      case Opcode::window_get:
      case Opcode::window_set:
        if (!inside(o.a) || op(o.a).code != Opcode::phi) return false;
        continue;
      case Opcode::slide:
        if (o.guard != kNone || window_ != kNone || !inside(o.a) || op(o.a).code != Opcode::phi || back_operand(o.a) != n) return false;
        if (Slide::unpack(o.imm).floats) return false;
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
  const auto in_window = [this](Value n) { return op(n).code == Opcode::window_get || op(n).code == Opcode::window_set; };
  for (Value n = block().first; n < block().end; n++)
    if (in_window(n) && op(n).a != window_) return false;
  return !accesses_.empty() && insn_;
}

SpanLoop::Affine SpanLoop::affine(Value v) const {
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
    } else if ((o.code == Opcode::count_down && o.a == count_) || (o.code == Opcode::slide && o.a == window_)) {
      offset--;  // neither is 0 in these rounds
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
  if (next.base == kNone || !inside(next.base) || op(next.base).code != Opcode::phi) return {};
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
bool SpanLoop::step_evenly() const {
  for (const Walk& w : walks_)
    if (w.step % static_cast<i64>(w.size) || w.step > kFarthest || w.step < -kFarthest || w.high - w.low > kFarthest || w.low < -kMostOffset || w.high > kMostOffset)
      return false;
  return std::all_of(accesses_.begin(), accesses_.end(),
                     [this](const Access& a) { return (a.offset - walks_[a.walk].anchor) % static_cast<i64>(a.size) == 0; });
}

/// Of the numbers that step evenly one goes from round to round: that of rounds if there is one, else the shortest walk's.
void SpanLoop::find_lead() {
  for (Value v = block().first; v < block().end && is_phi(op(v)); v++) {
    const Value back = back_operand(v);
    const bool fixed = !inside(back) || is_constant(back);  // behind the first round, where the gate is
    const std::optional<i64> step = fixed ? 0 : step_of(v);
    phis_.push_back({.value = v, .step = step.value_or(0), .even = step.has_value()});
  }
  lead_ = window_ != kNone ? window_ : count_;
  if (lead_ != kNone) {
    lead_step_ = -1;
  } else {
    for (size_t k = 0; k < walks_.size(); k++) {
      const i64 step = walks_[k].step;
      if (step && (lead_walk_ == kNoWalk || std::abs(step) < std::abs(lead_step_))) lead_walk_ = k, lead_step_ = step;
    }
  }
  constexpr i64 kMostFactor = 1 << 20;
  for (Phi& p : phis_) {
    p.follows = p.even && (p.step == 0 || (lead_step_ && p.step % lead_step_ == 0));
    if (!p.follows || p.step == 0) continue;
    p.factor = p.step / lead_step_;
    p.follows = p.factor < kMostFactor && p.factor > -kMostFactor;
  }
}

SpanLoop::Phi* SpanLoop::phi_of(Value v) {
  const auto p = std::find_if(phis_.begin(), phis_.end(), [v](const Phi& p) { return p.value == v; });
  return p == phis_.end() ? nullptr : &*p;
}

/// Notes that the rounds compute `v`, not just their ways out or addresses.
void SpanLoop::need(Value v) {
  if (!inside(v)) return;
  const Affine sum = affine(v);
  if (Phi* const p = sum.base == kNone ? nullptr : phi_of(sum.base)) {
    if (p->value == lead_ || (p->follows && p->factor == 0)) return;  // is at hand
    if (p->follows) p->follows = false, need(back_operand(p->value));
  }
  if (needed_[v - block().first]) return;
  needed_[v - block().first] = true;
  const Op o = op(v);
  if (is_phi(o)) {
    need(back_operand(v));
    return;
  }
  const bool access = o.code >= Opcode::load8 && o.code <= Opcode::store64;
  if (!access && o.code != Opcode::slide && o.a != kNone) need(o.a);
  if (o.b != kNone && (!access || o.code >= Opcode::store8)) need(o.b);
  if (o.c != kNone) need(o.c);
}

/// What has an effect, decides something or is written on a way out, and what that takes.
void SpanLoop::find_needed() {
  const auto following = [this] { return std::count_if(phis_.begin(), phis_.end(), [](const Phi& p) { return p.follows; }); };
  for (auto before = following() + 1; before != following();) {  // what turned out not to follow is needed in more places
    before = following();
    needed_.assign(block().end - block().first, false);
    need_effects();
    for (const Phi& p : phis_)
      if (!p.follows && p.value != lead_) need(p.value);
  }
  for (const PendingWrite& w : u_.lists[back_pending_]) {
    const bool goes_on = std::any_of(phis_.begin(), phis_.end(), [&](const Phi& p) { return back_operand(p.value) == w.value; });
    const bool known = !inside(w.value) || is_constant(w.value) || goes_on || follows(w.value);
    if (!known && std::find(lasts_.begin(), lasts_.end(), w.value) == lasts_.end()) lasts_.push_back(w.value);
  }
  find_first();
}

/// Whether the lead tells what `v` is.
bool SpanLoop::follows(Value v) {
  const Affine sum = affine(v);
  const Phi* const p = sum.base == kNone ? nullptr : phi_of(sum.base);
  return p && (p->follows || p->value == lead_);
}

void SpanLoop::need_effects() {
  const auto need_list = [this](u32 list) {
    for (const PendingWrite& w : u_.lists[list])
      if (!follows(w.value)) need(w.value);
  };
  for (Value n = block().first; n < block().end; n++) {
    const Op o = op(n);
    if (n == closing() && count_ != kNone) continue;
    if (o.code == Opcode::slide) needed_[n - block().first] = true, need(o.b);
    else if (o.code == Opcode::exit_if || o.code == Opcode::window_set || (o.code >= Opcode::store8 && o.code <= Opcode::store64)) need(n);
    if (o.code == Opcode::exit_if && u_.exits[o.imm].block == kOutside) need_list(o.pending);
  }
  if (ends_in_branch_ && count_ == kNone) need_list(block().pending);
  need_list(back_pending_);
}

/// Finds out whether the register that each rotation wraps is overwritten before anybody can look: behind the rotation, and in the next round.
void SpanLoop::find_first() {
  const auto leaves = [this](Value n) { return op(n).code == Opcode::exit_if && !(n == closing() && count_ != kNone); };
  bool behind = false;
  for (Value n = block().first; n < block().end; n++) {
    behind |= op(n).code == Opcode::slide;
    if (behind && leaves(n)) return;
  }
  for (Value n = block().first; n < block().end; n++) {
    const Op& o = op(n);
    const bool in_window = o.code == Opcode::window_get || o.code == Opcode::window_set;
    const Location l = Location::unpack(o.imm);
    const bool first = in_window && l.file == File::RotatingGeneral && l.index == 32;
    if (first && o.code == Opcode::window_set) first_is_set_ = true;
    if (first || leaves(n)) return;
  }
}

/// Whether a round that turns out to be the last can be done once more.
bool SpanLoop::can_redo() const {
  const auto changes = [this](Value n) {
    const Opcode c = op(n).code;
    return c == Opcode::slide || c == Opcode::window_set || (c >= Opcode::store8 && c <= Opcode::store64) || (c == Opcode::exit_if && n + 1 != block().end);
  };
  for (Value n = block().first; n < block().end; n++)
    if (changes(n)) return false;
  return lasts_.empty();
}

void make_span_loops(Unit& unit, bool in_series) {
  constexpr unsigned kMostInARow = 4;
  if (unit.blocks.size() < 2) return;
  const u32 count = static_cast<u32>(unit.blocks.size());
  for (u32 b = 1; b < count; b++)
    if (SpanLoop loop(unit, b, in_series ? kMostInARow : 1); loop.fits()) loop.make(), unit.span_loops++;
}

}  // namespace ia64::cpu::ir
