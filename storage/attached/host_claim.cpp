// Claims as names in the abstract socket space.
#include "storage/attached/host_claim.h"

#include <fmt/core.h>
#include <scsi/scsi.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace ia64::storage {

HostClaim::HostClaim(const std::string& device) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  const std::string name = "ivm-attached-" + device;
  const size_t n = std::min(name.size(), sizeof at.sun_path - 1);  // its first byte stays 0: abstract
  std::memcpy(at.sun_path + 1, name.data() + name.size() - n, n);
  held_ = bind(fd_, reinterpret_cast<sockaddr*>(&at), static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + n)) == 0;
}

HostClaim::~HostClaim() { close(fd_); }

/// Where the device is: host adapter, then target, unit, channel and host number a byte each.
std::string claim_name(int fd, const std::string& path) {
  int host = 0;
  unsigned place[2] = {};
  if (ioctl(fd, SCSI_IOCTL_GET_BUS_NUMBER, &host) != 0 || ioctl(fd, SCSI_IOCTL_GET_IDLUN, place) != 0) return path;
  return fmt::format("scsi:{}:{:x}", host, place[0]);
}

}  // namespace ia64::storage
