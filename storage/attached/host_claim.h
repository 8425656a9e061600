// A device of this host, or one that it reaches, held for one guest alone.
#pragma once

#include <string>

namespace ia64::storage {

/// Holds a device for its owner: one claim of a name exists on this host (in one network name space) at a time, whichever user runs the guests.
/// The kernel drops it with its process, however that ends. Any thread.
class HostClaim {
 public:
  /// @param device what names the device whichever way it was opened; only the last 90 bytes or so count
  explicit HostClaim(const std::string& device);
  ~HostClaim();
  HostClaim(const HostClaim&) = delete;
  HostClaim& operator=(const HostClaim&) = delete;

  bool held() const { return held_; }  ///< false: somebody else, or another object of this process, has it

 private:
  const int fd_;
  bool held_;
};

/// What all nodes of one SCSI device of this host (sg, st, sr) agree in, for a claim. @param fd an open node @param path names what is none
std::string claim_name(int fd, const std::string& path);

}  // namespace ia64::storage
