// Branches that leave the frame alone, loop branches, branch prediction, break, and the instructions that do nothing.
// @source SDM vol. 3, br, brl, brp, break, nop, hint; SDM vol. 1, 4.5.1
#include "cpu/core.h"
#include "cpu/exec/handlers.h"
#include "cpu/exec/rotation.h"

namespace ia64::cpu {

namespace {

Next branch_relative(Core& core, const Insn& i) { return core.branch_to(core.insn_ip(i) + i.imm); }
Next branch_if(Core& core, const Insn& i, bool taken) { return taken ? branch_relative(core, i) : Next::Continue; }

// One step of a software-pipelined loop: the epilogue counts down in EC once the kernel has ended. `another` says whether
// a new source iteration starts; its stage predicate is written to p63, which rotation turns into p16.
// Returns whether a top branch is taken; an exit branch does the opposite.
bool pipeline_step(Registers& r, bool kernel, bool stage_predicate) {
  const bool goes_on = kernel || r.ec > 1;
  r.set_pr(63, stage_predicate);
  if (!kernel) {
    if (r.ec == 0) return false;
    r.ec--;
  }
  rotate_down(r);
  return goes_on;
}

bool counted_step(Registers& r) {
  const bool kernel = r.lc != 0;
  if (kernel) r.lc--;
  return pipeline_step(r, kernel, kernel);
}

bool while_step(Registers& r, const Insn& i) { return pipeline_step(r, r.pr(i.qp), false); }

}  // namespace

Next br_cond_b1(Core& core, const Insn& i) noexcept { return branch_relative(core, i); }
Next brl_cond_x3(Core& core, const Insn& i) noexcept { return branch_relative(core, i); }
Next br_cond_b4(Core& core, const Insn& i) noexcept { return core.branch_to(core.regs().br[i.r2]); }

Next br_cloop_b2(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.lc == 0) return Next::Continue;
  r.lc--;
  return branch_relative(core, i);
}

Next br_ctop_b2(Core& core, const Insn& i) noexcept { return branch_if(core, i, counted_step(core.regs())); }
Next br_cexit_b2(Core& core, const Insn& i) noexcept { return branch_if(core, i, !counted_step(core.regs())); }
Next br_wtop_b1(Core& core, const Insn& i) noexcept { return branch_if(core, i, while_step(core.regs(), i)); }
Next br_wexit_b1(Core& core, const Insn& i) noexcept { return branch_if(core, i, !while_step(core.regs(), i)); }

// IIM gets 21 bits of immediate, and zero from the B unit whatever was encoded there.
Next break_i19(Core& core, const Insn& i) noexcept { return core.raise_break(i.imm); }
Next break_m37(Core& core, const Insn& i) noexcept { return core.raise_break(i.imm); }
Next break_x1(Core& core, const Insn& i) noexcept { return core.raise_break(i.imm & low_mask(21)); }
Next break_b9(Core& core, const Insn&) noexcept { return core.raise_break(0); }

// Predictions and hints have no architectural effect.
#define NO_EFFECT(name) \
  Next name(Core&, const Insn&) noexcept { return Next::Continue; }
NO_EFFECT(brp_b6)
NO_EFFECT(brp_b7)
NO_EFFECT(brp_ret_b7)
NO_EFFECT(nop_i18)
NO_EFFECT(nop_m48)
NO_EFFECT(nop_b9)
NO_EFFECT(nop_x5)
NO_EFFECT(hint_i18)
NO_EFFECT(hint_m48)
NO_EFFECT(hint_b9)
NO_EFFECT(hint_x5)
#undef NO_EFFECT

}  // namespace ia64::cpu
