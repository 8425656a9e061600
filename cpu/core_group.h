// The processors of one machine, for operations that reach all of them: global TLB purges.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "cpu/mmu/tlb.h"

namespace ia64::cpu {

class Core;

/// Broadcasts ptc.g. A target applies a purge between two of its instructions before it executes another
/// block; the sender waits until all have done so, and serves purges sent to itself meanwhile, so two senders
/// never wait for each other. A target outside Core::run() is not waited for: it applies what is queued when
/// it enters run().
class CoreGroup {
 public:
  /// Members are added before any of them runs and stay until the group is gone.
  void add(Core& core);
  size_t size() const { return cores_.size(); }
  const std::vector<Core*>& cores() const { return cores_; }

  /// Purges `request` on every processor but the sender. Sender's CPU thread.
  void purge_elsewhere(Core& sender, const PurgeRequest& request) noexcept;

 private:
  std::vector<Core*> cores_;
};

/// What other processors asked of one processor. Part of Core.
class RemoteRequests {
 public:
  /// Queues a purge. Any thread. @returns false when the target is outside run(): no need to wait
  bool post(const PurgeRequest& request, u64& ticket);
  bool done(u64 ticket) const { return served_.load(std::memory_order_acquire) >= ticket; }
  bool running() const { return running_.load(std::memory_order_acquire); }
  /// CPU thread: enter and leave run().
  void set_running(bool running);
  /// CPU thread: applies what is queued.
  void serve(Tlb& tlb);

 private:
  std::mutex mutex_;
  std::vector<PurgeRequest> queue_;
  u64 posted_ = 0;
  std::atomic<u64> served_{0};
  std::atomic<bool> running_{false};
};

}  // namespace ia64::cpu
