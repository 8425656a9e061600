// Where a guest's EFI variables live on the host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/int_types.h"
#include "base/result.h"
#include "storage/attached/host_claim.h"

namespace ia64::machine {

/// One NVRAM image: a file, or memory for the life of the process when the path is empty. One run has a file at a time. One thread.
class NvramFile {
 public:
  /// Reads the image; a missing file is an empty image. @returns an error when it exists and cannot be read, Locked when another
  /// run of this host has it
  static Result<NvramFile> open(const std::string& path);
  const std::vector<u8>& image() const { return image_; }
  /// Puts a damaged image aside as PATH.bad, so that the next save does not destroy it. @returns where it is now, or an error
  Result<std::string> put_aside();
  /// Replaces the image durably. Before the first replacement the former file is kept as PATH.old.
  Result<void> save(const std::vector<u8>& image);

 private:
  std::string path_;
  std::vector<u8> image_;
  bool kept_former_ = false;
  std::unique_ptr<storage::HostClaim> claim_;
};

}  // namespace ia64::machine
