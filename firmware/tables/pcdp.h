// PCDP 2.0 (HCDP revision 3): tells the OS which UART is the console.
#pragma once

#include "firmware/board_description.h"
#include "firmware/tables/table_memory.h"

namespace ia64::firmware {

/// The table image: one entry per UART, the first being the primary console. @source DIG64 HCDP 1.0 and
/// PCDP 2.0
std::vector<u8> build_pcdp(const BoardDescription& board);

/// Writes it into guest memory. @returns its address, for the HCDP configuration table
GuestPhys install_pcdp(const BoardDescription& board, AddressSpace& bus, const TableAllocator& allocate);

}  // namespace ia64::firmware
