// Image files: open, check, lock, and who holds the lock.
#include "storage/stores/image_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

namespace ia64::storage {

namespace {

Error open_error(const std::string& path, bool read_only, int err) {
  if (err == ENOENT) return {ErrorKind::NotFound, fmt::format("{}: no such file", path)};
  if (err == EISDIR) return {ErrorKind::Invalid, fmt::format("{}: is a directory, not a disk image", path)};
  if (err == EACCES || err == EPERM || err == EROFS)
    return {ErrorKind::AccessDenied,
            fmt::format("{}: cannot open for {}: {}", path, read_only ? "reading" : "writing",
                        std::strerror(err))};
  return {ErrorKind::Io, fmt::format("{}: cannot open: {}", path, std::strerror(err))};
}

/// Process that holds a flock on the file, or 0 when the system does not say. @source proc(5), /proc/locks
int lock_holder(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0) return 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/locks", "re"), &std::fclose);
  if (!file) return 0;
  char line[256];
  while (std::fgets(line, sizeof line, file.get())) {
    int pid = 0;
    unsigned maj = 0, min = 0;
    unsigned long inode = 0;
    if (std::sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &maj, &min, &inode) == 4 &&
        inode == st.st_ino && maj == major(st.st_dev) && min == minor(st.st_dev))
      return pid;
  }
  return 0;
}

}  // namespace

LockedFile::LockedFile(LockedFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_bytes_(other.size_bytes_), regular_(other.regular_), direct_(other.direct_) {}

LockedFile::~LockedFile() {
  if (fd_ >= 0) close(fd_);
}

Result<LockedFile> LockedFile::open(const std::string& path, const LockedFileOptions& options) {
  // O_NONBLOCK: a FIFO given by mistake must not hang the start. O_EXCL on a device fails when it is mounted.
  const int flags = (options.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | (options.direct ? O_DIRECT : 0) |
                    (options.device_only && !options.read_only ? O_EXCL : 0);
  const int fd = ::open(path.c_str(), flags);
  if (fd < 0 && errno == EINVAL && options.direct)
    return Error{ErrorKind::Unsupported, fmt::format("{}: the file system has no direct input and output", path)};
  if (fd < 0 && errno == EBUSY) return Error{ErrorKind::Locked, fmt::format("{}: the host uses this device", path)};
  if (fd < 0) return open_error(path, options.read_only, errno);
  LockedFile file(fd);
  file.direct_ = options.direct;
  if (auto r = file.check(path, options); !r) return r.error();
  if (auto r = file.lock(path, options.read_only); !r) return r.error();
  return file;
}

std::optional<u64> LockedFile::measure() const {
  struct stat st;
  u64 size = 0;
  if (fstat(fd_, &st) != 0) return std::nullopt;
  if (S_ISREG(st.st_mode)) return static_cast<u64>(st.st_size);
  if (ioctl(fd_, BLKGETSIZE64, &size) != 0) return std::nullopt;
  return size;
}

Result<void> LockedFile::check(const std::string& path, const LockedFileOptions& options) {
  struct stat st;
  if (fstat(fd_, &st) != 0) return Error{ErrorKind::Io, fmt::format("{}: {}", path, std::strerror(errno))};
  regular_ = S_ISREG(st.st_mode);
  if (S_ISDIR(st.st_mode)) return open_error(path, true, EISDIR);
  if (!S_ISBLK(st.st_mode) && options.device_only)
    return Error{ErrorKind::Invalid, fmt::format("{}: not a block device; use file: for image files", path)};
  if (!regular_ && !S_ISBLK(st.st_mode))
    return Error{ErrorKind::Invalid, fmt::format("{}: neither a file nor a block device", path)};
  const auto size = measure();
  if (!size) return Error{ErrorKind::Io, fmt::format("{}: cannot get the size: {}", path, std::strerror(errno))};
  size_bytes_ = *size;
  if (size_bytes_ == 0) return Error{ErrorKind::Invalid, fmt::format("{}: the image is empty", path)};
  if (size_bytes_ % 512 && !options.any_size)
    return Error{ErrorKind::Invalid,
                 fmt::format("{}: the size, {} bytes, is not a multiple of 512", path, size_bytes_)};
  return {};
}

Result<void> LockedFile::lock(const std::string& path, bool read_only) const {
  // The kernel lets go of a killed process's io_uring, and with it of the lock, a moment after the process is gone.
  constexpr int kTries = 100;
  int pid = 0;
  for (int i = 0; i < kTries; i++) {
    if (flock(fd_, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK)
      return Error{ErrorKind::Io, fmt::format("{}: cannot lock: {}", path, std::strerror(errno))};
    pid = lock_holder(fd_);
    if (pid == 0 || kill(pid, 0) == 0 || errno != ESRCH) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const std::string who = pid == getpid() ? " by another device of this guest"
                          : pid           ? fmt::format(" by process {}", pid)
                                          : "";
  return Error{ErrorKind::Locked, fmt::format("{}: the image is in use{}", path, who)};
}

}  // namespace ia64::storage
