// Fault injection between a device and its store.
#include "storage/wrappers/fault_injecting.h"

#include <algorithm>

namespace ia64::storage {

void FaultInjectingStore::add(const Rule& rule) {
  std::lock_guard lock(mutex_);
  rules_.push_back(rule);
}

void FaultInjectingStore::add_periodic(BlockOp op, BlockStatus status, unsigned period, bool torn) {
  std::lock_guard lock(mutex_);
  periodic_.push_back({op, status, period, 0, torn});
}

void FaultInjectingStore::hold() {
  std::lock_guard lock(mutex_);
  holding_ = true;
}

size_t FaultInjectingStore::held() const {
  std::lock_guard lock(mutex_);
  return held_.size();
}

void FaultInjectingStore::release() {
  std::vector<BlockRequest> out;
  {
    std::lock_guard lock(mutex_);
    holding_ = false;
    out.swap(held_);
  }
  for (auto it = out.rbegin(); it != out.rend(); ++it) pass(std::move(*it));
}

void FaultInjectingStore::submit(BlockRequest request) {
  {
    std::lock_guard lock(mutex_);
    if (holding_) {
      held_.push_back(std::move(request));
      return;
    }
  }
  pass(std::move(request));
}

bool FaultInjectingStore::matches(const BlockRequest& request, Rule& out) {
  std::lock_guard lock(mutex_);
  for (auto it = rules_.begin(); it != rules_.end(); ++it) {
    if (it->op != request.op) continue;
    if (it->skip) {
      it->skip--;
      return false;
    }
    out = *it;
    if (--it->count == 0) rules_.erase(it);
    return true;
  }
  for (auto& p : periodic_) {
    if (p.op != request.op || ++p.seen % p.period) continue;
    out = {.op = p.op, .status = p.status, .torn_bytes = p.torn ? request.size_bytes / 1024 * 512 : 0};
    return true;
  }
  return false;
}

void FaultInjectingStore::pass(BlockRequest request) {
  Rule rule;
  if (!matches(request, rule)) return below_->submit(std::move(request));
  const u64 torn = request.op == BlockOp::Write ? std::min(rule.torn_bytes, request.size_bytes) : 0;
  if (!torn) return request.done(rule.status);
  u64 left = request.size_bytes = torn;
  for (auto& v : request.iov) left -= v.iov_len = std::min<u64>(v.iov_len, left);
  request.done = [status = rule.status, done = std::move(request.done)](BlockStatus) { done(status); };
  below_->submit(std::move(request));
}

}  // namespace ia64::storage
