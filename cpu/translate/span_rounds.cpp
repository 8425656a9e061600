// Span loops: the rounds without look-ups, several in a row and one at a time, and the way from them back into the loop.
#include <algorithm>
#include <utility>

#include "cpu/translate/each_value.h"
#include "cpu/translate/memory_form.h"
#include "cpu/translate/span_loop.h"

namespace ia64::cpu::ir {

/// Rounds of a series: fewer when they are long. A power of two.
unsigned SpanLoop::in_a_row() const {
  constexpr unsigned kLongest = 96;  // operations in a series
  unsigned operations = 0, row = most_;
  for (Value n = block().first; n < block().end; n++) operations += needed_[n - block().first] && !is_constant(n) && !is_phi(op(n));
  while (row > 1 && operations * row > kLongest) row /= 2;
  return row;
}

/// Phis of a block that the states in `from` lead to.
/// @param loops  another operand will follow, see close()
SpanLoop::State SpanLoop::phis(const std::vector<State>& from, bool loops, bool with_last) {
  if (!loops && from.size() == 1) return from[0];
  const auto phi = [&](auto&& part) {
    std::vector<Value> operands;
    for (const State& s : from) operands.push_back(part(s));
    if (std::all_of(operands.begin(), operands.end(), [&](Value v) { return v == operands[0]; }) && !loops) return operands[0];
    u_.phis.push_back(std::move(operands));
    return emit({.code = Opcode::phi, .imm = u_.phis.size() - 1});
  };
  State s = from[0];
  if (lead_ != kNone) s.lead = phi([](const State& f) { return f.lead; });
  for (size_t k = 0; k < s.hosts.size(); k++)
    if (walks_[k].step) s.hosts[k] = phi([k](const State& f) { return f.hosts[k]; });
  for (size_t k = 0; k < s.carried.size(); k++) s.carried[k] = phi([k](const State& f) { return f.carried[k]; });
  for (size_t k = 0; with_last && k < s.last.size(); k++) s.last[k] = phi([k](const State& f) { return f.last[k]; });
  return s;
}

void SpanLoop::close(const State& head, const State& next) {
  const auto take = [this](Value phi, Value v) { u_.phis[op(phi).imm].push_back(v); };
  if (lead_ != kNone) take(head.lead, next.lead);
  for (size_t k = 0; k < head.hosts.size(); k++)
    if (walks_[k].step) take(head.hosts[k], next.hosts[k]);
  for (size_t k = 0; k < head.carried.size(); k++) take(head.carried[k], next.carried[k]);
}

/// A phi of the loop in the present round, plus `offset`.
Value SpanLoop::at(const Phi& p, i64 offset) {
  const i64 total = offset + p.step * done_;
  if (p.value == lead_) return moved_by(now_.lead, total);
  if (p.factor == 0) return moved_by(p.rest, total);
  const Value lead = lead_of(now_);
  const Value multiple = p.factor == 1 ? lead : emit({.code = Opcode::mul_imm, .a = lead, .imm = static_cast<u64>(p.factor)});
  return moved_by(binary(Opcode::add, multiple, p.rest), total);
}

/// What `v` is called in the present round.
Value SpanLoop::now(Value v) {
  if (!inside(v) || is_constant(v)) return v;
  Value& name = moved_[v - block().first];
  if (name == kNone) {
    const Affine sum = affine(v);
    name = at(*phi_of(sum.base), sum.offset);
  }
  return moved_[v - block().first];
}

/// Ways out compute what follows from the lead.
PendingWrite SpanLoop::moved(PendingWrite w) {
  if (!inside(w.value) || is_constant(w.value) || w.inverse || !follows(w.value)) {
    w.value = now(w.value);
    return w;
  }
  const Affine sum = affine(w.value);
  const Phi& p = *phi_of(sum.base);
  w.addend = sum.offset + p.step * done_;
  if (p.value == lead_) w.value = now_.lead;
  else if (p.factor == 0 && is_constant(p.rest)) w.value = constant(op(p.rest).imm + static_cast<u64>(std::exchange(w.addend, 0)));
  else if (p.factor == 0) w.value = p.rest;
  else w.value = lead_of(now_), w.factor = static_cast<i32>(p.factor), w.plus = p.rest;
  return w;
}

u32 SpanLoop::moved_list(u32 list) {
  if (!list) return 0;
  std::vector<PendingWrite> writes = u_.lists[list];
  for (PendingWrite& w : writes) w = moved(w);
  u_.lists.push_back(std::move(writes));
  return static_cast<u32>(u_.lists.size() - 1);
}

void SpanLoop::copy_access(const Access& a) {
  const Op o = op(a.op);
  const Walk& w = walks_[a.walk];
  const u32 distance = static_cast<u32>(a.offset + w.step * done_);
  const u64 how = a.size | u64{MemoryForm::unpack(o.imm).swap} << 8 | u64{distance} << 32;
  const Value apart = a.write && w.by_table[0] ? w.apart : kNone;
  if (a.write) emit({.code = Opcode::direct_store, .a = now_.hosts[a.walk], .b = apart, .c = now(o.b), .imm = how, .insn = o.insn});
  else moved_[a.op - block().first] = emit({.code = Opcode::direct_load, .a = now_.hosts[a.walk], .b = apart, .imm = how, .insn = o.insn});
}

/// Names in the window count from its place at the start of the series: those of rounds behind lie lower.
void SpanLoop::copy_window(Op o) {
  Location l = Location::unpack(o.imm);
  l.index = static_cast<u8>(l.index - done_);
  o.imm = l.pack(), o.a = now_.lead;
  if (o.b != kNone) o.b = now(o.b);
  emit(o);
}

/// The window moves at the end of the series. What each rotation brings in is put where it will be.
void SpanLoop::copy_slide(const Op& o) {
  const u8 modulus = Slide::unpack(o.imm).modulus, by = static_cast<u8>(done_ + 1);
  const bool overwritten = first_is_set_ && by != row_;
  if (modulus && !overwritten) {
    const Location out{File::RotatingGeneral, static_cast<u8>(32 + modulus - by), modulus}, in{File::RotatingGeneral, static_cast<u8>(32 - by), modulus};
    const Value v = emit({.code = Opcode::window_get, .a = now_.lead, .imm = out.pack()});
    emit({.code = Opcode::window_set, .a = now_.lead, .b = v, .imm = in.pack()});
  }
  const bool all_ones = is_constant(o.b, 1) && row_ > 1;
  if (all_ones && done_ != 0) return;
  const Location stage = all_ones ? Location{File::RotatingPredicate, static_cast<u8>(16 - row_), static_cast<u8>(row_)}
                                  : Location{File::RotatingPredicate, static_cast<u8>(16 - by), 0};
  emit({.code = Opcode::window_set, .a = now_.lead, .b = now(o.b), .imm = stage.pack()});
}

void SpanLoop::copy_exit(Value n) {
  Op o = op(n);
  const bool last = n == closing();
  Exit e = u_.exits[last ? std::get<Leave>(block().terminal).exit : o.imm];
  e.executed = static_cast<u16>(e.executed + done_ * round());
  const u32 pending = moved_list(last ? block().pending : o.pending);
  Value condition = now(o.a);
  if (last) condition = op(condition).code == Opcode::invert ? op(condition).a : emit({.code = Opcode::invert, .a = condition});
  u_.exits.push_back(e);
  emit({.code = Opcode::exit_if, .a = condition, .imm = u_.exits.size() - 1, .insn = o.insn, .pending = pending});
}

void SpanLoop::copy(Value n) {
  Op o = op(n);
  if (const auto a = std::find_if(accesses_.begin(), accesses_.end(), [n](const Access& a) { return a.op == n; }); a != accesses_.end()) return copy_access(*a);
  if (o.code == Opcode::slide) return copy_slide(o);
  if (o.code == Opcode::exit_if) return copy_exit(n);
  if (o.code == Opcode::window_set) return copy_window(o);
  if (o.code == Opcode::window_get) {
    copy_window(o);
    moved_[n - block().first] = static_cast<Value>(u_.ops.size() - 1);
    return;
  }
  const bool shifts = o.code == Opcode::shl || o.code == Opcode::shr;
  if (shifts && !inside(o.b)) o.imm = kCountInRange;
  if (o.code == Opcode::count_down && o.a == count_) o.code = Opcode::sub, o.b = constant(1);
  each_operand(o, [this](Value& v) { v = now(v); });
  moved_[n - block().first] = emit(o);
}

/// Begins a round.
void SpanLoop::start(const State& s) {
  now_ = s;
  moved_.assign(block().end - block().first, kNone);
  auto carried = s.carried.begin();
  for (const Phi& p : phis_)
    if (!p.follows && p.value != lead_) moved_[p.value - block().first] = *carried++;
}

/// Rounds in a row behind `head`, in the present block. Where a round turns out to leave the loop, all of them are void: the last operation
/// of each leads to block `redo`, and the round behind is in another block.
/// @returns what goes on behind them
SpanLoop::State SpanLoop::rounds(const State& head, unsigned count, u32 redo) {
  const Value last = redoes_ ? block().end - 1 : block().end;
  State next = head;
  row_ = count;
  for (done_ = 0; done_ < count; done_++) {
    start(next);
    for (Value n = block().first; n < last; n++)
      if (needed_[n - block().first] && !is_phi(op(n)) && !is_constant(n) && moved_[n - block().first] == kNone) copy(n);
    if (redoes_) {
      const Op o = op(last);
      emit({.code = Opcode::exit_if, .a = now(o.a), .imm = exit_to(redo, 0), .insn = o.insn});
      const u32 behind = static_cast<u32>(u_.blocks.size());
      const u8 depth = u_.blocks.back().depth;
      end_block(Goto{behind});
      begin_block();
      u_.blocks.back().preds = {behind - 1}, u_.blocks.back().depth = depth;
    }
    next.carried.clear(), next.last.clear();
    for (const Phi& p : phis_)
      if (!p.follows && p.value != lead_) next.carried.push_back(now(back_operand(p.value)));
    for (const Value v : lasts_) next.last.push_back(now(v));
  }
  if (lead_ != kNone) next.lead = moved_by(head.lead, lead_step_ * count);
  for (size_t k = 0; k < walks_.size(); k++) next.hosts[k] = moved_by(head.hosts[k], walks_[k].step * count);
  return next;
}

/// A loop of `count` rounds at a time, which goes on in the block behind it.
/// @param end  instructions left at which it ends
SpanLoop::Passed SpanLoop::make_rounds(const std::vector<u32>& preds, const std::vector<State>& from, unsigned count, Value end, u32 redo) {
  const u32 head = begin_block(), last = head + (redoes_ ? count : 0);
  u_.blocks[head].preds = preds;
  u_.blocks[head].preds.push_back(last);
  u_.blocks[head].depth = static_cast<u8>(block().depth + 1);
  Passed p;
  p.head = phis(from, true, false);
  p.next = rounds(p.head, count, redo);
  close(p.head, p.next);
  emit({.code = Opcode::next_round, .a = end, .imm = exit_to(head, count * round()), .insn = insn_});
  end_block(Goto{last + 1});
  u_.blocks[head].loop_end = last;
  p.first = head, p.last = last;
  return p;
}

/// Between the series and the single rounds: whether any are left.
u32 SpanLoop::make_bridge(u32 pred, u32 behind) {
  const u32 b = begin_block();
  u_.blocks[b].preds = {pred};
  const Value left = emit({.code = Opcode::instructions_left, .insn = insn_});
  const Value more = binary(Opcode::cmp_lt, end_, left);
  emit({.code = Opcode::exit_if, .a = emit({.code = Opcode::invert, .a = more}), .imm = exit_to(behind, 0), .insn = insn_});
  end_block(Goto{b + 1});
  return b;
}

/// Puts the values back as the loop keeps them. @returns those of its phis
std::vector<Value> SpanLoop::make_way_back(const std::vector<u32>& preds, const std::vector<State>& from) {
  const u32 b = begin_block();
  u_.blocks[b].preds = preds;
  const State s = phis(from, false, true);
  done_ = 0;
  start(s);
  std::vector<Value> values;
  for (const Phi& p : phis_) values.push_back(now(p.value));
  std::vector<PendingWrite> writes = u_.lists[back_pending_];
  done_ = -1;  // as the round before left them
  for (PendingWrite& w : writes) {
    const auto goes_on = std::find_if(phis_.begin(), phis_.end(), [&](const Phi& p) { return back_operand(p.value) == w.value; });
    const auto last = std::find(lasts_.begin(), lasts_.end(), w.value);
    if (goes_on != phis_.end()) w.value = values[static_cast<size_t>(goes_on - phis_.begin())];
    else if (last != lasts_.end()) w.value = s.last[static_cast<size_t>(last - lasts_.begin())];
    else w = moved(w);
  }
  u_.lists.push_back(std::move(writes));
  end_block(Leave{exit_to(loop_, 0)});
  u_.blocks[b].pending = static_cast<u32>(u_.lists.size() - 1);
  return values;
}

void SpanLoop::make() {
  const bool counted = count_ != kNone;
  const u32 first = static_cast<u32>(u_.blocks.size()), gate = first + counted;
  const unsigned row = in_a_row();
  const u32 length = redoes_ ? row + 1 : 1;  // of a series, in blocks
  const u32 single = row > 1 ? gate + 1 + length + 1 : gate + 1, way_back = single + (redoes_ ? 2 : 1);
  make_gates(gate + 1);
  std::vector<u32> preds = {gate}, ends;
  std::vector<State> from = {state_at_gate()}, ended;
  if (row > 1) {
    const Passed p = make_rounds(preds, from, row, series_end_, single);
    preds = {make_bridge(p.last, way_back)}, from = {p.next};
    ends = preds, ended = from;
    for (u32 n = 0; redoes_ && n < row; n++) preds.push_back(p.first + n), from.push_back(p.head);
  }
  const Passed p = make_rounds(preds, from, 1, end_, way_back);
  if (redoes_) ends.push_back(p.first), ended.push_back(p.head);
  ends.push_back(p.last), ended.push_back(p.next);
  const std::vector<Value> values = make_way_back(ends, ended);

  // The ways back into the loop: from the gate in place of its own, and behind the rounds.
  for (size_t k = 0; k < phis_.size(); k++) {
    std::vector<Value>& operands = u_.phis[op(phis_[k].value).imm];
    if (counted) operands.push_back(operands[pred_]);
    operands.push_back(values[k]);
  }
  BasicBlock& b = u_.blocks[loop_];
  b.preds[pred_] = first;
  if (counted) b.preds.push_back(gate);
  b.preds.push_back(way_back);
  u_.exits[back_].block = first;
  for (u32 head = 0; head <= loop_; head++)
    if (u_.blocks[head].loop_end >= tail_) u_.blocks[head].loop_end = way_back;
}

}  // namespace ia64::cpu::ir
