// Attached devices of this host: SG_IO on SCSI generic, tape and CD device nodes.
#include <fcntl.h>
#include <fmt/core.h>
#include <scsi/scsi.h>
#include <scsi/sg.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "storage/attached/host_claim.h"
#include "storage/attached/pass_through.h"

namespace ia64::storage {

namespace {

constexpr unsigned kTimeoutMs = 4 * 3600 * 1000;  // erasing a tape takes hours

class SgDevice final : public PassThrough {
 public:
  SgDevice(int fd, std::string path) : fd_(fd), path_(std::move(path)), claim_(claim_name(fd, path_)) {}
  ~SgDevice() override { close(fd_); }
  std::string describe() const override { return "attach:" + path_; }

  PassedOutcome execute(const PassedCommand& command) override {
    u8 sense[252] = {};
    sg_io_hdr_t io{};
    using Direction = PassedCommand::Direction;
    io.interface_id = 'S';
    io.dxfer_direction = command.direction == Direction::None ? SG_DXFER_NONE
                         : command.direction == Direction::In ? SG_DXFER_FROM_DEV
                                                              : SG_DXFER_TO_DEV;
    io.cmdp = const_cast<u8*>(command.cdb.data());
    io.cmd_len = static_cast<u8>(command.cdb.size());
    io.dxferp = command.data.data();
    io.dxfer_len = static_cast<unsigned>(command.data.size());
    io.sbp = sense;
    io.mx_sb_len = sizeof sense;
    io.timeout = kTimeoutMs;
    int rc;
    while ((rc = ioctl(fd_, SG_IO, &io)) != 0 && errno == EINTR) {
    }
    if (rc != 0 || io.host_status != 0) return {.lost = true};
    const unsigned residual = io.resid > 0 ? static_cast<unsigned>(io.resid) : 0;
    return {.status = io.status, .transferred = command.data.size() - std::min<size_t>(residual, command.data.size()),
            .sense = {sense, sense + io.sb_len_wr}};
  }
  void reset() override {
    int device = SG_SCSI_RESET_DEVICE;
    ioctl(fd_, SG_SCSI_RESET, &device);
  }
  bool claimed() const { return claim_.held(); }

 private:
  const int fd_;
  const std::string path_;
  const HostClaim claim_;
};

}  // namespace

Result<std::unique_ptr<PassThrough>> open_sg(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_EXCL);
  if (fd < 0)
    return Error{errno == EBUSY ? ErrorKind::Locked : errno == ENOENT ? ErrorKind::NotFound : ErrorKind::Io,
                 fmt::format("{}: cannot attach: {}", path, std::strerror(errno))};
  auto device = std::make_unique<SgDevice>(fd, path);
  int version = 0;
  if (ioctl(fd, SG_GET_VERSION_NUM, &version) != 0 || version < 30000)
    return Error{ErrorKind::Invalid, fmt::format("{}: not a SCSI device that takes commands (SG_IO)", path)};
  if (!device->claimed() || flock(fd, LOCK_EX | LOCK_NB) != 0)
    return Error{ErrorKind::Locked, fmt::format("{}: this device is attached already, to this guest or another", path)};
  return std::unique_ptr<PassThrough>(std::move(device));
}

Result<std::unique_ptr<PassThrough>> open_pass_through(const std::string& location) {
  return location.starts_with("iscsi://") ? open_iscsi(location) : open_sg(location);
}

}  // namespace ia64::storage
