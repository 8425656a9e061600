// Instructions of the translation hardware: TLB insertions and purges, region and key registers, probes,
// cache flushes.
// @source SDM vol. 3, itc, itr, ptc, ptr, probe, tpa, tak, thash, ttag, fc, mov rr, mov pkr; vol. 2, 4.1
#include "base/address_space.h"
#include "cpu/core.h"
#include "cpu/core_group.h"
#include "cpu/exec/alat.h"
#include "cpu/exec/handlers.h"
#include "cpu/mmu/tlb.h"
#include "cpu/mmu/translate.h"
#include "cpu/mmu/vhpt.h"

namespace ia64::cpu {

namespace {
using mmu::Problem;
using mmu::problem_bit;
using mmu::Problems;

Next raise_privileged(Core& core) {
  return core.raise_general(isr::kPrivilegedOperation);
}
Next raise_reserved(Core& core) {
  return core.raise_general(isr::kReservedRegisterField);
}

/// Privileged Operation fault of a non-access instruction, which says so in ISR.
Next raise_privileged_non_access(Core& core, u8 na_code) {
  Fault f;
  f.isr = u64{isr::kPrivilegedOperation} | isr::kNa | na_code;
  return core.raise(f);
}

Next raise_unimplemented(Core& core, u64 va) {
  return core.raise(mmu::make_fault(core, {.va = va}, Problem::UnimplementedAddress, 0));
}

Next raise_problem(Core& core, const mmu::Reference& ref, Problems problems, u64 iha) {
  return core.raise(mmu::make_fault(core, ref, mmu::first_problem(problems), iha));
}

// --- insertion ---

/// The checks that itc and itr share, after those of their registers. @returns Continue when the insertion
/// may be done
Next check_insertion(Core& core, u64 pte_word) {
  const Registers& r = core.regs();
  if (is_reserved_translation(pte_word, r.itir, core.wires().model->insertable_page_sizes))
    return raise_reserved(core);
  if (mmu::is_unimplemented_virtual(core, r.ifa)) return raise_unimplemented(core, r.ifa);
  return Next::Continue;
}

/// Illegal with PSR.ic = 1, because interruptions would change IFA and ITIR under the program.
Next check_insertion_state(Core& core, bool nat) {
  const Registers& r = core.regs();
  if (r.psr & psr::kIc) return core.raise_illegal_operation();
  if (r.cpl() != 0) return raise_privileged(core);
  return nat ? core.raise_nat_consumption() : Next::Continue;
}

template <bool kInstruction>
Next insert_cache(Core& core, const Insn& i) noexcept {
  const Registers& r = core.regs();
  if (check_insertion_state(core, r.nat(i.r2)) == Next::Fault) return Next::Fault;
  const u64 pte_word = r.gr(i.r2);
  if (check_insertion(core, pte_word) == Next::Fault) return Next::Fault;
  if constexpr (kInstruction) {
    core.tlb().insert_instruction(r.ifa, pte_word, r.itir);
  } else {
    core.tlb().insert_data(r.ifa, pte_word, r.itir);
  }
  return Next::Sync;
}

template <bool kInstruction>
Next insert_register(Core& core, const Insn& i) noexcept {
  const Registers& r = core.regs();
  if (check_insertion_state(core, r.nat(i.r2) | r.nat(i.r3)) == Next::Fault) return Next::Fault;
  const auto slot = static_cast<unsigned>(r.gr(i.r3) & 0xff);
  const CpuModel& model = *core.wires().model;
  if (slot >= (kInstruction ? model.instruction_trs : model.data_trs)) return raise_reserved(core);
  const u64 pte_word = r.gr(i.r2);
  if (check_insertion(core, pte_word) == Next::Fault) return Next::Fault;
  if constexpr (kInstruction) {
    core.tlb().insert_instruction_register(slot, r.ifa, pte_word, r.itir);
  } else {
    core.tlb().insert_data_register(slot, r.ifa, pte_word, r.itir);
  }
  return Next::Sync;
}

// --- purges ---

/// Checks of ptc and ptr, then what they purge. Unsupported page sizes are taken as they are: purging more or
/// less than a supported size is not observable as anything but misses.
Next read_purge(Core& core, const Insn& i, PurgeRequest& request) {
  const Registers& r = core.regs();
  if (r.cpl() != 0) return raise_privileged(core);
  if (r.nat(i.r3) | r.nat(i.r2)) return core.raise_nat_consumption();
  const u64 va = r.gr(i.r3);
  if (mmu::is_unimplemented_virtual(core, va)) return raise_unimplemented(core, va);
  request = {.va = va,
             .rid = static_cast<u32>(field(r.rr[va >> 61], 8, 24)),
             .ps = static_cast<u8>(field(r.gr(i.r2), 2, 6))};
  return Next::Continue;
}

template <bool kGlobal>
Next purge_cache(Core& core, const Insn& i) noexcept {
  PurgeRequest request;
  if (read_purge(core, i, request) == Next::Fault) return Next::Fault;
  core.tlb().purge_caches(request);
  if (kGlobal && core.group()) core.group()->purge_elsewhere(core, request);
  return Next::Sync;
}

// --- probes ---

/// A probe is made at the least privileged of PSR.cpl and the requested level.
u8 probe_level(const Core& core, u64 requested) {
  const unsigned cpl = core.regs().cpl(), level = static_cast<unsigned>(requested & 3);
  return static_cast<u8>(level > cpl ? level : cpl);
}

/// The regular form answers whether keys and rights allow the access, and no for an unimplemented address;
/// everything else that keeps it from knowing is a fault. The TLB is searched even with PSR.dt = 0.
Next probe(Core& core, const Insn& i, u64 level, bool level_nat, bool write) {
  Registers& r = core.regs();
  const AccessKind kind{.read = !write, .write = write, .non_access = true, .na_code = isr::kProbe};
  if (r.nat(i.r3) | level_nat) return core.raise_register_nat(kind);
  const mmu::Reference ref{.va = r.gr(i.r3),
                           .pl = probe_level(core, level),
                           .read = !write,
                           .write = write,
                           .non_access = true,
                           .na_code = isr::kProbe,
                           .check_bits = false};
  constexpr Problems kAnswers = problem_bit(Problem::UnimplementedAddress) |
                                problem_bit(Problem::KeyPermission) | problem_bit(Problem::AccessRights);
  mmu::Translation t;
  const Problems problems = mmu::translate(core, ref, t);
  if (problems & ~kAnswers) return raise_problem(core, ref, problems & ~kAnswers, t.iha);
  r.set_gr(i.r1, problems == 0);
  return Next::Continue;
}

/// The fault form takes the faults the access would take; without translation there are hardly any.
Next probe_fault(Core& core, const Insn& i, bool read, bool write) {
  const Registers& r = core.regs();
  const AccessKind kind{.read = read, .write = write, .non_access = true, .na_code = isr::kProbeFault};
  if (r.nat(i.r3)) return core.raise_register_nat(kind);
  const mmu::Reference ref{.va = r.gr(i.r3),
                           .pl = probe_level(core, i.imm),
                           .read = read,
                           .write = write,
                           .translate = (r.psr & psr::kDt) != 0,
                           .non_access = true,
                           .na_code = isr::kProbeFault};
  mmu::Translation t;
  const Problems problems = mmu::translate(core, ref, t);
  return problems ? raise_problem(core, ref, problems, t.iha) : Next::Continue;
}

/// A reference of tpa and tak: found or not, no rights asked.
mmu::Reference bare_reference(u64 va, u8 na_code) {
  return {.va = va,
          .non_access = true,
          .na_code = na_code,
          .check_keys = false,
          .check_rights = false,
          .check_bits = false};
}

/// fc and fc.i: rights of a 1-byte read except at level 0, no keys. This CPU's stores and DMA drop cached
/// code by themselves; other CPUs may have stored without notice and are caught here. Ends the block in any
/// case.
Next flush_line(Core& core, const Insn& i) noexcept {
  constexpr u64 kLine = 128;
  const Registers& r = core.regs();
  if (r.nat(i.r3)) return core.raise_register_nat({.read = true, .non_access = true, .na_code = isr::kFc});
  const mmu::Reference ref{.va = r.gr(i.r3),
                           .pl = static_cast<u8>(r.cpl()),
                           .read = true,
                           .translate = (r.psr & psr::kDt) != 0,
                           .non_access = true,
                           .na_code = isr::kFc,
                           .check_keys = false,
                           .check_rights = r.cpl() != 0,
                           .check_bits = false};
  mmu::Translation t;
  if (const Problems problems = mmu::translate(core, ref, t))
    return raise_problem(core, ref, problems, t.iha);
  core.wires().bus->code_written(align_down(t.phys, kLine), kLine);
  return Next::Sync;
}

/// thash and ttag give a NaT for what they cannot hash.
template <u64 (*kFunction)(const Core&, u64) noexcept>
Next hash(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const u64 va = r.gr(i.r3);
  if (r.nat(i.r3) || mmu::is_unimplemented_virtual(core, va)) {
    core.set_gr_nat(i.r1, 0, true);
  } else {
    r.set_gr(i.r1, kFunction(core, va));
  }
  return Next::Continue;
}

/// Checks of the indirect moves. @param nat of all register operands
Next check_indirect_move(Core& core, bool nat) {
  if (core.regs().cpl() != 0) return raise_privileged(core);
  return nat ? core.raise_nat_consumption() : Next::Continue;
}

/// PKR number in GR[r3]{7:0}, or Fault when the model has no such register.
Next read_pkr_number(Core& core, const Insn& i, unsigned& number) {
  number = static_cast<unsigned>(core.regs().gr(i.r3) & 0xff);
  return number < core.wires().model->pkrs ? Next::Continue : raise_reserved(core);
}

}  // namespace

Next itc_i_m41(Core& core, const Insn& i) noexcept {
  return insert_cache<true>(core, i);
}
Next itc_d_m41(Core& core, const Insn& i) noexcept {
  return insert_cache<false>(core, i);
}
Next itr_i_m42(Core& core, const Insn& i) noexcept {
  return insert_register<true>(core, i);
}
Next itr_d_m42(Core& core, const Insn& i) noexcept {
  return insert_register<false>(core, i);
}

Next ptc_l_m45(Core& core, const Insn& i) noexcept {
  return purge_cache<false>(core, i);
}
Next ptc_g_m45(Core& core, const Insn& i) noexcept {
  return purge_cache<true>(core, i);
}

/// Purges the ALAT too. The advanced loads of the other processors are checked by physical address after an
/// ordering operation, so theirs need no message.
Next ptc_ga_m45(Core& core, const Insn& i) noexcept {
  const Next next = purge_cache<true>(core, i);
  if (next != Next::Fault) core.alat().clear();
  return next;
}

/// The loop parameters that PAL_PTCE_INFO gives make one execution enough; GR[r3] does not select anything.
Next ptc_e_m47(Core& core, const Insn& i) noexcept {
  const Registers& r = core.regs();
  if (r.cpl() != 0) return raise_privileged(core);
  if (r.nat(i.r3)) return core.raise_nat_consumption();
  core.tlb().purge_all_caches();
  return Next::Sync;
}

Next ptr_i_m45(Core& core, const Insn& i) noexcept {
  PurgeRequest request;
  if (read_purge(core, i, request) == Next::Fault) return Next::Fault;
  core.tlb().purge_instruction_registers(request);
  return Next::Sync;
}
Next ptr_d_m45(Core& core, const Insn& i) noexcept {
  PurgeRequest request;
  if (read_purge(core, i, request) == Next::Fault) return Next::Fault;
  core.tlb().purge_data_registers(request);
  return Next::Sync;
}

Next probe_r_m38(Core& core, const Insn& i) noexcept {
  return probe(core, i, core.regs().gr(i.r2), core.regs().nat(i.r2), false);
}
Next probe_w_m38(Core& core, const Insn& i) noexcept {
  return probe(core, i, core.regs().gr(i.r2), core.regs().nat(i.r2), true);
}
Next probe_r_m39(Core& core, const Insn& i) noexcept {
  return probe(core, i, i.imm, false, false);
}
Next probe_w_m39(Core& core, const Insn& i) noexcept {
  return probe(core, i, i.imm, false, true);
}
Next probe_rw_fault_m40(Core& core, const Insn& i) noexcept {
  return probe_fault(core, i, true, true);
}
Next probe_r_fault_m40(Core& core, const Insn& i) noexcept {
  return probe_fault(core, i, true, false);
}
Next probe_w_fault_m40(Core& core, const Insn& i) noexcept {
  return probe_fault(core, i, false, true);
}

Next tpa_m46(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.cpl() != 0) return raise_privileged_non_access(core, isr::kTpa);
  if (r.nat(i.r3)) return core.raise_register_nat({.non_access = true, .na_code = isr::kTpa});
  const mmu::Reference ref = bare_reference(r.gr(i.r3), isr::kTpa);
  mmu::Translation t;
  if (const Problems problems = mmu::translate(core, ref, t))
    return raise_problem(core, ref, problems, t.iha);
  r.set_gr(i.r1, t.phys);
  return Next::Continue;
}

