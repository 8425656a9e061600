// A wrapper for tests: errors, held requests and torn writes on demand or every so often.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "storage/block_store.h"

namespace ia64::storage {

/// Passes requests through unless told otherwise. Any thread.
class FaultInjectingStore final : public BlockStore {
 public:
  explicit FaultInjectingStore(std::unique_ptr<BlockStore> below) : below_(std::move(below)) {}
  ~FaultInjectingStore() override { release(); }

  /// The next `count` requests of kind `op` that come after `skip` others fail with `status`; a failing write
  /// may first store its leading `torn_bytes`.
  struct Rule {
    BlockOp op = BlockOp::Read;
    BlockStatus status = BlockStatus::Io;
    unsigned skip = 0;
    unsigned count = 1;
    u64 torn_bytes = 0;
  };
  void add(const Rule& rule);
  /// From now on every `period`th request of kind `op` fails with `status`; a write stores its first half all the same
  /// when `torn`.
  void add_periodic(BlockOp op, BlockStatus status, unsigned period, bool torn);
  /// Keeps every request back until release().
  void hold();
  /// Passes the held requests on in reverse order of arrival and stops holding.
  void release();
  size_t held() const;

  u64 size_bytes() const override { return below_->size_bytes(); }
  bool read_only() const override { return below_->read_only(); }
  std::string describe() const override { return "fault:" + below_->describe(); }
  void submit(BlockRequest request) override;
  u64 refresh_size() override { return below_->refresh_size(); }
  BlockExtent extent_at(u64 offset_bytes) override { return below_->extent_at(offset_bytes); }
  OverlayImage* overlay() override { return below_->overlay(); }

 private:
  bool matches(const BlockRequest& request, Rule& out);
  void pass(BlockRequest request);

  std::unique_ptr<BlockStore> below_;
  mutable std::mutex mutex_;  // guards what follows; never held while a request goes down or completes
  std::vector<Rule> rules_;
  struct Periodic {
    BlockOp op;
    BlockStatus status;
    unsigned period, seen;
    bool torn;
  };
  std::vector<Periodic> periodic_;
  std::vector<BlockRequest> held_;
  bool holding_ = false;
};

}  // namespace ia64::storage
