// Processor status, serialization, debug and performance registers, and what stands in for illegal
// instructions.
#include "cpu/core.h"
#include "cpu/exec/handlers.h"
#include "cpu/mmu/tlb.h"

namespace ia64::cpu {

Next illegal_operation(Core& core, const Insn&) noexcept {
  return core.raise_illegal_operation();
}

// --- processor status register. @source SDM vol. 3, mov psr, mov um, ssm, rsm, sum, rum; SDM vol. 2, 3.3.2
// ------------------

namespace {

Next privileged(Core& core) {
  return core.raise_general(isr::kPrivilegedOperation);
}
Next reserved_field(Core& core) {
  return core.raise_general(isr::kReservedRegisterField);
}
bool is_user(const Core& core) {
  return core.regs().cpl() != 0;
}

/// User mask bits that the program may change: PSR.up only while PSR.sp is 0.
u64 writable_user_mask(const Registers& r) {
  return r.psr & psr::kSp ? psr::kUserMask & ~psr::kUp : psr::kUserMask;
}

Next set_psr(Core& core, u64 value) {
  core.set_psr(value);
  return Next::Sync;
}

}  // namespace

Next mov_psr_l_m35(Core& core, const Insn& i) noexcept {
  const Registers& r = core.regs();
  if (is_user(core)) return privileged(core);
  if (r.nat(i.r2)) return core.raise_nat_consumption();
  const u64 value = r.gr(i.r2) & psr::kLowWord;
  if (value & ~psr::kDefined) return reserved_field(core);
  return set_psr(core, (r.psr & ~psr::kLowWord) | value);
}

Next mov_psr_um_m35(Core& core, const Insn& i) noexcept {
  const Registers& r = core.regs();
  if (r.nat(i.r2)) return core.raise_nat_consumption();
  const u64 value = r.gr(i.r2) & low_mask(6), mask = writable_user_mask(r);
  if (value & ~psr::kUserMask) return reserved_field(core);
  return set_psr(core, (r.psr & ~mask) | (value & mask));
}

Next mov_psr_m36(Core& core, const Insn& i) noexcept {
  if (is_user(core)) return privileged(core);
  core.regs().set_gr(i.r1, core.regs().psr & (psr::kLowWord | psr::kMc | psr::kIt));
  return Next::Continue;
}

Next mov_psr_um_m36(Core& core, const Insn& i) noexcept {
  core.regs().set_gr(i.r1, core.regs().psr & psr::kUserMask);
  return Next::Continue;
}

Next sum_m44(Core& core, const Insn& i) noexcept {
  if (i.imm & ~psr::kUserMask) return reserved_field(core);
  return set_psr(core, core.regs().psr | (i.imm & writable_user_mask(core.regs())));
}

Next rum_m44(Core& core, const Insn& i) noexcept {
  if (i.imm & ~psr::kUserMask) return reserved_field(core);
  return set_psr(core, core.regs().psr & ~(i.imm & writable_user_mask(core.regs())));
}

Next ssm_m44(Core& core, const Insn& i) noexcept {
  if (is_user(core)) return privileged(core);
  if (i.imm & ~psr::kDefined) return reserved_field(core);
  return set_psr(core, core.regs().psr | i.imm);
}

Next rsm_m44(Core& core, const Insn& i) noexcept {
  if (is_user(core)) return privileged(core);
  if (i.imm & ~psr::kDefined) return reserved_field(core);
  return set_psr(core, core.regs().psr & ~i.imm);
}

// Every change is in force at the next instruction already, so serialization has nothing left to do but let
// the engine look.
Next srlz_d_m24(Core&, const Insn&) noexcept {
  return Next::Sync;
}
Next srlz_i_m24(Core&, const Insn&) noexcept {
  return Next::Sync;
}
Next sync_i_m24(Core&, const Insn&) noexcept {
  return Next::Sync;
}

/// Virtual machine mode is not enabled on this processor. @source SDM vol. 3, vmsw
static Next switch_vm(Core& core) {
  if (is_user(core)) return privileged(core);
  Fault f;
  f.vector = Vector::Virtualization;
  return core.raise(f);
}
Next vmsw_0_b8(Core& core, const Insn&) noexcept {
  return switch_vm(core);
}
Next vmsw_1_b8(Core& core, const Insn&) noexcept {
  return switch_vm(core);
}

// --- indirect register files. @source SDM vol. 3, mov indirect; SDM vol. 2, ch. 7
// ---------------------------------------------

namespace {

constexpr u64 kCounterMask = low_mask(47);  ///< width of the generic counters PMD4..7
constexpr unsigned kFirstCounter = 4, kLastCounter = 7;
constexpr u64 kPmcPrivileged = bit(6);

/// Index of the indirect register, from the low byte of r3.
unsigned index_of(const Registers& r, const Insn& i) {
  return static_cast<unsigned>(r.gr(i.r3) & 0xff);
}

template <size_t N>
Next read_file(Core& core, const Insn& i, const u64 (&file)[N]) {
  Registers& r = core.regs();
  if (is_user(core)) return privileged(core);
  if (r.nat(i.r3)) return core.raise_nat_consumption();
  const unsigned n = index_of(r, i);
  if (n >= N) return reserved_field(core);
  r.set_gr(i.r1, file[n]);
  return Next::Continue;
}

template <size_t N>
Next write_file(Core& core, const Insn& i, u64 (&file)[N]) {
  Registers& r = core.regs();
  if (is_user(core)) return privileged(core);
  if (r.nat(i.r2) || r.nat(i.r3)) return core.raise_nat_consumption();
  const unsigned n = index_of(r, i);
  if (n >= N) return reserved_field(core);
  file[n] = r.gr(i.r2);
  return Next::Continue;
}

Next debug_written(Core& core, Next next) {
  if (next == Next::Fault) return next;
  core.tlb().debug_registers_changed();
  return Next::Sync;
}

}  // namespace

Next mov_dbr_m42(Core& core, const Insn& i) noexcept {
  return debug_written(core, write_file(core, i, core.regs().dbr));
}
Next mov_ibr_m42(Core& core, const Insn& i) noexcept {
  return debug_written(core, write_file(core, i, core.regs().ibr));
}
Next mov_pmc_m42(Core& core, const Insn& i) noexcept {
  return write_file(core, i, core.regs().pmc);
}
Next mov_dbr_m43(Core& core, const Insn& i) noexcept {
  return read_file(core, i, core.regs().dbr);
}
Next mov_ibr_m43(Core& core, const Insn& i) noexcept {
  return read_file(core, i, core.regs().ibr);
}
Next mov_pmc_m43(Core& core, const Insn& i) noexcept {
  return read_file(core, i, core.regs().pmc);
}

Next mov_pmd_m42(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const Next next = write_file(core, i, r.pmd);
  if (next == Next::Fault) return next;
  const unsigned n = index_of(r, i);
  if (n >= kFirstCounter && n <= kLastCounter) r.pmd[n] &= kCounterMask;
  return next;
}

/// Open to programs, which read 0 where the system keeps a counter to itself.
Next mov_pmd_m43(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.nat(i.r3)) return core.raise_nat_consumption();
  const unsigned n = index_of(r, i);
  if (n >= std::size(r.pmd)) return reserved_field(core);
  const bool own = n >= kFirstCounter && n <= kLastCounter && (r.pmc[n] & kPmcPrivileged);
  r.set_gr(i.r1, is_user(core) && ((r.psr & psr::kSp) || own) ? 0 : r.pmd[n]);
  return Next::Continue;
}

Next mov_cpuid_m43(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.nat(i.r3)) return core.raise_nat_consumption();
  const auto& cpuid = core.wires().model->cpuid;
  const unsigned n = index_of(r, i);
  if (n >= std::size(cpuid)) return reserved_field(core);
  r.set_gr(i.r1, cpuid[n]);
  return Next::Continue;
}

// Model-specific registers: none is architected, none is implemented.
Next mov_msr_m42(Core& core, const Insn&) noexcept {
  return is_user(core) ? privileged(core) : core.raise_illegal_operation();
}
Next mov_msr_m43(Core& core, const Insn&) noexcept {
  return is_user(core) ? privileged(core) : core.raise_illegal_operation();
}

}  // namespace ia64::cpu
