// A machine of counted time that stands whenever its client is not waiting for it: what the client does has a place in the run.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>

#include "base/clock.h"

namespace ia64::machine {

class HostLoop;
class Machine;

/// Between go() and its answer the guest runs; it stops at the first boundary (Machine::at_boundary) behind something that was
/// noticed, which depends on counts of instructions alone. Whatever is typed, inserted or pressed while it stands is therefore
/// the same input at the same instruction in every run, however fast the client is. Loop thread except where noted.
class HeldRun {
 public:
  /// @param machine  of counted time and not started; both outlive this
  HeldRun(Machine& machine, HostLoop& loop);

  /// The guest has done what a client may want to see: printed, taken what was typed, moved a tray. Processor's thread.
  void noticed();
  /// Lets the guest run, at most for `at_most_ns` of its time. @param done  called when it stands
  /// @returns false, and does nothing, when it runs already
  bool go(u64 at_most_ns, std::function<void()> done);
  /// The guest has been paused at a point of the debugger: it stands, and is paused.
  void stopped_at_point();

  /// A person's pause, beside the standing. Any thread.
  void pause();
  void resume();
  bool paused() const { return paused_; }

 private:
  void stand();
  void answer();

  Machine& machine_;
  HostLoop& loop_;
  std::function<void()> done_;
  std::mutex mutex_;  // guards resume() against go() and the end of it
  std::atomic<bool> going_{false}, paused_{false};
  bool noticed_ = false;         ///< a boundary will come; processor's thread, or while the guest stands
  Clock::TimerId limit_ = 0;     ///< the same
};

}  // namespace ia64::machine
