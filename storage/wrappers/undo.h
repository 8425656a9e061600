// A wrapper that keeps what writes replace, and the journal where it goes.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "storage/block_store.h"

namespace ia64::storage {

/// What was at places of stores before they were written, in order of the writes. One for all stores of a machine. Any thread; what
/// puts content back, and switching, only while no request is in flight.
class UndoJournal {
 public:
  struct Entry {
    BlockStore* store = nullptr;  ///< below the wrapper
    u64 offset_bytes = 0;
    std::vector<u8> before;
  };
  using Entries = std::vector<Entry>;
  /// Larger requests than this are not kept, nor more than that at a time.
  static constexpr u64 kMostBytes = 64 << 20, kMostWaitingBytes = 1 << 30;

  /// Off at first. What has been kept is forgotten.
  void keep(bool on);
  bool keeps() const;
  /// What was kept since the last take().
  Entries take();
  /// Whether everything since keep(true) could be kept: not a discard of half a disk, nor where the store failed.
  bool complete() const;
  void add(Entry entry);
  void missed();
  /// Undoes the writes, the last one first. @returns Io when a store failed; then its content is a mixture
  static BlockStatus put_back(const Entries& entries);

 private:
  mutable std::mutex mutex_;
  bool on_ = false, complete_ = true;
  u64 bytes_ = 0;  ///< of entries_
  Entries entries_;
};

/// Reads what a write, a discard or a range of zeroes replaces before it goes down, while the journal wants it. Any thread.
class UndoStore final : public BlockStore {
 public:
  /// @param journal  outlives this, and must not keep anything when this goes away
  UndoStore(std::unique_ptr<BlockStore> below, UndoJournal& journal) : below_(std::move(below)), journal_(journal) {}

  u64 size_bytes() const override { return below_->size_bytes(); }
  bool read_only() const override { return below_->read_only(); }
  std::string describe() const override { return below_->describe(); }
  void submit(BlockRequest request) override;
  u64 refresh_size() override { return below_->refresh_size(); }
  BlockExtent extent_at(u64 offset_bytes) override { return below_->extent_at(offset_bytes); }
  OverlayImage* overlay() override { return below_->overlay(); }

 private:
  const std::unique_ptr<BlockStore> below_;
  UndoJournal& journal_;
};

}  // namespace ia64::storage
