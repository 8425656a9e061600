// Borders between the blocks of a unit: where values are at a block's beginning, and the moves that get them there.
#include <algorithm>
#include <cstddef>

#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

namespace {

constexpr int kPool[] = {6, 7, 8, 9, 10, 11, 12, 13, 15};
constexpr size_t kLoopRegisters = std::size(kPool) - 2;  ///< what a loop head may fill
constexpr int kSlotBase = 32;                            ///< a spill slot as a place of a Move
constexpr int kFirstVector = 16;
constexpr bool is_vector(int place) { return place >= kFirstVector && place < kSlotBase; }

}  // namespace

ir::Value X64Emitter::phi_operand(Value phi, u32 from, u32 to) const {
  const auto& preds = unit_.blocks[to].preds;
  const size_t k = static_cast<size_t>(std::find(preds.begin(), preds.end(), from) - preds.begin());
  return unit_.phis[unit_.ops[phi].imm][k];
}

/// Decides where values are when block `to` begins, by where they are at the end of `from`.
void X64Emitter::decide_entry(u32 from, u32 to) {
  BlockEntry& entry = block_entry_[to];
  const ir::BasicBlock& block = unit_.blocks[to];
  if (entry.known) return;
  entry.known = true;
  u32 taken = 0;
  for (Value v : live_.in[to]) {
    entry.places.push_back({v, home_[v].reg, home_[v].spill});
    if (home_[v].reg >= 0) taken |= 1u << home_[v].reg;
  }
  const auto free_register = [&](bool vector, bool only_unowned) {
    const auto usable = [&](int r) { return !(taken >> r & 1) && (!only_unowned || owner_[r] < 0); };
    for (int r = kFirstVector + 3; vector && r < kSlotBase; r++)
      if (usable(r)) return r;
    for (int r : kPool)
      if (!vector && usable(r)) return r;
    return -1;
  };
  for (u32 n = block.first; n < block.end && is_phi(unit_.ops[n]); n++) {
    const Value x = phi_operand(n, from, to);
    int r = home_[x].reg;
    if (r < 0 || (taken >> r & 1)) r = free_register(is_float(n), true);
    if (r < 0) r = free_register(is_float(n), false);
    if (r >= 0) taken |= 1u << r;
    entry.places.push_back({n, static_cast<i8>(r), home_[n].spill});
  }
  if (block.loop_end) share_registers(to, entry);
  for (Place& p : entry.places) {
    // A phi of this block gets its place from the moves on the edges; other values must have been stored before.
    const bool phi = p.value >= block.first && p.value < block.end && is_phi(unit_.ops[p.value]);
    if (p.reg < 0 && p.slot < 0 && !phi) new_spills_.push_back(p.value);
    if (p.reg < 0 || live_.spilled[p.value]) p.slot = take_slot(p.value);
  }
}

