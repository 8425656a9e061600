// Virtual time that follows the host's monotonic clock, with a timer thread.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace ia64::machine {

/// Virtual time = host time since construction. Timer functions run on one thread of its own, which sleeps on a host timer:
/// setting one moves the host timer but wakes no thread, because guests set one at every tick.
class HostClock final : public Clock {
 public:
  HostClock();
  ~HostClock() override;
  u64 now_ns() const override;
  TimerId schedule(u64 deadline_ns, std::function<void()> fn) override;
  void cancel(TimerId id) override;

 private:
  struct Timer {
    TimerId id;
    std::function<void()> fn;
  };
  void run();
  void set_host_timer();

  const u64 start_ns_;
  std::mutex mutex_;
  std::condition_variable finished_;
  const int host_timer_;  ///< timerfd
  std::multimap<u64, Timer> timers_;
  TimerId next_id_ = 1;
  TimerId running_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ia64::machine
