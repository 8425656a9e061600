// Cutting requests into pieces and waiting for stores.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "storage/block_store.h"

namespace ia64::storage {

/// Bytes [from, from + size) of a scatter list.
std::vector<iovec> slice_iov(std::span<const iovec> iov, u64 from, u64 size);
void fill_zero(std::span<const iovec> iov);
void copy_to_iov(std::span<const iovec> iov, std::span<const u8> bytes);
void copy_from_iov(std::span<const iovec> iov, std::span<u8> bytes);

/// Submits to a store and waits. For worker threads and tools, never for threads that run completions of that store.
BlockStatus submit_and_wait(BlockStore& store, BlockRequest request);

/// Several requests that end one: the last to finish reports the first failure.
struct RequestJoin {
  std::atomic<unsigned> left;
  std::atomic<BlockStatus> status{BlockStatus::Ok};
  std::function<void(BlockStatus)> done;

  void finish(BlockStatus s) {
    BlockStatus ok = BlockStatus::Ok;
    if (s != BlockStatus::Ok) status.compare_exchange_strong(ok, s);
    if (left.fetch_sub(1) == 1) done(status);
  }
};

}  // namespace ia64::storage
