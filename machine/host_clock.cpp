// Host-driven virtual clock.
#include "machine/host_clock.h"

#include <algorithm>
#include <chrono>
#include <ctime>

namespace ia64::machine {
namespace {

u64 host_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<u64>(t.tv_sec) * 1'000'000'000 + static_cast<u64>(t.tv_nsec);
}

}  // namespace

HostClock::HostClock() : start_ns_(host_ns()), thread_([this] { run(); }) {}

HostClock::~HostClock() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

u64 HostClock::now_ns() const { return host_ns() - start_ns_; }

Clock::TimerId HostClock::schedule(u64 deadline_ns, std::function<void()> fn) {
  std::lock_guard lock(mutex_);
  const TimerId id = next_id_++;
  const auto it = timers_.emplace(deadline_ns, Timer{id, std::move(fn)});
  if (it == timers_.begin()) changed_.notify_all();
  return id;
}

void HostClock::cancel(TimerId id) {
  std::unique_lock lock(mutex_);
  const auto it = std::find_if(timers_.begin(), timers_.end(), [&](const auto& t) { return t.second.id == id; });
  if (it != timers_.end()) timers_.erase(it);
  if (std::this_thread::get_id() == thread_.get_id()) return;
  finished_.wait(lock, [&] { return running_ != id; });
}

void HostClock::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (timers_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const u64 deadline = timers_.begin()->first;
    if (const u64 now = now_ns(); now < deadline) {
      changed_.wait_for(lock, std::chrono::nanoseconds(deadline - now));
      continue;
    }
    Timer timer = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    running_ = timer.id;
    lock.unlock();
    timer.fn();
    lock.lock();
    running_ = 0;
    finished_.notify_all();
  }
}

}  // namespace ia64::machine
