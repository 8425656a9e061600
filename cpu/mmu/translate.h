// Translation of one reference with all its checks in the manual's order, and the faults that come of it.
#pragma once

#include "base/int_types.h"
#include "cpu/arch/fault.h"
#include "cpu/mmu/tlb_entry.h"

namespace ia64::cpu {

class Core;

namespace mmu {

/// What can be wrong with a reference, highest priority first. @source SDM vol. 2, table 5-6, figure 4-16
enum class Problem : u8 {
  UnimplementedAddress,
  NestedTlb,
  AlternateTlb,
  VhptTranslation,
  TlbMiss,
  NotPresent,
  NatPage,
  KeyMiss,
  KeyPermission,
  AccessRights,
  DirtyBit,
  AccessBit,
  Debug,
  Unaligned,
  Unsupported,
  Watched,  ///< by a debugger, which stops the machine; reported only when there is nothing else
  kCount,
};
/// A set of Problem, bit n for enumerator n.
using Problems = u32;
constexpr Problems problem_bit(Problem p) {
  return Problems{1} << static_cast<unsigned>(p);
}

/// What must be checked, and what ISR will say.
struct Reference {
  u64 va = 0;
  u8 size = 1;   ///< bytes
  u8 align = 1;  ///< natural alignment
  u8 pl = 0;     ///< privilege level of the access
  bool read = false, write = false, execute = false;
  bool translate = true;        ///< virtual address (PSR.dt, rt or it as the case may be)
  bool strict_align = false;    ///< semaphores, ld16, st16
  bool cacheable_only = false;  ///< semaphores, 10- and 16-byte accesses
  bool speculative = false;     ///< ISR.sp
  bool rse = false;             ///< ISR.rs
  bool non_access = false;      ///< ISR.na and code
  u8 na_code = 0;               ///< isr::NonAccess
  bool check_keys = true, check_rights = true;
  bool check_bits = true;  ///< dirty, access and debug
};

/// Where a reference leads.
struct Translation {
  u64 phys = 0;  ///< valid when no problem at or above NotPresent
  MemoryAttribute attribute = MemoryAttribute::WriteBack;
  const TlbEntry* entry = nullptr;  ///< nullptr in physical mode
  u64 iha = 0;                      ///< address of the VHPT entry, for VhptTranslation and TlbMiss
};

/// Translates and collects every problem that is not meaningless because of a higher one. Walks the VHPT and
/// inserts what it finds.
/// @returns 0 when the access may be done
/// @source SDM vol. 2, 4.1, 5.5.5 (qualification), 5.6
Problems translate(Core& core, const Reference& ref, Translation& out) noexcept;

/// The checks that follow a TLB hit: presence, NaT page, keys, rights, bits, debug. Set as in translate().
Problems check_entry(const Core& core, const Reference& ref, const TlbEntry& entry) noexcept;

/// The most important of a non-empty set.
constexpr Problem first_problem(Problems p) {
  return static_cast<Problem>(__builtin_ctz(p));
}

/// Whether the software TLB may keep a translation that had no problem: what is right now is not so by a
/// one-shot bit of PSR (a clear accessed or dirty bit passed because of PSR.da), no breakpoint lies in the
/// page, and the page is write-back.
bool may_remember(const Core& core, u64 va, const Translation& t, bool write) noexcept;

/// The fault to deliver for `p`. ISR lacks ei, ni, so and ir.
/// @source SDM vol. 2, ch. 8
Fault make_fault(const Core& core, const Reference& ref, Problem p, u64 iha) noexcept;

/// Default ITIR contents for an address: page size and RID of its region register.
u64 default_itir(const Core& core, u64 va) noexcept;

/// Translates without any side effect (no insertion, no fault), for debuggers, firmware and the ALAT. Rights
/// are not checked.
/// @param virtual_address false: `va` is a physical address
/// @param walk also look into the VHPT
/// @returns false when there is no present translation
bool find_physical(const Core& core, u64 va, bool instruction, bool virtual_address, bool walk,
                   u64& phys) noexcept;

/// Whether a physical address has bits the model does not implement (bit 63 is not part of it).
bool is_unimplemented_physical(const Core& core, u64 address) noexcept;
/// Whether a virtual address is not a sign extension of the implemented bits of its region.
bool is_unimplemented_virtual(const Core& core, u64 address) noexcept;

}  // namespace mmu
}  // namespace ia64::cpu
