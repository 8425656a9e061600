// ACPI 2.0 tables of the board: RSDP, XSDT, FADT, FACS, MADT, SPCR, DSDT.
#pragma once

#include "firmware/board_description.h"
#include "firmware/tables/table_memory.h"

namespace ia64::firmware {

/// Table images, header and checksum included. Pure functions of the board. @source ACPI 2.0, 5.2
std::vector<u8> build_madt(const BoardDescription& board);
std::vector<u8> build_spcr(const BoardDescription& board);
std::vector<u8> build_dsdt(const BoardDescription& board);
std::vector<u8> build_facs();
/// @param facs, dsdt guest physical addresses of those tables
std::vector<u8> build_fadt(const BoardDescription& board, GuestPhys facs, GuestPhys dsdt);
std::vector<u8> build_xsdt(const std::vector<GuestPhys>& tables);
std::vector<u8> build_rsdp(GuestPhys xsdt);

/// Writes all tables into guest memory. @returns the address of the RSDP, for the ACPI 2.0 configuration
/// table
GuestPhys install_acpi(const BoardDescription& board, AddressSpace& bus, const TableAllocator& allocate);

}  // namespace ia64::firmware
