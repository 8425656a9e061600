// Register states at hand-off.
#include "firmware/entry_state.h"

#include "base/bits.h"

namespace ia64::firmware {
namespace {
constexpr u64 kFpsr =
    0x0009'804c'0270'033f;         // all FP exceptions masked, sf0 full precision, the usual alternate fields
constexpr u64 kMasked = bit(16);   // mask bit of the local vector registers
constexpr u64 kVhptOff = 15 << 2;  // smallest legal size, walker disabled
constexpr u64 kPageSize4K = 12 << 2;
}  // namespace

void set_entry_state(GuestCpu& cpu, const BoardDescription& board, const EntryState& state) {
  auto& r = cpu.regs();
  for (unsigned n = 1; n < 32; n++) r.gr_static[n] = 0, r.gr_static_nat[n] = 0;
  for (unsigned n = 0; n < 16; n++) r.gr_banked[n] = 0, r.gr_banked_nat[n] = 0;
  for (unsigned n = 2; n < 128; n++) r.fr_phys[n] = cpu::kFpZero;
  r.fr_phys[0] = cpu::kFpZero, r.fr_phys[1] = cpu::kFpOne;
  for (unsigned n = 0; n < 64; n++) r.pr_phys[n] = n == 0;
  for (auto& b : r.br) b = 0;
  r.psr = cpu::psr::kIc | cpu::psr::kBn | cpu::psr::kI;
  r.ip = state.ip, r.slot = 0;
  r.cfm = {};
  r.rsc = 0, r.bspstore = state.backing_store, r.rnat = 0;
  r.rse_dirty = r.rse_clean = 0, r.rse_cfle = false;
  r.pfs = r.lc = r.unat = r.ccv = 0, r.ec = 0;
  r.fpsr = kFpsr;
  for (auto& k : r.kr) k = 0;
  r.kr[0] = board.port_space_base;
  r.dcr = 0, r.iva = state.vectors, r.pta = kVhptOff;
  r.tpr = 0, r.itv = r.pmv = r.cmcv = r.lrr0 = r.lrr1 = kMasked;
  if (cpu.index() < board.cpus.size()) {
    const CpuInfo& info = board.cpus[cpu.index()];
    r.lid = u64{info.id} << 24 | u64{info.eid} << 16;
  }
  for (unsigned n = 0; n < 8; n++) r.rr[n] = u64{n + 1} << 8 | kPageSize4K;
  for (auto& k : r.pkr) k = 0;
  r.set_gr(1, state.gp);
  // 16 bytes of scratch area lie above sp.
  if (state.stack_top) r.set_gr(12, state.stack_top - 16);
}

}  // namespace ia64::firmware
