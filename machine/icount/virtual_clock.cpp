// The clock of runs whose time is counted.
#include "machine/icount/virtual_clock.h"

#include <algorithm>

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

void VirtualClock::advance_to(u64 ns) {
  std::unique_lock lock(mutex_);
  while (!timers_.empty() && timers_.begin()->first <= ns) {
    auto node = timers_.extract(timers_.begin());
    now_ns_ = std::max(now_ns_, node.key());
    lock.unlock();
    node.mapped().fn();
    lock.lock();
  }
  now_ns_ = std::max(now_ns_, ns);
}

u64 VirtualClock::next_due_ns() const {
  std::lock_guard lock(mutex_);
  return timers_.empty() ? ~u64{0} : timers_.begin()->first;
}

}  // namespace ia64::machine
