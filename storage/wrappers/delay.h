// A wrapper that makes a medium slow.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "storage/block_store.h"

namespace ia64::storage {

/// Every request goes down after a fixed time; they keep their order and overlap. Any thread.
class DelayStore final : public BlockStore {
 public:
  DelayStore(std::unique_ptr<BlockStore> below, std::chrono::milliseconds delay);
  ~DelayStore() override;

  u64 size_bytes() const override { return below_->size_bytes(); }
  bool read_only() const override { return below_->read_only(); }
  std::string describe() const override { return "delay:" + below_->describe(); }
  void submit(BlockRequest request) override;
  u64 refresh_size() override { return below_->refresh_size(); }
  BlockExtent extent_at(u64 offset_bytes) override { return below_->extent_at(offset_bytes); }
  OverlayImage* overlay() override { return below_->overlay(); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  void run();

  std::unique_ptr<BlockStore> below_;
  const std::chrono::milliseconds delay_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::multimap<Time, BlockRequest> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ia64::storage
