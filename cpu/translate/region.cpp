// Which decoded blocks make a region, and where they are cut.
#include "cpu/translate/region.h"

#include <algorithm>

#include "cpu/exec/handlers.h"

namespace ia64::cpu::ir {

namespace {

const Insn* find_alloc(Block& block) {
  for (const Insn* i = block.insns(); !is_end_of_block(*i); ++i)
    if (i->handler == &alloc_m34) return i;
  return nullptr;
}

/// What ends a decoded block otherwise than by a plain branch or at its greatest length may change the frame, rotate registers or let
/// an interrupt in.
bool goes_on_plainly(const Insn& i) {
  return !(i.flags & kEndsBlock) || is_end_of_block(i) || i.handler == &br_cond_b1 || i.handler == &brl_cond_x3 || i.handler == &br_cloop_b2;
}

}  // namespace

bool RegionBuilder::fits(Block& block) const {
  if (lowered_.size() == limits_.parts || instructions_ + block.slots > limits_.instructions) return false;
  if (find_alloc(block)) return false;
  return !head_allocates_ || block.needed_sof <= sof_after_head_;
}

/// Whether what an exit leads to can be taken in.
bool RegionBuilder::goes_inside(const Exit& exit) const {
  return exit.slot == 0 && inner_mode_ && exit.mode == *inner_mode_ && (windowed_ || goes_on_plainly(*exit.insn));
}

/// Whether an exit leads to the beginning of a decoded block of the region.
bool RegionBuilder::inner_exit(const Exit& exit, u32& part) const {
  if (!goes_inside(exit)) return false;
  for (u32 n = head_allocates_ ? 1 : 0; n < lowered_.size(); n++) {
    if (lowered_[n].part.ip == exit.ip && lowered_[n].part.slot == 0 && lowered_[n].part.steady == exit.steady) {
      part = n;
      return true;
    }
  }
  return false;
}

/// Lowers blocks and follows their exits, breadth first.
void RegionBuilder::discover(Block& head, u64 ip, u8 slot) {
  if (const Insn* alloc = find_alloc(head)) {
    head_allocates_ = true;
    const Cfm frame = Cfm::unpack(alloc->imm & low_mask(18));
    sof_after_head_ = frame.sof;
    inner_mode_->frame = Mode::frame_of(frame.sof, frame.sol);
    if (frame.sor || mode_.rotating) inner_mode_.reset();
  }
  const auto add = [&](Block& block, u64 at, u8 from) {
    instructions_ += block.slots;
    lowered_.push_back({{at, from, &block}, Lowering(rules_, block, at, from, mode_of(lowered_.size())).run()});
  };
  add(head, ip, slot);
  for (size_t n = 0; n < lowered_.size(); n++) {
    std::vector<Exit> exits;
    for (const Op& op : lowered_[n].unit.ops)
      if (op.code == Opcode::exit_if) exits.push_back(lowered_[n].unit.exits[op.imm]);
    if (const auto* leave = std::get_if<Leave>(&lowered_[n].unit.terminal)) exits.push_back(lowered_[n].unit.exits[leave->exit]);
    for (const Exit& exit : exits) {
      u32 known;
      if (!goes_inside(exit) || inner_exit(exit, known)) continue;
      if (Block* block = find_(exit.ip, *inner_mode_); block && fits(*block)) add(*block, exit.ip, 0);
    }
  }
}

/// Now that all heads of blocks are known, none runs into another one.
void RegionBuilder::lower_again() {
  std::vector<u64> leaders;
  for (const Lowered& l : lowered_)
    if (l.part.slot == 0) leaders.push_back(l.part.ip);
  std::sort(leaders.begin(), leaders.end());
  for (Lowered& l : lowered_) {
    Lowering lowering(rules_, *l.part.block, l.part.ip, l.part.slot, mode_of(static_cast<size_t>(&l - lowered_.data())));
    lowering.stop_at(&leaders);
    l.unit = lowering.run();
    may_be_nat_ |= l.unit.may_be_nat;
  }
}

/// Cuts behind branches within the region.
void RegionBuilder::cut() {
  for (u32 n = 0; n < lowered_.size(); n++) {
    const Unit& unit = lowered_[n].unit;
    first_piece_.push_back(static_cast<u32>(pieces_.size()));
    pieces_.push_back({n, 0, 0, false, {}});
    for (u32 k = 0; k < unit.ops.size(); k++) {
      pieces_.back().end = k + 1;
      u32 part;
      if (unit.ops[k].code != Opcode::exit_if || !inner_exit(unit.exits[unit.ops[k].imm], part)) continue;
      pieces_.back().to = {part, static_cast<u32>(pieces_.size())};
      pieces_.push_back({n, k + 1, k + 1, false, {}});
    }
    pieces_.back().last = true;
    u32 part;
    const auto* leave = std::get_if<Leave>(&unit.terminal);
    if (leave && inner_exit(unit.exits[leave->exit], part)) pieces_.back().to = {part};
  }
  for (Piece& p : pieces_)
    if (!p.to.empty()) p.to[0] = first_piece_[p.to[0]];
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
    lower_again();
  }
  cut();
  choose_pieces();
  order();
  if (order_.size() < 2 && pieces_[0].to.empty()) return {};
  return stitch(slot);
}

}  // namespace ia64::cpu::ir
