// FAT directories: slots, long names, searching, adding and removing entries.
#pragma once

#include <set>
#include <vector>

#include "firmware/media/fat_names.h"
#include "firmware/media/fat_table.h"

namespace ia64::firmware::fat {

namespace attribute {
inline constexpr u8 kReadOnly = 1, kHidden = 2, kSystem = 4, kVolumeLabel = 8, kDirectory = 0x10,
                    kArchive = 0x20, kLongName = 0x0f;
}
inline constexpr size_t kSlotBytes = 32;

/// The 32 bytes of an 8.3 entry with access to its fields.
struct Slot {
  u8 raw[kSlotBytes] = {};

  ShortName name() const;
  void set_name(const ShortName& n);
  u8 attributes() const { return raw[11]; }
  bool is_directory() const { return raw[11] & attribute::kDirectory; }
  u32 cluster() const;
  void set_cluster(u32 c);
  u32 size() const;
  void set_size(u32 s);
};

/// A file or directory found in a directory.
struct Entry {
  std::u16string name;  ///< the long name, or the 8.3 name when there is none
  Slot slot;
  u32 first_index = 0;  ///< first slot that belongs to it (long entries)
  u32 index = 0;        ///< its 8.3 slot
};

/// One directory, open for work. Short-lived: made anew for each operation. At most 65536 slots are looked
/// at.
class Directory {
 public:
  /// @param first_cluster 0 for the root
  Directory(PageCache& cache, Table& table, const Geometry& geometry, u32 first_cluster);

  /// Reads the cluster chain; must succeed before anything else.
  EfiStatus load();
  /// The entry at or after slot `cursor`, which moves behind it. @returns NotFound at the end
  /// @param labels true gives the volume label entry instead of files
  EfiStatus next(u32& cursor, Entry& entry, bool labels = false);
  /// Searches long and short names without regard to case.
  EfiStatus find(std::u16string_view name, Entry& entry);
  /// Adds an entry for a valid name that does not exist yet; `slot` gives everything but the name. Extends
  /// the directory.
  EfiStatus add(std::u16string_view name, Slot slot, Entry& entry);
  /// Adds an 8.3 slot as it is (dot entries, the label).
  EfiStatus add_raw(const Slot& slot, u32& index);
  EfiStatus remove(const Entry& entry);
  EfiStatus read_slot(u32 index, Slot& slot);
  EfiStatus write_slot(u32 index, const Slot& slot);
  EfiStatus is_empty(bool& empty);

 private:
  static constexpr u32 kMaxSlots = 65536;
  u64 offset_of(u32 index) const;
  EfiStatus extend();
  EfiStatus find_free(u32 count, u32& first);
  EfiStatus collect_short_names(std::set<ShortName>& names);
  EfiStatus choose_short_name(std::u16string_view name, Slot& slot, bool& needs_long);

  PageCache& cache_;
  Table& table_;
  const Geometry& geometry_;
  u32 first_cluster_;
  std::vector<u32> chain_;  // empty for a fixed root
  u32 slots_ = 0;
};

}  // namespace ia64::firmware::fat
