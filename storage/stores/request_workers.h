// Threads that carry out block requests one at a time each.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/block_store.h"

namespace ia64::storage {

/// A queue with a few threads of its own, started as the load needs them. Any thread may submit.
class RequestWorkers {
 public:
  using Perform = std::function<BlockStatus(BlockRequest&)>;
  static constexpr unsigned kDefaultThreads = 4;

  explicit RequestWorkers(Perform perform, unsigned max_threads = kDefaultThreads)
      : perform_(std::move(perform)), max_threads_(max_threads) {}
  ~RequestWorkers() { stop(); }

  /// Completes the request from a worker; in the caller when the host refuses even one thread.
  void submit(BlockRequest request);
  /// Finishes everything asked for and ends the threads. Nothing may be submitted afterwards.
  void stop();

 private:
  void start_thread();
  void work();

  const Perform perform_;
  const unsigned max_threads_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<BlockRequest> queue_;
  std::vector<std::thread> threads_;
  unsigned idle_ = 0;
  bool stopping_ = false;
};

}  // namespace ia64::storage
