// File store: requests over io_uring or worker threads.
#include "storage/stores/file_store.h"

#include <atomic>
#include <cerrno>

#include "storage/stores/file_io.h"
#include "storage/stores/request_workers.h"
#include "storage/stores/uring.h"

namespace ia64::storage {

namespace {
constexpr size_t kMaxIov = 1024;  // IOV_MAX of Linux
}

class FileStore::Impl {
 public:
  Impl(LockedFile file, std::string path, const FileOptions& options)
      : options_(options), io_(std::move(file), std::move(path)), size_bytes_(io_.file().size_bytes()) {
    io_.limit_steps(options.step_bytes);
    if (!options.threads && !options.step_bytes) ring_ = Uring::create();
  }
  ~Impl() { ring_.reset(); }

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
  void step(std::shared_ptr<Flight> flight);
  void stepped(const std::shared_ptr<Flight>& flight, int result);

  RequestWorkers workers_{[this](BlockRequest& r) { return perform(r); }};
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

void FileStore::Impl::submit(BlockRequest request) {
  if (!suits_ring(request)) return workers_.submit(std::move(request));
  auto flight = std::make_shared<Flight>(Flight{std::move(request), {}, 0});
  flight->left = flight->request.iov;
  flight->offset = flight->request.offset_bytes;
  consume(flight->left, 0);
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
  if (result < 0) return f.request.done(io_.fail(f.request.op == BlockOp::Read ? "read" : "write", -result));
  if (f.request.op == BlockOp::Flush) return f.request.done(BlockStatus::Ok);
  if (result == 0) return f.request.done(io_.fail("read past the end", EIO));  // somebody shortened the file
  consume(f.left, static_cast<size_t>(result));
  f.offset += static_cast<u64>(result);
  if (f.left.empty()) return f.request.done(BlockStatus::Ok);
  step(flight);
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
