// Calls of small functions that a region takes in.
#include <algorithm>

#include "cpu/arch/registers.h"
#include "cpu/exec/handlers.h"
#include "cpu/translate/region.h"
#include "cpu/translate/region_scan.h"

namespace ia64::cpu::ir {

namespace {

/// The most instructions of a function that is taken in, and the blocks that are looked at to find its return.
constexpr unsigned kSmall = 64, kFewBlocks = 8;

bool sets_loop_state(const Op& op) {
  if (op.code == Opcode::set) return Location::unpack(op.imm) == Location{File::Application, ar::kEc};
  return op.code == Opcode::rotate || op.code == Opcode::clear_bases || op.code == Opcode::slide;
}

/// Handlers that change AR.EC or the frame, and do not end the block.
bool changes_frame(const Op& op) {
  if (info(op.code).effect != Effect::Call || !op.insn) return false;
  const Handler h = op.insn->handler;
  return h == &alloc_m34 || ((h == &mov_i26 || h == &mov_i27) && op.insn->r3 == ar::kEc);
}

}  // namespace

const Insn* find_alloc(Block& block) {
  for (const Insn* i = block.insns(); !is_end_of_block(*i); ++i)
    if (i->handler == &alloc_m34) return i;
  return nullptr;
}

bool branches_plainly(const Insn& i) { return i.handler == &br_cond_b1 || i.handler == &brl_cond_x3 || i.handler == &br_cloop_b2; }

bool needs_true_frame(const Unit& unit) {
  if (unit.names_run_out || std::holds_alternative<LeaveUnknown>(unit.terminal)) return true;
  return std::any_of(unit.ops.begin(), unit.ops.end(), [](const Op& op) {
    return info(op.code).effect == Effect::Call || sets_loop_state(op);
  });
}

/// Whether a block fits into an inlined call: its frame into that of the region, and nothing runs a handler.
bool RegionBuilder::can_take_in(Block& block, const Invocation& in) const {
  if (in.instructions + block.slots > kSmall || block.needed_sof > in.frame.sof) return false;
  for (const Insn* i = block.insns(); !is_end_of_block(*i); ++i)
    if (!rules_.of(*i)) return false;
  return true;
}

/// Whether a return is found in the first blocks of a function.
bool RegionBuilder::returns_soon(Block& callee, u64 ip, const Invocation& made) const {
  struct Found {
    Block* block;
    u64 ip;
  };
  std::vector<Found> found{{&callee, ip}};
  const auto follow = [&](u64 to) {
    if (found.size() == kFewBlocks || std::any_of(found.begin(), found.end(), [&](const Found& f) { return f.ip == to; })) return;
    Block* const block = find_(to, made.mode);
    if (block && !find_alloc(*block) && can_take_in(*block, made)) found.push_back({block, to});
  };
  for (size_t n = 0; n < found.size(); n++) {
    const Insn* i = found[n].block->insns();
    for (; !is_end_of_block(*i); ++i) {
      if (i->handler == &br_ret_b4) return true;
      if (branches_plainly(*i)) follow(found[n].ip + u64{i->bundle} * 16 + i->imm);
    }
    follow(found[n].ip + u64{i->bundle} * 16 + 16);
  }
  return false;
}

/// Takes in the call that block `n` ends with. @returns whether the block must be lowered again
bool RegionBuilder::take_in_call(size_t n) {
  Lowered& l = lowered_[n];
  const Op* const op = l.unit.ops.empty() ? nullptr : &l.unit.ops.back();
  if (!op || !std::holds_alternative<Left>(l.unit.terminal) || op->guard != kNone) return false;
  const bool direct = op->code == Opcode::frame_call;
  if (!direct && op->code != Opcode::frame_call_to) return false;
  const Mode from = direct ? l.unit.exits[op->imm].from : Mode::unpack(static_cast<u32>(op->imm));
  if (l.inlining.back || !from.knows_cfm() || from.sol() > from.sof() || from.sof() > kStackedRegisters) return false;

  const u64 target = direct ? l.unit.exits[op->imm].ip : guess_(op->insn->r2) & ~u64{15};
  const u8 sol = static_cast<u8>(from.sol()), outputs = static_cast<u8>(from.sof() - from.sol());
  const Invocation made{from.called(), {sol, outputs}, {l.part.ip + u64{op->insn->bundle} * 16 + 16, from}};
  Block* const callee = find_(target, made.mode);
  if (!callee || find_alloc(*callee) || !can_take_in(*callee, made) || !returns_soon(*callee, target, made)) return false;
  invocations_.push_back(made);
  l.inlining.target = target, l.inlining.called = inlined();
  return true;
}

/// Whether AR.EC and the frame stay what they were at the region's entry.
bool RegionBuilder::may_inline() const {
  return std::none_of(lowered_.begin(), lowered_.end(), [](const Lowered& l) {
    return std::any_of(l.unit.ops.begin(), l.unit.ops.end(), [](const Op& op) { return sets_loop_state(op) || changes_frame(op); });
  });
}

}  // namespace ia64::cpu::ir