/// Gives the registers to the values that the loop uses most; values it does not use wait in the stack frame.
void X64Emitter::share_registers(u32 head, BlockEntry& entry) {
  const u32 first = unit_.blocks[head].first, last = unit_.blocks[unit_.blocks[head].loop_end].end;
  std::vector<std::pair<unsigned, size_t>> wish;
  for (size_t n = 0; n < entry.places.size(); n++)
    if (!is_float(entry.places[n].value)) wish.push_back({live_.uses_between(entry.places[n].value, first, last), n});
  std::stable_sort(wish.begin(), wish.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const bool crowded = wish.size() > kLoopRegisters;
  u32 taken = 0;
  for (size_t k = 0; k < wish.size(); k++) {
    Place& p = entry.places[wish[k].second];
    if (crowded && (k >= kLoopRegisters || wish[k].first == 0)) p.reg = -1;
    if (p.reg >= 0) taken |= 1u << p.reg;
  }
  for (size_t k = 0; k < wish.size() && k < kLoopRegisters; k++) {
    Place& p = entry.places[wish[k].second];
    if (p.reg >= 0 || wish[k].first == 0) continue;
    for (int r : kPool) {
      if (taken >> r & 1) continue;
      p.reg = static_cast<i8>(r), taken |= 1u << r;
      break;
    }
  }
}

void X64Emitter::enter_block(u32 b) {
  a_.bind(labels_[b]);
  for (int& o : owner_) o = -1;
  slots_used_.reset();
  for (Value v : live_.in[b]) home_[v].reg = -1;
  for (const Place& p : block_entry_[b].places) {
    home_[p.value].reg = p.reg;
    if (p.reg >= 0) owner_[p.reg] = static_cast<int>(p.value);
    if (home_[p.value].spill >= 0) slots_used_[static_cast<size_t>(home_[p.value].spill)] = true;
  }
  bool calls = false;
  for (u32 n = unit_.blocks[b].first; n < unit_.blocks[b].end; n++) calls |= ir::info(unit_.ops[n].code).effect == ir::Effect::Call;
  if (!calls) return;
  a_.mov(rax, part_ip());
  a_.mov(qword_ptr(rbx, l_.block_ip), rax);
}

/// The moves from the present places to those that `to` begins with.
std::vector<X64Emitter::Move> X64Emitter::moves_to(u32 from, u32 to) {
  std::vector<Move> moves;
  for (const Place& p : block_entry_[to].places) {
    const bool phi = p.value >= unit_.blocks[to].first && p.value < unit_.blocks[to].end && is_phi(unit_.ops[p.value]);
    const Value x = phi ? phi_operand(p.value, from, to) : p.value;
    Move m;
    if (!constant(x, m.constant)) m.from = home_[x].reg >= 0 ? home_[x].reg : kSlotBase + home_[x].spill;
    if (p.reg >= 0 && m.from != p.reg) m.to = p.reg, moves.push_back(m);
    const bool there = m.from >= 0 && live_.spilled[x] && home_[x].spill == p.slot;
    if (phi && p.slot >= 0 && !there && m.from != kSlotBase + p.slot) m.to = kSlotBase + p.slot, moves.push_back(m);
  }
  return moves;
}

void X64Emitter::emit_move(const Move& m) {
  const auto slot = [](int place) { return qword_ptr(rsp, (place - kSlotBase) * 8); };
  const auto vector = [](int place) { return xmm(static_cast<u32>(place - kFirstVector)); };
  if (is_vector(m.from) || is_vector(m.to)) {
    if (m.to >= kSlotBase) a_.vmovsd(slot(m.to), vector(m.from));
    else if (m.from >= kSlotBase) a_.vmovsd(vector(m.to), slot(m.from));
    else a_.vmovaps(vector(m.to), vector(m.from));
    return;
  }
  const bool to_slot = m.to >= kSlotBase;
  if (m.from < 0) {
    const Gp d = to_slot ? Gp(rax) : gpq(static_cast<u32>(m.to));
    if (m.constant >> 32) a_.mov(d, m.constant);
    else a_.mov(d.r32(), m.constant);
    if (to_slot) a_.mov(slot(m.to), rax);
  } else if (m.from >= kSlotBase) {
    const Gp d = to_slot ? Gp(rax) : gpq(static_cast<u32>(m.to));
    a_.mov(d, slot(m.from));
    if (to_slot) a_.mov(slot(m.to), rax);
  } else {
    to_slot ? a_.mov(slot(m.to), gpq(static_cast<u32>(m.from))) : a_.mov(gpq(static_cast<u32>(m.to)), gpq(static_cast<u32>(m.from)));
  }
}

/// All at once: nothing is overwritten that another move still reads. rdx or xmm0 holds what breaks a circle.
void X64Emitter::emit_moves(std::vector<Move> moves) {
  if (overflow_ || !new_spills_.empty()) return;  // values may share places now, and nothing will come of this code
  while (!moves.empty()) {
    const auto ready = std::find_if(moves.begin(), moves.end(), [&](const Move& m) {
      return std::none_of(moves.begin(), moves.end(), [&](const Move& o) { return &o != &m && o.from == m.to; });
    });
    if (ready != moves.end()) {
      emit_move(*ready);
      moves.erase(ready);
      continue;
    }
    const int circle = moves.front().from, spare = is_vector(circle) ? kFirstVector : 2;
    emit_move({circle, spare, 0});
    for (Move& m : moves)
      if (m.from == circle) m.from = spare;
  }
}

/// From the end of a block to block `to`: counts instructions, tests budget and attention on the way back in a loop.
/// @param exit  the way out that leads there, or nullptr when it lies behind the last instruction of the same decoded block
void X64Emitter::emit_edge(u32 from, u32 to, const ir::Exit* exit, const WayOut& pending, std::vector<Move> moves) {
  if (exit) {
    if (exit->executed) a_.sub(rbp, exit->executed);
    if (unit_.mode.ic && unit_.blocks[to].leaves_at_once) store_iipa(exit->last_ip);
  }
  if (to <= from) {
    const Label out = a_.newLabel();
    a_.cmp(rbp, unit_.blocks[to].needed);
    a_.jl(out);
    a_.cmp(dword_ptr(rbx, l_.attention), 0);
    a_.jne(out);
    later([this, out, exit, pending] {
      a_.bind(out);
      store_pending(pending);
      if (unit_.mode.ic) store_iipa(exit->last_ip);
      jump_to_link(*exit);
    });
  }
  emit_moves(std::move(moves));
}

}  // namespace ia64::cpu::jit
