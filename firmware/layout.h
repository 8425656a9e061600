// Where firmware lives at the top of low RAM. Choices of ours; nothing outside firmware depends on the
// addresses.
#pragma once

#include "firmware/board_description.h"

namespace ia64::firmware {

/// Firmware's fixed ranges, from low to high addresses. All aligned to 64 KiB, the PAL block to its size.
/// Runtime code and data are neighbours so that an OS maps them with one displacement.
struct Layout {
  MemoryRange pal;           ///< the one EfiPalCode block, 256 KiB
  MemoryRange runtime_code;  ///< interruption vectors, then gate stubs
  MemoryRange runtime_data;  ///< function descriptors, EFI system table, SAL system table, SMBIOS, PCDP
  MemoryRange acpi_reclaim;  ///< ACPI tables
  MemoryRange acpi_nvs;      ///< FACS
  MemoryRange boot_data;     ///< stack and backing store of the boot manager

  // Inside runtime_code.
  GuestPhys vectors() const { return runtime_code.base; }  ///< 32 KiB aligned
  static constexpr u64 kVectorBytes = 0x8000;

  // Inside boot_data: the memory stack grows down from stack_top, the register stack up from backing_store.
  static constexpr u64 kStackBytes = 512 << 10, kBackingStoreBytes = 256 << 10;
  GuestPhys backing_store() const { return boot_data.base; }
  GuestPhys stack_top() const { return boot_data.base + kBackingStoreBytes + kStackBytes; }

  static Layout of(const BoardDescription& board);
};

}  // namespace ia64::firmware
