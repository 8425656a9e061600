// Virtual time that moves only when it is told to: equal runs give equal times.
#pragma once

#include <map>
#include <mutex>
#include <vector>

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

  /// Moves time forward and runs what becomes due: input first, then timers in order of time. CPU thread only, one of the clock's looks.
  void advance_to(u64 ns);
  /// When the next timer is due; ~0 when there is none, the past when there is input. CPU thread only, one of the clock's looks.
  u64 next_due_ns();

  // --- input: functions from outside, which make no difference before the CPU thread looks at the clock, and from then on do ---
  /// Has `fn` run by the next advance_to() that begins after this. It gets the number of the look that was the first to see it. Any thread.
  void schedule_input(std::function<void(u64 look)> fn);
  /// While held, input waits unseen, also what has been seen already. Any thread.
  void hold_input(bool on);
  /// Looks so far. CPU thread, as what follows.
  u64 looks() const;
  /// As after so many looks. @param again  input of then and later, by the looks that see it
  void go_back(u64 looks, std::multimap<u64, std::function<void()>> again);

 private:
  bool input_waits() const { return !input_.empty() || (!again_.empty() && again_.begin()->first <= looks_); }
  void run_input(std::unique_lock<std::mutex>& lock);
  struct Timer {
    TimerId id;
    std::function<void()> fn;
  };
  mutable std::mutex mutex_;
  u64 now_ns_ = 0;
  TimerId last_id_ = 0;
  std::multimap<u64, Timer> timers_;
  struct Input {
    u64 look;
    std::function<void(u64 look)> fn;
  };
  u64 looks_ = 0;
  bool held_ = false;
  std::vector<Input> input_, held_input_;
  std::multimap<u64, std::function<void()>> again_;
};

}  // namespace ia64::machine
