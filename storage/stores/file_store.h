// A raw image file or host block device.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "storage/block_store.h"

namespace ia64::storage {

struct FileOptions {
  bool read_only = false;
  bool direct = false;        ///< O_DIRECT: past the host's cache
  bool threads = false;       ///< worker threads although the kernel has io_uring
  bool device_only = false;   ///< refuses anything but a block device, and one that is mounted
  unsigned step_bytes = 0;    ///< tests: largest host transfer; 0: no limit
};

/// Requests run on an io_uring where the kernel has one, else on a few threads. Flush is fdatasync, FUA a synchronous write;
/// discard and zeroing punch holes where the file system can. The file changes only by guest writes. Any thread.
class FileStore final : public BlockStore {
 public:
  /// Opens and locks `path`. @returns a one-line error naming the file: missing, unreadable, empty, odd size,
  /// locked
  static Result<std::unique_ptr<BlockStore>> open(const std::string& path, const FileOptions& options);
  ~FileStore() override;

  u64 size_bytes() const override;
  bool read_only() const override;
  std::string describe() const override;
  void submit(BlockRequest request) override;
  u64 refresh_size() override;
  BlockExtent extent_at(u64 offset_bytes) override;

 private:
  class Impl;
  explicit FileStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ia64::storage
