// Attached devices on iSCSI, through libiscsi.
#include <fmt/core.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include <algorithm>
#include <optional>

#include "base/endian.h"
#include "storage/attached/host_claim.h"
#include "storage/attached/pass_through.h"

namespace ia64::storage {

namespace {

constexpr const char* kInitiatorName = "iqn.2004-01.ivm:attached";

struct ContextDeleter {
  void operator()(iscsi_context* c) const { iscsi_destroy_context(c); }
};
struct UrlDeleter {
  void operator()(iscsi_url* u) const { iscsi_destroy_url(u); }
};
using Context = std::unique_ptr<iscsi_context, ContextDeleter>;

/// What a tape says in its sense data of a block or mark met while reading blocks of variable length: the buffer's bytes that stayed
/// free. tgtd sends its count of bytes moved as the transport's residue then, and drivers compare the two (Linux mptscsih).
/// @source SSC-3, READ(6), and its table of sense data
std::optional<u32> tape_residue(std::span<const u8> cdb, std::span<const u8> sense) {
  constexpr u8 kRead6 = 0x08, kFixed = 0x01, kFixedFormatValid = 0xf0, kMarkEndOrLength = 0xe0;
  if (cdb[0] != kRead6 || (cdb[1] & kFixed) || sense.size() < 8) return std::nullopt;
  if (sense[0] != kFixedFormatValid || !(sense[2] & kMarkEndOrLength)) return std::nullopt;
  const auto difference = load_be<u32>(&sense[3]);
  return difference >> 31 ? 0 : difference;  // negative: the block was longer than the buffer
}

class IscsiDevice final : public PassThrough {
 public:
  explicit IscsiDevice(std::string url) : url_(std::move(url)) {}
  ~IscsiDevice() override {
    if (context_) iscsi_logout_sync(context_.get());
  }
  std::string describe() const override { return "attach:" + url_; }

  Result<void> connect() {
    Context context(iscsi_create_context(kInitiatorName));
    if (!context) return Error{ErrorKind::Internal, "no memory for an iSCSI session"};
    const std::unique_ptr<iscsi_url, UrlDeleter> url(iscsi_parse_full_url(context.get(), url_.c_str()));
    if (!url) return Error{ErrorKind::Invalid, fmt::format("{}: expected iscsi://host[:port]/target/lun", url_)};
    // The portal may have several addresses; the target's name is unique in the world.
    if (!claim_) claim_.emplace(fmt::format("iscsi:{}/{}", url->target, url->lun));
    if (!claim_->held()) return Error{ErrorKind::Locked, fmt::format("{}: this device is attached already, to this guest or another", url_)};
    // A session that came back by itself would hide that a tape may have moved.
    iscsi_set_noautoreconnect(context.get(), 1);
    iscsi_set_targetname(context.get(), url->target);
    iscsi_set_session_type(context.get(), ISCSI_SESSION_NORMAL);
    iscsi_set_header_digest(context.get(), ISCSI_HEADER_DIGEST_NONE_CRC32C);
    iscsi_set_timeout(context.get(), 15);
    if (url->user[0]) iscsi_set_initiator_username_pwd(context.get(), url->user, url->passwd);
    if (iscsi_connect_sync(context.get(), url->portal) != 0 || iscsi_login_sync(context.get()) != 0)
      return Error{ErrorKind::Io, fmt::format("{}: {}", url_, iscsi_get_error(context.get()))};
    iscsi_set_timeout(context.get(), 0);  // commands take as long as they take
    lun_ = url->lun;
    context_ = std::move(context);
    return {};
  }

  PassedOutcome execute(const PassedCommand& command) override {
    if (!context_ && !connect()) return {.lost = true};
    unsigned char cdb[16] = {};
    std::copy_n(command.cdb.begin(), std::min(command.cdb.size(), sizeof cdb), cdb);
    using Direction = PassedCommand::Direction;
    const int direction = command.direction == Direction::None ? SCSI_XFER_NONE
                          : command.direction == Direction::In ? SCSI_XFER_READ
                                                               : SCSI_XFER_WRITE;
    scsi_task* task = scsi_create_task(static_cast<int>(command.cdb.size()), cdb, direction, static_cast<int>(command.data.size()));
    if (!task) return {.lost = true};
    if (direction == SCSI_XFER_READ) scsi_task_add_data_in_buffer(task, static_cast<int>(command.data.size()), command.data.data());
    iscsi_data out{command.data.size(), command.data.data()};
    const bool sent = iscsi_scsi_command_sync(context_.get(), lun_, task, direction == SCSI_XFER_WRITE ? &out : nullptr) != nullptr;
    PassedOutcome outcome = sent ? outcome_of(*task, command) : PassedOutcome{.lost = true};
    scsi_free_scsi_task(task);
    if (outcome.lost) context_.reset();  // the next command tries a new session, and hears of it from the device
    return outcome;
  }

  void reset() override {
    if (context_) iscsi_task_mgmt_lun_reset_sync(context_.get(), static_cast<u32>(lun_));
  }

 private:
  static PassedOutcome outcome_of(const scsi_task& task, const PassedCommand& command) {
    if (task.status < 0 || task.status > 0xff) return {.lost = true};  // libiscsi's own errors
    const size_t offered = command.data.size();
    PassedOutcome out{.status = static_cast<u8>(task.status), .transferred = offered, .in_place = true};
    if (task.residual_status == SCSI_RESIDUAL_UNDERFLOW) out.transferred = offered - std::min<size_t>(task.residual, offered);
    // The response carries a two-byte length and the sense bytes.
    if (task.status == SCSI_STATUS_CHECK_CONDITION && task.datain.data && task.datain.size > 2) {
      const size_t length = std::min<size_t>(load_be<u16>(task.datain.data), static_cast<size_t>(task.datain.size) - 2);
      out.sense.assign(task.datain.data + 2, task.datain.data + 2 + length);
    }
    if (const auto left = tape_residue(command.cdb, out.sense)) out.transferred = offered - std::min<size_t>(*left, offered);
    return out;
  }

  const std::string url_;
  std::optional<HostClaim> claim_;  // kept while the session is lost
  Context context_;
  int lun_ = 0;
};

}  // namespace

Result<std::unique_ptr<PassThrough>> open_iscsi(const std::string& url) {
  auto device = std::make_unique<IscsiDevice>(url);
  if (auto ok = device->connect(); !ok) return ok.error();
  return std::unique_ptr<PassThrough>(std::move(device));
}

}  // namespace ia64::storage
