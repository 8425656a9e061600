// preadv, pwritev2, fdatasync and fallocate around an image file.
#include "storage/stores/file_io.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/log.h"

namespace ia64::storage {

namespace {

constexpr size_t kMaxIov = 1024;  // IOV_MAX of Linux
constexpr size_t kZeroChunkBytes = size_t{1} << 20;
constexpr size_t kDirectAlignment = 4096;

struct FreeDeleter {
  void operator()(u8* p) const { std::free(p); }
};
using AlignedBuffer = std::unique_ptr<u8[], FreeDeleter>;

AlignedBuffer aligned_buffer(size_t bytes) {
  const size_t rounded = (bytes + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
  return AlignedBuffer(static_cast<u8*>(std::aligned_alloc(kDirectAlignment, std::max(rounded, kDirectAlignment))));
}

u64 total(std::span<const iovec> iov) {
  u64 n = 0;
  for (const auto& v : iov) n += v.iov_len;
  return n;
}

}  // namespace

BlockStatus status_of_errno(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return BlockStatus::NoSpace;
    case EBADF:
    case EROFS: return BlockStatus::ReadOnly;
    case ENOMEDIUM: return BlockStatus::NoMedium;
    default: return BlockStatus::Io;
  }
}

void consume(std::span<iovec>& iov, size_t n) {
  while (n) {
    const size_t part = std::min(n, iov[0].iov_len);
    iov[0].iov_base = static_cast<u8*>(iov[0].iov_base) + part;
    iov[0].iov_len -= part;
    n -= part;
    if (iov[0].iov_len == 0) iov = iov.subspan(1);
  }
  while (!iov.empty() && iov[0].iov_len == 0) iov = iov.subspan(1);
}

BlockStatus FileIo::fail(const char* what, int error) const {
  LOG_ONCE(Error, reinterpret_cast<uintptr_t>(this) ^ static_cast<unsigned>(error), "{}: {} failed: {}", path_, what,
           std::strerror(error));
  return status_of_errno(error);
}

bool FileIo::aligned(std::span<const iovec> iov) const {
  if (!file_.direct()) return true;
  return std::all_of(iov.begin(), iov.end(), [](const iovec& v) {
    return reinterpret_cast<uintptr_t>(v.iov_base) % 512 == 0 && v.iov_len % 512 == 0;
  });
}

BlockStatus FileIo::transfer(bool write, u64 offset, std::span<const iovec> iov, bool fua) const {
  if (!aligned(iov)) return transfer_bounced(write, offset, iov, fua);
  std::vector<iovec> steps(iov.begin(), iov.end());
  return loop(write, offset, steps, fua);
}

BlockStatus FileIo::transfer_bounced(bool write, u64 offset, std::span<const iovec> iov, bool fua) const {
  const size_t bytes = total(iov);
  const auto buffer = aligned_buffer(bytes);
  if (!buffer) return BlockStatus::Io;
  u8* at = buffer.get();
  if (write)
    for (const auto& v : iov) std::memcpy(at, v.iov_base, v.iov_len), at += v.iov_len;
  iovec whole{buffer.get(), bytes};
  const BlockStatus status = loop(write, offset, {&whole, 1}, fua);
  if (write || status != BlockStatus::Ok) return status;
  for (const auto& v : iov) std::memcpy(v.iov_base, at, v.iov_len), at += v.iov_len;
  return status;
}

BlockStatus FileIo::loop(bool write, u64 offset, std::span<iovec> iov, bool fua) const {
  auto at = static_cast<off_t>(offset);
  consume(iov, 0);
  while (!iov.empty()) {
    int count = static_cast<int>(std::min(iov.size(), kMaxIov));
    iovec first = iov[0];
    const iovec* from = iov.data();
    if (step_bytes_) {
      first.iov_len = std::min(first.iov_len, step_bytes_);
      from = &first, count = 1;
    }
    const ssize_t n = write ? pwritev2(file_.fd(), from, count, at, fua ? RWF_DSYNC : 0) : preadv(file_.fd(), from, count, at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(write ? "write" : "read", errno);
    if (n == 0) return fail(write ? "write" : "read past the end", EIO);  // somebody shortened the file
    at += n;
    consume(iov, static_cast<size_t>(n));
  }
  return BlockStatus::Ok;
}

BlockStatus FileIo::read(u64 offset, std::span<u8> bytes) const {
  const iovec v{bytes.data(), bytes.size()};
  return transfer(false, offset, {&v, 1});
}

BlockStatus FileIo::write(u64 offset, std::span<const u8> bytes) const {
  const iovec v{const_cast<u8*>(bytes.data()), bytes.size()};
  return transfer(true, offset, {&v, 1});
}

BlockStatus FileIo::flush() const {
  return fdatasync(file_.fd()) == 0 ? BlockStatus::Ok : fail("flush", errno);
}

BlockStatus FileIo::discard(u64 offset, u64 size) const {
  const int rc = fallocate(file_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                           static_cast<off_t>(size));
  if (rc == 0 || errno == EOPNOTSUPP || errno == ENODEV || errno == EINVAL) return BlockStatus::Ok;
  return fail("punching a hole", errno);
}

BlockStatus FileIo::write_zeroes(u64 offset, u64 size) const {
  const int rc = fallocate(file_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                           static_cast<off_t>(size));
  if (rc == 0) return BlockStatus::Ok;
  if (errno != EOPNOTSUPP && errno != ENODEV && errno != EINVAL) return fail("punching a hole", errno);
  const size_t chunk = std::min<u64>(size, kZeroChunkBytes);
  const auto zeroes = aligned_buffer(chunk);
  if (!zeroes) return BlockStatus::Io;
  std::memset(zeroes.get(), 0, chunk);
  for (u64 done = 0; done < size;) {
    const size_t n = std::min<u64>(size - done, chunk);
    if (const auto status = write(offset + done, {zeroes.get(), n}); status != BlockStatus::Ok) return status;
    done += n;
  }
  return BlockStatus::Ok;
}

BlockExtent FileIo::extent_at(u64 offset, u64 size) const {
  const auto at = static_cast<off_t>(offset);
  const off_t data = lseek(file_.fd(), at, SEEK_DATA);
  if (data < 0) return {size - offset, errno != ENXIO};  // ENXIO: nothing but a hole up to the end
  if (data > at) return {std::min<u64>(static_cast<u64>(data), size) - offset, false};
  const off_t hole = lseek(file_.fd(), at, SEEK_HOLE);
  return {(hole < 0 ? size : std::min<u64>(static_cast<u64>(hole), size)) - offset, true};
}

}  // namespace ia64::storage
