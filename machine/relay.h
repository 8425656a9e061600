// The host threads of one virtual processor.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/errands.h"

namespace ia64::machine {

/// One thread runs the processor and its errands; a second one stands by, and becomes the processor when the first is held by an errand. The
/// processor's state is in memory, and neither thread leaves its loop but between two stretches of guest code, so it does not matter which.
class Relay final : public Errands {
 public:
  using Duration = std::chrono::nanoseconds;
  struct Limits {
    Duration hold = std::chrono::milliseconds(4);   ///< an errand may hold the processor that long, and up to twice that
    Duration quick = std::chrono::milliseconds(2);  ///< after one that took longer, and waited for something meanwhile,
    Duration pause = std::chrono::seconds(1);       ///< none is taken for this long
  };
  /// @param leave  makes the calling thread, which is the processor, leave its stretch of guest code
  explicit Relay(std::function<void()> leave) : Relay(std::move(leave), Limits()) {}
  Relay(std::function<void()> leave, const Limits& limits) : leave_(std::move(leave)), limits_(limits) {}

  /// Runs `loop` on the calling thread until it returns of its own; on another thread, from its beginning, when carry_out() told the first one
  /// to leave. Comes back when no errand runs any more. Once.
  void run(const std::function<void()>& loop);
  bool post(Errand errand) override;
  /// Does what was posted. Processor's thread, between two stretches. @returns false when the processor is another thread now: leave the loop
  bool carry_out() { return queue_empty_ || do_posted(); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  static Time now() { return std::chrono::steady_clock::now(); }

  bool have_second();
  bool do_posted();
  void give_away(std::unique_lock<std::mutex>& lock);
  void work(unsigned self);
  void stand_by(std::unique_lock<std::mutex>& lock, unsigned self);
  bool hangs(Duration held) const;
  void take_over(std::unique_lock<std::mutex>& lock, unsigned self);

  const std::function<void()> leave_;
  const Limits limits_;
  const std::function<void()>* loop_ = nullptr;
  bool queue_empty_ = true;  // of the thread that is the processor
  std::mutex mutex_;         // guards what follows
  std::condition_variable changed_;
  std::thread second_;       ///< started with the first errand
  bool refused_ = false;     ///< it could not be started
  std::deque<Errand> queue_;
  unsigned processor_ = 0;   ///< which of the two threads that is
  bool busy_ = false;        ///< a thread is in an errand: the processor, or the one that was it before
  pid_t busy_thread_ = 0;
  bool watching_ = false;    ///< the thread that stands by looks at the clock
  bool ended_ = false;
  Time busy_since_, refuses_until_;
};

}  // namespace ia64::machine
