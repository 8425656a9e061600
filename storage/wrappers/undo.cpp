// Keeping what writes replace.
#include "storage/wrappers/undo.h"

#include <utility>

#include "storage/request_pieces.h"

namespace ia64::storage {

void UndoJournal::keep(bool on) {
  std::lock_guard lock(mutex_);
  on_ = on, complete_ = true, bytes_ = 0;
  entries_.clear();
}

bool UndoJournal::keeps() const {
  std::lock_guard lock(mutex_);
  return on_ && complete_;
}

UndoJournal::Entries UndoJournal::take() {
  std::lock_guard lock(mutex_);
  bytes_ = 0;
  return std::exchange(entries_, {});
}

bool UndoJournal::complete() const {
  std::lock_guard lock(mutex_);
  return complete_;
}

void UndoJournal::add(Entry entry) {
  std::lock_guard lock(mutex_);
  if (!on_ || !complete_) return;
  bytes_ += entry.before.size();
  entries_.push_back(std::move(entry));
  if (bytes_ <= kMostWaitingBytes) return;
  complete_ = false;
  entries_.clear();
}

void UndoJournal::missed() {
  std::lock_guard lock(mutex_);
  complete_ = false;
  entries_.clear();
}

BlockStatus UndoJournal::put_back(const Entries& entries) {
  for (auto it = entries.rbegin(); it != entries.rend(); ++it) {
    auto* const bytes = const_cast<u8*>(it->before.data());  // an iovec knows no const; a write reads only
    const BlockStatus status = submit_and_wait(
        *it->store, {.op = BlockOp::Write, .offset_bytes = it->offset_bytes, .size_bytes = it->before.size(), .iov = {{bytes, it->before.size()}}, .done = {}});
    if (status != BlockStatus::Ok) return BlockStatus::Io;
  }
  return BlockStatus::Ok;
}

void UndoStore::submit(BlockRequest request) {
  const bool changes = request.op == BlockOp::Write || request.op == BlockOp::Discard || request.op == BlockOp::WriteZeroes;
  if (!changes || !request.size_bytes || !journal_.keeps()) return below_->submit(std::move(request));
  if (request.size_bytes > UndoJournal::kMostBytes) {
    journal_.missed();
    return below_->submit(std::move(request));
  }
  auto entry = std::make_shared<UndoJournal::Entry>(UndoJournal::Entry{below_.get(), request.offset_bytes, std::vector<u8>(request.size_bytes)});
  BlockRequest read{.op = BlockOp::Read, .offset_bytes = entry->offset_bytes, .size_bytes = entry->before.size(), .iov = {{entry->before.data(), entry->before.size()}}, .done = {}};
  auto write = std::make_shared<BlockRequest>(std::move(request));
  read.done = [this, entry, write](BlockStatus status) {
    status == BlockStatus::Ok ? journal_.add(std::move(*entry)) : journal_.missed();
    below_->submit(std::move(*write));
  };
  below_->submit(std::move(read));
}

}  // namespace ia64::storage
