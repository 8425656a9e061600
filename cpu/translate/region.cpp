// Which decoded blocks make a region, and where they are cut.
#include "cpu/translate/region.h"

#include <algorithm>

#include "cpu/exec/handlers.h"
#include "cpu/translate/region_scan.h"

namespace ia64::cpu::ir {

namespace {

/// What ends a decoded block otherwise than by a plain branch or at its greatest length may change the frame, rotate registers or let
/// an interrupt in.
bool goes_on_plainly(const Insn& i) { return !(i.flags & kEndsBlock) || is_end_of_block(i) || branches_plainly(i); }

}  // namespace

bool RegionBuilder::fits(Block& block, const Invocation& in, bool first) const {
  if (lowered_.size() == limits_.parts || instructions_ + block.slots > limits_.instructions) return false;
  if (!first && find_alloc(block)) return false;
  if (in.back) return can_take_in(block, in, first);
  return !in.allocates || block.needed_sof <= in.inner_frame.sof;
}

bool RegionBuilder::is_first(size_t n) const { return invocations_[lowered_[n].inlining.invocation].first == n; }

/// Whether what an exit leads to can be taken in.
bool RegionBuilder::goes_inside(const Exit& exit) const {
  if (exit.slot != 0) return false;
  const Invocation& in = invocations_[exit.invocation];
  if (exit.crosses == Crossing::Call) return true;
  return in.inner && exit.mode == *in.inner && (exit.crosses == Crossing::Return || windowed_ || goes_on_plainly(*exit.insn));
}

/// Whether an exit leads to the beginning of a decoded block of the region.
bool RegionBuilder::inner_exit(const Exit& exit, u32& part) const {
  if (!goes_inside(exit)) return false;
  for (u32 n = 0; n < lowered_.size(); n++) {
    const Lowered& l = lowered_[n];
    const bool there = l.part.ip == exit.ip && l.part.slot == 0 && l.part.steady == exit.steady && l.inlining.invocation == exit.invocation;
    if (!there) continue;
    if (invocations_[exit.invocation].allocates && is_first(n) != (exit.crosses == Crossing::Call)) continue;
    part = n;
    return true;
  }
  return false;
}

Unit RegionBuilder::lower(const Lowered& l, const std::vector<u64>* leaders) const {
  Lowering lowering(rules_, *l.part.block, l.part.ip, l.part.slot, l.part.mode);
  lowering.inlined(l.inlining);
  lowering.stop_at(leaders);
  return lowering.run();
}

void RegionBuilder::add(Block& block, u64 ip, u8 slot, u32 invocation) {
  Invocation& in = invocations_[invocation];
  const bool first = in.first == kOutside;
  Lowered l{{ip, slot, &block, false, first ? in.entry : *in.inner}, {}, {}};
  l.inlining.invocation = invocation, l.inlining.back = in.back;
  l.inlining.frame = in.frame;
  if (in.back && in.allocates && !first) l.inlining.frame.sof = static_cast<u8>(in.inner_frame.sof), l.inlining.frame.sol = static_cast<u8>(in.inner_frame.sol);
  l.unit = lower(l, nullptr);
  if (in.back && needs_true_frame(l.unit)) return;
  if (first) in.first = static_cast<u32>(lowered_.size());
  in.instructions += block.slots, instructions_ += block.slots;
  lowered_.push_back(std::move(l));
}

void RegionBuilder::follow_exits(size_t n) {
  std::vector<Exit> exits;
  for (const Op& op : lowered_[n].unit.ops)
    if (op.code == Opcode::exit_if) exits.push_back(lowered_[n].unit.exits[op.imm]);
  if (const auto* leave = std::get_if<Leave>(&lowered_[n].unit.terminal)) exits.push_back(lowered_[n].unit.exits[leave->exit]);
  for (const Exit& exit : exits) {
    u32 known;
    if (!goes_inside(exit) || inner_exit(exit, known)) continue;
    const bool first = exit.crosses == Crossing::Call;
    Block* const block = find_(exit.ip, exit.mode);
    if (block && fits(*block, invocations_[exit.invocation], first)) add(*block, exit.ip, 0, exit.invocation);
  }
}

/// Lowers blocks and follows their exits, breadth first.
void RegionBuilder::discover(Block& head, u64 ip, u8 slot) {
  invocations_ = {invocation_of(head, mode_, {})};
  add(head, ip, slot, 0);
  for (size_t n = 0; n < lowered_.size(); n++) {
    if (guess_ && take_in_call(n)) lowered_[n].unit = lower(lowered_[n], nullptr);
    follow_exits(n);
  }
}

/// Now that all heads of blocks are known, none runs into another one.
void RegionBuilder::lower_again() {
  std::vector<std::vector<u64>> leaders(invocations_.size());
  for (const Lowered& l : lowered_)
    if (l.part.slot == 0) leaders[l.inlining.invocation].push_back(l.part.ip);
  for (auto& ips : leaders) std::sort(ips.begin(), ips.end());
  for (Lowered& l : lowered_) {
    l.unit = lower(l, &leaders[l.inlining.invocation]);
    may_be_nat_ |= l.unit.may_be_nat;
  }
}

/// Cuts behind branches within the region.
void RegionBuilder::cut() {
  for (u32 n = 0; n < lowered_.size(); n++) {
    const Unit& unit = lowered_[n].unit;
    first_piece_.push_back(static_cast<u32>(pieces_.size()));
    pieces_.push_back({.lowered = n});
    pieces_.back().frame = lowered_[n].inlining.frame;
    for (u32 k = 0; k < unit.ops.size(); k++) {
      pieces_.back().end = k + 1;
      if (unit.ops[k].code == Opcode::frame_alloc && lowered_[n].inlining.back) {
        const Cfm frame = Cfm::unpack(unit.ops[k].insn->imm & low_mask(18));
        pieces_.back().plain = true, pieces_.back().to = {static_cast<u32>(pieces_.size())};
        pieces_.push_back({.lowered = n, .first = k + 1, .end = k + 1, .frame = {lowered_[n].inlining.frame.shift, frame.sof, frame.sol}});
        continue;
      }
      u32 part;
      if (unit.ops[k].code != Opcode::exit_if || !inner_exit(unit.exits[unit.ops[k].imm], part)) continue;
      pieces_.back().to = {part, static_cast<u32>(pieces_.size())};
      const Frame frame = pieces_.back().frame;
      pieces_.push_back({.lowered = n, .first = k + 1, .end = k + 1, .frame = frame});
    }
    pieces_.back().last = true;
    u32 part;
    const auto* leave = std::get_if<Leave>(&unit.terminal);
    if (leave && inner_exit(unit.exits[leave->exit], part)) pieces_.back().to = {part};
  }
  for (Piece& p : pieces_)
    if (!p.to.empty() && !p.plain) p.to[0] = first_piece_[p.to[0]];
}

/// In a loop: what leads back to the head. Else everything.
void RegionBuilder::choose_pieces() {
  std::vector<bool> leads_back(pieces_.size());
  for (bool changed = true; changed;) {
    changed = false;
    for (u32 p = 0; p < pieces_.size(); p++)
      for (u32 to : pieces_[p].to)
        if (!leads_back[p] && (to == 0 || leads_back[to])) leads_back[p] = changed = true;
  }
  chosen_.assign(pieces_.size(), true);
  if (leads_back[0]) chosen_ = leads_back;
}

/// Depth first, branches first: what follows a branch that is not taken stands behind it.
void RegionBuilder::visit(u32 piece, std::vector<u8>& state, std::vector<u32>& post) {
  state[piece] = 1;
  for (u32 next : pieces_[piece].to) {
    if (!chosen_[next] || std::find(severed_.begin(), severed_.end(), std::pair{piece, next}) != severed_.end()) continue;
    if (state[next] == 0) visit(next, state, post);
  }
  state[piece] = 2;
  post.push_back(piece);
}

/// Severs edges that enter a loop past its head. @returns whether there were any
bool RegionBuilder::cut_side_entries() {
  const size_t count = order_.size();
  std::vector<std::vector<bool>> dominators(count, std::vector<bool>(count, true));
  std::vector<std::vector<u32>> preds(count);
  for (u32 b = 0; b < count; b++)
    for (u32 to : pieces_[order_[b]].to)
      if (place_[to] != kOutside && std::find(severed_.begin(), severed_.end(), std::pair{order_[b], to}) == severed_.end())
        preds[place_[to]].push_back(b);
  dominators[0].assign(count, false), dominators[0][0] = true;
  for (bool changed = true; changed;) {
    changed = false;
    for (u32 b = 1; b < count; b++) {
      std::vector<bool> all(count, !preds[b].empty());
      for (u32 p : preds[b])
        for (u32 n = 0; n < count; n++) all[n] = all[n] && dominators[p][n];
      all[b] = true;
      if (all != dominators[b]) dominators[b] = std::move(all), changed = true;
    }
  }
  bool any = false;
  for (u32 b = 0; b < count; b++)
    for (u32 p : preds[b])
      if (p >= b && !dominators[p][b]) severed_.push_back({order_[p], order_[b]}), any = true;
  return any;
}

void RegionBuilder::order() {
  do {
    std::vector<u8> state(pieces_.size());
    std::vector<u32> post;
    visit(0, state, post);
    order_.assign(post.rbegin(), post.rend());
    place_.assign(pieces_.size(), kOutside);
    for (u32 n = 0; n < order_.size(); n++) place_[order_[n]] = n;
  } while (cut_side_entries());
  for (u32 p : order_) place_[p]++;  // behind the entry
}

Unit RegionBuilder::build(Block& head, u64 ip, u8 slot) {
  if (slot != 0 || !rotating_loop(head, ip)) {
    discover(head, ip, slot);
    if (inlined() && !may_inline()) {
      guess_ = nullptr;
      lowered_.clear(), instructions_ = 0;
      discover(head, ip, slot);
    }
    lower_again();
  }
  cut();
  choose_pieces();
  order();
  if (order_.size() < 2 && pieces_[0].to.empty()) return {};
  return stitch(slot);
}

}  // namespace ia64::cpu::ir
