// Virtual DVDs: host drives, ISO files, empty drives.
#include "storage/scsi/dvd_drive.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/cdrom.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "storage/store_registry.h"

namespace ia64::storage::scsi {

namespace fs = std::filesystem;

/// Keeps the door of a host drive locked while its disc is ours. What is no CD drive has no door.
class DvdDrive::HostDoor {
 public:
  explicit HostDoor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (fd_ >= 0) ioctl(fd_, CDROM_LOCKDOOR, 1);
  }
  ~HostDoor() {
    if (fd_ < 0) return;
    ioctl(fd_, CDROM_LOCKDOOR, 0);
    close(fd_);
  }
  HostDoor(const HostDoor&) = delete;

 private:
  const int fd_;
};

namespace {

bool empty_host_drive(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  const int status = ioctl(fd, CDROM_DRIVE_STATUS, CDSL_CURRENT);
  close(fd);
  return status == CDS_NO_DISC || status == CDS_TRAY_OPEN || status == CDS_DRIVE_NOT_READY;
}

const char* product_of(const std::string& storage) {
  return storage == "disk" ? "Virtual DVD" : storage == "file" ? "Virtual FileDVD" : "Virtual NullDVD";
}

std::string parent_of(const std::string& path) {
  const auto parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

std::vector<std::string> iso_choices(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    struct stat st;
    const auto name = entry.path().filename().string();
    if (name[0] == '.' || stat(entry.path().c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
    if (st.st_mode & S_IWOTH) continue;
    if (st.st_size >= DvdTarget::kSectorBytes) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

DvdDrive::DvdDrive(std::string storage, std::string location, const DiskIdentity& identity)
    : DvdTarget(nullptr, identity), storage_(std::move(storage)), location_(std::move(location)), vio_(identity.parallel_bus),
      current_(original()) {
  struct stat st;
  if (storage_ == "file")
    directory_ = parent_of(location_);
  else if (storage_ == "null" && stat(location_.c_str(), &st) == 0 && S_ISDIR(st.st_mode))
    directory_ = location_;
}

DvdDrive::~DvdDrive() = default;

ia64::Result<std::unique_ptr<DvdDrive>> DvdDrive::open(const std::string& storage, const std::string& location, DiskIdentity identity) {
  if (storage != "disk" && storage != "file" && storage != "null")
    return Error{ErrorKind::Invalid, fmt::format("a DVD cannot be on '{}'; use disk, file or null", storage)};
  if (access(location.c_str(), F_OK) != 0) return Error{ErrorKind::NotFound, fmt::format("{}: no such file or directory", location)};
  identity.product = product_of(storage);
  identity.device_type = kTypeDvd;
  identity.block_bytes = kSectorBytes;
  std::unique_ptr<DvdDrive> drive(new DvdDrive(storage, location, identity));
  if (drive->uses_host_drive()) {
    auto share = DiscShare::of_drive(location);
    if (!share) return share.error();
    drive->drive_share_ = std::move(*share);
  }
  if (storage == "null" || (storage == "disk" && empty_host_drive(location))) return drive;
  if (auto ok = drive->load(location, storage == "disk"); !ok) return ok.error();
  return drive;
}

ia64::Result<void> DvdDrive::load(const std::string& path, bool host_drive) {
  auto store = open_store("ro:file:" + path);
  if (!store) return store.error();
  if ((*store)->size_bytes() < kSectorBytes)
    return Error{ErrorKind::Invalid, fmt::format("{}: smaller than one sector of 2048 bytes", path)};
  std::optional<DiscShare> part;
  if (!host_drive) {
    auto share = DiscShare::of_image(path, vio_);
    if (!share) return share.error();
    part = std::move(*share);
  }
  if (host_drive) door_ = std::make_unique<HostDoor>(path);
  image_share_ = std::move(part);
  insert(std::make_unique<BlockDevice>(std::move(*store), kSectorBytes));
  current_ = (host_drive ? "disk:" : "file:") + path;
  return {};
}

void DvdDrive::eject() {
  remove();
  door_.reset();
  image_share_.reset();
  current_ = "null:" + (uses_host_drive() ? location_ : directory_);
}

std::vector<std::string> DvdDrive::choices() const {
  return uses_host_drive() ? std::vector<std::string>{} : iso_choices(directory_);
}

std::string DvdDrive::chosen(const std::string& choice) const {
  return uses_host_drive() ? "disk:" + location_ : "file:" + (fs::path(directory_) / choice).string();
}

ia64::Result<void> DvdDrive::insert_choice(const std::string& choice) {
  if (uses_host_drive()) {
    if (!choice.empty()) return Error{ErrorKind::Invalid, fmt::format("{}: the disc comes from this drive", location_)};
    return load(location_, true);
  }
  const auto known = choices();
  if (std::find(known.begin(), known.end(), choice) == known.end())
    return Error{ErrorKind::NotFound, fmt::format("'{}' is not among the images of {}", choice, directory_)};
  return load((fs::path(directory_) / choice).string(), false);
}

ia64::Result<void> DvdDrive::restore(const std::string& current) {
  if (current == current_) return {};
  const auto colon = current.find(':');
  const std::string storage = current.substr(0, colon), location = colon == std::string::npos ? "" : current.substr(colon + 1);
  if (storage == "null") return eject(), ia64::Result<void>();
  if (storage != "file" && storage != "disk") return Error{ErrorKind::Invalid, fmt::format("a DVD drive cannot hold '{}'", current)};
  return load(location, storage == "disk");
}

ia64::Result<void> DvdDrive::revert() {
  if (!changed()) return {};
  return load(location_, false);
}

}  // namespace ia64::storage::scsi
