// Work that a device does behind a register access instead of within it.
#pragma once

#include <functional>
#include <mutex>

#include "base/clock.h"

namespace ia64::devices {

/// What register accesses set off, such as fetching requests by DMA. Without a clock it is done at once. With one it is done on
/// the clock's thread as soon as that looks at its timers, once for all requests that came until then: where processors run in
/// slices, memory is what the slice left. Any thread.
class DeferredWork {
 public:
  /// @param clock nullptr: at once
  DeferredWork(Clock* clock, std::function<void()> work) : clock_(clock), work_(std::move(work)) {}
  ~DeferredWork();
  DeferredWork(const DeferredWork&) = delete;

  bool deferred() const { return clock_ != nullptr; }
  /// Whether requested work has not been done yet.
  bool waits() const;
  void request();

 private:
  Clock* const clock_;
  const std::function<void()> work_;
  mutable std::mutex mutex_;
  Clock::TimerId timer_ = 0;  ///< 0: nothing waits
};

}  // namespace ia64::devices
