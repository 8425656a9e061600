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

bool RegionBuilder::fits(Block& block, u32 invocation) const {
  if (lowered_.size() == limits_.parts || instructions_ + block.slots > limits_.instructions) return false;
  if (find_alloc(block)) return false;
  if (invocation) return can_take_in(block, invocations_[invocation - 1]);
  return !head_allocates_ || block.needed_sof <= sof_after_head_;
}

/// Whether what an exit leads to can be taken in.
bool RegionBuilder::goes_inside(const Exit& exit) const {
  const bool plain = exit.crosses != Crossing::None || windowed_ || goes_on_plainly(*exit.insn);
  return exit.slot == 0 && plain && inner_mode_ && exit.mode == inner_mode(exit.invocation);
}

/// Whether an exit leads to the beginning of a decoded block of the region.
bool RegionBuilder::inner_exit(const Exit& exit, u32& part) const {
  if (!goes_inside(exit)) return false;
  for (u32 n = head_allocates_ ? 1 : 0; n < lowered_.size(); n++) {
    const Lowered& l = lowered_[n];
    if (l.part.ip == exit.ip && l.part.slot == 0 && l.part.steady == exit.steady && l.inlining.invocation == exit.invocation) {
      part = n;
      return true;
    }
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
  Lowered l{{ip, slot, &block, false, lowered_.empty() ? mode_ : inner_mode(invocation)}, {}, {}};
  Invocation* const in = invocation ? &invocations_[invocation - 1] : nullptr;
  if (in) l.inlining = {in->frame, invocation, {}, 0, in->back};
  l.unit = lower(l, nullptr);
  if (in && needs_true_frame(l.unit)) return;
  if (in) in->instructions += block.slots;
  instructions_ += block.slots;
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
    if (Block* const block = find_(exit.ip, exit.mode); block && fits(*block, exit.invocation)) add(*block, exit.ip, 0, exit.invocation);
  }
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
  add(head, ip, slot, 0);
  for (size_t n = 0; n < lowered_.size(); n++) {
    if (guess_ && take_in_call(n)) lowered_[n].unit = lower(lowered_[n], nullptr);
    follow_exits(n);
  }
}

/// Now that all heads of blocks are known, none runs into another one.
void RegionBuilder::lower_again() {
  std::vector<std::vector<u64>> leaders(invocations_.size() + 1);
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
    if (inlined() && !may_inline()) {
      guess_ = nullptr;
      lowered_.clear(), invocations_.clear(), instructions_ = 0;
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
