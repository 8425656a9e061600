// Joins firmware's view of a processor to Core.
#include "machine/guest_cpu_adapter.h"

#include "cpu/mmu/tlb.h"
#include "cpu/mmu/translate.h"
#include "cpu/rse/rse.h"

namespace ia64::machine {

bool GuestCpuAdapter::translate(u64 va, bool, GuestPhys& phys) {
  return cpu::mmu::find_physical(core_, va, false, core_.regs().psr & cpu::psr::kDt, true, phys);
}

void GuestCpuAdapter::push_frame(unsigned sof) {
  cpu::Registers& r = core_.regs();
  // As br.call with the whole frame as locals, so that nothing of the interrupted caller is shared with the callee.
  cpu::Cfm saved = r.cfm;
  saved.sol = saved.sof;
  r.pfs = saved.pack() | u64{r.ec} << 52 | u64{r.cpl()} << 62;
  core_.rse().preserve(saved.sof);
  r.cfm = {};
  if (core_.rse().make_room(sof) == cpu::Next::Fault) {
    // Only a guest that left AR.BSPSTORE pointing nowhere gets here. Its older frames are lost; returning to them faults.
    r.bspstore = core_.rse().bsp();
    r.rse_dirty = 0;
  }
  r.cfm.sof = r.cfm.sol = static_cast<u8>(sof);
  for (unsigned n = 0; n < sof; n++) r.set_gr(32 + n, 0);
}

bool GuestCpuAdapter::read_tr(bool data, unsigned n, u64 out[4], u64& valid_bits) {
  const auto kind = data ? cpu::TranslationInfo::Kind::Dtr : cpu::TranslationInfo::Kind::Itr;
  const auto* model = core_.wires().model;
  if (n >= (data ? model->data_trs : model->instruction_trs)) return false;
  out[0] = out[1] = out[2] = out[3] = valid_bits = 0;
  for (const cpu::TranslationInfo& t : core_.tlb().translations()) {
    if (t.kind != kind || t.index != n) continue;
    out[0] = t.entry.pte;
    out[1] = u64{t.entry.ps} << 2 | u64{t.entry.key} << 8;
    out[2] = t.entry.va | 1;  // bit 0: the register is valid
    out[3] = u64{t.entry.rid} << 8;
    valid_bits = 0xf;  // access rights, privilege level, dirty bit and memory attribute are as in hardware
  }
  return true;
}

}  // namespace ia64::machine
