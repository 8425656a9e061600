// Opening image files: checks, size and the whole-image lock.
#pragma once

#include <optional>
#include <string>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::storage {

struct LockedFileOptions {
  bool read_only = false;
  bool direct = false;       ///< O_DIRECT
  bool any_size = false;     ///< image formats: need not be a multiple of 512 bytes
  bool device_only = false;  ///< a block device that nothing else of the host uses
};

/// An open image. The file descriptor holds an advisory lock: exclusive for writers, shared for readers. It
/// works between processes and between two opens in one process.
class LockedFile {
 public:
  /// Opens `path` without changing it. Errors are one line: missing, not permitted, not a regular file or
  /// block device, empty or not a multiple of 512 bytes, locked (with the holder's process id where the
  /// system tells).
  static Result<LockedFile> open(const std::string& path, const LockedFileOptions& options);
  LockedFile(LockedFile&& other) noexcept;
  LockedFile& operator=(LockedFile&&) = delete;
  ~LockedFile();

  int fd() const { return fd_; }
  u64 size_bytes() const { return size_bytes_; }
  bool regular() const { return regular_; }
  bool direct() const { return direct_; }
  /// The size now, which may have grown since the file was opened.
  std::optional<u64> measure() const;

 private:
  explicit LockedFile(int fd) : fd_(fd) {}
  Result<void> check(const std::string& path, const LockedFileOptions& options);
  Result<void> lock(const std::string& path, bool read_only) const;

  int fd_;
  u64 size_bytes_ = 0;
  bool regular_ = true;
  bool direct_ = false;
};

}  // namespace ia64::storage
