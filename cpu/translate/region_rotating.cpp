// Rotating loops of one decoded block as regions: the rotating registers live in a window, counted loops get a steady state.
#include <algorithm>

#include "cpu/exec/handlers.h"
#include "cpu/translate/memory_form.h"
#include "cpu/translate/region.h"

namespace ia64::cpu::ir {

namespace {

/// Stages that one comparison of the predicates can take in.
constexpr unsigned kMostStages = 32;

bool rotating(const Op& op) { return Location::unpack(op.imm).file == File::RotatingGeneral; }

/// What looks at rotating registers or the frame elsewhere than in the window.
bool needs_frame(const Op& op) {
  const Effect effect = info(op.code).effect;
  if (effect == Effect::Call || effect == Effect::Sync) return true;
  switch (op.code) {
    case Opcode::check_nat:
    case Opcode::clear_nat:
    case Opcode::advanced_check: return rotating(op);
    case Opcode::advanced_check_fp:
    case Opcode::enter_advanced:
    case Opcode::find_advanced:
    case Opcode::frame_call:
    case Opcode::frame_call_to:
    case Opcode::frame_return:
    case Opcode::frame_alloc: return true;
    default: break;
  }
  if (op.code < Opcode::load8 || op.code > Opcode::load64) return false;
  const MemoryForm form = MemoryForm::unpack(op.imm);
  return (is_advanced(form.kind) || is_check(form.kind)) && form.target.file == File::RotatingGeneral;
}

bool uses_floats(const Unit& unit) {
  return std::any_of(unit.ops.begin(), unit.ops.end(),
                     [](const Op& op) { return op.code >= Opcode::float_check && op.code <= Opcode::merge_flags; });
}

/// How many predicates from p16 on the loop reads; 0 when it sets some itself, or LC otherwise than by its branch.
u8 count_stages(const Unit& unit) {
  unsigned stages = 0, counts = 0;
  for (const Op& op : unit.ops) {
    const Location l = Location::unpack(op.imm);
    if (op.code == Opcode::set && l.file == File::LoopCount && ++counts > 1) return 0;
    if (op.code == Opcode::window_set && l.file == File::RotatingPredicate) return 0;
    if (op.code == Opcode::window_get && l.file == File::RotatingPredicate) stages = std::max(stages, l.index - 15u);
  }
  return static_cast<u8>(stages <= kMostStages ? stages : 0);
}

/// The branch that rotates and leads back to `ip`, or nullptr.
const Insn* closing_branch(Block& block, u64 ip) {
  for (const Insn* i = block.insns(); !is_end_of_block(*i); ++i) {
    const bool closes = i->handler == &br_ctop_b2 || i->handler == &br_wtop_b1;
    if (closes) return ip + u64{i->bundle} * 16 + i->imm == ip ? i : nullptr;
  }
  return nullptr;
}

}  // namespace

/// Makes `head` the region when it is a loop that can run in a window. Its stages fill and drain in the general form of the block; in
/// between, the steady form knows that they are all at work. The first round is another translation's, since all rename bases are 0 there.
bool RegionBuilder::rotating_loop(Block& head, u64 ip) {
  const Insn* const branch = windows_ && mode_.rotated ? closing_branch(head, ip) : nullptr;
  if (!branch) return false;
  const auto lower = [&](const RotatingLoop& how) {
    Lowering lowering(rules_, head, ip, 0, mode_);
    lowering.in_loop(how);
    return lowering.run();
  };
  RotatingLoop how{.windowed = true};
  Unit unit = lower(how);
  const bool slides = std::any_of(unit.ops.begin(), unit.ops.end(), [](const Op& op) { return op.code == Opcode::slide; });
  if (!slides || std::any_of(unit.ops.begin(), unit.ops.end(), needs_frame)) return false;
  how.floats = uses_floats(unit);
  if (branch->handler == &br_ctop_b2) how.stages = count_stages(unit);
  windowed_ = true;
  lowered_.push_back({{ip, 0, &head, false, mode_}, lower(how), {}});
  how.steady = true;
  if (how.stages) lowered_.push_back({{ip, 0, &head, true, mode_}, lower(how), {}});
  return true;
}

}  // namespace ia64::cpu::ir
