// The memory file of a snapshot: guest RAM as it is, one range after the other, zero pages as holes.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "machine/guest_memory.h"

namespace ia64::machine {

/// What a manifest says about a memory file.
struct MemoryFile {
  u64 size_bytes = 0;    ///< of all ranges
  u64 stored_bytes = 0;  ///< pages that are not all zero
  /// Over the pages that are not all zero: of each its number in the file (64 bits, little-endian) and its bytes.
  std::string checksum;
};

/// Hears how many bytes of RAM are done, and answers whether to go on.
using MemoryProgress = std::function<bool(u64 done_bytes)>;

/// Writes RAM to an empty file. No processor runs and nothing is in flight.
/// @returns Unsupported when `progress` did not want to go on
Result<MemoryFile> write_memory_file(int fd, std::span<GuestMemory> ram, const MemoryProgress& progress = {});

/// Lets RAM show a memory file. Nothing is read before the guest touches it.
/// @returns Invalid when the file has not the size of the ranges
Result<void> show_memory_file(int fd, std::span<GuestMemory> ram);

/// What write_memory_file() would say about this file. Reads all of it.
Result<MemoryFile> examine_memory_file(int fd);

}  // namespace ia64::machine
