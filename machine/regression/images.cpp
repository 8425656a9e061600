// Copies, overlays and hashes of image files.
#include "machine/regression/images.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "machine/regression/sha256.h"
#include "storage/image_tools.h"

namespace ia64::machine::regression {
namespace {

Error failed(const std::string& path) { return {ErrorKind::Io, fmt::format("{}: {}", path, std::strerror(errno))}; }

struct File {
  File(const std::string& path, int flags) : fd(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File&) = delete;
  const int fd;
};

/// Copies the stored part from `begin` on, up to the next hole. @returns false with errno set
bool copy_stored(int from, int to, off_t begin, off_t end) {
  std::vector<char> bytes(size_t{1} << 20);
  while (begin < end) {
    const ssize_t n = pread(from, bytes.data(), std::min(bytes.size(), static_cast<size_t>(end - begin)), begin);
    if (n <= 0) return errno = n < 0 ? errno : EIO, false;
    for (ssize_t done = 0; done < n;) {
      const ssize_t written = pwrite(to, bytes.data() + done, static_cast<size_t>(n - done), begin + done);
      if (written <= 0) return false;
      done += written;
    }
    begin += n;
  }
  return true;
}

}  // namespace

Result<void> copy_image(const std::string& from, const std::string& to) {
  const File source(from, O_RDONLY);
  struct stat about;
  if (source.fd < 0 || fstat(source.fd, &about) != 0) return failed(from);
  if (!S_ISREG(about.st_mode)) return Error{ErrorKind::Invalid, fmt::format("{}: only files are copied; use an overlay", from)};
  const File target(to, O_RDWR | O_CREAT | O_EXCL);
  if (target.fd < 0) return failed(to);
  if (ioctl(target.fd, FICLONE, source.fd) == 0) return {};
  if (ftruncate(target.fd, about.st_size) != 0) return failed(to);
  for (off_t at = 0; (at = lseek(source.fd, at, SEEK_DATA)) >= 0;) {
    const off_t hole = lseek(source.fd, at, SEEK_HOLE);
    if (hole < 0 || !copy_stored(source.fd, target.fd, at, hole)) return failed(from);
    at = hole;
  }
  return {};
}

Result<void> make_overlay(const std::string& over, const std::string& to) {
  return storage::create_image({.path = to, .format = "overlay", .base = storage::spec_of(over)});
}

Result<void> make_empty(const std::string& path, u64 size_bytes) {
  const File file(path, O_RDWR | O_CREAT | O_EXCL);
  if (file.fd < 0 || ftruncate(file.fd, static_cast<off_t>(size_bytes)) != 0) return failed(path);
  return {};
}

Result<std::string> sha256_of_file(const std::string& path) {
  const File file(path, O_RDONLY);
  if (file.fd < 0) return failed(path);
  Sha256 sum;
  std::vector<u8> bytes(size_t{1} << 20);
  ssize_t n;
  while ((n = read(file.fd, bytes.data(), bytes.size())) > 0) sum.add({bytes.data(), static_cast<size_t>(n)});
  if (n < 0) return failed(path);
  return sum.finish();
}

}  // namespace ia64::machine::regression
