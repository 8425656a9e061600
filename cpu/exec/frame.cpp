// Register frames: alloc, calls and returns, cover, rename bases, rfi, epc, bank switch, flushrs and loadrs.
#include <algorithm>
#include <cstring>

#include "cpu/core.h"
#include "cpu/exec/alat.h"
#include "cpu/exec/handlers.h"
#include "cpu/mmu/fetch.h"
#include "cpu/rse/rse.h"

namespace ia64::cpu {

namespace {

constexpr u64 kIfsValid = bit(63);
constexpr unsigned kPfsEcPos = 52, kPfsPplPos = 62;
constexpr u64 kFrameMask = low_mask(38);

/// AR.PFS as a call fills it. @source SDM vol. 1, 3.1.8.10
u64 pfs_of(const Registers& r) {
  return r.cfm.pack() | u64{r.ec} << kPfsEcPos | u64{r.cpl()} << kPfsPplPos;
}

/// Whether a frame marker that software made can be used at all.
bool is_sane(const Cfm& f) {
  return f.sof <= kStackedRegisters && f.sol <= f.sof && f.sor <= f.sof && f.rrb_gr < kStackedRegisters &&
         f.rrb_fr < kStackedRegisters && f.rrb_pr < 48;
}

Next call(Core& core, const Insn& i, u64 target) {
  Registers& r = core.regs();
  r.br[i.r1] = core.insn_ip(i) + 16;
  r.pfs = pfs_of(r);
  const unsigned locals = r.cfm.sol;
  const u8 outputs = static_cast<u8>(r.cfm.sof - locals);
  core.rse().preserve(locals);
  r.cfm = Cfm{.sof = outputs};
  return core.branch_to(target);
}

void clear_bases(Cfm& f) {
  f.rrb_gr = f.rrb_fr = f.rrb_pr = 0;
}

void set_cpl(Core& core, unsigned cpl) {
  core.set_psr(with_field(core.regs().psr, psr::kCplPos, 2, cpl));
}

}  // namespace

/// @source SDM vol. 3, alloc
Next alloc_m34(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const Cfm wanted = Cfm::unpack(i.imm & low_mask(18));
  if (wanted.sof > kStackedRegisters || wanted.sol > wanted.sof || wanted.sor > wanted.sof)
    return core.raise_illegal_operation();
  const bool rotated = r.cfm.rrb_gr || r.cfm.rrb_fr || r.cfm.rrb_pr;
  if (wanted.sor != r.cfm.sor && rotated) return core.raise_general(isr::kReservedRegisterField);
  if (core.rse().make_room(wanted.sof) == Next::Fault) return Next::Fault;
  if (wanted.sof > r.cfm.sof) std::memset(&r.stack_nat[r.bof + r.cfm.sof], 0, wanted.sof - r.cfm.sof);
  r.cfm.sof = wanted.sof, r.cfm.sol = wanted.sol, r.cfm.sor = wanted.sor;
  r.set_gr(i.r1, r.pfs);
  return Next::Continue;
}

Next br_call_b3(Core& core, const Insn& i) noexcept {
  return call(core, i, core.insn_ip(i) + i.imm);
}
Next br_call_b5(Core& core, const Insn& i) noexcept {
  return call(core, i, core.regs().br[i.r2]);
}
Next brl_call_x4(Core& core, const Insn& i) noexcept {
  return call(core, i, core.insn_ip(i) + i.imm);
}

/// @source SDM vol. 3, br (ret); vol. 2, 6.5.5 (Bad PFS Used by Branch Return)
Next br_ret_b4(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const u64 pfs = r.pfs, target = r.br[i.r2];
  const Cfm caller = Cfm::unpack(pfs & kFrameMask);
  const bool sane = is_sane(caller);
  const unsigned locals = std::min<unsigned>(caller.sol, kStackedRegisters);
  r.ec = static_cast<u8>(field(pfs, kPfsEcPos, 6));
  const bool good = core.rse().restore(locals, sane ? caller.sof - caller.sol : kStackedRegisters + 1u);
  r.cfm = good ? caller : Cfm{};
  core.rse().begin_frame_load();
  const unsigned ppl = static_cast<unsigned>(field(pfs, kPfsPplPos, 2));
  if (ppl > r.cpl()) {
    if (r.psr & psr::kLp) core.note_lower_privilege_trap();
    set_cpl(core, ppl);
  }
  return core.branch_to(target);
}

/// IA-32 code does not exist on this processor. @source SDM vol. 2, 5.6 (Disabled Instruction Set Transition)
Next br_ia_b4(Core& core, const Insn&) noexcept {
  return core.raise_general(isr::kDisabledIsaTransition);
}

/// @source SDM vol. 3, cover
Next cover_b8(Core& core, const Insn&) noexcept {
  Registers& r = core.regs();
  if (!(r.psr & psr::kIc)) r.ifs = r.cfm.pack() | kIfsValid;
  core.rse().preserve(r.cfm.sof);
  r.cfm = Cfm{};
  return Next::Sync;
}

Next clrrrb_b8(Core& core, const Insn&) noexcept {
  clear_bases(core.regs().cfm);
  return Next::Sync;
}

Next clrrrb_pr_b8(Core& core, const Insn&) noexcept {
  core.regs().cfm.rrb_pr = 0;
  return Next::Sync;
}

/// @source SDM vol. 3, rfi; vol. 2, 6.6
Next rfi_b8(Core& core, const Insn&) noexcept {
  Registers& r = core.regs();
  if (r.cpl() != 0) return core.raise_general(isr::kPrivilegedOperation);
  if (r.ipsr & psr::kIs) return core.raise_general(isr::kDisabledIsaTransition);
  const u64 ipsr = r.ipsr, iip = r.iip;
  if (r.ifs & kIfsValid) {
    const Cfm frame = Cfm::unpack(r.ifs & kFrameMask);
    const unsigned size = std::min<unsigned>(frame.sof, kStackedRegisters);
    // Outputs 0: the whole frame lies on the stack, so it always fits.
    core.rse().restore(size, 0);
    r.cfm = is_sane(frame) ? frame : Cfm{};
    if (r.cfm.sof == 0 && r.rse_dirty < 0) r.bspstore = core.rse().bsp(), r.rse_dirty = 0;
  }
  core.rse().begin_frame_load();
  core.set_psr(ipsr & ~psr::kVm);
  core.branch_to(iip);
  r.slot = static_cast<u8>(std::min<u64>(field(ipsr, psr::kRiPos, 2), 2));
  return Next::Branch;
}

/// Enters the privilege level of the page when the page grants it. @source SDM vol. 3, epc; vol. 2, 4.1.1.6
Next epc_b8(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (field(r.pfs, kPfsPplPos, 2) < r.cpl()) return core.raise_illegal_operation();
  FetchPage page;
  if (fetch_page(core, core.insn_ip(i), page) == Next::Fault) return Next::Fault;
  if (page.promote_to < r.cpl()) set_cpl(core, page.promote_to);
  return Next::Sync;
}

namespace {

Next switch_bank(Core& core, bool bank1) {
  const u64 psr = core.regs().psr;
  if (core.regs().cpl() != 0) return core.raise_general(isr::kPrivilegedOperation);
  core.set_psr(bank1 ? psr | psr::kBn : psr & ~psr::kBn);
  return Next::Sync;
}

}  // namespace

Next bsw_0_b8(Core& core, const Insn&) noexcept {
  return switch_bank(core, false);
}
Next bsw_1_b8(Core& core, const Insn&) noexcept {
  return switch_bank(core, true);
}

Next flushrs_m25(Core& core, const Insn&) noexcept {
  return core.rse().flush();
}

/// @source SDM vol. 3, loadrs
Next loadrs_m25(Core& core, const Insn&) noexcept {
  const Registers& r = core.regs();
  const u64 size_bytes = field(r.rsc, 16, 14);
  if ((r.rsc & 3) != 0 || (r.cfm.sof != 0 && size_bytes >> 3 != 0)) return core.raise_illegal_operation();
  const Next next = core.rse().ensure_loaded(size_bytes);
  return next == Next::Fault ? next : Next::Sync;
}

}  // namespace ia64::cpu
