// Sleep of a processor that is halted, on a futex.
#pragma once

#include <atomic>
#include <chrono>

#include "base/int_types.h"

namespace ia64::cpu {

/// One thread sleeps, any thread wakes it. A call to wake() is remembered until forget(). Going to sleep and waking up is one system call, and
/// touches little memory: idle guests do it hundreds of times a second and find the host's caches cold.
class Sleeper {
 public:
  /// Until wake() or the end of `time`; at once when wake() was called before. @returns whether it was
  bool sleep(std::chrono::nanoseconds time);
  void wake();
  void forget() { state_.store(kAwake, std::memory_order_relaxed); }

 private:
  enum : u32 { kAwake, kWoken, kAsleep };
  std::atomic<u32> state_{kAwake};
};

}  // namespace ia64::cpu
