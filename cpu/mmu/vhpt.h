// The virtual hash page table: hash and tag functions, and the hardware walker.
#pragma once

#include "base/int_types.h"

namespace ia64::cpu {

class Core;

namespace mmu {

/// thash: address of the VHPT entry for `va`, by PTA.vf, size and base and RR.ps and rid. Works with the
/// walker disabled.
///
/// Short format: the linear table in the region of `va` that the manual prescribes. Long format: index
/// HPN ^ HPN>>10 ^ RID ^ RID<<7, HPN being the offset in the region shifted right by RR.ps; of no particular
/// processor, but together with vhpt_tag() it identifies a translation uniquely in every table size.
/// @source SDM vol. 2, 4.1.5.2, 4.1.5.3; vol. 3, thash
u64 vhpt_address(const Core& core, u64 va) noexcept;

/// ttag: RID << 39 | HPN >> 10; bit 63 is always 0. @source SDM vol. 2, 4.1.5.4; vol. 3, ttag
u64 vhpt_tag(const Core& core, u64 va) noexcept;

/// Who asks for a translation.
enum class Asker : u8 { Data, Rse, Instruction };

/// Whether the walker may serve a reference: PTA.ve, RR.ve, PSR.dt, and PSR.rt, or PSR.it and ic.
/// @source SDM vol. 2, 4.1.7
bool walker_enabled(const Core& core, u64 va, Asker asker) noexcept;

enum class WalkResult : u8 {
  Found,
  TableNotMapped,  ///< no translation for the VHPT entry itself: VHPT Translation fault
  NotFound,        ///< tag mismatch, reserved contents, or the walker gave up: TLB miss
};
/// What the table says about an address.
struct VhptEntry {
  u64 address = 0;  ///< of the entry: what IHA gets
  u64 pte = 0, itir = 0;
};
/// Reads the table. No side effects; the caller inserts.
///
/// The walker gives up when the entry lies in memory that is not write-back RAM or ROM, or when a read of it
/// at privilege level 0 would fault for a reason other than a missing translation. Collision chains are not
/// followed.
/// @source SDM vol. 2, 4.1.5, 4.1.7
WalkResult walk_vhpt(const Core& core, u64 va, VhptEntry& out) noexcept;

}  // namespace mmu
}  // namespace ia64::cpu
