// File store: requests over io_uring or worker threads.
#include "storage/stores/file_store.h"

#include <sys/uio.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "base/errands.h"
#include "storage/stores/file_io.h"
#include "storage/stores/request_workers.h"
#include "storage/stores/uring.h"

namespace ia64::storage {

namespace {
constexpr size_t kMaxIov = 1024;  // IOV_MAX of Linux

/// Tells whether whoever asks waits for each request before the next one. Then nothing is won by another thread's doing the copying,
/// and its wake-ups and cold caches cost. Any thread.
class Queueing {
 public:
  /// A request is about to start. @returns true when it may as well be carried out on the spot
  bool starts_alone() {
    if (in_flight_.load(relaxed) > 0) crowded_.store(kMemory, relaxed);
    const unsigned left = crowded_.load(relaxed);
    if (left) return crowded_.store(left - 1, relaxed), false;
    return count_.fetch_add(1, relaxed) % kMemory != 0;  // now and then one goes the long way, to see whether another one follows
  }
  void handed_over() { in_flight_.fetch_add(1, relaxed); }
  void came_back() { in_flight_.fetch_sub(1, relaxed); }

 private:
  static constexpr auto relaxed = std::memory_order_relaxed;
  static constexpr unsigned kMemory = 64;  // requests
  std::atomic<unsigned> in_flight_{0}, crowded_{0}, count_{0};
};

// Up to here, copying from or to the host's cache takes no longer than waking another thread to do it.
constexpr u64 kQuickBytes = 16 * 1024;
// And this is as long as a virtual processor may stand still, which is a fraction of a millisecond.
constexpr u64 kLongestBytes = 1024 * 1024;

}  // namespace

class FileStore::Impl {
 public:
  Impl(LockedFile file, std::string path, const FileOptions& options)
      : options_(options), io_(std::move(file), std::move(path)), size_bytes_(io_.file().size_bytes()) {
    io_.limit_steps(options.step_bytes);
    if (!options.threads && !options.step_bytes) ring_ = Uring::create();
    // The kernel runs buffered writes of a ring one after the other on a thread of its own; here they have ours at once.
    if (ring_ && !options.direct) writer_ = std::make_unique<RequestWorkers>([this](BlockRequest& r) { return write_behind(r); }, 1);
  }
  ~Impl() {
    writer_.reset();
    ring_.reset();
  }

  void submit(BlockRequest request);

  const FileOptions options_;
  FileIo io_;
  std::atomic<u64> size_bytes_;

 private:
  /// A request on the ring: it stays until the whole of it has moved.
  struct Flight {
    BlockRequest request;
    std::span<iovec> left;
    u64 offset;
  };
  BlockStatus perform(BlockRequest& request);
  bool suits_ring(const BlockRequest& request) const;
  BlockStatus write_behind(BlockRequest& request);
  bool on_the_spot(const BlockRequest& request);
  bool read_from_cache(const BlockRequest& request) const;
  bool write_as_errand(BlockRequest& request);
  void step(std::shared_ptr<Flight> flight);
  void stepped(const std::shared_ptr<Flight>& flight, int result);
  void finish(Flight& flight, BlockStatus status);

