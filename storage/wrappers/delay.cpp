// Delays between a device and its store.
#include "storage/wrappers/delay.h"

namespace ia64::storage {

DelayStore::DelayStore(std::unique_ptr<BlockStore> below, std::chrono::milliseconds delay)
    : below_(std::move(below)), delay_(delay), thread_([this] { run(); }) {}

DelayStore::~DelayStore() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  below_.reset();
}

void DelayStore::submit(BlockRequest request) {
  std::lock_guard lock(mutex_);
  waiting_.emplace(std::chrono::steady_clock::now() + delay_, std::move(request));
  wake_.notify_one();
}

void DelayStore::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (waiting_.empty()) {
      if (stopping_) return;
      wake_.wait(lock);
      continue;
    }
    const auto due = waiting_.begin()->first;
    if (!stopping_ && std::chrono::steady_clock::now() < due) {
      wake_.wait_until(lock, due);
      continue;
    }
    auto node = waiting_.extract(waiting_.begin());
    lock.unlock();
    below_->submit(std::move(node.mapped()));
    lock.lock();
  }
}

}  // namespace ia64::storage
