// Register states in which firmware hands a processor over.
#pragma once

#include "firmware/board_description.h"
#include "firmware/guest_cpu.h"

namespace ia64::firmware {

/// Where a processor starts and which memory it may use.
struct EntryState {
  u64 ip = 0;
  u64 gp = 0;
  u64 stack_top = 0;  ///< 0: no memory stack
  u64 backing_store = 0;
  u64 vectors = 0;  ///< IVA
};

/// Physical mode, little-endian, bank 1, interruption collection on, empty register stack in lazy-off mode,
/// VHPT off, region registers with distinct RIDs, no interrupt source unmasked. @source SAL 3.2, 3.2.4
/// (OS_BOOT hand-off); EFI 1.10, 2.3.3
void set_entry_state(GuestCpu& cpu, const BoardDescription& board, const EntryState& state);

}  // namespace ia64::firmware
