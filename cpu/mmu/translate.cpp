// TLB search with the checks of a reference, and the faults they give.
#include "cpu/mmu/translate.h"

#include "cpu/core.h"
#include "cpu/mmu/debug_match.h"
#include "cpu/mmu/tlb.h"
#include "cpu/mmu/vhpt.h"

namespace ia64::cpu::mmu {

namespace {
/// Unaligned accesses work inside one line of this many bytes. Deviation: Itanium 2 does so inside 8 or 16
/// bytes only, depending on the instruction; the manual leaves it open, and a larger window spares guests
/// emulation.
constexpr u64 kUnalignedWindow = 64;

constexpr Problems kNotPresentBit = problem_bit(Problem::NotPresent),
                   kNatPageBit = problem_bit(Problem::NatPage);

/// PKR fields.
constexpr u64 kPkrValid = 1, kPkrWriteDisable = 2, kPkrReadDisable = 4, kPkrExecuteDisable = 8;

Problems check_key(const Core& core, const Reference& ref, u32 key) {
  const Registers& r = core.regs();
  for (unsigned n = 0; n < core.wires().model->pkrs; n++) {
    const u64 pkr = r.pkr[n];
    if (!(pkr & kPkrValid) || field(pkr, 8, 24) != key) continue;
    const bool denied = (ref.read && (pkr & kPkrReadDisable)) || (ref.write && (pkr & kPkrWriteDisable)) ||
                        (ref.execute && (pkr & kPkrExecuteDisable));
    return denied ? problem_bit(Problem::KeyPermission) : 0;
  }
  return problem_bit(Problem::KeyMiss);
}

Problems check_rights(const Reference& ref, const TlbEntry& entry) {
  const unsigned needed = unsigned{ref.read} * kRightRead | unsigned{ref.write} * kRightWrite |
                          unsigned{ref.execute} * kRightExecute;
  const unsigned allowed = page_rights(entry.access_rights(), entry.privilege(), ref.pl);
  return (needed & ~allowed) ? problem_bit(Problem::AccessRights) : 0;
}

Problems check_bits(const Core& core, const Reference& ref, const TlbEntry& entry) {
  const u64 psr = core.regs().psr;
  if (psr & (ref.execute ? psr::kIa : psr::kDa)) return 0;
  Problems p = entry.accessed() ? 0 : problem_bit(Problem::AccessBit);
  if (ref.write && !entry.dirty()) p |= problem_bit(Problem::DirtyBit);
  return p;
}

/// Instruction debug faults are raised by bundle, by the engine.
Problems check_debug(const Core& core, const Reference& ref) {
  const Registers& r = core.regs();
  if ((r.psr & (psr::kDb | psr::kDd)) != psr::kDb || ref.execute || !ref.check_bits) return 0;
  return data_breakpoint(r, ref.va, ref.size, ref.read, ref.write, ref.pl) ? problem_bit(Problem::Debug) : 0;
}

/// Alignment and access size against the kind of memory.
Problems check_shape(const Core& core, const Reference& ref, MemoryAttribute attribute) {
  Problems p = 0;
  const bool write_back = attribute == MemoryAttribute::WriteBack;
  if ((ref.va & (ref.align - 1u)) != 0) {
    const bool crosses = (ref.va & (kUnalignedWindow - 1)) + ref.size > kUnalignedWindow;
    if ((core.regs().psr & psr::kAc) || ref.strict_align || crosses || !write_back)
      p |= problem_bit(Problem::Unaligned);
  }
  if (ref.cacheable_only && !write_back) p |= problem_bit(Problem::Unsupported);
  return p;
}

/// What would be a good access stops where a debugger watches. Fills of the register stack may come between two instructions, where
/// there is nothing to stop before.
Problems check_watch(const Core& core, const Reference& ref) {
  if (ref.execute || ref.non_access || (ref.rse && !ref.write)) return 0;
  return core.watchpoints().match(ref.va, ref.size, ref.read, ref.write) ? problem_bit(Problem::Watched) : 0;
}

Problems translate_physical(const Core& core, const Reference& ref, Translation& out) {
  if (is_unimplemented_physical(core, ref.va)) return problem_bit(Problem::UnimplementedAddress);
  out.phys = ref.va & ~bit(63);
  out.attribute = ref.va & bit(63) ? MemoryAttribute::Uncacheable : MemoryAttribute::WriteBack;
  const Problems p = check_debug(core, ref) | check_shape(core, ref, out.attribute);
  return p ? p : check_watch(core, ref);
}

Asker asker_of(const Reference& ref) {
  return ref.execute ? Asker::Instruction : ref.rse ? Asker::Rse : Asker::Data;
}

/// Searches the VHPT after a TLB miss and inserts what it finds. @returns 0 when `out.entry` was found
Problems miss(Core& core, const Reference& ref, Translation& out) {
  core.fast_tlb().counters.tlb_misses++;
  const bool nested = !ref.execute && !(core.regs().psr & psr::kIc);
  const auto problem = [&](Problem p) { return problem_bit(nested ? Problem::NestedTlb : p); };
  if (!walker_enabled(core, ref.va, asker_of(ref))) return problem(Problem::AlternateTlb);
  VhptEntry found;
  const WalkResult result = walk_vhpt(core, ref.va, found);
  out.iha = found.address;
  if (result == WalkResult::TableNotMapped) return problem(Problem::VhptTranslation);
  if (result == WalkResult::NotFound) return problem(Problem::TlbMiss);
  core.fast_tlb().counters.vhpt_found++;
  if (ref.execute) {
    core.tlb().insert_instruction(ref.va, found.pte, found.itir);
    out.entry = core.tlb().find_instruction(ref.va);
  } else {
    core.tlb().insert_data(ref.va, found.pte, found.itir);
    out.entry = core.tlb().find_data(ref.va);
  }
  return 0;
}
}  // namespace

bool is_unimplemented_physical(const Core& core, u64 address) noexcept {
  return (address & ~bit(63) & ~low_mask(core.wires().model->physical_address_bits)) != 0;
}

bool is_unimplemented_virtual(const Core& core, u64 address) noexcept {
  const unsigned bits = core.wires().model->virtual_address_msb + 1;
  const u64 offset = address & low_mask(61);
  return (sign_extend(offset, bits) & low_mask(61)) != offset;
}

Problems check_entry(const Core& core, const Reference& ref, const TlbEntry& entry) noexcept {
  if (!entry.present()) return kNotPresentBit;
  if (entry.attribute() == MemoryAttribute::NatPage) return kNatPageBit;
  Problems p = 0;
  if (ref.check_keys && (core.regs().psr & psr::kPk)) p |= check_key(core, ref, entry.key);
  if (ref.check_rights) p |= check_rights(ref, entry);
  if (ref.check_bits) p |= check_bits(core, ref, entry);
  return p | check_debug(core, ref);
}

Problems translate(Core& core, const Reference& ref, Translation& out) noexcept {
  FastTlb::Counters& counters = core.fast_tlb().counters;
  (ref.execute ? counters.fetch_misses : counters.data_misses)++;
  if (!ref.translate) return translate_physical(core, ref, out);
  if (is_unimplemented_virtual(core, ref.va)) return problem_bit(Problem::UnimplementedAddress);
  out.entry = ref.execute ? core.tlb().find_instruction(ref.va) : core.tlb().find_data(ref.va);
  if (!out.entry)
    if (const Problems p = miss(core, ref, out)) return p;
  Problems p = check_entry(core, ref, *out.entry);
  if (p & kNotPresentBit) return p;
  out.phys = out.entry->physical(ref.va);
  out.attribute = out.entry->attribute();
  if (p & kNatPageBit) return p;
  p |= check_shape(core, ref, out.attribute);
  return p ? p : check_watch(core, ref);
}

bool may_remember(const Core& core, u64 va, const Translation& t, bool write) noexcept {
  const Registers& r = core.regs();
  if (t.attribute != MemoryAttribute::WriteBack) return false;
  if (t.entry && !(t.entry->accessed() && (!write || t.entry->dirty()))) return false;
  if (core.watchpoints().in_page(va)) return false;
  return !(r.psr & psr::kDb) || !page_has_data_breakpoint(r, va);
}

u64 default_itir(const Core& core, u64 va) noexcept {
  return core.regs().rr[va >> 61] & (low_mask(32) & ~low_mask(2));
}

namespace {
u64 isr_of(const Core& core, const Reference& ref) {
  u64 isr = (ref.read ? isr::kR : 0) | (ref.write ? isr::kW : 0) | (ref.execute ? isr::kX : 0);
  if (ref.non_access) isr |= isr::kNa | ref.na_code;
  if (ref.speculative) isr |= isr::kSp;
  if (ref.rse) isr |= isr::kRs;
  const bool deferral_page = core.code_ed() && (core.regs().psr & psr::kIt);
  if (deferral_page && !ref.execute && !ref.rse) isr |= isr::kEd;
  return isr;
}

Vector vector_of(Problem p, bool execute) {
  switch (p) {
    case Problem::UnimplementedAddress: return Vector::GeneralException;
    case Problem::NestedTlb: return Vector::DataNestedTlb;
    case Problem::AlternateTlb: return execute ? Vector::AlternateInstructionTlb : Vector::AlternateDataTlb;
    case Problem::VhptTranslation: return Vector::VhptTranslation;
    case Problem::TlbMiss: return execute ? Vector::InstructionTlb : Vector::DataTlb;
    case Problem::NotPresent: return Vector::PageNotPresent;
    case Problem::NatPage: return Vector::NatConsumption;
    case Problem::KeyMiss: return execute ? Vector::InstructionKeyMiss : Vector::DataKeyMiss;
    case Problem::KeyPermission: return Vector::KeyPermission;
    case Problem::AccessRights: return execute ? Vector::InstructionAccessRights : Vector::DataAccessRights;
    case Problem::DirtyBit: return Vector::DirtyBit;
    case Problem::AccessBit: return execute ? Vector::InstructionAccessBit : Vector::DataAccessBit;
    case Problem::Debug: return Vector::Debug;
    case Problem::Unaligned: return Vector::UnalignedReference;
    case Problem::Unsupported:
    case Problem::Watched:
    case Problem::kCount: break;
  }
  return Vector::UnsupportedDataReference;
}
}  // namespace

Fault make_fault(const Core& core, const Reference& ref, Problem p, u64 iha) noexcept {
  Fault f;
  if (p == Problem::UnimplementedAddress &&
      ref.execute) {  // looks as the trap does, with no other trap noted
    constexpr u64 kUnimplementedInstructionAddress = bit(4);
    f.vector = Vector::LowerPrivilegeTransfer;
    f.isr = kUnimplementedInstructionAddress;
    f.has_ifa = true;
    f.ifa = ref.va;
    f.itir = default_itir(core, ref.va);
    return f;
  }
  f.vector = vector_of(p, ref.execute);
  f.isr = isr_of(core, ref);
  if (p == Problem::UnimplementedAddress) f.isr |= isr::kUnimplementedDataAddress;
  if (p == Problem::NatPage) f.isr |= isr::kNatPage;
  f.has_ifa = true;
  f.ifa = ref.va;
  f.itir = default_itir(core, ref.va);
  f.is_watch = p == Problem::Watched;
  if (p == Problem::VhptTranslation || p == Problem::TlbMiss) {
    f.has_iha = true;
    f.iha = iha;
  }
  return f;
}

bool find_physical(const Core& core, u64 va, bool instruction, bool virtual_address, bool walk,
                   u64& phys) noexcept {
  if (!virtual_address) {
    phys = va & low_mask(core.wires().model->physical_address_bits);
    return true;
  }
  if (is_unimplemented_virtual(core, va)) return false;
  const TlbEntry* entry = instruction ? core.tlb().find_instruction(va) : core.tlb().find_data(va);
  if (entry) {
    phys = entry->physical(va);
    return entry->present();
  }
  VhptEntry found;
  const bool enabled = walk && (core.regs().pta & 1) && (core.regs().rr[va >> 61] & 1);
  if (!enabled || walk_vhpt(core, va, found) != WalkResult::Found || !(found.pte & pte::kPresent))
    return false;
  phys = make_tlb_entry(va, 0, found.pte, found.itir).physical(va);
  return true;
}

}  // namespace ia64::cpu::mmu
