// A block store over any image format made of units.
#pragma once

#include <memory>
#include <shared_mutex>

#include "storage/formats/unit_image.h"
#include "storage/stores/request_workers.h"

namespace ia64::storage {

/// Reads, and writes to units that have their place, run side by side and without copies; a write that needs a new place
/// runs alone, fills the rest of the unit from what was there, and only then changes the tables.
class UnitStore final : public BlockStore {
 public:
  UnitStore(std::unique_ptr<UnitImage> image, bool read_only);
  ~UnitStore() override;

  u64 size_bytes() const override { return image_->size_bytes(); }
  bool read_only() const override { return read_only_; }
  std::string describe() const override { return image_->describe(); }
  void submit(BlockRequest request) override { workers_.submit(std::move(request)); }
  BlockExtent extent_at(u64 offset_bytes) override;
  OverlayImage* overlay() override;
  UnitImage& image() { return *image_; }

 private:
  BlockStatus perform(BlockRequest& request);
  BlockStatus read(u64 offset, std::span<const iovec> iov);
  BlockStatus read_piece(u64 unit, u64 within, std::span<const iovec> iov, u64 bytes);
  BlockStatus read_below(u64 offset, std::span<const iovec> iov, u64 bytes);
  BlockStatus write(u64 offset, std::span<const iovec> iov, bool fua);
  BlockStatus write_piece(u64 unit, u64 within, std::span<const iovec> iov, u64 bytes);
  BlockStatus write_new_unit(u64 unit, u64 within, std::span<const iovec> iov, u64 bytes);
  BlockStatus zero(u64 offset, u64 bytes, bool must);
  BlockStatus flush();
  u64 unit_end(u64 unit) const;

  const std::unique_ptr<UnitImage> image_;
  const bool read_only_;
  std::shared_mutex mutex_;  // shared: table lookups and data of settled units; alone: table changes
  RequestWorkers workers_{[this](BlockRequest& r) { return perform(r); }};
};

}  // namespace ia64::storage
