// Our own overlay format: the changed parts of a disk beside an unchanged store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/formats/unit_image.h"

namespace ia64::storage {

/// A sparse file: a page of header (with the specification of the store below), a bitmap with one bit a unit, then the units
/// at their own places. Little-endian. A unit whose bit is clear is read from below.
class OverlayImage final : public UnitImage {
 public:
  static constexpr char kMagic[] = "IVM-OVERLAY\n";

  /// Makes an empty overlay file for a store of `size_bytes`. Refuses to overwrite.
  static Result<void> create(const std::string& path, const std::string& below_spec, u64 size_bytes);
  /// The specification of the store below, from the header.
  static Result<std::string> below_spec(const std::string& path);
  static Result<std::unique_ptr<OverlayImage>> open(const std::string& path, bool read_only, std::unique_ptr<BlockStore> below);
  /// An overlay in a nameless file: its changes end with it. @param below_spec for the header, which a copy takes along
  static Result<std::unique_ptr<OverlayImage>> scratch(std::unique_ptr<BlockStore> below, const std::string& below_spec);
  /// The same, beginning with the content of an overlay file, which stays as it is. The nameless file lies in the folder of that
  /// file's folder where it can, so that the host may share the blocks.
  static Result<std::unique_ptr<OverlayImage>> scratch_copy(const std::string& path, std::unique_ptr<BlockStore> below);
  /// Copies the file, holes as holes, as it was at the last flush(). Nothing writes meanwhile.
  Result<void> copy_to(int fd, const std::string& path) const;

  FileIo& file() override { return io_; }
  u64 size_bytes() const override { return size_bytes_; }
  u32 unit_bytes() const override { return unit_bytes_; }
  BlockStore* below() override { return below_.get(); }
  std::string describe() const override { return "overlay:" + io_.path(); }
  bool find(u64 unit, UnitPlace& out) override;
  BlockStatus allocate(u64 unit, u64& offset, bool& fresh) override;
  BlockStatus settle(u64 unit, u64 offset) override;
  BlockStatus drop(u64) override { return BlockStatus::Unsupported; }
  BlockStatus flush() override;
  /// Forgets every change; the file gives its space back.
  BlockStatus clear();

 private:
  OverlayImage(FileIo io, std::unique_ptr<BlockStore> below) : io_(std::move(io)), below_(std::move(below)) {}
  Result<void> load();
  u64 place_of(u64 unit) const { return data_offset_ + unit * unit_bytes_; }

  FileIo io_;
  std::unique_ptr<BlockStore> below_;
  u64 size_bytes_ = 0, data_offset_ = 0;
  u32 unit_bytes_ = 0;
  std::vector<u8> bitmap_;
  std::vector<bool> dirty_pages_;  // of the bitmap
  bool dirty_ = false;
};

}  // namespace ia64::storage
