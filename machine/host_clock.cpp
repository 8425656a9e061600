// Host-driven virtual clock.
#include "machine/host_clock.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/invariant.h"

namespace ia64::machine {
namespace {

u64 host_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<u64>(t.tv_sec) * 1'000'000'000 + static_cast<u64>(t.tv_nsec);
}

}  // namespace

HostClock::HostClock() : start_ns_(host_ns()), host_timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
  INVARIANT(host_timer_ >= 0);
  thread_ = std::thread([this] { run(); });
}

HostClock::~HostClock() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    set_host_timer();
  }
  thread_.join();
  close(host_timer_);
}

u64 HostClock::now_ns() const {
  const u64 paused = paused_at_ns_.load(std::memory_order_acquire);
  return paused != kNotPaused ? paused : host_ns() - start_ns_.load(std::memory_order_relaxed);
}

void HostClock::pause() {
  std::lock_guard lock(mutex_);
  if (paused_at_ns_ != kNotPaused) return;
  paused_at_ns_ = now_ns();
  set_host_timer();
}

void HostClock::resume() {
  std::lock_guard lock(mutex_);
  if (paused_at_ns_ == kNotPaused) return;
  start_ns_ = host_ns() - paused_at_ns_;
  paused_at_ns_.store(kNotPaused, std::memory_order_release);
  set_host_timer();
}

void HostClock::settle() {
  std::unique_lock lock(mutex_);
  finished_.wait(lock, [&] { return running_ == 0; });
}

void HostClock::set_now(u64 ns) {
  std::lock_guard lock(mutex_);
  INVARIANT(paused());
  paused_at_ns_.store(ns, std::memory_order_release);
}

Clock::TimerId HostClock::schedule(u64 deadline_ns, std::function<void()> fn) {
  std::lock_guard lock(mutex_);
  const TimerId id = next_id_++;
  const auto it = timers_.emplace(deadline_ns, Timer{id, std::move(fn)});
  if (it == timers_.begin()) set_host_timer();
  return id;
}

void HostClock::cancel(TimerId id) {
  std::unique_lock lock(mutex_);
  const auto it = std::find_if(timers_.begin(), timers_.end(), [&](const auto& t) { return t.second.id == id; });
  if (it != timers_.end()) timers_.erase(it), set_host_timer();
  if (std::this_thread::get_id() == thread_.get_id()) return;
  finished_.wait(lock, [&] { return running_ != id; });
}

/// Makes the host timer expire when the earliest timer is due, or never; at once when the thread is to stop. Needs the lock.
void HostClock::set_host_timer() {
  itimerspec when{};  // zero: disarmed
  if (stop_) {
    when.it_value.tv_nsec = 1;
  } else if (!timers_.empty() && paused_at_ns_ == kNotPaused) {
    const u64 at_ns = start_ns_ + timers_.begin()->first;
    when.it_value.tv_sec = static_cast<time_t>(std::min<u64>(at_ns / 1'000'000'000, ~u64{0} >> 33));
    when.it_value.tv_nsec = static_cast<long>(at_ns % 1'000'000'000);
  }
  timerfd_settime(host_timer_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void HostClock::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (timers_.empty() || paused() || now_ns() < timers_.begin()->first) {
      if (!timers_.empty()) set_host_timer();
      lock.unlock();
      u64 expirations;
      [[maybe_unused]] const ssize_t n = read(host_timer_, &expirations, sizeof expirations);
      lock.lock();
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
