// The SAL system table: entry points of PAL and SAL, firmware memory, the wake-up vector of secondary
// processors.
#pragma once

#include "firmware/board_description.h"
#include "firmware/tables/table_memory.h"

namespace ia64::firmware {

/// External interrupt vector that wakes secondary processors. @source platform reference 5.1
inline constexpr u8 kApWakeVector = 0xff;

/// SAL interface revision the procedures follow: 3.20 (BCD).
inline constexpr u8 kSalRevisionMajor = 0x03, kSalRevisionMinor = 0x20;

/// Addresses the table announces. All guest physical.
struct SalTableInput {
  GuestPhys pal_proc = 0;  ///< first bundle of PAL_PROC
  GuestPhys sal_proc = 0;  ///< first bundle of SAL_PROC
  GuestPhys gp = 0;        ///< global pointer for SAL_PROC
  MemoryRange pal_code;    ///< the EfiPalCode block; size 0 omits its descriptor
};

/// The table image. @source SAL specification 3.2, 3.2.1
std::vector<u8> build_sal_system_table(const SalTableInput& input);

/// Writes it into guest memory. @returns its address, for the SAL configuration table
GuestPhys install_sal_system_table(const SalTableInput& input, AddressSpace& bus,
                                   const TableAllocator& allocate);

}  // namespace ia64::firmware
