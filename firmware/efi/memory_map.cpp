// EFI memory map and page allocator.
#include "firmware/efi/memory_map.h"

#include "base/invariant.h"

namespace ia64::firmware {
namespace {

bool page_aligned(u64 v) {
  return is_aligned(v, efi::kPageSize);
}
constexpr u64 kMaxPages = u64{1} << 50 >> 12;  // 50 physical address bits

// Types the guest may ask for: its own loader/boot/runtime types, ACPI, and vendor types of an OS loader.
bool allocatable(MemoryType type) {
  const u32 t = static_cast<u32>(type);
  if (t >= 0x8000'0000) return true;
  return t < static_cast<u32>(MemoryType::Count) && type != MemoryType::Conventional &&
         type != MemoryType::Unusable && type != MemoryType::MemoryMappedIo &&
         type != MemoryType::MemoryMappedIoPortSpace && type != MemoryType::PalCode;
}

bool runtime_type(MemoryType t) {
  return t == MemoryType::RuntimeServicesCode || t == MemoryType::RuntimeServicesData;
}

}  // namespace

void MemoryMap::declare(GuestPhys base, u64 pages, MemoryType type, u64 attributes) {
  INVARIANT(page_aligned(base) && pages && find(base).pages == 0);
  ranges_[base] = {pages, type, attributes, false};
  key_++;
}

void MemoryMap::split(GuestPhys at) {
  auto it = ranges_.upper_bound(at);
  if (it == ranges_.begin()) return;
  --it;
  const u64 before = (at - it->first) / efi::kPageSize;
  if (before == 0 || before >= it->second.pages) return;
  Range rest = it->second;
  rest.pages -= before;
  it->second.pages = before;
  ranges_.emplace_hint(std::next(it), at, rest);
}

bool MemoryMap::covered(GuestPhys base, u64 pages, bool (*accept)(const Range&)) const {
  if (!page_aligned(base) || pages == 0 || pages > kMaxPages) return false;
  auto it = ranges_.upper_bound(base);
  if (it == ranges_.begin()) return false;
  --it;
  GuestPhys next = base;
  const GuestPhys end = base + pages * efi::kPageSize;
  if (end < base) return false;
  for (; next < end; ++it) {
    if (it == ranges_.end() || it->first > next || !accept(it->second)) return false;
    const GuestPhys range_end = it->first + it->second.pages * efi::kPageSize;
    if (range_end <= next) return false;
    next = range_end;
  }
  return true;
}

void MemoryMap::retype(GuestPhys base, u64 pages, MemoryType type, u64 attributes, bool allocated) {
  const GuestPhys end = base + pages * efi::kPageSize;
  split(base);
  split(end);
  auto it = ranges_.find(base);
  it->second = {pages, type, attributes, allocated};
  ranges_.erase(std::next(it), ranges_.lower_bound(end));
  key_++;
}

bool MemoryMap::reserve(GuestPhys base, u64 pages, MemoryType type, u64 attributes) {
  if (!covered(base, pages, [](const Range& r) { return r.type == MemoryType::Conventional; })) return false;
  retype(base, pages, type, attributes, false);
  return true;
}

GuestPhys MemoryMap::highest_fit(u64 pages, u64 limit, u64 alignment) const {
  const u64 size_bytes = pages * efi::kPageSize;
  for (auto it = ranges_.rbegin(); it != ranges_.rend(); ++it) {
    if (it->second.type != MemoryType::Conventional) continue;
    GuestPhys end = it->first + it->second.pages * efi::kPageSize;
    if (limit < end - 1) end = align_down(limit + 1, efi::kPageSize);
    if (end < it->first || end - it->first < size_bytes) continue;
    const GuestPhys base = align_down(end - size_bytes, alignment);
    if (base >= it->first && base != 0) return base;
  }
  return 0;
}

EfiStatus MemoryMap::allocate(Allocate how, MemoryType type, u64 pages, GuestPhys& address, u64 alignment) {
  if (!allocatable(type) || static_cast<u32>(how) > static_cast<u32>(Allocate::Address))
    return efi::kInvalidParameter;
  if (pages == 0) return efi::kInvalidParameter;
  if (pages > kMaxPages) return efi::kOutOfResources;
  GuestPhys chosen = 0;
  if (how == Allocate::Address) {
    if (!page_aligned(address)) return efi::kInvalidParameter;
    if (!covered(address, pages, [](const Range& r) { return r.type == MemoryType::Conventional; }))
      return efi::kNotFound;
    chosen = address;
  } else {
    // Highest fit: low memory stays free for operating systems that want fixed low addresses. Without a
    // limit, memory above 4 GiB comes last: loaders of that age keep pointers in 32 bits here and there.
    chosen = highest_fit(pages, how == Allocate::MaxAddress ? address : 0xffff'ffff, alignment);
    if (!chosen && how == Allocate::Any) chosen = highest_fit(pages, ~u64{0}, alignment);
    if (!chosen) return efi::kOutOfResources;
  }
  const u64 attributes =
      (find(chosen).attributes & ~efi::kMemoryRuntime) | (runtime_type(type) ? efi::kMemoryRuntime : 0);
  retype(chosen, pages, type, attributes, true);
  address = chosen;
  return efi::kSuccess;
}

EfiStatus MemoryMap::free(GuestPhys base, u64 pages) {
  if (!page_aligned(base) || pages == 0) return efi::kInvalidParameter;
  if (!covered(base, pages, [](const Range& r) { return r.allocated; })) return efi::kNotFound;
  retype(base, pages, MemoryType::Conventional, find(base).attributes & ~efi::kMemoryRuntime, false);
  return efi::kSuccess;
}

std::vector<MemoryDescriptor> MemoryMap::descriptors() const {
  std::vector<MemoryDescriptor> out;
  for (const auto& [base, r] : ranges_) {
    if (!out.empty() && out.back().end() == base && out.back().type == r.type &&
        out.back().attributes == r.attributes)
      out.back().pages += r.pages;
    else
      out.push_back({base, r.pages, r.type, r.attributes});
  }
  return out;
}

MemoryDescriptor MemoryMap::find(GuestPhys phys) const {
  auto it = ranges_.upper_bound(phys);
  if (it == ranges_.begin()) return {};
  --it;
  const MemoryDescriptor d{it->first, it->second.pages, it->second.type, it->second.attributes};
  return phys < d.end() ? d : MemoryDescriptor{};
}

u64 MemoryMap::free_pages() const {
  u64 n = 0;
  for (const auto& [base, r] : ranges_)
    if (r.type == MemoryType::Conventional) n += r.pages;
  return n;
}

}  // namespace ia64::firmware
