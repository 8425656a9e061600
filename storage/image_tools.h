// What `ivm image` does to image files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/block_store.h"

namespace ia64::storage {

struct NewImage {
  std::string path;
  std::string format = "raw";  ///< raw, qcow2, vhd, vhd-fixed, overlay
  u64 size_bytes = 0;          ///< 0: as large as the base
  std::string base{};          ///< overlay: specification of the store below; qcow2: backing file
  bool reserve = false;        ///< raw: allocate all space now, contiguous where the file system can
};
/// Makes an image file. Refuses to overwrite.
Result<void> create_image(const NewImage& image);

struct ImageInfo {
  std::string spec, format;
  u64 size_bytes = 0;       ///< of the disk
  u64 stored_bytes = 0;     ///< of the disk that is stored rather than a hole
  u64 host_bytes = 0;       ///< the file occupies on the host; 0 when there is no one file
  std::optional<u64> host_pieces{};  ///< in how many contiguous pieces, where the host says (host_extents.h)
  std::vector<std::pair<u64, BlockExtent>> extents;
  std::vector<std::string> notes;  ///< base, cluster size, ...
};
/// Looks at an image file or a specification as a reader.
Result<ImageInfo> describe_image(const std::string& file_or_spec);

/// Copies a disk into a new image, leaving out holes and zeroes. @param progress gets bytes done and in all
Result<void> convert_image(const std::string& from, NewImage to, const std::function<void(u64, u64)>& progress);

/// Writes an overlay's changes into its base and empties the overlay. @returns bytes written
Result<u64> commit_overlay(const std::string& path);

/// Problems in an image's tables, one line each; empty when it is sound.
Result<std::vector<std::string>> check_image(const std::string& path);

/// Makes a raw or qcow2 image larger. A raw one can become smaller when `shrink` allows to lose its end.
Result<void> resize_image(const std::string& path, u64 size_bytes, bool shrink, bool reserve);

/// A specification: `file_or_spec` itself, or a file in the format it has.
std::string spec_of(const std::string& file_or_spec);

}  // namespace ia64::storage
