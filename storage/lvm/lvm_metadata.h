// LVM2 metadata: physical volume labels and the text that describes a volume group.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/block_store.h"

namespace ia64::storage::lvm {

/// A value of the metadata text: number, string or list; or a section with named values.
struct Node {
  std::map<std::string, Node, std::less<>> children;  ///< of a section
  std::vector<std::string> values;                    ///< one, or the elements of a list
  const Node* child(std::string_view name) const;
  /// A number below, or `missing` when there is none.
  u64 number(std::string_view name, u64 missing = 0) const;
  std::string text(std::string_view name) const;
};

/// Parses metadata text. @returns Invalid with the line number of the first mistake
Result<Node> parse_text(std::string_view text);

/// What a label on a disk says.
struct PhysicalVolume {
  std::string uuid;      ///< 32 characters without dashes
  std::string metadata;  ///< the current text; empty when this volume carries none
};
/// Reads label, header and metadata area, checking their checksums. @source LVM2 on-disk format
Result<PhysicalVolume> read_physical_volume(BlockStore& store);

/// A stretch of a logical volume over one or more stripes.
struct Segment {
  u64 start_bytes = 0, size_bytes = 0, stripe_bytes = 0;
  struct Stripe {
    unsigned volume = 0;  ///< index into the list of physical volumes
    u64 offset_bytes = 0;
  };
  std::vector<Stripe> stripes;
};
struct LogicalVolume {
  u64 size_bytes = 0;
  std::vector<Segment> segments;  ///< in order, without gaps
};
/// The layout of `vg/lv`. @param uuids of the physical volumes at hand, in their order
/// @returns NotFound listing what there is, Unsupported for mirrors, thin pools, snapshots and other kinds
Result<LogicalVolume> find_volume(const Node& metadata, std::string_view name, const std::vector<std::string>& uuids);

}  // namespace ia64::storage::lvm
