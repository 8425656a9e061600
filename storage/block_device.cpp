// Request checks and counters in front of a store.
#include "storage/block_device.h"

#include <condition_variable>
#include <mutex>

#include "base/invariant.h"
#include "base/log.h"

namespace ia64::storage {

namespace {

bool is_transfer(BlockOp op) {
  return op == BlockOp::Read || op == BlockOp::Write;
}

u64 iov_bytes(const std::vector<iovec>& iov) {
  u64 sum = 0;
  for (const auto& v : iov) sum += v.iov_len;
  return sum;
}

}  // namespace

BlockDevice::BlockDevice(std::unique_ptr<BlockStore> store, unsigned block_bytes)
    : block_bytes_(block_bytes),
      store_(std::move(store)),
      size_bytes_(store_->size_bytes() / block_bytes * block_bytes),
      read_only_(store_->read_only()) {
  INVARIANT(block_bytes && (block_bytes & (block_bytes - 1)) == 0);
}

BlockDevice::~BlockDevice() = default;

bool BlockDevice::refresh_size() {
  const u64 now = store_->refresh_size() / block_bytes_ * block_bytes_;
  return size_bytes_.exchange(now) != now;
}

BlockStatus BlockDevice::check(const BlockRequest& r) const {
  if (r.op == BlockOp::Flush) return BlockStatus::Ok;
  if (r.offset_bytes % block_bytes_ || r.size_bytes % block_bytes_) return BlockStatus::OutOfRange;
  const u64 size = size_bytes();
  if (r.offset_bytes > size || r.size_bytes > size - r.offset_bytes)
    return BlockStatus::OutOfRange;
  if (r.op != BlockOp::Read && read_only_) return BlockStatus::ReadOnly;
  if (is_transfer(r.op) && iov_bytes(r.iov) != r.size_bytes) return BlockStatus::OutOfRange;
  return BlockStatus::Ok;
}

void BlockDevice::count(const BlockRequest& r) {
  constexpr auto relaxed = std::memory_order_relaxed;
  switch (r.op) {
    case BlockOp::Read:
      counters_.reads.fetch_add(1, relaxed);
      counters_.read_bytes.fetch_add(r.size_bytes, relaxed);
      break;
    case BlockOp::Write:
      counters_.writes.fetch_add(1, relaxed);
      counters_.written_bytes.fetch_add(r.size_bytes, relaxed);
      break;
    case BlockOp::Flush: counters_.flushes.fetch_add(1, relaxed); break;
    default: counters_.others.fetch_add(1, relaxed);
  }
}

void BlockDevice::submit(BlockRequest request) {
  count(request);
  const BlockStatus status = check(request);
  LOG(Storage, "{} op {} at {:#x} size {:#x}{}", store_->describe(), static_cast<int>(request.op),
      request.offset_bytes, request.size_bytes, request.fua ? " fua" : "");
  if (status != BlockStatus::Ok || (request.op != BlockOp::Flush && request.size_bytes == 0)) {
    if (status != BlockStatus::Ok) counters_.errors.fetch_add(1, std::memory_order_relaxed);
    return request.done(status);
  }
  store_->submit(std::move(request));
}

BlockStatus BlockDevice::transfer(BlockOp op, u64 offset_bytes, void* data, u64 size_bytes) {
  std::mutex mutex;
  std::condition_variable ready;
  bool finished = false;
  BlockStatus result = BlockStatus::Ok;
  BlockRequest request{
      .op = op, .offset_bytes = offset_bytes, .size_bytes = size_bytes, .iov = {}, .fua = false, .done = {}};
  if (is_transfer(op)) request.iov.push_back({data, static_cast<size_t>(size_bytes)});
  request.done = [&](BlockStatus status) {
    std::lock_guard lock(mutex);
    result = status;
    finished = true;
    ready.notify_one();
  };
  submit(std::move(request));
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return finished; });
  return result;
}

BlockCounters BlockDevice::counters() const {
  return {counters_.reads,  counters_.writes,     counters_.flushes,      counters_.others,
          counters_.errors, counters_.read_bytes, counters_.written_bytes};
}

}  // namespace ia64::storage
