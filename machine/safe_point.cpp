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
  {
    std::lock_guard lock(mutex_);
    paused_ = true;
    something_ = true;
  }
  // Whoever is told of the pause by this work finds time at a standstill.
  if (worker_.load() == std::this_thread::get_id()) begin_waiting();
}

void SafePoint::begin_waiting() {
  if (!waiting_ && on_wait) on_wait(true);
  waiting_ = true;
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
    worker_ = std::this_thread::get_id();
    for (auto& fn : work) fn();
    worker_ = std::thread::id();
    lock.lock();
  }
}

void SafePoint::pass(const std::function<bool()>& leave) {
  if (!something_.load(std::memory_order_acquire)) return;
  std::unique_lock lock(mutex_);
  for (;;) {
    run_posted(lock);
    if (!paused_ || leave()) break;
    begin_waiting();
    changed_.wait(lock, [&] { return !posted_.empty() || !paused_ || leave(); });
  }
  something_ = paused_.load();
  if (std::exchange(waiting_, false) && on_wait) on_wait(false);
}

void SafePoint::close() {
  std::unique_lock lock(mutex_);
  run_posted(lock);
  closed_ = true;
}

}  // namespace ia64::machine
