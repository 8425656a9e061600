// A small write-back cache of 4 KiB pages over a medium, for file system structures.
#pragma once

#include <list>
#include <map>

#include "firmware/media/block_medium.h"

namespace ia64::firmware {

/// Bytes of a medium through cached pages. Dirty pages are written by flush() or when the cache is full.
/// Pages hold whole blocks, so a write back never touches a neighbour's data. Thread rule: the firmware's
/// lock.
class PageCache {
 public:
  static constexpr u64 kPageBytes = 4096;
  explicit PageCache(BlockMedium& medium) : medium_(medium) {}

  EfiStatus read(u64 offset, size_t size_bytes, void* out);
  EfiStatus write(u64 offset, size_t size_bytes, const void* in);
  EfiStatus flush();
  /// Forgets pages that overlap a range written behind the cache; their own changes must have been flushed.
  void forget(u64 offset, u64 size_bytes);
  void forget_all() { pages_.clear(), order_.clear(); }

 private:
  static constexpr size_t kMaxPages = 2048;
  struct Page {
    std::vector<u8> bytes;
    bool dirty = false;
    std::list<u64>::iterator place;  // in order_, most recently used first
  };
  EfiStatus get(u64 index, Page*& page);
  EfiStatus write_back(u64 index, Page& page);
  EfiStatus make_room();

  BlockMedium& medium_;
  std::map<u64, Page> pages_;
  std::list<u64> order_;
};

}  // namespace ia64::firmware
