// SMBIOS 2.3 tables: what the OS prints as vendor, model, serial number and memory modules.
#pragma once

#include "firmware/board_description.h"
#include "firmware/tables/table_memory.h"

namespace ia64::firmware {

/// The structure table, from type 0 to type 127. @param structure_count receives how many structures it holds
/// @param largest receives the size of the largest one in bytes, strings included
std::vector<u8> build_smbios_structures(const BoardDescription& board, u16& structure_count, u16& largest);

/// The 31-byte entry point. @source SMBIOS 2.3, 2.1
std::vector<u8> build_smbios_entry(GuestPhys table, u16 table_size, u16 structure_count, u16 largest);

/// Writes both into guest memory. @returns the address of the entry point, for the SMBIOS configuration table
GuestPhys install_smbios(const BoardDescription& board, AddressSpace& bus, const TableAllocator& allocate);

}  // namespace ia64::firmware
