// The clock of runs whose time is counted.
#include "machine/icount/virtual_clock.h"

#include <algorithm>
#include <utility>

namespace ia64::machine {

u64 VirtualClock::now_ns() const {
  std::lock_guard lock(mutex_);
  return now_ns_;
}

Clock::TimerId VirtualClock::schedule(u64 deadline_ns, std::function<void()> fn) {
  std::lock_guard lock(mutex_);
  timers_.emplace(deadline_ns, Timer{++last_id_, std::move(fn)});
  return last_id_;
}

void VirtualClock::cancel(TimerId id) {
  std::lock_guard lock(mutex_);
  const auto found = std::find_if(timers_.begin(), timers_.end(), [id](const auto& t) { return t.second.id == id; });
  if (found != timers_.end()) timers_.erase(found);
}

void VirtualClock::set_now(u64 ns) {
  std::lock_guard lock(mutex_);
  now_ns_ = ns;
}

/// What comes while this runs belongs to the next look.
void VirtualClock::run_input(std::unique_lock<std::mutex>& lock) {
  while (!again_.empty() && again_.begin()->first <= looks_) {
    auto node = again_.extract(again_.begin());
    lock.unlock();
    node.mapped()();
    lock.lock();
  }
  for (Input& input : std::exchange(input_, {})) {
    lock.unlock();
    input.fn(input.look);
    lock.lock();
  }
}

void VirtualClock::advance_to(u64 ns) {
  std::unique_lock lock(mutex_);
  looks_++;
  run_input(lock);
  while (!timers_.empty() && timers_.begin()->first <= ns) {
    auto node = timers_.extract(timers_.begin());
    now_ns_ = std::max(now_ns_, node.key());
    lock.unlock();
    node.mapped().fn();
    lock.lock();
  }
  now_ns_ = std::max(now_ns_, ns);
}

u64 VirtualClock::next_due_ns() {
  std::lock_guard lock(mutex_);
  looks_++;
  if (input_waits()) return 0;
  return timers_.empty() ? ~u64{0} : timers_.begin()->first;
}

void VirtualClock::schedule_input(std::function<void(u64 look)> fn) {
  std::lock_guard lock(mutex_);
  (held_ ? held_input_ : input_).push_back({looks_ + 1, std::move(fn)});
}

void VirtualClock::hold_input(bool on) {
  std::lock_guard lock(mutex_);
  held_ = on;
  auto &from = on ? input_ : held_input_, &to = on ? held_input_ : input_;
  for (Input& input : std::exchange(from, {})) to.push_back({looks_ + 1, std::move(input.fn)});
}

u64 VirtualClock::looks() const {
  std::lock_guard lock(mutex_);
  return looks_;
}

void VirtualClock::go_back(u64 looks, std::multimap<u64, std::function<void()>> again) {
  std::lock_guard lock(mutex_);
  looks_ = looks;
  again_ = std::move(again);
}

}  // namespace ia64::machine
