// A FAT volume with its files: open, read, write, create, delete, rename.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "firmware/efi/time.h"
#include "firmware/media/fat_directory.h"

namespace ia64::firmware::fat {

/// Seconds of local time since 1970-01-01, for time stamps.
using TimeSource = std::function<i64()>;

/// A file or directory that is open. Two opens of one file share its node. Made by Volume only.
struct Node {
  std::u16string name;
  bool root = false;
  bool deleted = false;  ///< its entry is gone; every access fails
  u32 directory = 0;     ///< first cluster of the directory that holds its entry, 0 for the root directory
  u32 first_index = 0, index = 0;
  Slot slot;  ///< the entry as it is on the medium
  // Position of the last access, so that sequential reads do not walk the chain from its start.
  u32 cached_position = 0, cached_cluster = 0;

  bool is_directory() const { return root || slot.is_directory(); }
  u32 size() const { return root || slot.is_directory() ? 0 : slot.size(); }
  u32 cluster() const { return root ? 0 : slot.cluster(); }
};
using File = std::shared_ptr<Node>;

/// A mounted volume. Every change is on the medium when the call returns (the medium's own cache aside).
/// Damaged structures give VolumeCorrupted, never a loop. Thread rule: the firmware's lock.
class Volume {
 public:
  /// @returns nullptr when the medium holds no usable FAT file system
  static std::unique_ptr<Volume> mount(BlockMedium& medium, TimeSource now);

  File root();
  /// Opens `path` from `base` (absolute when it starts with a backslash). @returns NotFound,
  /// InvalidParameter, ...
  EfiStatus open(const File& base, std::u16string_view path, File& out);
  /// Opens it, or makes a file or directory with these attributes in an existing directory.
  EfiStatus create(const File& base, std::u16string_view path, u8 attributes, File& out);

  /// Moves `size_bytes` at `offset` of the file, in runs that lie together on the medium:
  /// move(byte offset on the medium, bytes done so far, bytes of this run).
  using Mover = std::function<EfiStatus(u64 medium_offset, u64 done, u64 size_bytes)>;
  EfiStatus read(const File& file, u64 offset, u64 size_bytes, const Mover& move);
  /// Like read(), after making the file long enough; a gap before `offset` is filled with zeros.
  EfiStatus write(const File& file, u64 offset, u64 size_bytes, const Mover& move);
  EfiStatus resize(const File& file, u64 size_bytes);
  EfiStatus remove(const File& file);
  /// Renames within its directory, or moves along a path from the root (absolute) or from its directory.
  EfiStatus rename(const File& file, std::u16string_view path);
  /// Stores attribute bits (read-only, hidden, system, archive) and time stamps already in FAT form inside
  /// `slot`.
  EfiStatus update_slot(const File& file, const Slot& slot);
  /// The directory entry at `cursor`, which moves on. Dot entries are included.
  EfiStatus next_entry(const File& directory, u32& cursor, Entry& entry);

  EfiStatus label(std::u16string& text);
  EfiStatus set_label(std::u16string_view text);
  EfiStatus free_bytes(u64& bytes);
  u64 total_bytes() const { return u64{geometry_.clusters} * geometry_.cluster_bytes; }
  u32 cluster_bytes() const { return geometry_.cluster_bytes; }
  u8 bits() const { return geometry_.bits; }
  bool read_only() const { return medium_.read_only(); }
  BlockMedium& medium() { return medium_; }
  EfiStatus flush();

 private:
  Volume(BlockMedium& medium, const Geometry& geometry, TimeSource now);
  void revalidate();
  EfiStatus finish(EfiStatus s);
  Directory directory(u32 first_cluster) { return {cache_, table_, geometry_, first_cluster}; }
  EfiStatus walk(const File& base, std::u16string_view path, File& parent, std::u16string& last);
  EfiStatus child(const File& parent, std::u16string_view name, File& out);
  EfiStatus parent_of(const File& directory_node, File& out);
  File node_for(u32 directory, const Entry& entry);
  EfiStatus create_entry(const File& parent, std::u16string_view name, u8 attributes, File& out);
  EfiStatus make_directory_cluster(u32 parent, u32& cluster);
  EfiStatus store(const File& file);
  EfiStatus store_boot_label(const ShortName& name);
  EfiStatus cluster_at(const File& file, u32 position, u32& cluster);
  EfiStatus grow(const File& file, u64 size_bytes);
  EfiStatus fill_zeros(const File& file, u64 offset, u64 end);
  EfiStatus for_each_run(const File& file, u64 offset, u64 size_bytes, const Mover& move);
  EfiStatus is_inside(const File& node, const File& directory_node, bool& inside);
  void stamp(Slot& slot, bool created);

  BlockMedium& medium_;
  const Geometry geometry_;
  TimeSource now_;
  PageCache cache_;
  Table table_;
  std::map<std::pair<u32, u32>, std::weak_ptr<Node>> open_;  // by directory cluster and slot
  std::weak_ptr<Node> root_;
  u64 seen_raw_writes_;
};

/// FAT date and time words. @source Microsoft FAT specification 1.03, "Date and Time Formats"
struct Stamp {
  u16 date = 0, time = 0;
};
/// Years outside 1980..2107 are clamped.
Stamp to_stamp(const EfiTime& t);
/// Always a valid time, whatever the words hold; an empty date gives 1980-01-01.
EfiTime to_efi_time(Stamp s);

}  // namespace ia64::firmware::fat
