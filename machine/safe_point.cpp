// Work between two stretches of guest code, and the pause of a machine.
#include "machine/safe_point.h"

#include <utility>

namespace ia64::machine {

bool SafePoint::post(std::function<void()> fn) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  posted_.push_back(std::move(fn));
  something_ = true;
  changed_.notify_all();
  return true;
}

void SafePoint::pause() {
  std::lock_guard lock(mutex_);
  paused_ = true;
  something_ = true;
}

void SafePoint::resume() {
  std::lock_guard lock(mutex_);
  paused_ = false;
  changed_.notify_all();
}

void SafePoint::wake() {
  std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void SafePoint::run_posted(std::unique_lock<std::mutex>& lock) {
  while (!posted_.empty()) {
    auto work = std::exchange(posted_, {});
    lock.unlock();
    for (auto& fn : work) fn();
    lock.lock();
  }
}

void SafePoint::pass(const std::function<bool()>& leave) {
  if (!something_.load(std::memory_order_acquire)) return;
  std::unique_lock lock(mutex_);
  bool waiting = false;
  for (;;) {
    run_posted(lock);
    if (!paused_ || leave()) break;
    if (!waiting && on_wait) on_wait(true);
    waiting = true;
    changed_.wait(lock, [&] { return !posted_.empty() || !paused_ || leave(); });
  }
  something_ = paused_.load();
  if (waiting && on_wait) on_wait(false);
}

void SafePoint::close() {
  std::unique_lock lock(mutex_);
  run_posted(lock);
  closed_ = true;
}

}  // namespace ia64::machine
