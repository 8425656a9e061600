// A run of decoded instructions, and the cache that finds blocks by physical address.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/address_space.h"
#include "cpu/decode/insn.h"
#include "cpu/large_pages.h"

namespace ia64::cpu {

namespace jit {
struct NativeBlock;
}
struct Block;

/// A remembered answer to "which block does this address lead to?". Right as long as its key equals the fetch
/// key of the moment, whoever looks it up.
struct LookupEntry {
  u64 ip = ~u64{0};  ///< with the slot in the low bits
  u64 key = 0;       ///< FastTlb::fetch_key() it was found under
  Block* block = nullptr;
  bool ed = false;  ///< ITLB.ed of the page
  mutable jit::NativeBlock* native = nullptr;  ///< the translation last used
};

/// Decoded instructions from one bundle on, within one 4 KiB page. Position independent: nothing in it knows
/// the virtual address.
///
/// `nop`s are left out. The last instruction is a pseudo one whose handler returns Next::Sync and which
/// stands at the place of the last instruction of the block, so that the engine goes on behind it. In a
/// block, Insn::spare counts the instructions before this one (nops included), and kReadsOwnPredicate is set
/// for unpredicated ones too: it says that the engine need not look at the predicate.
struct alignas(32) Block {
  /// Longest block: `spare` must hold every count.
  static constexpr unsigned kMaxBundles = 80;

  GuestPhys key = 0;  ///< physical address of the first bundle, plus the slot the block starts at
  Block* next_in_bucket = nullptr;
  u32 runs = 0;       ///< executions counted until the block is translated
  u8 slots = 0;          ///< instructions, nops included
  u8 needed_sof = 0;     ///< frame size without which some target register is out of frame
  /// needed_sof of a block at a stop address: no frame is that large, so it is never run as a block nor translated.
  static constexpr u8 kNeverFits = 255;
  LookupEntry links[2];  ///< blocks that followed this one, chosen by a bit of their address

  LookupEntry& link_to(u64 ip) { return links[ip >> 4 & 1]; }

  GuestPhys phys() const { return key & ~GuestPhys{15}; }
  Insn* insns() { return reinterpret_cast<Insn*>(this + 1); }
};
static_assert(sizeof(Block) % alignof(Insn) == 0);

/// Blocks by physical address and starting slot. CPU thread only.
class BlockCache {
 public:
  BlockCache();

  Block* find(GuestPhys key) const {
    Block* b = buckets_[bucket(key)];
    while (b && b->key != key) b = b->next_in_bucket;
    return b;
  }
  /// Space for a block of `insns` entries; it becomes findable at insert(). Throws away everything when the
  /// arena is full.
  Block* allocate(unsigned insns);
  void insert(Block* block);
  /// Forgets the blocks of one 4 KiB page. Their memory stays readable until clear().
  void drop_page(GuestPhys page);
  /// The 4 KiB pages that have an instruction at one of these page offsets (slot in the low bits) in a block.
  std::vector<GuestPhys> pages_with(const std::vector<u16>& offsets);
  bool has_page(GuestPhys page) const { return by_page_.contains(page); }
  void clear();
  size_t block_count() const { return count_; }
  /// Changes with every clear(): pointers to blocks from before are dead.
  u64 generation() const { return generation_; }

 private:
  static constexpr unsigned kBuckets = 1u << 16;
  static constexpr size_t kChunkBytes = size_t{2} << 20;
  static constexpr size_t kMaxChunks = 24;
  static constexpr unsigned bucket(GuestPhys phys) {
    return static_cast<unsigned>((phys >> 4) ^ (phys >> 21)) % kBuckets;
  }
  struct ChunkDelete {
    void operator()(std::byte* p) const { free_large(p); }
  };
  void unlink(Block* block);

  std::vector<Block*, LargePages<Block*>> buckets_;
  std::unordered_map<GuestPhys, std::vector<Block*>> by_page_;
  std::vector<std::unique_ptr<std::byte[], ChunkDelete>> chunks_;
  size_t chunk_ = 0, used_ = 0;
  size_t count_ = 0;
  u64 generation_ = 0;
};

/// Whether `i` is the pseudo instruction that ends a block.
bool is_end_of_block(const Insn& i);

/// Decodes the block that starts at bundle `phys`, slot `slot` (slot 2 of a bundle without one: its last
/// instruction).
/// @param page_bytes  host address of the 4 KiB page
/// @param stop_offsets sorted page offsets of instructions before which a block must end, slot in the low bits (stop addresses)
Block* build_block(BlockCache& cache, GuestPhys phys, unsigned slot, const u8* page_bytes,
                   const std::vector<u16>& stop_offsets);

}  // namespace ia64::cpu
