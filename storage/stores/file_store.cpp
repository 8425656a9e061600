// File store: worker threads around preadv, pwritev2, fdatasync and fallocate.
#include "storage/stores/file_store.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>

#include "base/log.h"
#include "storage/stores/image_lock.h"

namespace ia64::storage {

namespace {

constexpr size_t kMaxIov = 1024;  // IOV_MAX of Linux
constexpr size_t kZeroChunkBytes = size_t{1} << 20;

BlockStatus status_of(int err) {
  switch (err) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return BlockStatus::NoSpace;
    case EBADF:
    case EROFS: return BlockStatus::ReadOnly;
    default: return BlockStatus::Io;
  }
}

/// Drops `n` transferred bytes from the front of a scatter list.
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

}  // namespace

class FileStore::Impl {
 public:
  Impl(LockedFile file, std::string path, bool read_only)
      : file_(std::move(file)), path_(std::move(path)), read_only_(read_only) {}
  ~Impl();

  void submit(BlockRequest request);

  const LockedFile file_;
  const std::string path_;
  const bool read_only_;

 private:
  void start_thread();
  void work();
  BlockStatus perform(BlockRequest& request);
  BlockStatus transfer(BlockRequest& request);
  BlockStatus zero(const BlockRequest& request, bool keep_trying);
  BlockStatus write_zeroes(u64 offset, u64 size);
  BlockStatus flush();
  BlockStatus fail(const char* what, int err);

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<BlockRequest> queue_;
  std::vector<std::thread> threads_;
  unsigned idle_ = 0;
  bool stopping_ = false;
};

FileStore::Impl::~Impl() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& t : threads_) t.join();
}

void FileStore::Impl::submit(BlockRequest request) {
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() >= idle_ && threads_.size() < kMaxThreads) start_thread();
    if (!threads_.empty()) {
      queue_.push_back(std::move(request));
      wake_.notify_one();
      return;
    }
  }
  request.done(perform(request));  // the host refuses even one thread: the caller has to do the work
}

void FileStore::Impl::start_thread() {
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error& e) {
    LOG_ONCE(Warn, reinterpret_cast<uintptr_t>(this), "{}: cannot start another I/O thread: {}", path_,
             e.what());
  }
}

void FileStore::Impl::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    idle_++;
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    idle_--;
    if (queue_.empty()) return;  // stopping, and everything asked for is done
    BlockRequest request = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const BlockStatus status = perform(request);
    request.done(status);
    request = {};  // its captures die outside the lock
    lock.lock();
  }
}

BlockStatus FileStore::Impl::fail(const char* what, int err) {
  LOG_ONCE(Error, reinterpret_cast<uintptr_t>(this) ^ static_cast<unsigned>(err), "{}: {} failed: {}", path_,
           what, std::strerror(err));
  return status_of(err);
}

BlockStatus FileStore::Impl::perform(BlockRequest& request) {
  switch (request.op) {
    case BlockOp::Read:
    case BlockOp::Write: return transfer(request);
    case BlockOp::Flush: return flush();
    case BlockOp::Discard: return zero(request, false);
    case BlockOp::WriteZeroes: return zero(request, true);
  }
  return BlockStatus::Unsupported;
}

BlockStatus FileStore::Impl::transfer(BlockRequest& request) {
  const bool write = request.op == BlockOp::Write;
  std::span<iovec> iov(request.iov);
  auto offset = static_cast<off_t>(request.offset_bytes);
  consume(iov, 0);
  while (!iov.empty()) {
    const int count = static_cast<int>(std::min(iov.size(), kMaxIov));
    const ssize_t n = write ? pwritev2(file_.fd(), iov.data(), count, offset, request.fua ? RWF_DSYNC : 0)
                            : preadv(file_.fd(), iov.data(), count, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(write ? "write" : "read", errno);
    if (n == 0) return fail(write ? "write" : "read past the end", EIO);  // somebody shortened the file
    offset += n;
    consume(iov, static_cast<size_t>(n));
  }
  return BlockStatus::Ok;
}

BlockStatus FileStore::Impl::flush() {
  if (read_only_) return BlockStatus::Ok;
  return fdatasync(file_.fd()) == 0 ? BlockStatus::Ok : fail("flush", errno);
}

// A discard is a hint and may leave the data; zeroing must reach every byte.
BlockStatus FileStore::Impl::zero(const BlockRequest& request, bool keep_trying) {
  const int rc = fallocate(file_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                           static_cast<off_t>(request.offset_bytes), static_cast<off_t>(request.size_bytes));
  if (rc == 0) return BlockStatus::Ok;
  if (errno != EOPNOTSUPP && errno != ENODEV && errno != EINVAL) return fail("punching a hole", errno);
  return keep_trying ? write_zeroes(request.offset_bytes, request.size_bytes) : BlockStatus::Ok;
}

BlockStatus FileStore::Impl::write_zeroes(u64 offset, u64 size) {
  const std::vector<u8> zeroes(std::min<u64>(size, kZeroChunkBytes));
  while (size) {
    const ssize_t n =
        pwrite(file_.fd(), zeroes.data(), std::min<u64>(size, zeroes.size()), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail("write", n < 0 ? errno : EIO);
    offset += static_cast<u64>(n);
    size -= static_cast<u64>(n);
  }
  return BlockStatus::Ok;
}

FileStore::FileStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileStore::~FileStore() = default;

Result<std::unique_ptr<BlockStore>> FileStore::open(const std::string& path, bool read_only) {
  auto file = LockedFile::open(path, read_only);
  if (!file) return file.error();
  auto impl = std::make_unique<Impl>(std::move(*file), path, read_only);
  return std::unique_ptr<BlockStore>(new FileStore(std::move(impl)));
}

u64 FileStore::size_bytes() const {
  return impl_->file_.size_bytes();
}
bool FileStore::read_only() const {
  return impl_->read_only_;
}
std::string FileStore::describe() const {
  return "file:" + impl_->path_;
}
void FileStore::submit(BlockRequest request) {
  impl_->submit(std::move(request));
}

}  // namespace ia64::storage
