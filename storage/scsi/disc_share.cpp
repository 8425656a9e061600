// Locks of byte ranges for disc images, claims for host drives.
#include "storage/scsi/disc_share.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <utility>

#include "base/int_types.h"

namespace ia64::storage::scsi {

namespace {

// Two bytes far behind every image, one for each kind of adapter; nobody reads or writes there.
constexpr off_t kVioByte = off_t{1} << 62, kAvioByte = kVioByte + 1;

struct flock byte_lock(short type, off_t at) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = at;
  lock.l_len = 1;
  return lock;
}

/// One claim for all drives of this process: a guest may replace its drive by another form of itself.
std::shared_ptr<const HostClaim> claim_once(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const HostClaim>> claims;
  std::lock_guard lock(mutex);
  if (auto known = claims[name].lock()) return known;
  auto claim = std::make_shared<const HostClaim>(name);
  if (claim->held()) claims[name] = claim;
  return claim;
}

}  // namespace

DiscShare::DiscShare(DiscShare&& other) noexcept : fd_(std::exchange(other.fd_, -1)), drive_(std::move(other.drive_)) {}

DiscShare& DiscShare::operator=(DiscShare&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(drive_, other.drive_);
  return *this;
}

DiscShare::~DiscShare() {
  if (fd_ >= 0) close(fd_);
}

// First its own byte, then a look at the other: of two that come at the same time by different adapters both may be refused, but
// never none. File systems that know no such locks have no rule.
ia64::Result<DiscShare> DiscShare::of_image(const std::string& path, bool vio) {
  DiscShare share;
  share.fd_ = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (share.fd_ < 0) return share;  // who opens it to read says why
  struct flock own = byte_lock(F_RDLCK, vio ? kVioByte : kAvioByte), other = byte_lock(F_WRLCK, vio ? kAvioByte : kVioByte);
  if (fcntl(share.fd_, F_OFD_SETLK, &own) != 0 || fcntl(share.fd_, F_OFD_GETLK, &other) != 0 || other.l_type == F_UNLCK) return share;
  return Error{ErrorKind::Locked, fmt::format("{}: this disc is in a drive on {} adapter; all that share it must be on the same kind", path,
                                              vio ? "an AVIO" : "a VIO")};
}

ia64::Result<DiscShare> DiscShare::of_drive(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const std::string name = fd < 0 ? path : claim_name(fd, path);
  if (fd >= 0) close(fd);
  DiscShare share;
  share.drive_ = claim_once(name);
  if (share.drive_->held()) return share;
  return Error{ErrorKind::Locked, fmt::format("{}: another guest has this drive", path)};
}

}  // namespace ia64::storage::scsi
