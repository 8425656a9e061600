// Direct kernel boot: what a Linux boot loader for IA-64 does. @source Linux, arch/ia64/kernel/head.S (entry
// conditions)
#include "firmware/loader/direct_boot.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "firmware/loader/elf_kernel.h"

namespace ia64::firmware {
namespace {

constexpr u64 kInitrdAlignment = 64 << 10;  // any kernel page size

u64 pages_of(u64 size_bytes) {
  return align_up(size_bytes, efi::kPageSize) / efi::kPageSize;
}

void clear(AddressSpace& bus, GuestPhys at, u64 size_bytes) {
  const std::vector<u8> zeros(64 << 10);
  for (u64 done = 0; done < size_bytes; done += zeros.size())
    bus.write_bytes(at + done, zeros.data(), std::min<u64>(zeros.size(), size_bytes - done));
}

std::string load_kernel(const ElfKernel& kernel, const std::vector<u8>& file, EfiContext& efi) {
  GuestPhys low = ~u64{0}, high = 0;
  for (const auto& s : kernel.segments()) {
    low = std::min(low, align_down(s.physical, efi::kPageSize));
    high = std::max(high, align_up(s.physical + s.memory_bytes, efi::kPageSize));
  }
  // One allocation: segments may share pages.
  if (efi_error(efi.memory.allocate(MemoryMap::Allocate::Address, MemoryType::LoaderCode,
                                    (high - low) / efi::kPageSize, low)))
    return fmt::format("kernel needs memory at {:#x}-{:#x}, which is not free RAM", low, high);
  for (const auto& s : kernel.segments()) {
    efi.bus.write_bytes(s.physical, file.data() + s.file_offset, s.file_bytes);
    clear(efi.bus, s.physical + s.file_bytes, s.memory_bytes - s.file_bytes);
  }
  return {};
}

bool place_pages(EfiContext& efi, std::span<const u8> bytes, GuestPhys& at, u64 alignment = efi::kPageSize) {
  if (efi_error(efi.memory.allocate(MemoryMap::Allocate::Any, MemoryType::LoaderData, pages_of(bytes.size()),
                                    at, alignment)))
    return false;
  efi.bus.write_bytes(at, bytes.data(), bytes.size());
  return true;
}

}  // namespace

std::string direct_boot(const DirectBoot& what, EfiContext& efi, SystemTable& table, GateCall& call,
                        GuestPhys fpswa) {
  const auto kernel = ElfKernel::parse(what.kernel);
  if (!kernel) return kernel.error().message;
  if (auto why = load_kernel(*kernel, what.kernel, efi); !why.empty()) return why;

  LinuxBootParameters p;
  p.efi_system_table = table.address();
  p.fpswa = fpswa;
  if (!what.initrd.empty()) {
    if (!place_pages(efi, what.initrd, p.initrd_start, kInitrdAlignment))
      return "no memory for the initial RAM disk";
    p.initrd_bytes = what.initrd.size();
  }
  std::vector<u8> line(what.arguments.begin(), what.arguments.end());
  line.push_back(0);
  // Room for the map to grow by what these allocations add to it.
  const u64 map_room = memory_map_image(efi.memory).size() + 16 * kMapDescriptorBytes;
  GuestPhys parameters = 0;
  if (!place_pages(efi, line, p.command_line) ||
      !place_pages(efi, std::vector<u8>(map_room), p.efi_memory_map) ||
      !place_pages(efi, p.bytes(), parameters))
    return "no memory for the boot parameters";

  exit_boot_services(efi, table, call);
  const auto map = memory_map_image(efi.memory);
  p.memory_map_bytes = map.size();
  p.descriptor_bytes = kMapDescriptorBytes;
  efi.bus.write_bytes(p.efi_memory_map, map.data(), map.size());
  const auto bytes = p.bytes();
  efi.bus.write_bytes(parameters, bytes.data(), bytes.size());

  auto& r = call.cpu().regs();
  call.cpu().flush_code();
  r.ip = kernel->entry();
  r.slot = 0;
  r.psr &= ~(cpu::psr::kI | cpu::psr::kBe);
  r.set_gr(28, parameters);
  call.leave();
  LOG(Efi, "kernel entry {:#x}, boot parameters {:#x}, {} bytes of initial RAM disk at {:#x}",
      kernel->entry(), parameters, p.initrd_bytes, p.initrd_start);
  return {};
}

}  // namespace ia64::firmware
