// A wrapper that lets nothing change the store below.
#pragma once

#include <memory>

#include "storage/block_store.h"

namespace ia64::storage {

/// Reads pass; writes, discards and zeroing complete with ReadOnly; flushes succeed. Any thread.
class ReadOnlyStore final : public BlockStore {
 public:
  explicit ReadOnlyStore(std::unique_ptr<BlockStore> below) : below_(std::move(below)) {}

  u64 size_bytes() const override { return below_->size_bytes(); }
  bool read_only() const override { return true; }
  std::string describe() const override { return "ro:" + below_->describe(); }
  u64 refresh_size() override { return below_->refresh_size(); }
  BlockExtent extent_at(u64 offset_bytes) override { return below_->extent_at(offset_bytes); }
  void submit(BlockRequest request) override {
    if (request.op == BlockOp::Read) return below_->submit(std::move(request));
    request.done(request.op == BlockOp::Flush ? BlockStatus::Ok : BlockStatus::ReadOnly);
  }

 private:
  std::unique_ptr<BlockStore> below_;
};

}  // namespace ia64::storage
