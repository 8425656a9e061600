// ELF kernel checking and the boot parameter block.
#include "firmware/loader/elf_kernel.h"

#include <fmt/format.h>

#include <cstring>

#include "base/bits.h"
#include "base/endian.h"

namespace ia64::firmware {
namespace {

constexpr u16 kMachineIa64 = 50, kTypeExecutable = 2;
constexpr u32 kLoadable = 1;
constexpr u64 kMaxPhysical = u64{1} << 50;
constexpr size_t kHeaderBytes = 64, kProgramHeaderBytes = 56;

Error invalid(std::string why) {
  return {ErrorKind::Invalid, "kernel is not usable: " + std::move(why)};
}

}  // namespace

Result<ElfKernel> ElfKernel::parse(std::span<const u8> file) {
  if (file.size() < kHeaderBytes || std::memcmp(file.data(), "\177ELF", 4)) return invalid("not an ELF file");
  if (file[4] != 2) return invalid("not a 64-bit ELF file");
  if (file[5] != 1) return invalid("a big-endian ELF file");
  const u16 type = load_le<u16>(&file[16]), machine = load_le<u16>(&file[18]);
  if (machine != kMachineIa64)
    return invalid(fmt::format("built for ELF machine {}, not for IA-64 (50)", machine));
  if (type != kTypeExecutable) return invalid("not an executable");
  const u64 entry = load_le<u64>(&file[24]), table = load_le<u64>(&file[32]);
  const u16 entry_bytes = load_le<u16>(&file[54]), count = load_le<u16>(&file[56]);
  if (entry_bytes < kProgramHeaderBytes || table > file.size() ||
      u64{entry_bytes} * count > file.size() - table)
    return invalid("program headers lie outside the file");
  ElfKernel kernel;
  bool entry_found = false;
  for (u16 i = 0; i < count; i++) {
    const u8* h = &file[table + u64{entry_bytes} * i];
    if (load_le<u32>(h) != kLoadable) continue;
    const u64 virt = load_le<u64>(h + 16);
    const Segment s{load_le<u64>(h + 24), load_le<u64>(h + 8), load_le<u64>(h + 32), load_le<u64>(h + 40)};
    if (s.memory_bytes == 0) continue;
    if (s.file_offset > file.size() || s.file_bytes > file.size() - s.file_offset ||
        s.file_bytes > s.memory_bytes)
      return invalid("a segment is cut off");
    if (s.physical >= kMaxPhysical || s.memory_bytes > kMaxPhysical - s.physical)
      return invalid("a segment has no physical address");
    // The entry point is a virtual address of a segment, or already physical.
    if (entry >= virt && entry - virt < s.memory_bytes)
      kernel.entry_ = s.physical + (entry - virt), entry_found = true;
    if (!entry_found && entry >= s.physical && entry - s.physical < s.memory_bytes)
      kernel.entry_ = entry, entry_found = true;
    kernel.segments_.push_back(s);
  }
  if (kernel.segments_.empty()) return invalid("nothing to load");
  if (!entry_found) return invalid("the entry point lies outside of every segment");
  return kernel;
}

std::vector<u8> LinuxBootParameters::bytes() const {
  std::vector<u8> b(96);
  store_le(&b[0], command_line);
  store_le(&b[8], efi_system_table);
  store_le(&b[16], efi_memory_map);
  store_le(&b[24], memory_map_bytes);
  store_le(&b[32], descriptor_bytes);
  store_le(&b[40], descriptor_version);
  store_le(&b[44], columns), store_le(&b[46], rows), store_le(&b[48], cursor_x), store_le(&b[50], cursor_y);
  store_le(&b[56], fpswa);
  store_le(&b[64], initrd_start);
  store_le(&b[72], initrd_bytes);
  // domain_start and domain_size (virtual guests of another hypervisor) stay 0.
  return b;
}

}  // namespace ia64::firmware
