// Commands that end at a virtual time.
#include "storage/scsi/paced_target.h"

#include <condition_variable>
#include <utility>

namespace ia64::storage::scsi {

PacedTarget::~PacedTarget() { settle(); }

void PacedTarget::submit(Task task) {
  std::lock_guard lock(mutex_);
  const u64 due_ns = clock_.now_ns() + duration_ns(list_bytes(task.data_in) + list_bytes(task.data_out));
  const Key key{due_ns, submitted_++};
  waiting_[key] = {clock_.schedule(due_ns, [this, key] { end(key); }), std::move(task)};
}

void PacedTarget::end(Key key) {
  Task task;
  {
    std::lock_guard lock(mutex_);
    const auto found = waiting_.find(key);
    if (found == waiting_.end()) return;
    task = std::move(found->second.task);
    waiting_.erase(found);
  }
  perform(std::move(task));
}

bool PacedTarget::settle() {
  for (bool found = false;; found = true) {
    Waiting next;
    {
      std::lock_guard lock(mutex_);
      if (waiting_.empty()) return found;
      next = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
    }
    clock_.cancel(next.timer);
    perform(std::move(next.task));
  }
}

/// The initiator hears of the end on this thread, whichever the store's is.
void PacedTarget::perform(Task task) {
  std::mutex mutex;
  std::condition_variable ended;
  bool is_over = false;
  Result result;
  const auto done = std::exchange(task.done, [&](const Result& r) {
    std::lock_guard lock(mutex);
    result = r;
    is_over = true;
    ended.notify_one();
  });
  below_->submit(std::move(task));
  {
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return is_over; });
  }
  done(result);
}

}  // namespace ia64::storage::scsi
