// Instruction fetch: from an instruction address to the page that holds the bundle, with the faults of
// fetching.
#pragma once

#include "base/address_space.h"
#include "cpu/decode/insn.h"

namespace ia64::cpu {

/// The 4 KiB page an instruction address lies in.
struct FetchPage {
  GuestPhys phys = 0;  ///< physical address of the page (4 KiB aligned)
  const u8* host =
      nullptr;  ///< its bytes, in RAM or ROM; nullptr when something else answers there: use read_bundle()
  bool ed = false;    ///< ITLB.ed; false when PSR.it = 0. The engine keeps it for Core::code_ed()
  u8 promote_to = 3;  ///< privilege level epc takes here when it is below PSR.cpl: 3 (none) unless the page
                      ///< has AR 7; 0 when PSR.it = 0
};

/// Translates an instruction address under PSR.it, cpl, pk and ia, walking the VHPT if need be.
/// The result holds for the 4 KiB page until Core::instruction_mappings_changed() was called or PSR.it, cpl
/// or pk changed. Debug registers are not looked at; see instruction_debug_match().
/// @param ip bundle address
/// @returns  Next::Continue, or Next::Fault with the fault pending
/// @source   SDM vol. 2, 4.1, table 5-6 (instruction faults)
Next fetch_page(Core& core, u64 ip, FetchPage& page) noexcept;

/// The bundle at `ip`, whose page was found by fetch_page(); one bus access per 8 bytes when it is not
/// memory.
void read_bundle(Core& core, const FetchPage& page, u64 ip, u8 out[16]) noexcept;

/// Whether an enabled IBR pair matches the bundle (PSR.db and PSR.id are the caller's business, as the fault
/// is).
/// @source SDM vol. 2, 7.1.1
bool instruction_debug_match(const Core& core, u64 ip) noexcept;

/// Raises the Instruction Debug fault for `ip`.
Next raise_instruction_debug(Core& core, u64 ip) noexcept;

}  // namespace ia64::cpu
