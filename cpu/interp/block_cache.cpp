// Storage and look-up of decoded blocks.
#include <algorithm>
#include <new>

#include "base/bits.h"

#include "cpu/interp/block.h"

namespace ia64::cpu {

BlockCache::BlockCache() : buckets_(kBuckets, nullptr) {}

Block* BlockCache::allocate(unsigned insns) {
  const size_t size = (sizeof(Block) + insns * sizeof(Insn) + 63) & ~size_t{63};
  if (chunks_.empty() || used_ + size > kChunkBytes) {
    if (!chunks_.empty()) chunk_++;
    if (chunk_ == kMaxChunks) clear();
    if (chunk_ == chunks_.size())
      chunks_.emplace_back(static_cast<std::byte*>(allocate_large(kChunkBytes)));
    used_ = 0;
  }
  std::byte* at = chunks_[chunk_].get() + used_;
  used_ += size;
  return new (at) Block;
}

void BlockCache::insert(Block* block) {
  Block*& head = buckets_[bucket(block->key)];
  block->next_in_bucket = head;
  head = block;
  by_page_[align_down(block->key, AddressSpace::kPageSize)].push_back(block);
  count_++;
}

void BlockCache::unlink(Block* block) {
  Block** at = &buckets_[bucket(block->key)];
  while (*at && *at != block) at = &(*at)->next_in_bucket;
  if (!*at) return;
  *at = block->next_in_bucket;
  count_--;
}

void BlockCache::drop_page(GuestPhys page) {
  const auto it = by_page_.find(page);
  if (it == by_page_.end()) return;
  for (Block* block : it->second) unlink(block);
  by_page_.erase(it);
}

namespace {

/// Page offset behind the last bundle of a block.
unsigned end_offset(Block& block) {
  const Insn* i = block.insns();
  while (!is_end_of_block(*i)) i++;
  return static_cast<unsigned>(block.phys() % AddressSpace::kPageSize) + (i->bundle + 1u) * 16;
}

}  // namespace

std::vector<GuestPhys> BlockCache::pages_with(const std::vector<u16>& offsets) {
  const auto covers = [&](Block* block) {
    const unsigned first = static_cast<unsigned>(block->key % AddressSpace::kPageSize), end = end_offset(*block);
    return std::any_of(offsets.begin(), offsets.end(), [&](u16 offset) { return first <= offset && offset < end; });
  };
  std::vector<GuestPhys> pages;
  for (const auto& [page, blocks] : by_page_)
    if (std::any_of(blocks.begin(), blocks.end(), covers)) pages.push_back(page);
  return pages;
}

void BlockCache::clear() {
  std::fill(buckets_.begin(), buckets_.end(), nullptr);
  by_page_.clear();
  chunk_ = 0, used_ = 0, count_ = 0;
  generation_++;
}

}  // namespace ia64::cpu
