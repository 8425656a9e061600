// A logical volume as a store, over the disks that hold its pieces.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/lvm/lvm_metadata.h"

namespace ia64::storage {

/// Maps each request to the physical volumes; pieces run side by side. Neither device mapper nor root is needed. Any thread.
class LvStore final : public BlockStore {
 public:
  /// @param name "vg/lv" @param volumes disks with the group's physical volumes, in any order
  static Result<std::unique_ptr<BlockStore>> open(const std::string& name, std::vector<std::unique_ptr<BlockStore>> volumes);

  u64 size_bytes() const override { return layout_.size_bytes; }
  bool read_only() const override;
  std::string describe() const override { return "lv:" + volumes_[0]->describe() + "#" + name_; }
  void submit(BlockRequest request) override;

 private:
  struct Piece {
    unsigned volume;
    u64 offset, at, size;  // on the disk; in the request
  };
  LvStore(std::string name, std::vector<std::unique_ptr<BlockStore>> volumes, lvm::LogicalVolume layout);
  std::vector<Piece> pieces(u64 offset, u64 size) const;

  const std::string name_;
  const std::vector<std::unique_ptr<BlockStore>> volumes_;
  const lvm::LogicalVolume layout_;
};

}  // namespace ia64::storage
