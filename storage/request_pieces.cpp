// Pieces of requests and scatter lists.
#include "storage/request_pieces.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>

namespace ia64::storage {

std::vector<iovec> slice_iov(std::span<const iovec> iov, u64 from, u64 size) {
  std::vector<iovec> out;
  for (const auto& v : iov) {
    if (from >= v.iov_len) {
      from -= v.iov_len;
      continue;
    }
    if (!size) break;
    const u64 n = std::min<u64>(v.iov_len - from, size);
    out.push_back({static_cast<u8*>(v.iov_base) + from, static_cast<size_t>(n)});
    size -= n;
    from = 0;
  }
  return out;
}

void fill_zero(std::span<const iovec> iov) {
  for (const auto& v : iov) std::memset(v.iov_base, 0, v.iov_len);
}

void copy_to_iov(std::span<const iovec> iov, std::span<const u8> bytes) {
  for (const auto& v : iov) {
    const size_t n = std::min(v.iov_len, bytes.size());
    if (n) std::memcpy(v.iov_base, bytes.data(), n);
    bytes = bytes.subspan(n);
  }
}

void copy_from_iov(std::span<const iovec> iov, std::span<u8> bytes) {
  for (const auto& v : iov) {
    const size_t n = std::min(v.iov_len, bytes.size());
    if (n) std::memcpy(bytes.data(), v.iov_base, n);
    bytes = bytes.subspan(n);
  }
}

BlockStatus submit_and_wait(BlockStore& store, BlockRequest request) {
  std::mutex mutex;
  std::condition_variable ready;
  bool finished = false;
  BlockStatus result = BlockStatus::Ok;
  request.done = [&](BlockStatus status) {
    std::lock_guard lock(mutex);
    result = status;
    finished = true;
    ready.notify_one();
  };
  store.submit(std::move(request));
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return finished; });
  return result;
}

}  // namespace ia64::storage
