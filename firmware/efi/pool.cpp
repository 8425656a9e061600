// EFI pool allocations.
#include "firmware/efi/pool.h"

#include <bit>

namespace ia64::firmware {
namespace {
constexpr u64 kRefillPages = 4;
}

EfiStatus Pool::refill(MemoryType type, unsigned bits) {
  GuestPhys base = 0;
  if (auto s = memory_.allocate(MemoryMap::Allocate::Any, type, kRefillPages, base); efi_error(s)) return s;
  auto& list = free_[{static_cast<u32>(type), static_cast<u8>(bits)}];
  for (GuestPhys p = base + kRefillPages * efi::kPageSize; p != base;) list.push_back(p -= u64{1} << bits);
  return efi::kSuccess;
}

EfiStatus Pool::allocate(MemoryType type, u64 size_bytes, GuestPhys& address) {
  if (size_bytes > u64{1} << kMaxBits) {
    if (size_bytes > u64{1} << 50) return efi::kOutOfResources;
    const u64 pages = align_up(size_bytes, efi::kPageSize) / efi::kPageSize;
    if (auto s = memory_.allocate(MemoryMap::Allocate::Any, type, pages, address); efi_error(s)) return s;
    live_[address] = {type, 0, pages};
    return efi::kSuccess;
  }
  unsigned bits = kMinBits;
  while ((u64{1} << bits) < size_bytes) bits++;
  auto& list = free_[{static_cast<u32>(type), static_cast<u8>(bits)}];
  if (list.empty())
    if (auto s = refill(type, bits); efi_error(s)) return s;
  address = list.back();
  list.pop_back();
  live_[address] = {type, static_cast<u8>(bits), 0};
  return efi::kSuccess;
}

EfiStatus Pool::free(GuestPhys address) {
  const auto it = live_.find(address);
  if (it == live_.end()) return efi::kInvalidParameter;
  const Block b = it->second;
  live_.erase(it);
  if (b.pages) return memory_.free(address, b.pages);
  free_[{static_cast<u32>(b.type), b.bits}].push_back(address);
  return efi::kSuccess;
}

}  // namespace ia64::firmware
