// Page look-up, eviction and write-back.
#include "firmware/media/page_cache.h"

#include <algorithm>
#include <cstring>

namespace ia64::firmware {

EfiStatus PageCache::write_back(u64 index, Page& page) {
  const EfiStatus s = write_medium_bytes(medium_, index * kPageBytes, page.bytes.size(), page.bytes.data());
  if (!efi_error(s)) page.dirty = false;
  return s;
}

EfiStatus PageCache::make_room() {
  if (pages_.size() < kMaxPages) return efi::kSuccess;
  const u64 oldest = order_.back();
  auto it = pages_.find(oldest);
  if (it->second.dirty)
    if (const EfiStatus s = write_back(oldest, it->second); efi_error(s)) return s;
  order_.pop_back();
  pages_.erase(it);
  return efi::kSuccess;
}

EfiStatus PageCache::get(u64 index, Page*& page) {
  if (auto it = pages_.find(index); it != pages_.end()) {
    order_.splice(order_.begin(), order_, it->second.place);
    page = &it->second;
    return efi::kSuccess;
  }
  const u64 start = index * kPageBytes;
  if (start >= medium_.size_bytes()) return efi::kVolumeCorrupted;
  if (const EfiStatus s = make_room(); efi_error(s)) return s;
  Page fresh;
  fresh.bytes.resize(std::min(kPageBytes, medium_.size_bytes() - start));
  if (const EfiStatus s = read_medium_bytes(medium_, start, fresh.bytes.size(), fresh.bytes.data());
      efi_error(s))
    return s;
  order_.push_front(index);
  fresh.place = order_.begin();
  page = &pages_.emplace(index, std::move(fresh)).first->second;
  return efi::kSuccess;
}

EfiStatus PageCache::read(u64 offset, size_t size, void* out) {
  auto* p = static_cast<u8*>(out);
  while (size) {
    Page* page = nullptr;
    if (const EfiStatus s = get(offset / kPageBytes, page); efi_error(s)) return s;
    const u64 within = offset % kPageBytes;
    if (within >= page->bytes.size()) return efi::kVolumeCorrupted;
    const size_t n = std::min<size_t>(page->bytes.size() - within, size);
    std::memcpy(p, page->bytes.data() + within, n);
    p += n, offset += n, size -= n;
  }
  return efi::kSuccess;
}

EfiStatus PageCache::write(u64 offset, size_t size, const void* in) {
  if (medium_.read_only()) return efi::kWriteProtected;
  const auto* p = static_cast<const u8*>(in);
  while (size) {
    Page* page = nullptr;
    if (const EfiStatus s = get(offset / kPageBytes, page); efi_error(s)) return s;
    const u64 within = offset % kPageBytes;
    if (within >= page->bytes.size()) return efi::kVolumeCorrupted;
    const size_t n = std::min<size_t>(page->bytes.size() - within, size);
    std::memcpy(page->bytes.data() + within, p, n);
    page->dirty = true;
    p += n, offset += n, size -= n;
  }
  return efi::kSuccess;
}

EfiStatus PageCache::flush() {
  for (auto& [index, page] : pages_)
    if (page.dirty)
      if (const EfiStatus s = write_back(index, page); efi_error(s)) return s;
  return efi::kSuccess;
}

void PageCache::forget(u64 offset, u64 size) {
  auto it = pages_.lower_bound(offset / kPageBytes);
  while (it != pages_.end() && it->first * kPageBytes < offset + size) {
    order_.erase(it->second.place);
    it = pages_.erase(it);
  }
}

}  // namespace ia64::firmware
