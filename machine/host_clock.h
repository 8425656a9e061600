// Virtual time that follows the host's monotonic clock, with a timer thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "machine/settable_clock.h"

namespace ia64::machine {

/// Virtual time = host time since construction, less pauses. Timer functions run on one thread of its own, which sleeps on a host timer:
/// setting one moves the host timer but wakes no thread, because guests set one at every tick.
class HostClock final : public SettableClock {
 public:
  HostClock();
  ~HostClock() override;
  u64 now_ns() const override;
  TimerId schedule(u64 deadline_ns, std::function<void()> fn) override;
  void cancel(TimerId id) override;
  void pause() override;
  void resume() override;
  bool paused() const override { return paused_at_ns_.load(std::memory_order_acquire) != kNotPaused; }
  void settle() override;
  void set_now(u64 ns) override;

 private:
  struct Timer {
    TimerId id;
    std::function<void()> fn;
  };
  void run();
  void set_host_timer();

  static constexpr u64 kNotPaused = ~u64{0};
  std::atomic<u64> start_ns_;                ///< host time of virtual time 0; moves by the length of every pause
  std::atomic<u64> paused_at_ns_{kNotPaused};  ///< virtual time, while it stands
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
