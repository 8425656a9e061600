// Where a processor's thread stops between two instructions for work of others, and where it waits while the machine is paused.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ia64::machine {

/// One per machine. The processor's thread calls pass() between two stretches of guest code: no instruction is half done, no
/// firmware service runs, and none of its device accesses is under way. Whoever posts work makes the processor leave its
/// stretch afterwards.
class SafePoint {
 public:
  /// Runs `fn` at the next pass(), also while paused. Any thread. @returns false, and drops it, after close()
  bool post(std::function<void()> fn);
  /// From the next pass() on the processor waits there. Any thread; from work that pass() runs, it waits from this moment on.
  void pause();
  void resume();
  bool paused() const { return paused_.load(std::memory_order_relaxed); }
  /// Makes a waiting pass() ask `leave` again. Any thread.
  void wake();

  /// Called, when set, with true before the processor starts to wait and with false before it goes on.
  std::function<void(bool waiting)> on_wait;
  /// Runs what was posted; while paused, waits for more until resume() or until `leave` says so. Processor's thread.
  void pass(const std::function<bool()>& leave);
  /// The processor stops for good: runs what was posted and takes no more. Processor's thread.
  void close();

 private:
  void run_posted(std::unique_lock<std::mutex>& lock);
  void begin_waiting();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> posted_;
  std::atomic<bool> something_{false};  ///< posted or paused: pass() needs the lock
  std::atomic<bool> paused_{false};
  std::atomic<std::thread::id> worker_{};  ///< the processor's thread while it runs what was posted
  bool waiting_ = false;                   ///< on_wait(true) was called; processor's thread
  bool closed_ = false;
};

}  // namespace ia64::machine
