// Virtual time in nanoseconds and timers on it.
#pragma once

#include <functional>

#include "base/int_types.h"

namespace ia64 {

/// Virtual time since power-on. Devices and CPUs take all time from here, never from the host.
class Clock {
 public:
  using TimerId = u64;
  virtual ~Clock() = default;
  /// Nanoseconds of virtual time since power-on; monotonic. Any thread.
  virtual u64 now_ns() const = 0;
  /// Calls `fn` once when now_ns() >= deadline_ns, on the clock's thread, without locks held.
  /// @returns an id for cancel(); never 0. Any thread.
  virtual TimerId schedule(u64 deadline_ns, std::function<void()> fn) = 0;
  /// Drops a timer. After return its function is not running and will not run, unless called from that function.
  virtual void cancel(TimerId id) = 0;
};

}  // namespace ia64
