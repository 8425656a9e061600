// Memory store: copies between the vector and the scatter list.
#include "storage/stores/memory_store.h"

#include <cstring>

namespace ia64::storage {

void MemoryStore::submit(BlockRequest request) {
  {
    std::lock_guard lock(mutex_);
    u8* at = bytes_.data() + request.offset_bytes;
    switch (request.op) {
      case BlockOp::Read:
        for (const auto& v : request.iov) std::memcpy(v.iov_base, at, v.iov_len), at += v.iov_len;
        break;
      case BlockOp::Write:
        for (const auto& v : request.iov) std::memcpy(at, v.iov_base, v.iov_len), at += v.iov_len;
        break;
      case BlockOp::Discard:
      case BlockOp::WriteZeroes: std::memset(at, 0, request.size_bytes); break;
      case BlockOp::Flush: break;
    }
  }
  request.done(BlockStatus::Ok);
}

}  // namespace ia64::storage
