// The unit of a region, from its pieces.
#include <algorithm>

#include "cpu/translate/region.h"

namespace ia64::cpu::ir {

namespace {
bool of_sequence(Opcode code) {
  return code == Opcode::float_quotient || code == Opcode::natural_quotient || code == Opcode::float_root || code == Opcode::defer_steps;
}
}  // namespace

/// Registers that some handler of the region may have given a NaT are looked at wherever a block takes them for clean.
void RegionBuilder::check_nats(Unit& out, const Lowered& l) {
  const std::bitset<128> doubtful = l.unit.assumed_clean & may_be_nat_;
  for (unsigned r = 1; r < 128; r++) {
    if (!doubtful[r]) continue;
    const bool rotating = r >= 32 && r - 32u < mode_.rotating;
    const Location at{rotating ? File::RotatingGeneral : File::General, static_cast<u8>(r), rotating ? mode_.rotating : u8{0}};
    out.ops.push_back({.code = Opcode::check_nat, .imm = at.pack(), .insn = l.part.block->insns()});
  }
}

void RegionBuilder::copy_piece(Unit& out, u32 number) {
  const Piece& piece = pieces_[number];
  const Lowered& l = lowered_[piece.lowered];
  std::vector<Value>& renamed = number_[piece.lowered];
  const auto internal = [&](u32 to) {
    const bool severed = std::find(severed_.begin(), severed_.end(), std::pair{number, to}) != severed_.end();
    return severed ? kOutside : place_[to];
  };
  BasicBlock& block = out.blocks[place_[number]];
  block.first = static_cast<u32>(out.ops.size());
  block.part = piece.lowered;
  block.frame = l.inlining.frame;
  if (piece.first == 0) check_nats(out, l);
  for (u32 n = piece.first; n < piece.end; n++) {
    Op op = l.unit.ops[n];
    for (Value* v : {&op.a, &op.b, &op.c, &op.guard})
      if (*v != kNone) *v = renamed[*v];
    if (op.code == Opcode::exit_if || op.code == Opcode::call_branch || op.code == Opcode::frame_call) {
      out.exits.push_back(l.unit.exits[op.imm]);
      op.imm = out.exits.size() - 1;
      if (n + 1 == piece.end && !piece.last) out.exits.back().block = internal(piece.to[0]);
    }
    if (of_sequence(op.code)) {
      out.sequences.push_back(l.unit.sequences[op.imm]);
      op.imm = out.sequences.size() - 1;
    }
    if (op.insn && op.insn->spare == 0 && op.code != Opcode::exit_if) block.leaves_at_once = true;
    renamed[n] = static_cast<Value>(out.ops.size());
    out.ops.push_back(op);
  }
  block.end = static_cast<u32>(out.ops.size());
  if (block.end > block.first && out.ops[block.first].code == Opcode::check_nat) block.leaves_at_once = true;
  if (!piece.last) {
    const u32 next = internal(piece.to[1]);
    if (next != kOutside) {
      block.terminal = Goto{next};
      return;
    }
    const Op& branch = l.unit.ops[piece.end - 1];
    Exit behind = l.unit.exits[branch.imm];
    behind.ip = l.part.ip + u64{branch.insn->bundle} * 16, behind.slot = static_cast<u8>(branch.insn->slot + 1);
    if (branch.insn->flags & kLastSlot) behind.ip += 16, behind.slot = 0;
    out.exits.push_back(behind);
    block.terminal = Leave{static_cast<unsigned>(out.exits.size() - 1)};
    return;
  }
  block.terminal = l.unit.terminal;
  if (auto* leave = std::get_if<Leave>(&block.terminal)) {
    out.exits.push_back(l.unit.exits[leave->exit]);
    if (!piece.to.empty()) out.exits.back().block = internal(piece.to[0]);
    leave->exit = static_cast<unsigned>(out.exits.size() - 1);
  } else if (auto* indirect = std::get_if<LeaveIndirect>(&block.terminal)) {
    indirect->target = renamed[indirect->target];
  }
}

/// Loop heads, ends and depths. Every way back leads to a block that dominates where it comes from.
void RegionBuilder::find_loops(Unit& out) {
  for (u32 head = 0; head < out.blocks.size(); head++) {
    std::vector<bool> inside(out.blocks.size());
    std::vector<u32> work;
    for (u32 p : out.blocks[head].preds)
      if (p >= head && !inside[p]) inside[p] = true, work.push_back(p);
    if (work.empty()) continue;
    inside[head] = true;
    while (!work.empty()) {
      const u32 b = work.back();
      work.pop_back();
      if (b == head) continue;
      for (u32 p : out.blocks[b].preds)
        if (!inside[p]) inside[p] = true, work.push_back(p);
    }
    for (u32 b = head; b < out.blocks.size(); b++)
      if (inside[b]) out.blocks[b].depth++, out.blocks[head].loop_end = b;
  }
}

/// Instructions from the start of the decoded block to the last way out of `block`.
u32 RegionBuilder::longest(const Unit& out, const BasicBlock& block) const {
  if (std::holds_alternative<LeaveIndirect>(block.terminal) || std::holds_alternative<LeaveUnknown>(block.terminal))
    return lowered_[block.part].unit.slots;
  u32 most = 0;
  if (const auto* leave = std::get_if<Leave>(&block.terminal)) most = out.exits[leave->exit].executed;
  for (u32 n = block.first; n < block.end; n++)
    if (out.ops[n].insn) most = std::max(most, out.ops[n].insn->spare + 1u);
  return most;
}

/// The most instructions from each block to the next test of the budget.
void RegionBuilder::count_needs(Unit& out) {
  for (u32 b = static_cast<u32>(out.blocks.size()); b-- > 1;) {
    BasicBlock& block = out.blocks[b];
    const u32 here = longest(out, block);
    const Successors next = successors(out, block);
    u32 behind = 0;
    for (unsigned k = 0; k < next.count; k++)
      if (next.to[k] > b) behind = std::max(behind, out.blocks[next.to[k]].needed + (out.blocks[next.to[k]].part == block.part ? 0 : here));
    block.needed = std::max(here, behind);
  }
  out.slots = out.blocks[0].needed = out.blocks[1].needed;
}

Unit RegionBuilder::stitch(u8 slot) {
  Unit out;
  out.ip = lowered_[0].part.ip, out.slot = slot, out.mode = mode_;
  out.lists.emplace_back();
  for (const Lowered& l : lowered_) {
    out.parts.push_back(l.part);
    number_.emplace_back(l.unit.ops.size());
  }
  if (!invocations_.empty()) out.own_frame = invocations_[0].back.mode.frame;
  out.blocks.resize(order_.size() + 1);
  out.blocks[0].terminal = Goto{1};
  for (u32 piece : order_) {
    const Lowered& l = lowered_[pieces_[piece].lowered];
    out.assumed_clean |= l.unit.assumed_clean & ~may_be_nat_;
    out.clean_frame |= l.unit.clean_frame;
    if (!l.inlining.back && (piece == 0 || !head_allocates_)) out.needed_sof = std::max(out.needed_sof, l.unit.needed_sof);
    copy_piece(out, piece);
  }
  find_preds(out);
  find_loops(out);
  count_needs(out);
  return out;
}

}  // namespace ia64::cpu::ir
