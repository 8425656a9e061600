// Region look-up, accesses and code marks of the physical address space.
#include "base/address_space.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/invariant.h"

namespace ia64 {

struct AddressSpace::Region {
  GuestPhys base;
  u64 size;
  RegionInfo::Kind kind;
  u8* host = nullptr;
  MmioRegion* device = nullptr;
  std::string name;
  std::unique_ptr<std::atomic<u8>[]> code_marks;  // one per page; RAM only

  bool contains(GuestPhys phys) const { return phys - base < size; }
};

AddressSpace::AddressSpace() = default;
AddressSpace::~AddressSpace() = default;

void AddressSpace::add_ram(GuestPhys base, u64 size_bytes, u8* host, std::string name) {
  INVARIANT(base % kPageSize == 0 && size_bytes % kPageSize == 0 && size_bytes != 0);
  auto region = std::make_unique<Region>();
  *region = {base, size_bytes, RegionInfo::Kind::Ram, host, nullptr, std::move(name), nullptr};
  region->code_marks = std::make_unique<std::atomic<u8>[]>(size_bytes >> kPageBits);
  std::unique_lock lock(mutex_);
  memory_.push_back(region.get());
  regions_.push_back(std::move(region));
}

void AddressSpace::add_rom(GuestPhys base, u64 size_bytes, u8* host, std::string name) {
  INVARIANT(base % kPageSize == 0 && size_bytes % kPageSize == 0 && size_bytes != 0);
  auto region = std::make_unique<Region>();
  *region = {base, size_bytes, RegionInfo::Kind::Rom, host, nullptr, std::move(name), nullptr};
  std::unique_lock lock(mutex_);
  memory_.push_back(region.get());
  regions_.push_back(std::move(region));
}

void AddressSpace::add_mmio(GuestPhys base, u64 size_bytes, MmioRegion* device, std::string name) {
  auto region = std::make_unique<Region>();
  *region = {base, size_bytes, RegionInfo::Kind::Mmio, nullptr, device, std::move(name), nullptr};
  std::unique_lock lock(mutex_);
  regions_.push_back(std::move(region));
}

void AddressSpace::remove_mmio(GuestPhys base, MmioRegion* device) {
  std::unique_lock lock(mutex_);
  for (auto it = regions_.begin(); it != regions_.end(); ++it) {
    if ((*it)->device != device || (*it)->base != base) continue;
    retired_.push_back(std::move(*it));  // another thread may still be inside an access to it
    regions_.erase(it);
    return;
  }
}

const AddressSpace::Region* AddressSpace::find(GuestPhys phys) const {
  for (const Region* r : memory_)
    if (r->contains(phys)) return r;
  std::shared_lock lock(mutex_);
  for (auto it = regions_.rbegin(); it != regions_.rend(); ++it)
    if ((*it)->contains(phys)) return it->get();
  return nullptr;
}

u8* AddressSpace::host_ptr(GuestPhys phys, bool for_write) const {
  for (const Region* r : memory_) {
    if (!r->contains(phys)) continue;
    if (for_write && r->kind != RegionInfo::Kind::Ram) return nullptr;
    if (for_write && write_log_) [[unlikely]]
      write_log_->push_back(phys);
    return r->host + (phys - r->base);
  }
  return nullptr;
}

u8* AddressSpace::ram_span(GuestPhys phys, u64 size_bytes) const {
  for (const Region* r : memory_)
    if (r->contains(phys) && r->kind == RegionInfo::Kind::Ram)
      return size_bytes <= r->size - (phys - r->base) ? r->host + (phys - r->base) : nullptr;
  return nullptr;
}

AccessResult AddressSpace::read(GuestPhys phys, unsigned size, u64& value) {
  value = ~u64{0} >> (64 - 8 * size);
  const Region* r = find(phys);
  if (!r || size > r->size - (phys - r->base)) return AccessResult::Unmapped;
  if (r->kind == RegionInfo::Kind::Mmio) {
    const auto result = r->device->read(phys - r->base, size, value);
    if (result != AccessResult::Ok) value = ~u64{0} >> (64 - 8 * size);
    return result;
  }
  value = 0;
  std::memcpy(&value, r->host + (phys - r->base), size);
  return AccessResult::Ok;
}

AccessResult AddressSpace::write(GuestPhys phys, unsigned size, u64 value) {
  const Region* r = find(phys);
  if (!r || size > r->size - (phys - r->base)) return AccessResult::Unmapped;
  if (r->kind == RegionInfo::Kind::Mmio) return r->device->write(phys - r->base, size, value);
  if (r->kind == RegionInfo::Kind::Rom) return AccessResult::Ok;
  std::memcpy(r->host + (phys - r->base), &value, size);
  code_written(phys, size);
  return AccessResult::Ok;
}

AccessResult AddressSpace::read_bytes(GuestPhys phys, void* out, size_t size_bytes) {
  auto* p = static_cast<u8*>(out);
  auto result = AccessResult::Ok;
  while (size_bytes) {
    const size_t n = std::min<size_t>(size_bytes, kPageSize - phys % kPageSize);
    if (const u8* host = host_ptr(phys, false)) {
      std::memcpy(p, host, n);
    } else {
      for (size_t i = 0; i < n; i++) {
        u64 v;
        if (auto e = read(phys + i, 1, v); e != AccessResult::Ok) result = e;
        p[i] = static_cast<u8>(v);
      }
    }
    phys += n, p += n, size_bytes -= n;
  }
  return result;
}

AccessResult AddressSpace::write_bytes(GuestPhys phys, const void* in, size_t size_bytes) {
  // An aligned 4- or 8-byte write may be a message-signalled interrupt: it must reach a device whole.
  if ((size_bytes == 4 || size_bytes == 8) && phys % size_bytes == 0) {
    u64 v = 0;
    std::memcpy(&v, in, size_bytes);
    return write(phys, static_cast<unsigned>(size_bytes), v);
  }
  const auto* p = static_cast<const u8*>(in);
  auto result = AccessResult::Ok;
  while (size_bytes) {
    const size_t n = std::min<size_t>(size_bytes, kPageSize - phys % kPageSize);
    if (u8* host = host_ptr(phys, true)) {
      std::memcpy(host, p, n);
      code_written(phys, n);
    } else {
      for (size_t i = 0; i < n; i++)
        if (auto e = write(phys + i, 1, p[i]); e != AccessResult::Ok) result = e;
    }
    phys += n, p += n, size_bytes -= n;
  }
  return result;
}

void AddressSpace::mark_code(GuestPhys phys) {
  for (const Region* r : memory_) {
    if (!r->contains(phys) || !r->code_marks) continue;
    r->code_marks[(phys - r->base) >> kPageBits].store(1, std::memory_order_release);
    any_marks_.store(true, std::memory_order_release);
  }
  // A store to the page and its look at the mark, against the mark and a read of the page: each side has to be
  // ordered, or both could miss what the other did and stale code would live on.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void AddressSpace::clear_code_mark(GuestPhys phys) {
  for (const Region* r : memory_)
    if (r->contains(phys) && r->code_marks) r->code_marks[(phys - r->base) >> kPageBits].store(0);
}

bool AddressSpace::has_code_mark(GuestPhys phys) const {
  std::atomic_thread_fence(std::memory_order_seq_cst);  // as in code_written()
  for (const Region* r : memory_)
    if (r->contains(phys) && r->code_marks)
      return r->code_marks[(phys - r->base) >> kPageBits].load(std::memory_order_acquire) != 0;
  return false;
}

void AddressSpace::code_written_slow(GuestPhys phys, u64 size_bytes) {
  for (const Region* r : memory_) {
    if (!r->contains(phys) || !r->code_marks) continue;
    const u64 first = (phys - r->base) >> kPageBits;
    const u64 last = std::min((phys - r->base + size_bytes - 1), r->size - 1) >> kPageBits;
    for (u64 page = first; page <= last; page++)
      if (r->code_marks[page].load(std::memory_order_acquire) && r->code_marks[page].exchange(0))
        for (const auto& listener : listeners_) listener(r->base + (page << kPageBits));
  }
}

void AddressSpace::add_code_listener(std::function<void(GuestPhys)> listener) {
  listeners_.push_back(std::move(listener));
}

std::vector<AddressSpace::RegionInfo> AddressSpace::regions() const {
  std::shared_lock lock(mutex_);
  std::vector<RegionInfo> out;
  for (const auto& r : regions_) out.push_back({r->base, r->size, r->name, r->kind});
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.base < b.base; });
  return out;
}

}  // namespace ia64
