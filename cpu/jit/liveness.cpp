// Live values at block borders and the positions of uses.
#include "cpu/jit/liveness.h"

#include <algorithm>

namespace ia64::cpu::jit {

using ir::Value;

namespace {

using Bits = std::vector<u64>;
void set(Bits& b, Value v) { b[v / 64] |= u64{1} << v % 64; }
void clear(Bits& b, Value v) { b[v / 64] &= ~(u64{1} << v % 64); }

template <class F>
void each_pending(const ir::Unit& u, u32 list, F f) {
  for (const ir::PendingWrite& w : u.pending(list)) {
    f(w.value);
    if (w.plus != ir::kNone) f(w.plus);
  }
}

template <class F>
void each_use(const ir::Unit& u, const ir::Op& op, F f) {
  for (Value v : {op.a, op.b, op.c, op.guard})
    if (v != ir::kNone) f(v);
  each_pending(u, op.pending, f);
}

/// Operands for which code takes the spill slot as it is.
bool is_as_good_in_memory(const ir::Op& op, Value v) {
  if (op.code == ir::Opcode::direct_load || op.code == ir::Opcode::direct_store) return v == op.b;
  return op.code == ir::Opcode::next_round;
}

/// Live at the end of `b`, from what is live at the beginning of the blocks behind it.
Bits live_out(const ir::Unit& u, u32 b, const std::vector<Bits>& in) {
  Bits live((u.ops.size() + 63) / 64);
  const ir::Successors next = ir::successors(u, u.blocks[b]);
  for (unsigned k = 0; k < next.count; k++) {
    const ir::BasicBlock& to = u.blocks[next.to[k]];
    for (size_t w = 0; w < live.size(); w++) live[w] |= in[next.to[k]][w];
    const size_t which = static_cast<size_t>(std::find(to.preds.begin(), to.preds.end(), b) - to.preds.begin());
    for (u32 n = to.first; n < to.end && is_phi(u.ops[n]); n++) set(live, u.phis[u.ops[n].imm][which]);
  }
  return live;
}

Bits live_in(const ir::Unit& u, const ir::BasicBlock& block, Bits live) {
  each_pending(u, block.pending, [&](Value v) { set(live, v); });
  if (const auto* t = std::get_if<ir::LeaveIndirect>(&block.terminal)) set(live, t->target);
  for (u32 n = block.end; n-- > block.first;) {
    clear(live, n);
    each_use(u, u.ops[n], [&](Value v) { set(live, v); });
  }
  return live;
}

std::vector<Value> listed(const ir::Unit& u, const Bits& bits) {
  std::vector<Value> values;
  for (size_t w = 0; w < bits.size(); w++)
    for (u64 rest = bits[w]; rest; rest &= rest - 1) {
      const Value v = static_cast<Value>(w * 64 + static_cast<unsigned>(__builtin_ctzll(rest)));
      if (u.ops[v].code != ir::Opcode::constant) values.push_back(v);
    }
  return values;
}

}  // namespace

Liveness::Liveness(const ir::Unit& u) : feeds(u.ops.size(), ir::kNone), spilled(u.ops.size()), unit_(u) {
  const u32 count = static_cast<u32>(u.blocks.size());
  std::vector<Bits> at_start(count, Bits((u.ops.size() + 63) / 64));
  if (count > 1)
    for (bool changed = true; changed;) {
      changed = false;
      for (u32 b = count; b-- > 0;) {
        Bits live = live_in(u, u.blocks[b], live_out(u, b, at_start));
        if (live != at_start[b]) at_start[b] = std::move(live), changed = true;
      }
    }
  in.resize(count), out.resize(count), loop_of_.assign(count, ~u32{0});
  for (u32 b = 0; b < count; b++) {
    in[b] = listed(u, at_start[b]);
    if (count > 1) out[b] = listed(u, live_out(u, b, at_start));
    if (u.blocks[b].loop_end)
      for (u32 inner = b; inner <= u.blocks[b].loop_end; inner++) loop_of_[inner] = b;
  }
  const auto depth_of = [&u](Value v) {
    for (const ir::BasicBlock& block : u.blocks)
      if (v < block.end) return block.depth;
    return u8{0};
  };
  std::vector<std::vector<u32>> positions;  // by value
  positions.resize(u.ops.size());
  for (u32 b = 0; b < count; b++) {
    const ir::BasicBlock& block = u.blocks[b];
    for (u32 n = block.first; n < block.end; n++)
      for (Value v : {u.ops[n].a, u.ops[n].b, u.ops[n].c, u.ops[n].guard})
        if (v != ir::kNone && !is_as_good_in_memory(u.ops[n], v)) positions[v].push_back(n);
    if (const auto* t = std::get_if<ir::LeaveIndirect>(&block.terminal)) positions[t->target].push_back(block.end);
    const ir::Successors next = ir::successors(u, block);
    for (unsigned k = 0; k < next.count; k++) {
      const ir::BasicBlock& to = u.blocks[next.to[k]];
      const size_t which = static_cast<size_t>(std::find(to.preds.begin(), to.preds.end(), b) - to.preds.begin());
      for (u32 n = to.first; n < to.end && is_phi(u.ops[n]); n++) {
        const Value v = u.phis[u.ops[n].imm][which];
        positions[v].push_back(block.end);
        // The innermost loop has most of it.
        if (next.to[k] <= b && (feeds[v] == ir::kNone || depth_of(feeds[v]) <= to.depth)) feeds[v] = n;
      }
    }
  }
  for (const auto& p : positions) {
    first_use_.push_back(static_cast<u32>(uses_.size()));
    uses_.insert(uses_.end(), p.begin(), p.end());
  }
  first_use_.push_back(static_cast<u32>(uses_.size()));
}

unsigned Liveness::uses_between(Value v, u32 first, u32 last) const {
  const auto begin = uses_.begin() + first_use_[v], end = uses_.begin() + first_use_[v + 1];
  return static_cast<unsigned>(std::upper_bound(begin, end, last) - std::lower_bound(begin, end, first));
}

u32 Liveness::next_use(Value v, u32 now, u32 block) const {
  const auto begin = uses_.begin() + first_use_[v], end = uses_.begin() + first_use_[v + 1];
  const auto next = std::lower_bound(begin, end, now);
  const u32 head = loop_of_[block];
  if (head == ~u32{0}) return next == end ? ~u32{0} : *next;
  const u32 loop_first = unit_.blocks[head].first, loop_end = unit_.blocks[unit_.blocks[head].loop_end].end;
  if (next != end && *next <= loop_end) return *next;
  const auto again = std::lower_bound(begin, end, loop_first);
  if (v < loop_first && again != end && *again < now) return loop_end + (*again - loop_first);
  return next == end ? ~u32{0} : loop_end * 2 + *next;
}

}  // namespace ia64::cpu::jit
