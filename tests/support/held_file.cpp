// The server side of the kernel's FUSE protocol for a mount whose root is one regular file.
#include "tests/support/held_file.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/temporary_file.h"

namespace ia64::testing {

namespace {
constexpr u32 kMaxWriteBytes = 128 * 1024;
constexpr mode_t kMode = S_IFREG | 0600;
}  // namespace

class HeldFile::Impl {
 public:
  explicit Impl(u64 size_bytes) : place_(0), content_(size_bytes) {}
  ~Impl();
  bool start();

  TemporaryFile place_;  // what the mount covers
  std::mutex mutex_;     // guards what follows
  std::condition_variable changed_;
  bool held_ = false;
  std::vector<std::vector<u8>> waiting_;  // requests without an answer

  void answer_waiting();

 private:
  void serve();
  void take(std::vector<u8> request);
  void answer(const std::vector<u8>& request);
  void reply(u64 unique, int error, const void* data = nullptr, size_t bytes = 0);
  fuse_attr attributes() const;

  std::vector<u8> content_;
  int fd_ = -1;
  bool mounted_ = false;
  std::thread thread_;
};

bool HeldFile::Impl::start() {
  fd_ = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (fd_ < 0) return false;
  char options[100];
  std::snprintf(options, sizeof options, "fd=%d,rootmode=%o,user_id=%u,group_id=%u", fd_, kMode, getuid(), getgid());
  mounted_ = ::mount("held", place_.path.c_str(), "fuse", MS_NOSUID | MS_NODEV, options) == 0;
  if (mounted_) thread_ = std::thread([this] { serve(); });
  return mounted_;
}

HeldFile::Impl::~Impl() {
  if (mounted_) {
    {
      std::lock_guard lock(mutex_);
      held_ = false;
      answer_waiting();
    }
    umount2(place_.path.c_str(), MNT_DETACH);  // the server's read ends with ENODEV once nobody has the file open
    thread_.join();
  }
  if (fd_ >= 0) close(fd_);
}

void HeldFile::Impl::serve() {
  for (;;) {
    std::vector<u8> request(kMaxWriteBytes + 8192);
    const ssize_t n = read(fd_, request.data(), request.size());
    if (n < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN)) continue;
    if (n < 0) return;
    request.resize(static_cast<size_t>(n));
    take(std::move(request));
  }
}

void HeldFile::Impl::take(std::vector<u8> request) {
  const u32 opcode = reinterpret_cast<const fuse_in_header*>(request.data())->opcode;
  std::lock_guard lock(mutex_);
  if (!held_ || (opcode != FUSE_READ && opcode != FUSE_WRITE)) return answer(request);
  waiting_.push_back(std::move(request));
  changed_.notify_all();
}

void HeldFile::Impl::answer_waiting() {
  for (const auto& request : waiting_) answer(request);
  waiting_.clear();
}

void HeldFile::Impl::reply(u64 unique, int error, const void* data, size_t bytes) {
  fuse_out_header header{static_cast<u32>(sizeof header + bytes), -error, unique};
  const iovec parts[] = {{&header, sizeof header}, {const_cast<void*>(data), bytes}};
  [[maybe_unused]] const ssize_t n = writev(fd_, parts, bytes ? 2 : 1);  // an interrupted request is not there any more
}

fuse_attr HeldFile::Impl::attributes() const {
  fuse_attr a{};
  a.ino = FUSE_ROOT_ID;
  a.size = content_.size();
  a.blocks = content_.size() / 512;
  a.mode = kMode;
  a.nlink = 1;
  a.uid = getuid(), a.gid = getgid();
  a.blksize = 4096;
  return a;
}

void HeldFile::Impl::answer(const std::vector<u8>& request) {
  const auto& in = *reinterpret_cast<const fuse_in_header*>(request.data());
  const u8* const body = request.data() + sizeof in;
  switch (in.opcode) {
    case FUSE_INIT: {
      fuse_init_out out{};
      out.major = FUSE_KERNEL_VERSION, out.minor = FUSE_KERNEL_MINOR_VERSION;
      out.flags = FUSE_BIG_WRITES;
      out.max_write = kMaxWriteBytes;
      return reply(in.unique, 0, &out, sizeof out);
    }
    case FUSE_GETATTR: {
      fuse_attr_out out{};
      out.attr_valid = 1000;
      out.attr = attributes();
      return reply(in.unique, 0, &out, sizeof out);
    }
    case FUSE_OPEN: {
      const fuse_open_out out{};
      return reply(in.unique, 0, &out, sizeof out);
    }
    case FUSE_READ: {
      const auto& r = *reinterpret_cast<const fuse_read_in*>(body);
      const u64 from = std::min<u64>(r.offset, content_.size()), size = std::min<u64>(r.size, content_.size() - from);
      return reply(in.unique, 0, content_.data() + from, size);
    }
    case FUSE_WRITE: {
      const auto& w = *reinterpret_cast<const fuse_write_in*>(body);
      if (w.offset + w.size > content_.size()) return reply(in.unique, ENOSPC);
      std::memcpy(content_.data() + w.offset, body + sizeof w, w.size);
      const fuse_write_out out{w.size, 0};
      return reply(in.unique, 0, &out, sizeof out);
    }
    case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT: return;  // these have no answer
    case FUSE_FLUSH: case FUSE_FSYNC: case FUSE_RELEASE: case FUSE_ACCESS: return reply(in.unique, 0);
    default: return reply(in.unique, ENOSYS);
  }
}

HeldFile::HeldFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HeldFile::~HeldFile() = default;

std::unique_ptr<HeldFile> HeldFile::mount(u64 size_bytes) {
  auto impl = std::make_unique<Impl>(size_bytes);
  if (!impl->start()) return nullptr;
  return std::unique_ptr<HeldFile>(new HeldFile(std::move(impl)));
}

const std::string& HeldFile::path() const {
  return impl_->place_.path;
}

void HeldFile::hold() {
  std::lock_guard lock(impl_->mutex_);
  impl_->held_ = true;
}

void HeldFile::release() {
  std::lock_guard lock(impl_->mutex_);
  impl_->held_ = false;
  impl_->answer_waiting();
}

void HeldFile::wait_for_held(unsigned count) {
  std::unique_lock lock(impl_->mutex_);
  impl_->changed_.wait(lock, [&] { return impl_->waiting_.size() >= count; });
}

}  // namespace ia64::testing
