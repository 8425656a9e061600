// Copies between a scatter list and a small buffer.
#include <algorithm>
#include <cstring>

#include "storage/scsi/target.h"

namespace ia64::storage::scsi {

u64 copy_to_list(std::span<const iovec> list, std::span<const u8> bytes) {
  u64 at = 0;
  for (const auto& v : list) {
    const size_t n = std::min<size_t>(v.iov_len, bytes.size() - at);
    if (n) std::memcpy(v.iov_base, bytes.data() + at, n);
    at += n;
  }
  return at;
}

u64 copy_from_list(std::span<const iovec> list, std::span<u8> bytes) {
  u64 at = 0;
  for (const auto& v : list) {
    const size_t n = std::min<size_t>(v.iov_len, bytes.size() - at);
    if (n) std::memcpy(bytes.data() + at, v.iov_base, n);
    at += n;
  }
  return at;
}

void trim_list(std::vector<iovec>& list, u64 n) {
  size_t i = 0;
  for (; i < list.size() && n; i++) n -= list[i].iov_len = std::min<u64>(list[i].iov_len, n);
  list.resize(i);
}

}  // namespace ia64::storage::scsi
