// A medium in host memory, for tests and the demonstration disk.
#pragma once

#include <mutex>
#include <vector>

#include "storage/block_store.h"

namespace ia64::storage {

/// Completes every request inside submit(). Any thread.
class MemoryStore final : public BlockStore {
 public:
  explicit MemoryStore(std::vector<u8> bytes) : bytes_(std::move(bytes)) {}
  /// An empty medium of zeroes.
  explicit MemoryStore(u64 size_bytes) : bytes_(size_bytes) {}

  u64 size_bytes() const override { return bytes_.size(); }
  bool read_only() const override { return false; }
  std::string describe() const override { return "memory:"; }
  void submit(BlockRequest request) override;

 private:
  std::mutex mutex_;
  std::vector<u8> bytes_;
};

}  // namespace ia64::storage
