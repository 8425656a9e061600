// Speculation checks, removal of advanced load entries, and line prefetch.
// @source SDM vol. 3, chk, invala, lfetch
#include "cpu/exec/handlers.h"
#include "cpu/exec/memory.h"

namespace ia64::cpu {

// The store has been done, so its translation is known; if not, every entry that could overlap goes.
void drop_overlapping_slow(Core& core, u64 va, unsigned size) noexcept {
  Alat& alat = core.alat();
  GuestPhys phys;
  const u8* host = core.fast_tlb().write_pointer<1>(va, core.regs().psr);
  if (!host && core.data_physical(va, phys)) host = core.wires().bus->host_ptr(phys, false);
  host ? alat.invalidate_range(host, size) : alat.invalidate_offsets(va, size);
}

Next raise_nat_read(Core& core) noexcept { return core.raise_register_nat({.read = true}); }
Next raise_nat_write(Core& core) noexcept { return core.raise_register_nat({.write = true}); }
Next raise_nat_semaphore(Core& core) noexcept { return core.raise_register_nat({.read = true, .write = true}); }

namespace {

// A failed check branches to the recovery code by itself.
Next recover_if(Core& core, const Insn& i, bool failed) {
  return failed ? core.branch_to(core.insn_ip(i) + i.imm) : Next::Continue;
}

template <bool kClear>
Next check_advanced(Core& core, const Insn& i, AlatTag tag, bool never_entered) {
  const bool failed = never_entered || !core.alat().hit(tag);
  if (kClear && !failed) core.alat().remove(tag);
  return recover_if(core, i, failed);
}
template <bool kClear>
Next check_advanced_gr(Core& core, const Insn& i) {
  return check_advanced<kClear>(core, i, alat_gr_tag(core.regs(), i.r1), i.r1 == 0);
}
template <bool kClear>
Next check_advanced_fr(Core& core, const Insn& i) {
  return check_advanced<kClear>(core, i, alat_fr_tag(core.regs(), i.r1), i.r1 < 2);
}

template <Update kUpdate, bool kFault, bool kExclusive>
Next prefetch(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const Gr base(r, i.r3);
  const u64 va = base.value();
  const bool nat = base.nat();
  const PostIncrement<kUpdate> increment(r, i);
  if constexpr (kFault) {
    if (nat) return core.raise_register_nat({.read = true, .non_access = true, .na_code = isr::kLfetch});
    if (core.prefetch(va, true, kExclusive) == Next::Fault) return Next::Fault;
  } else {
    if (!nat) core.prefetch(va, false, kExclusive);
  }
  increment.apply(base, va, nat);
  return Next::Continue;
}

}  // namespace

Next chk_s_m20(Core& core, const Insn& i) noexcept { return recover_if(core, i, core.regs().nat(i.r2)); }
Next chk_s_i20(Core& core, const Insn& i) noexcept { return recover_if(core, i, core.regs().nat(i.r2)); }

Next chk_s_m21(Core& core, const Insn& i) noexcept {
  if (check_fp_enabled(core, i.r2) == Next::Fault) return Next::Fault;
  return recover_if(core, i, core.regs().fr(i.r2).is_natval());
}

Next chk_a_nc_m22(Core& core, const Insn& i) noexcept { return check_advanced_gr<false>(core, i); }
Next chk_a_clr_m22(Core& core, const Insn& i) noexcept { return check_advanced_gr<true>(core, i); }
Next chk_a_nc_m23(Core& core, const Insn& i) noexcept { return check_advanced_fr<false>(core, i); }
Next chk_a_clr_m23(Core& core, const Insn& i) noexcept { return check_advanced_fr<true>(core, i); }

Next invala_m24(Core& core, const Insn&) noexcept {
  core.alat().clear();
  return Next::Continue;
}
Next invala_e_m26(Core& core, const Insn& i) noexcept {
  core.alat().remove(alat_gr_tag(core.regs(), i.r1));
  return Next::Continue;
}
Next invala_e_m27(Core& core, const Insn& i) noexcept {
  core.alat().remove(alat_fr_tag(core.regs(), i.r1));
  return Next::Continue;
}

#define LFETCH(format, update) \
  Next lfetch_##format(Core& core, const Insn& i) noexcept { return prefetch<Update::update, false, false>(core, i); } \
  Next lfetch_excl_##format(Core& core, const Insn& i) noexcept { return prefetch<Update::update, false, true>(core, i); } \
  Next lfetch_fault_##format(Core& core, const Insn& i) noexcept { return prefetch<Update::update, true, false>(core, i); } \
  Next lfetch_fault_excl_##format(Core& core, const Insn& i) noexcept { return prefetch<Update::update, true, true>(core, i); }

LFETCH(m13, None)
LFETCH(m14, Register)
LFETCH(m15, Immediate)

}  // namespace ia64::cpu
