// Guest memory by virtual address, the register stack in its place.
#include "machine/debugger/debug_memory.h"

#include <algorithm>
#include <cstring>

#include "base/endian.h"
#include "cpu/mmu/rse_access.h"
#include "cpu/mmu/translate.h"
#include "machine/debugger/backing_store.h"

namespace ia64::machine::debugger {
namespace {

constexpr u64 kPage = AddressSpace::kPageSize;
constexpr unsigned kFirstIdentityRegion = 6;

u64 in_memory_order(const cpu::Core& core, u64 value) { return cpu::rse_big_endian(core) ? byte_swap(value) : value; }

/// Bytes from `address` on that lie in one piece: in one word of the register stack, or in one page outside it.
size_t piece(const BackingStore& stack, u64 address, size_t wanted) {
  u64 end = (address | 7) + 1;
  if (!stack.contains(address)) {
    end = (address | (kPage - 1)) + 1;
    if (address < stack.begin()) end = std::min(end - 1, stack.begin() - 1) + 1;  // less one: the last page ends at 0
  }
  return static_cast<size_t>(std::min<u64>(wanted, end - address));
}

}  // namespace

bool DebugMemory::is_memory(GuestPhys phys) const { return core_.wires().bus->host_ptr(phys, false) != nullptr; }

std::optional<GuestPhys> DebugMemory::translated(u64 address) const {
  GuestPhys phys = 0;
  for (const bool instruction : {false, true})
    if (cpu::mmu::find_physical(core_, address, instruction, true, true, phys)) return phys;
  const GuestPhys identity = address & low_mask(61);
  if (address >> 61 >= kFirstIdentityRegion && !cpu::mmu::is_unimplemented_physical(core_, identity) && is_memory(identity)) return identity;
  return std::nullopt;
}

std::optional<GuestPhys> DebugMemory::physical(u64 address) const {
  const bool virtual_data = core_.regs().psr & cpu::psr::kDt;
  // With translation off, addresses that cannot be physical still mean what the program's symbols say.
  if (virtual_data || cpu::mmu::is_unimplemented_physical(core_, address)) return translated(address);
  return address & ~bit(63);
}

size_t DebugMemory::read_physical(GuestPhys address, std::span<u8> out) const {
  size_t done = 0;
  while (done < out.size()) {
    const GuestPhys at = address + done;
    const u8* const host = core_.wires().bus->host_ptr(at, false);
    if (!host) break;
    const size_t n = std::min<size_t>(out.size() - done, kPage - at % kPage);
    std::memcpy(&out[done], host, n);
    done += n;
  }
  return done;
}

size_t DebugMemory::read(u64 address, std::span<u8> out) const {
  const BackingStore stack(core_);
  size_t done = 0;
  while (done < out.size()) {
    const u64 at = address + done;
    const size_t n = piece(stack, at, out.size() - done);
    if (stack.contains(at)) {
      const u64 word = in_memory_order(core_, stack.word(align_down(at, 8)));
      std::memcpy(&out[done], reinterpret_cast<const u8*>(&word) + at % 8, n);
    } else {
      const auto phys = physical(at);
      if (!phys || read_physical(*phys, out.subspan(done, n)) != n) break;
    }
    done += n;
  }
  return done;
}

bool DebugMemory::write(u64 address, std::span<const u8> in) {
  BackingStore stack(core_);
  AddressSpace& bus = *core_.wires().bus;
  core_.alat().clear();  // an advanced load must not pass for fresh what is written here
  for (size_t done = 0; done < in.size();) {
    const u64 at = address + done;
    const size_t n = piece(stack, at, in.size() - done);
    if (stack.contains(at)) {
      u64 word = in_memory_order(core_, stack.word(align_down(at, 8)));
      std::memcpy(reinterpret_cast<u8*>(&word) + at % 8, &in[done], n);
      stack.set_word(align_down(at, 8), in_memory_order(core_, word));
    } else {
      const auto phys = physical(at);
      if (!phys || !bus.is_ram(*phys)) return false;
      bus.write_bytes(*phys, &in[done], n);
    }
    done += n;
  }
  return true;
}

}  // namespace ia64::machine::debugger
