// Virtual time that moves only when it is told to: equal runs give equal times.
#pragma once

#include <map>
#include <mutex>

#include "machine/settable_clock.h"

namespace ia64::machine {

/// Timers run on the thread that advances the clock.
class VirtualClock final : public SettableClock {
 public:
  u64 now_ns() const override;
  TimerId schedule(u64 deadline_ns, std::function<void()> fn) override;
  void cancel(TimerId id) override;

  void pause() override {}
  void resume() override {}
  bool paused() const override { return true; }
  void settle() override {}
  void set_now(u64 ns) override;

  /// Moves time forward and runs what becomes due, in order of time. CPU thread only.
  void advance_to(u64 ns);
  /// When the next timer is due; ~0 when there is none.
  u64 next_due_ns() const;

 private:
  struct Timer {
    TimerId id;
    std::function<void()> fn;
  };
  mutable std::mutex mutex_;
  u64 now_ns_ = 0;
  TimerId last_id_ = 0;
  std::multimap<u64, Timer> timers_;
};

}  // namespace ia64::machine
