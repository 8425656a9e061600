// A medium without memory: reads as zeroes, takes every write.
#pragma once

#include "storage/block_store.h"
#include "storage/request_pieces.h"

namespace ia64::storage {

/// For measurements of everything above the store. Completes inside submit(). Any thread.
class NullStore final : public BlockStore {
 public:
  explicit NullStore(u64 size_bytes) : size_bytes_(size_bytes) {}
  u64 size_bytes() const override { return size_bytes_; }
  bool read_only() const override { return false; }
  std::string describe() const override { return "null:"; }
  void submit(BlockRequest request) override {
    if (request.op == BlockOp::Read) fill_zero(request.iov);
    request.done(BlockStatus::Ok);
  }

 private:
  const u64 size_bytes_;
};

}  // namespace ia64::storage
