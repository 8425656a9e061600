// Which fields make up the register file, and what holds for them.
#include "cpu/arch/register_state.h"

#include <algorithm>

namespace ia64::cpu {

namespace {

// A register that is added to Registers belongs into visit_state() below, and into a new version of the snapshot format.
static_assert(sizeof(Registers) == 41024);

template <size_t N>
bool all_flags(const u8 (&bytes)[N]) {
  return std::all_of(std::begin(bytes), std::end(bytes), [](u8 b) { return b <= 1; });
}

bool frame_possible(const Registers& r) {
  const Cfm& c = r.cfm;
  return c.sof <= kStackedRegisters && c.sol <= c.sof && c.sor <= c.sof && c.sor % 8 == 0 && c.rrb_gr < 96 &&
         c.rrb_fr < 96 && c.rrb_pr < 48;
}

/// Frame and dirty registers lie inside the buffer, which the RSE keeps them away from the ends of.
bool window_possible(const Registers& r) {
  constexpr i32 kMost = kStackedRegisters;
  return r.rse_dirty >= -kMost && r.rse_dirty <= kMost && r.rse_clean == 0 && r.bof >= kStackedRegisters &&
         r.bof <= Registers::kStackSlots - 2 * kStackedRegisters;
}

}  // namespace

void visit_state(StateArchive& a, FpReg& f) {
  a(f.significand, f.sign_exp);
  a.require(f.sign_exp < 1u << 18, "a floating-point register");
}

void visit_state(StateArchive& a, Cfm& c) { a(c.sof, c.sol, c.sor, c.rrb_gr, c.rrb_fr, c.rrb_pr); }

void visit_state(StateArchive& a, Registers& r) {
  a(r.gr_static, r.gr_static_nat, r.gr_banked, r.gr_banked_nat, r.stack_gr, r.stack_nat, r.bof);
  a(r.fr_phys, r.pr_phys, r.br, r.ip, r.slot, r.cfm, r.psr);
  a(r.kr, r.rsc, r.bspstore, r.rnat, r.fcr, r.eflag, r.csd, r.ssd, r.cflg, r.fsr, r.fir, r.fdr);
  a(r.ccv, r.unat, r.fpsr, r.pfs, r.lc, r.ec, r.rse_dirty, r.rse_clean, r.rse_cfle);
  a(r.dcr, r.itm, r.iva, r.pta, r.ipsr, r.isr, r.iip, r.ifa, r.itir, r.iipa, r.ifs, r.iim, r.iha, r.iib0, r.iib1);
  a(r.lid, r.tpr, r.itv, r.pmv, r.cmcv, r.lrr0, r.lrr1, r.rr, r.pkr, r.ibr, r.dbr, r.pmc, r.pmd);
  a.require(all_flags(r.gr_static_nat) && all_flags(r.gr_banked_nat) && all_flags(r.stack_nat), "a NaT bit");
  a.require(all_flags(r.pr_phys) && r.pr_phys[0] == 1, "a predicate");
  a.require(r.gr_static[0] == 0 && !r.gr_static_nat[0] && r.fr_phys[0] == kFpZero && r.fr_phys[1] == kFpOne, "a constant register");
  a.require(frame_possible(r), "the current frame marker");
  a.require(window_possible(r), "the register stack");
  a.require(r.slot < 3 && r.ip % 16 == 0, "the instruction pointer");
  a.require((r.psr & ~(psr::kDefined & ~psr::kRi)) == 0, "the processor status register");
  a.require(r.ec < 64 && r.bspstore % 8 == 0, "an application register");
}

}  // namespace ia64::cpu
