// A directory of snapshots: one folder each, which is whole or not there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "machine/snapshot/manifest.h"

namespace ia64::machine {

/// Files of one snapshot, by these names.
namespace snapshot_file {
inline constexpr const char* kManifest = "manifest.json";
inline constexpr const char* kState = "state";
inline constexpr const char* kMemory = "memory";
}  // namespace snapshot_file

/// Whether `name` can name a snapshot: 1 to 64 letters, digits, '.', '_' and '-', not beginning with '.' or '-'.
bool valid_snapshot_name(std::string_view name);

/// A snapshot that is being written, under a name that nothing else looks at. Removed with everything in it unless committed.
class PartialSnapshot {
 public:
  ~PartialSnapshot();
  PartialSnapshot(const PartialSnapshot&) = delete;
  std::string path(const std::string& file) const { return folder_ + "/" + file; }
  /// Makes an empty file. @returns its descriptor, which stays open until the snapshot is committed or gone
  Result<int> create(const std::string& file);
  Result<void> write(const std::string& file, std::span<const u8> bytes);
  /// Makes all files durable and gives the snapshot its name, in place of an older one of that name if `replace`.
  Result<void> commit();

 private:
  friend class SnapshotDirectory;
  PartialSnapshot() = default;
  std::string directory_, name_, folder_;
  bool replace_ = false;
  std::vector<int> files_;
};

/// Several processes may use one directory.
class SnapshotDirectory {
 public:
  explicit SnapshotDirectory(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name, const std::string& file) const { return path_ + "/" + name + "/" + file; }

  /// Names of all snapshots, sorted. A directory that does not exist has none.
  Result<std::vector<std::string>> names() const;
  Result<SnapshotManifest> manifest(const std::string& name) const;
  /// Guests that run from it keep what they have mapped.
  Result<void> remove(const std::string& name) const;
  /// Makes the directory when there is none. @returns an error when the name is taken and `replace` is false
  Result<std::unique_ptr<PartialSnapshot>> begin(const std::string& name, bool replace) const;
  /// Opens a file of a snapshot for reading. @returns its descriptor, the caller's
  Result<int> open(const std::string& name, const std::string& file) const;
  /// The content of a file that is not large.
  Result<std::vector<u8>> read(const std::string& name, const std::string& file) const;

 private:
  Result<void> check(const std::string& name) const;
  const std::string path_;
};

}  // namespace ia64::machine
