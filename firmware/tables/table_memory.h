// Where firmware tables are put: an allocator callback by kind of memory.
#pragma once

#include <functional>
#include <vector>

#include "base/address_space.h"

namespace ia64::firmware {

/// The EFI memory type a table needs.
enum class TableMemory : u8 {
  AcpiReclaim,  ///< EfiACPIReclaimMemory: the OS may reuse it after reading
  AcpiNvs,      ///< EfiACPIMemoryNVS: kept (FACS)
  RuntimeData,  ///< EfiRuntimeServicesData: kept (SAL system table, SMBIOS, PCDP)
};

/// Reserves `size_bytes` of low RAM (below 4 GiB) aligned to `alignment` (a power of two).
/// @returns the guest physical address; running out is the caller's error and does not return
using TableAllocator = std::function<GuestPhys(u64 size_bytes, u64 alignment, TableMemory kind)>;

/// Allocates memory for `image` and writes it there. @returns its guest physical address
inline GuestPhys place_table(AddressSpace& bus, const TableAllocator& allocate, const std::vector<u8>& image,
                             u64 alignment, TableMemory kind) {
  const GuestPhys at = allocate(image.size(), alignment, kind);
  bus.write_bytes(at, image.data(), image.size());
  return at;
}

}  // namespace ia64::firmware
