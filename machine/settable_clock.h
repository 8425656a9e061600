// What a machine asks of its clock beyond telling the time.
#pragma once

#include "base/clock.h"

namespace ia64::machine {

/// A clock that can stand, and whose time a snapshot can set. Where time is counted it stands whenever no processor runs.
class SettableClock : public Clock {
 public:
  /// Stops virtual time; timers wait. Idempotent. One thread at a time calls pause() and resume().
  virtual void pause() = 0;
  /// Lets virtual time go on where it stopped.
  virtual void resume() = 0;
  virtual bool paused() const = 0;
  /// While paused: waits for a timer function that is still running. Not from one.
  virtual void settle() = 0;
  /// While paused: virtual time is `ns` from now on. Timers keep their deadlines.
  virtual void set_now(u64 ns) = 0;
};

}  // namespace ia64::machine
