// FAT volume geometry and the file allocation table itself.
#pragma once

#include <optional>
#include <span>

#include "firmware/media/page_cache.h"

namespace ia64::firmware::fat {

/// Where things lie, in bytes from the start of the volume; checked against the medium's size.
struct Geometry {
  u8 bits = 0;  ///< 12, 16 or 32
  u32 sector_bytes = 0;
  u32 cluster_bytes = 0;
  u64 volume_bytes = 0;
  u64 table_offset = 0;  ///< of the copy that is read
  u64 table_bytes = 0;   ///< of one copy
  unsigned copies = 0;   ///< copies from table_offset on that writes update
  u64 root_offset = 0;   ///< FAT12/16: the fixed root directory
  u32 root_slots = 0;
  u32 root_cluster = 0;  ///< FAT32
  u64 data_offset = 0;   ///< of cluster 2
  u32 clusters = 0;      ///< valid numbers are 2 .. clusters + 1
  u64 info_offset = 0;   ///< FAT32 FSInfo sector, 0 when there is none

  u64 cluster_offset(u32 cluster) const { return data_offset + u64{cluster - 2} * cluster_bytes; }
  bool valid(u32 cluster) const { return cluster >= 2 && cluster - 2 < clusters; }
};

/// Reads a boot sector. @returns nothing when this is no FAT volume or its numbers contradict each other or
/// the medium
/// @source Microsoft FAT specification 1.03, "Boot Sector and BPB", "FAT Type Determination"
std::optional<Geometry> parse_boot_sector(std::span<const u8, 512> sector, u64 medium_bytes);

/// Entries of the table. Every status is Success, VolumeCorrupted, VolumeFull or a medium's error.
class Table {
 public:
  Table(PageCache& cache, const Geometry& geometry) : cache_(cache), geometry_(geometry) {}

  /// The entry of `cluster`. `next` is 0 at the end of a chain. @returns VolumeCorrupted for a link that
  /// leads nowhere
  EfiStatus next(u32 cluster, u32& next);
  /// Takes a free cluster, ends it, and links it behind `previous` unless that is 0.
  EfiStatus allocate(u32 previous, u32& cluster);
  /// Ends the chain at `cluster`.
  EfiStatus set_end(u32 cluster) { return put(cluster, end_mark()); }
  /// Frees a whole chain; stops quietly where the chain is damaged.
  EfiStatus free_chain(u32 first);
  EfiStatus free_clusters(u32& count);
  /// Writes free count and hint to FSInfo when they changed.
  EfiStatus store_info();
  /// Forgets the count and hint (the medium was changed behind our back).
  void forget() { free_count_.reset(); }

 private:
  u32 end_mark() const { return geometry_.bits == 12 ? 0xfff : geometry_.bits == 16 ? 0xffff : 0x0fff'ffff; }
  EfiStatus get(u32 cluster, u32& value);
  EfiStatus put(u32 cluster, u32 value);

  PageCache& cache_;
  const Geometry& geometry_;
  std::optional<u32> free_count_;
  u32 hint_ = 2;
  bool info_dirty_ = false;
};

}  // namespace ia64::firmware::fat