  RequestWorkers workers_{[this](BlockRequest& r) { return perform(r); }};
  std::unique_ptr<RequestWorkers> writer_;
  Queueing queueing_;
  std::unique_ptr<Uring> ring_;
};

BlockStatus FileStore::Impl::perform(BlockRequest& r) {
  switch (r.op) {
    case BlockOp::Read:
    case BlockOp::Write: return io_.transfer(r.op == BlockOp::Write, r.offset_bytes, r.iov, r.fua);
    case BlockOp::Flush: return options_.read_only ? BlockStatus::Ok : io_.flush();
    case BlockOp::Discard: return io_.discard(r.offset_bytes, r.size_bytes);
    case BlockOp::WriteZeroes: return io_.write_zeroes(r.offset_bytes, r.size_bytes);
  }
  return BlockStatus::Unsupported;
}

bool FileStore::Impl::suits_ring(const BlockRequest& r) const {
  if (!ring_) return false;
  if (r.op == BlockOp::Flush) return !options_.read_only;
  return (r.op == BlockOp::Read || r.op == BlockOp::Write) && io_.aligned(r.iov);
}

/// Whether the thread that asks had better copy by itself than wake another one.
bool FileStore::Impl::on_the_spot(const BlockRequest& r) {
  if (!writer_ || r.iov.size() > kMaxIov || r.size_bytes > kLongestBytes) return false;
  return r.size_bytes <= kQuickBytes || queueing_.starts_alone();
}

/// A read whose data the host has in its cache; the rest are left alone. Never waits for the medium.
bool FileStore::Impl::read_from_cache(const BlockRequest& r) const {
  const auto got = preadv2(io_.file().fd(), r.iov.data(), static_cast<int>(r.iov.size()), static_cast<off_t>(r.offset_bytes), RWF_NOWAIT);
  return got == static_cast<ssize_t>(r.size_bytes);
}

/// A write into the host's cache by the virtual processor that asks, where there is one. No file system says beforehand whether a write will wait,
/// for space, a journal or a medium that hangs; errands may.
bool FileStore::Impl::write_as_errand(BlockRequest& request) {
  Errands* const errands = Errands::here();
  if (!errands || request.fua) return false;
  auto shared = std::make_shared<BlockRequest>(std::move(request));
  queueing_.handed_over();
  const bool taken = errands->post([this, shared](bool here) {
    if (!here) return writer_->submit(std::move(*shared));
    const BlockStatus status = write_behind(*shared);
    shared->done(status);
  });
  if (taken) return true;
  queueing_.came_back();
  request = std::move(*shared);
  return false;
}

/// On the writer thread, or as an errand.
BlockStatus FileStore::Impl::write_behind(BlockRequest& request) {
  const BlockStatus status = perform(request);
  queueing_.came_back();
  return status;
}

void FileStore::Impl::submit(BlockRequest request) {
  const bool read = request.op == BlockOp::Read, write = request.op == BlockOp::Write;
  if ((read || write) && on_the_spot(request)) {
    if (read && read_from_cache(request)) return request.done(BlockStatus::Ok);
    if (write && write_as_errand(request)) return;
  }
  if (writer_ && write) return queueing_.handed_over(), writer_->submit(std::move(request));
  if (!suits_ring(request)) return workers_.submit(std::move(request));
  auto flight = std::make_shared<Flight>(Flight{std::move(request), {}, 0});
  flight->left = flight->request.iov;
  flight->offset = flight->request.offset_bytes;
  consume(flight->left, 0);
  queueing_.handed_over();
  step(std::move(flight));
}

void FileStore::Impl::step(std::shared_ptr<Flight> flight) {
  auto& f = *flight;
  const int fd = io_.file().fd();
  const auto count = static_cast<unsigned>(std::min(f.left.size(), kMaxIov));
  auto done = [this, flight](int result) { stepped(flight, result); };
  if (f.request.op == BlockOp::Flush) return ring_->sync(fd, std::move(done));
  if (f.request.op == BlockOp::Read) return ring_->read(fd, f.offset, f.left.data(), count, std::move(done));
  ring_->write(fd, f.offset, f.left.data(), count, f.request.fua, std::move(done));
}

void FileStore::Impl::stepped(const std::shared_ptr<Flight>& flight, int result) {
  auto& f = *flight;
  if (result == -EINTR || result == -EAGAIN) return step(flight);
  if (result < 0) return finish(f, io_.fail(f.request.op == BlockOp::Read ? "read" : "write", -result));
  if (f.request.op == BlockOp::Flush) return finish(f, BlockStatus::Ok);
  if (result == 0) return finish(f, io_.fail("read past the end", EIO));  // somebody shortened the file
  consume(f.left, static_cast<size_t>(result));
  f.offset += static_cast<u64>(result);
  if (f.left.empty()) return finish(f, BlockStatus::Ok);
  step(flight);
}

void FileStore::Impl::finish(Flight& flight, BlockStatus status) {
  queueing_.came_back();
  flight.request.done(status);
}

FileStore::FileStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileStore::~FileStore() = default;

Result<std::unique_ptr<BlockStore>> FileStore::open(const std::string& path, const FileOptions& options) {
  auto file = LockedFile::open(path, {.read_only = options.read_only, .direct = options.direct, .device_only = options.device_only});
  if (!file) return file.error();
  auto impl = std::make_unique<Impl>(std::move(*file), path, options);
  return std::unique_ptr<BlockStore>(new FileStore(std::move(impl)));
}

u64 FileStore::size_bytes() const {
  return impl_->size_bytes_;
}
bool FileStore::read_only() const {
  return impl_->options_.read_only;
}
std::string FileStore::describe() const {
  return (impl_->options_.device_only ? "disk:" : "file:") + impl_->io_.path();
}
void FileStore::submit(BlockRequest request) {
  impl_->submit(std::move(request));
}
u64 FileStore::refresh_size() {
  return impl_->size_bytes_ = impl_->io_.file().measure().value_or(impl_->size_bytes_);
}
BlockExtent FileStore::extent_at(u64 offset_bytes) {
  return impl_->io_.extent_at(offset_bytes, size_bytes());
}

}  // namespace ia64::storage
