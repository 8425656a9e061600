// Synchronous input and output on an open image: whole transfers, flush, holes.
#pragma once

#include <span>
#include <string>

#include "storage/block_store.h"
#include "storage/stores/image_lock.h"

namespace ia64::storage {

/// The host's error number as a request outcome.
BlockStatus status_of_errno(int error);

/// Reads and writes all of what is asked, however short the host's steps are. Any thread.
class FileIo {
 public:
  FileIo(LockedFile file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  const LockedFile& file() const { return file_; }
  const std::string& path() const { return path_; }
  /// For tests of the loops: no host call moves more than this many bytes. 0: no limit.
  void limit_steps(size_t bytes) { step_bytes_ = bytes; }

  BlockStatus transfer(bool write, u64 offset, std::span<const iovec> iov, bool fua = false) const;
  BlockStatus read(u64 offset, std::span<u8> bytes) const;
  BlockStatus write(u64 offset, std::span<const u8> bytes) const;
  BlockStatus flush() const;
  /// Frees the range where the file system can; a hint, the data may stay.
  BlockStatus discard(u64 offset, u64 size_bytes) const;
  /// Zeroes every byte of the range, by a hole where possible.
  BlockStatus write_zeroes(u64 offset, u64 size_bytes) const;
  BlockExtent extent_at(u64 offset, u64 size_bytes) const;
  BlockStatus fail(const char* what, int error) const;

  /// Whether every buffer suits a file that was opened for direct input and output.
  bool aligned(std::span<const iovec> iov) const;

 private:
  BlockStatus transfer_bounced(bool write, u64 offset, std::span<const iovec> iov, bool fua) const;
  BlockStatus loop(bool write, u64 offset, std::span<iovec> iov, bool fua) const;

  LockedFile file_;
  std::string path_;
  size_t step_bytes_ = 0;
};

/// Drops `n` transferred bytes, and empty entries, from the front of a scatter list.
void consume(std::span<iovec>& iov, size_t n);

}  // namespace ia64::storage
