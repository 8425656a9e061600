// Memory traffic of the register stack engine: 8-byte loads and stores under RSC.pl, RSC.be and PSR.rt.
#pragma once

#include "base/int_types.h"
#include "cpu/decode/insn.h"

namespace ia64::cpu {

class Core;

/// Mandatory fill: reads the register or RNAT collection at `address` (a multiple of 8).
/// Faults carry ISR.rs and ISR.r; the engine adds ISR.ir. @returns Continue, or Fault with the fault pending
/// @source SDM vol. 2, 6.5.4, 6.6
Next rse_load(Core& core, u64 address, u64& value) noexcept;
/// Mandatory spill. Faults carry ISR.rs and ISR.w. @returns Continue, Fault, or Sync after a store to a page
/// of cached code
Next rse_store(Core& core, u64 address, u64 value) noexcept;
/// Host address of the 8 bytes at `address` and of what lies with them in the same 4 KiB page, when the software TLB knows that
/// RSE accesses to the page raise no fault and need no more care; otherwise nullptr. Contents are in the byte order of
/// rse_big_endian().
const u8* rse_read_pointer(const Core& core, u64 address) noexcept;
u8* rse_write_pointer(const Core& core, u64 address) noexcept;
/// RSC.be.
bool rse_big_endian(const Core& core) noexcept;

}  // namespace ia64::cpu
