// Span loops: the gate, which finds out how many rounds can be done without look-ups.
#include <algorithm>

#include "cpu/translate/span_loop.h"

namespace ia64::cpu::ir {

namespace {

constexpr u64 kPageBytes = 4096;
/// Fewer rounds do not pay for finding out that there are so many. A series is no longer.
constexpr u64 kFewest = 8;
/// More never follow each other: a step of one byte through a page.
constexpr u64 kMost = kPageBytes;

}  // namespace

u32 SpanLoop::begin_block() {
  BasicBlock b;
  b.first = b.end = static_cast<u32>(u_.ops.size());
  b.part = block().part, b.frame = block().frame, b.needed = block().needed, b.depth = block().depth;
  u_.blocks.push_back(std::move(b));
  return static_cast<u32>(u_.blocks.size() - 1);
}

/// A copy of the way back that leads to `to`.
unsigned SpanLoop::exit_to(u32 to, unsigned executed) {
  Exit e = u_.exits[back_];
  e.block = to, e.executed = static_cast<u16>(executed);
  u_.exits.push_back(e);
  return static_cast<unsigned>(u_.exits.size() - 1);
}

/// How many rounds from the next one on stay on the page that it begins on, at most `most`. Requires that there is such memory.
Value SpanLoop::rounds_of(Walk& w, Value most) {
  const Value at = moved_by(w.next, w.anchor);
  Value host[2] = {kNone, kNone};
  for (const bool write : {false, true}) {
    if (!w.by_table[write]) continue;
    host[write] = emit({.code = Opcode::host_of, .a = at, .imm = w.size | u64{write} << 8, .insn = insn_});
    require_not(binary(Opcode::cmp_eq, host[write], constant(0)));
  }
  w.host = moved_by(host[w.by_table[0] ? 0 : 1], -w.anchor);
  if (w.by_table[0] && w.by_table[1]) w.apart = binary(Opcode::sub, host[1], host[0]);
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
  const Value left = emit({.code = Opcode::instructions_left, .insn = insn_}), needed = constant(block().needed);
  const Value end = binary(Opcode::sub, left, emit({.code = Opcode::mul_imm, .a = rounds, .imm = round()}));
  const Value low = binary(Opcode::cmp_lt, end, needed);
  const Value limit = emit({.code = Opcode::select, .a = low, .b = needed, .c = end});
  require(binary(Opcode::cmp_lt, binary(Opcode::add, limit, constant(kFewest * round() - 1)), left));
  return limit;
}

SpanLoop::State SpanLoop::state_at_gate() const {
  State s;
  if (lead_ != kNone) s.lead = back_operand(lead_);
  for (const Walk& w : walks_) s.hosts.push_back(w.host);
  for (const Phi& p : phis_)
    if (!p.follows && p.value != lead_) s.carried.push_back(back_operand(p.value));
  return s;
}

/// What to add to a multiple of the lead.
void SpanLoop::find_rests() {
  const Value lead = lead_step_ ? lead_of(state_at_gate()) : kNone;
  for (Phi& p : phis_) {
    if (!p.follows || p.value == lead_) continue;
    const Value start = back_operand(p.value);
    if (p.factor == 0) p.rest = start;
    else if (p.factor == 1) p.rest = binary(Opcode::sub, start, lead);
    else if (p.factor == -1) p.rest = binary(Opcode::add, start, lead);
    else p.rest = binary(Opcode::sub, start, emit({.code = Opcode::mul_imm, .a = lead, .imm = static_cast<u64>(p.factor)}));
  }
}

/// @param rounds  number that the block behind will have
void SpanLoop::make_gates(u32 rounds) {
  const bool counted = count_ != kNone;
  const u32 gate = rounds - 1, first = counted ? gate - 1 : gate;
  if (counted) {  // short loops shall not pay for a look at their memory
    begin_block();
    const Value few = binary(Opcode::cmp_ltu, back_operand(count_), constant(kFewest + 1));
    emit({.code = Opcode::exit_if, .a = few, .imm = exit_to(loop_, 0), .insn = insn_, .pending = back_pending_});
    end_block(Goto{gate});
    u_.blocks[first].preds = {tail_};
  }
  begin_block();
  u_.blocks[gate].preds = {counted ? first : tail_};
  for (Value n = block().first; n < block().end; n++) {
    const Op o = op(n);
    if ((o.code == Opcode::shl || o.code == Opcode::shr) && !inside(o.b)) require(binary(Opcode::cmp_ltu, o.b, constant(64)));
  }
  end_ = limit();
  series_end_ = moved_by(end_, (in_a_row() - 1) * round());
  find_rests();
  emit({.code = Opcode::exit_if, .a = all_, .imm = exit_to(rounds, 0), .insn = insn_});
  end_block(Leave{exit_to(loop_, 0)});
  u_.blocks[gate].pending = back_pending_;
}

}  // namespace ia64::cpu::ir
