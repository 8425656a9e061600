// Broadcast of TLB purges among the processors of a machine.
#include "cpu/core_group.h"

#include <thread>

#include "cpu/core.h"

namespace ia64::cpu {

bool RemoteRequests::post(const PurgeRequest& request, u64& ticket) {
  std::lock_guard lock(mutex_);
  queue_.push_back(request);
  ticket = ++posted_;
  return running();
}

void RemoteRequests::set_running(bool running) {
  std::lock_guard lock(mutex_);
  running_.store(running, std::memory_order_release);
}

void RemoteRequests::serve(Tlb& tlb) {
  std::lock_guard lock(mutex_);
  for (const PurgeRequest& request : queue_) tlb.purge_caches(request);
  queue_.clear();
  served_.store(posted_, std::memory_order_release);
}

void CoreGroup::add(Core& core) {
  cores_.push_back(&core);
  core.set_group(this);
}

void CoreGroup::purge_elsewhere(Core& sender, const PurgeRequest& request) noexcept {
  for (Core* target : cores_) {
    if (target == &sender) continue;
    u64 ticket = 0;
    if (!target->remote_requests().post(request, ticket)) {
      target->attend(attention::kPurge);
      continue;
    }
    target->attend(attention::kPurge);
    while (!target->remote_requests().done(ticket) && target->remote_requests().running()) {
      sender.remote_requests().serve(sender.tlb());
      std::this_thread::yield();
    }
  }
}

}  // namespace ia64::cpu
