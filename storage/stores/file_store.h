// A raw image file or host block device.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "storage/block_store.h"

namespace ia64::storage {

/// Requests run on a few threads of their own, started as the load needs them. Flush is fdatasync, FUA a
/// synchronous write; discard and zeroing punch holes where the file system can. The file changes only by
/// guest writes. Any thread.
class FileStore final : public BlockStore {
 public:
  static constexpr unsigned kMaxThreads = 4;

  /// Opens and locks `path`. @returns a one-line error naming the file: missing, unreadable, empty, odd size,
  /// locked
  static Result<std::unique_ptr<BlockStore>> open(const std::string& path, bool read_only);
  ~FileStore() override;

  u64 size_bytes() const override;
  bool read_only() const override;
  std::string describe() const override;
  void submit(BlockRequest request) override;

 private:
  class Impl;
  explicit FileStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ia64::storage
