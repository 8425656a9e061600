// A range-checked handle over a store: what controllers, SCSI targets and firmware use.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "storage/block_store.h"

namespace ia64::storage {

/// Counters since the device was opened.
struct BlockCounters {
  u64 reads = 0, writes = 0, flushes = 0, others = 0, errors = 0;
  u64 read_bytes = 0, written_bytes = 0;
};

/// Owns a store and checks every request before it gets there: ranges, block alignment, sizes, write
/// protection. What fails a check completes at once with OutOfRange, ReadOnly or Unsupported. Any thread.
class BlockDevice {
 public:
  /// @param block_bytes smallest unit of transfer, a power of two (512 for disks, 2048 for DVDs)
  explicit BlockDevice(std::unique_ptr<BlockStore> store, unsigned block_bytes = 512);
  ~BlockDevice();

  u64 size_bytes() const { return size_bytes_.load(std::memory_order_relaxed); }
  unsigned block_bytes() const { return block_bytes_; }
  u64 block_count() const { return size_bytes() / block_bytes_; }
  /// Takes over a new size of the store. @returns whether it changed
  bool refresh_size();
  /// @see BlockStore::extent_at
  BlockExtent extent_at(u64 offset_bytes) { return store_->extent_at(offset_bytes); }
  /// @see BlockStore::overlay
  OverlayImage* overlay() { return store_->overlay(); }
  BlockStore& store() { return *store_; }
  bool read_only() const { return read_only_; }
  std::string describe() const { return store_->describe(); }

  /// Starts a request; its `done` runs exactly once, possibly before this returns and on any thread.
  void submit(BlockRequest request);
  /// Convenience for tools and tests: submits and waits. Not for the threads that run completions.
  BlockStatus transfer(BlockOp op, u64 offset_bytes, void* data, u64 size_bytes);

  BlockCounters counters() const;

 private:
  BlockStatus check(const BlockRequest& request) const;
  void count(const BlockRequest& request);

  struct AtomicCounters {
    std::atomic<u64> reads{0}, writes{0}, flushes{0}, others{0}, errors{0}, read_bytes{0}, written_bytes{0};
  };
  const unsigned block_bytes_;
  const std::unique_ptr<BlockStore> store_;
  std::atomic<u64> size_bytes_;  // whole blocks only
  const bool read_only_;
  AtomicCounters counters_;
};

}  // namespace ia64::storage
