// Opening image files: checks, size and the whole-image lock.
#pragma once

#include <string>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::storage {

/// An open image. The file descriptor holds an advisory lock: exclusive for writers, shared for readers. It
/// works between processes and between two opens in one process.
class LockedFile {
 public:
  /// Opens `path` without changing it. Errors are one line: missing, not permitted, not a regular file or
  /// block device, empty or not a multiple of 512 bytes, locked (with the holder's process id where the
  /// system tells).
  static Result<LockedFile> open(const std::string& path, bool read_only);
  LockedFile(LockedFile&& other) noexcept;
  LockedFile& operator=(LockedFile&&) = delete;
  ~LockedFile();

  int fd() const { return fd_; }
  u64 size_bytes() const { return size_bytes_; }
  bool regular() const { return regular_; }

 private:
  explicit LockedFile(int fd) : fd_(fd) {}
  Result<void> check(const std::string& path);
  Result<void> lock(const std::string& path, bool read_only) const;

  int fd_;
  u64 size_bytes_ = 0;
  bool regular_ = true;
};

}  // namespace ia64::storage
