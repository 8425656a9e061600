// Device work on the clock's thread.
#include "devices/deferred_work.h"

namespace ia64::devices {

DeferredWork::~DeferredWork() {
  Clock::TimerId timer;
  {
    std::lock_guard lock(mutex_);
    timer = timer_;
  }
  if (timer) clock_->cancel(timer);
}

bool DeferredWork::waits() const {
  std::lock_guard lock(mutex_);
  return timer_ != 0;
}

void DeferredWork::request() {
  if (!clock_) return work_();
  std::lock_guard lock(mutex_);
  if (timer_) return;
  timer_ = clock_->schedule(0, [this] {
    {
      std::lock_guard own(mutex_);
      timer_ = 0;
    }
    work_();
  });
}

}  // namespace ia64::devices
