// VHD images with dynamic allocation. @source Virtual Hard Disk Image Format Specification 1.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/formats/unit_image.h"

namespace ia64::storage {

/// A dynamic VHD. Fixed ones are raw files with a footer: see open_vhd.
class VhdImage final : public UnitImage {
 public:
  /// Makes an image; the size is rounded up to what the format's geometry can express. Refuses to overwrite.
  static Result<void> create(const std::string& path, u64 size_bytes, bool fixed);
  static Result<std::unique_ptr<VhdImage>> open(const std::string& path, bool read_only);

  FileIo& file() override { return io_; }
  u64 size_bytes() const override { return size_bytes_; }
  u32 unit_bytes() const override { return block_bytes_; }
  std::string describe() const override { return "vhd:" + io_.path(); }
  bool find(u64 unit, UnitPlace& out) override;
  BlockStatus allocate(u64 unit, u64& offset, bool& fresh) override;
  BlockStatus settle(u64 unit, u64 offset) override;
  BlockStatus drop(u64) override { return BlockStatus::Unsupported; }
  BlockStatus flush() override;

  /// Problems in the tables, one line each.
  std::vector<std::string> check() const;
  u64 allocated_units() const;

 private:
  explicit VhdImage(FileIo io) : io_(std::move(io)) {}
  Result<void> load();
  BlockStatus write_footer();

  FileIo io_;
  u64 size_bytes_ = 0, table_offset_ = 0, end_ = 0;
  u32 block_bytes_ = 0, bitmap_bytes_ = 0;
  std::vector<u32> table_;  // sector of each block, or ~0
  std::vector<u8> footer_;
  std::vector<bool> dirty_pages_;  // of the table, 512 bytes each
  bool dirty_ = false;
};

/// Opens either kind of VHD as a store.
Result<std::unique_ptr<BlockStore>> open_vhd(const std::string& path, bool read_only);

}  // namespace ia64::storage
