// Direct start of an IA-64 ELF kernel, in place of a boot loader.
#pragma once

#include <span>
#include <vector>

#include "base/address_space.h"
#include "base/result.h"

namespace ia64::firmware {

/// A checked ELF64 IA-64 executable.
class ElfKernel {
 public:
  struct Segment {
    GuestPhys physical = 0;
    u64 file_offset = 0, file_bytes = 0, memory_bytes = 0;
  };
  /// Checks the headers. @returns Invalid or Unsupported with a line that says what is wrong
  static Result<ElfKernel> parse(std::span<const u8> file);

  const std::vector<Segment>& segments() const { return segments_; }
  GuestPhys entry() const { return entry_; }  ///< physical
  bool big_endian() const { return false; }

 private:
  std::vector<Segment> segments_;
  GuestPhys entry_ = 0;
};

/// The block a Linux kernel finds behind r28. @source Linux, arch/ia64/include/asm/setup.h (struct
/// ia64_boot_param): layout only
struct LinuxBootParameters {
  u64 command_line = 0;  ///< physical addresses throughout
  u64 efi_system_table = 0;
  u64 efi_memory_map = 0, memory_map_bytes = 0, descriptor_bytes = 0;
  u32 descriptor_version = 1;
  u16 columns = 80, rows = 25, cursor_x = 0, cursor_y = 0;
  u64 fpswa = 0;
  u64 initrd_start = 0, initrd_bytes = 0;

  std::vector<u8> bytes() const;
};

}  // namespace ia64::firmware