/// Never faults for want of a translation: 1 says there is none. NaT pages have keys like others.
Next tak_m46(Core& core, const Insn& i) noexcept {
  constexpr u64 kNoTranslation = 1;
  Registers& r = core.regs();
  if (r.cpl() != 0) return raise_privileged_non_access(core, isr::kTak);
  if (r.nat(i.r3)) return core.raise_register_nat({.non_access = true, .na_code = isr::kTak});
  mmu::Translation t;
  const Problems problems = mmu::translate(core, bare_reference(r.gr(i.r3), isr::kTak), t);
  const bool found = (problems & ~problem_bit(Problem::NatPage)) == 0;
  r.set_gr(i.r1, found ? u64{t.entry->key} << 8 : kNoTranslation);
  return Next::Continue;
}

Next thash_m46(Core& core, const Insn& i) noexcept {
  return hash<mmu::vhpt_address>(core, i);
}
Next ttag_m46(Core& core, const Insn& i) noexcept {
  return hash<mmu::vhpt_tag>(core, i);
}

Next fc_m28(Core& core, const Insn& i) noexcept {
  return flush_line(core, i);
}
Next fc_i_m28(Core& core, const Insn& i) noexcept {
  return flush_line(core, i);
}

Next mov_rr_m42(Core& core, const Insn& i) noexcept {
  const Registers& r = core.regs();
  if (check_indirect_move(core, r.nat(i.r3) | r.nat(i.r2)) == Next::Fault) return Next::Fault;
  const u64 value = r.gr(i.r2);
  if (core.tlb().is_reserved_rr(value)) return raise_reserved(core);
  core.tlb().write_rr(static_cast<unsigned>(r.gr(i.r3) >> 61), value);
  return Next::Sync;
}
Next mov_rr_m43(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (check_indirect_move(core, r.nat(i.r3)) == Next::Fault) return Next::Fault;
  r.set_gr(i.r1, r.rr[r.gr(i.r3) >> 61]);
  return Next::Continue;
}

Next mov_pkr_m42(Core& core, const Insn& i) noexcept {
  const Registers& r = core.regs();
  if (check_indirect_move(core, r.nat(i.r3) | r.nat(i.r2)) == Next::Fault) return Next::Fault;
  unsigned number;
  if (read_pkr_number(core, i, number) == Next::Fault) return Next::Fault;
  const u64 value = r.gr(i.r2);
  if (value & Tlb::kPkrReserved) return raise_reserved(core);
  core.tlb().write_pkr(number, value);
  return Next::Sync;
}
Next mov_pkr_m43(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (check_indirect_move(core, r.nat(i.r3)) == Next::Fault) return Next::Fault;
  unsigned number;
  if (read_pkr_number(core, i, number) == Next::Fault) return Next::Fault;
  r.set_gr(i.r1, r.pkr[number]);
  return Next::Continue;
}

}  // namespace ia64::cpu
