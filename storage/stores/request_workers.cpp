// Worker threads for stores that work synchronously inside.
#include "storage/stores/request_workers.h"

#include <system_error>

#include "base/log.h"

namespace ia64::storage {

void RequestWorkers::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& t : threads_) t.join();
  threads_.clear();
}

void RequestWorkers::submit(BlockRequest request) {
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() >= idle_ && threads_.size() < max_threads_) start_thread();
    if (!threads_.empty()) {
      queue_.push_back(std::move(request));
      wake_.notify_one();
      return;
    }
  }
  request.done(perform_(request));
}

void RequestWorkers::start_thread() {
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& e) {
    LOG_ONCE(Warn, reinterpret_cast<uintptr_t>(this), "cannot start another I/O thread: {}", e.what());
  }
}

void RequestWorkers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    idle_++;
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    idle_--;
    if (queue_.empty()) return;  // stopping, and everything asked for is done
    BlockRequest request = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const BlockStatus status = perform_(request);
    request.done(status);
    request = {};  // its captures die outside the lock
    lock.lock();
  }
}

}  // namespace ia64::storage
