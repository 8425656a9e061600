// Who else may use a disc: Integrity VM's rules for drives and images.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "storage/attached/host_claim.h"

namespace ia64::storage::scsi {

/// A part in a disc image, or the whole of a host drive, as long as it lives; the kernel drops it with its process. Any thread.
/// @source integrity-vm reference, 2.3 and 2.4
class DiscShare {
 public:
  /// An image may be in the drives of any number of guests, as long as all reach it by the same kind of adapter.
  /// @returns Locked when somebody reaches it by the other kind
  static ia64::Result<DiscShare> of_image(const std::string& path, bool vio);
  /// A host drive belongs to one guest from its start to its end, with a disc or without, as a DVD or as a burner.
  /// @returns Locked when another guest has it
  static ia64::Result<DiscShare> of_drive(const std::string& path);

  DiscShare(DiscShare&& other) noexcept;
  DiscShare& operator=(DiscShare&& other) noexcept;
  ~DiscShare();

 private:
  DiscShare() = default;
  int fd_ = -1;  ///< holds the lock on an image
  std::shared_ptr<const HostClaim> drive_;
};

}  // namespace ia64::storage::scsi
