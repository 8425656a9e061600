// Errands of a virtual processor, and the change of its thread when one does not end.
#include "machine/relay.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace ia64::machine {

namespace {
constexpr auto kIdle = std::chrono::milliseconds(50);  // without errands for that long, nobody looks at the clock
constexpr int kStarved = 25;  // so many times the hold of Limits a thread may take that does not wait

/// How often the calling thread has waited for something. That others were given its host processor does not count.
long waits() {
  rusage use{};
  getrusage(RUSAGE_THREAD, &use);
  return use.ru_nvcsw;
}

/// Whether a thread of this process runs, or would if it had a host processor. @source proc(5), /proc/PID/stat
bool runnable(pid_t thread) {
  char path[64], state = 0;
  std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  std::FILE* const file = std::fopen(path, "re");
  if (!file) return false;
  if (std::fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 0;
  std::fclose(file);
  return state == 'R';
}
}  // namespace

void Relay::run(const std::function<void()>& loop) {
  loop_ = &loop;
  work(0);
  if (second_.joinable()) second_.join();
}

// --- the thread that is the processor

bool Relay::post(Errand errand) {
  {
    std::lock_guard lock(mutex_);
    if (busy_ || now() < refuses_until_ || !have_second()) return false;
    queue_.push_back(std::move(errand));
    queue_empty_ = false;
  }
  leave_();
  return true;
}

/// Starts the thread that stands by. Needs the lock. @returns false where the host refuses
bool Relay::have_second() {
  if (second_.joinable() || refused_) return !refused_;
  try {
    second_ = std::thread([this] { work(1); });
  } catch (const std::system_error& e) {
    refused_ = true;
    LOG(Warn, "cannot start a second thread for a processor: {}", e.what());
  }
  return !refused_;
}

bool Relay::do_posted() {
  std::unique_lock lock(mutex_);
  const unsigned self = processor_;
  const Time began = now();
  long waited = waits();
  busy_thread_ = gettid();
  if (!queue_.empty() && !std::exchange(watching_, true)) changed_.notify_all();
  for (Time end = began; !queue_.empty(); ) {
    if (end - began > limits_.hold) give_away(lock);  // together they must not take long either
    if (queue_.empty()) break;
    Errand errand = std::move(queue_.front());
    queue_.pop_front();
    const Time start = busy_since_ = end;
    busy_ = true;
    lock.unlock();
    errand(true);
    errand = nullptr;
    lock.lock();
    end = now();
    busy_ = false;
    if (end - start > limits_.quick && std::exchange(waited, waits()) != waited) refuses_until_ = end + limits_.pause;
    if (processor_ != self) return false;
  }
  queue_empty_ = true;
  return true;
}

/// What is left is for others to do.
void Relay::give_away(std::unique_lock<std::mutex>& lock) {
  auto left = std::exchange(queue_, {});
  lock.unlock();
  for (auto& errand : left) errand(false);
  left.clear();
  lock.lock();
}

// --- both threads

void Relay::work(unsigned self) {
  std::unique_lock lock(mutex_);
  for (;;) {
    stand_by(lock, self);
    if (ended_) return;
    lock.unlock();
    (*loop_)();
    lock.lock();
    if (processor_ != self) continue;
    ended_ = true;
    changed_.notify_all();
    give_away(lock);
    return;
  }
}

void Relay::stand_by(std::unique_lock<std::mutex>& lock, unsigned self) {
  while (!ended_ && processor_ != self) {
    const Time time = now();
    if (busy_ && hangs(time - busy_since_)) return take_over(lock, self);
    if (!busy_ && time - busy_since_ >= kIdle) watching_ = false;
    if (watching_)
      changed_.wait_for(lock, limits_.hold);
    else
      changed_.wait(lock);
  }
}

/// On a busy host an errand can take long without waiting for anything; another thread would not get further.
bool Relay::hangs(Duration held) const {
  return held >= limits_.hold && (held >= limits_.hold * kStarved || !runnable(busy_thread_));
}

void Relay::take_over(std::unique_lock<std::mutex>& lock, unsigned self) {
  LOG(Storage, "a write waits on the host; another thread is the processor now");
  processor_ = self;
  refuses_until_ = now() + limits_.pause;
  queue_empty_ = true;
  give_away(lock);
}

}  // namespace ia64::machine
