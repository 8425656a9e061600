// SCSI DVD drive: command table, tray and disc, reading.
#include "storage/scsi/dvd_target.h"

#include <algorithm>

#include "storage/scsi/block_result.h"
#include "storage/scsi/dvd_data.h"

namespace ia64::storage::scsi {

namespace {

constexpr u16 kMediumMayHaveChanged = 0x2800;
constexpr u64 kMaxRawSectors = 512;  // one READ CD with headers; these go through a buffer of ours

}  // namespace

#define ON(h) handler(&DvdTarget::h)
const LogicalUnit::Row DvdTarget::kRows[] = {
    {kTestUnitReady, kNeedsMedium, ON(do_nothing)},
    {kRequestSense, kPassesAttention, ON(request_sense)},
    {kRead6, kNeedsMedium | kReads, ON(read)},
    {kInquiry, kPassesAttention, ON(inquiry)},
    {kModeSelect6, kWrites, ON(mode_select)},
    {kReserve6, kIgnoresSpc2, ON(reserve)},
    {kRelease6, kIgnoresSpc2, ON(release)},
    {kModeSense6, 0, ON(mode_sense)},
    {kStartStopUnit, kWrites, ON(start_stop)},
    {kSendDiagnostic, kWrites, ON(do_nothing)},
    {kPreventAllow, 0, ON(prevent_allow)},
    {kReadFormatCapacities, 0, ON(read_format_capacities)},
    {kReadCapacity10, kNeedsMedium, ON(read_capacity)},
    {kRead10, kNeedsMedium | kReads, ON(read)},
    {kSeek10, kNeedsMedium | kReads, ON(check_range)},
    {kVerify10, kNeedsMedium | kReads, ON(check_range)},
    {kSynchronizeCache10, 0, ON(do_nothing)},
    {kWriteBuffer, kWrites, ON(write_buffer)},
    {kReadBuffer, 0, ON(read_buffer)},
    {kReadSubChannel, kNeedsMedium, ON(read_sub_channel)},
    {kReadToc, kNeedsMedium, ON(read_toc)},
    {kReadHeader, kNeedsMedium, ON(read_header)},
    {kGetConfiguration, kPassesAttention, ON(get_configuration)},
    {kGetEventStatus, kPassesAttention, ON(get_event_status)},
    {kReadDiscInformation, kNeedsMedium, ON(read_disc_information)},
    {kReadTrackInformation, kNeedsMedium, ON(read_track_information)},
    {kModeSelect10, kWrites, ON(mode_select)},
    {kReserve10, kIgnoresSpc2, ON(reserve)},
    {kRelease10, kIgnoresSpc2, ON(release)},
    {kModeSense10, 0, ON(mode_sense)},
    {kReportLuns, kPassesAttention, ON(report_luns)},
    {kRead12, kNeedsMedium | kReads, ON(read)},
    {kReadDvdStructure, kNeedsMedium, ON(read_dvd_structure)},
    {kReadCdMsf, kNeedsMedium | kReads, ON(read_cd_msf)},
    {kSetCdSpeed, 0, ON(do_nothing)},
    {kMechanismStatus, 0, ON(mechanism_status)},
    {kReadCd, kNeedsMedium | kReads, ON(read_cd)},
};
#undef ON
const std::span<const LogicalUnit::Row> DvdTarget::kTable{kRows};

DvdTarget::DvdTarget(std::unique_ptr<BlockDevice> disc, DiskIdentity identity)
    : LogicalUnit(kTable), identity_(std::move(identity)), disc_(std::move(disc)) {}

std::string DvdTarget::describe() const {
  std::lock_guard lock(mutex_);
  return disc_ ? disc_->describe() : "dvd (empty)";
}

// --- disc and tray
// ----------------------------------------------------------------------------------------------------

void DvdTarget::insert(std::unique_ptr<BlockDevice> disc) {
  Disc old;
  {
    std::lock_guard lock(mutex_);
    old = std::exchange(disc_, std::move(disc));
    open_ = false;
    event_ = MediaEvent::NewMedia;
  }
  raise_attention(kMediumMayHaveChanged);
}

void DvdTarget::remove() {
  Disc old;
  std::lock_guard lock(mutex_);
  if (disc_) event_ = MediaEvent::Removal;
  old = std::move(disc_);
  preventing_ = 0;
}

void DvdTarget::request_eject() {
  std::lock_guard lock(mutex_);
  event_ = MediaEvent::EjectRequest;
}

bool DvdTarget::has_disc() const {
  std::lock_guard lock(mutex_);
  return disc_ != nullptr;
}

bool DvdTarget::locked() const {
  std::lock_guard lock(mutex_);
  return preventing_ != 0;
}

bool DvdTarget::tray_open() const {
  std::lock_guard lock(mutex_);
  return open_;
}

DvdTarget::Disc DvdTarget::disc() const {
  std::lock_guard lock(mutex_);
  return open_ ? nullptr : disc_;
}

u64 DvdTarget::sectors() const {
  const auto d = disc();
  return d ? d->block_count() : 0;
}

Sense DvdTarget::readiness() {
  std::lock_guard lock(mutex_);
  if (open_) return sense::kNoMediumTrayOpen;
  return disc_ ? sense::kNone : sense::kNoMediumTrayClosed;
}

void DvdTarget::after_reset(ResetKind) {
  std::lock_guard lock(mutex_);
  preventing_ = 0;
}

std::shared_ptr<BlockDevice> DvdTarget::medium() const {
  std::lock_guard lock(mutex_);
  return disc_;
}

void DvdTarget::visit_unit_state(StateArchive& a) {
  std::lock_guard lock(mutex_);
  a(open_, preventing_, event_);
  a.require(event_ <= MediaEvent::Removal, "a media event");
}

void DvdTarget::start_stop(Task& task) {
  const bool load_eject = task.cdb[4] & 0x02, start = task.cdb[4] & 0x01;
  if ((task.cdb[4] & 0xf0) || !load_eject) return good(task);  // power conditions and the motor: nothing to see
  bool prevented, moved = false;
  {
    std::lock_guard lock(mutex_);
    prevented = !start && preventing_;
    if (!prevented) moved = std::exchange(open_, !start) == start;
    if (moved && disc_) event_ = start ? MediaEvent::NewMedia : MediaEvent::Removal;
  }
  if (prevented) return refuse(task, sense::kRemovalPrevented);
  if (moved && start) raise_attention(kMediumMayHaveChanged, task.initiator);
  if (moved) tray_moved(!start);
  good(task);
}

void DvdTarget::prevent_allow(Task& task) {
  {
    std::lock_guard lock(mutex_);
    const u16 bit = static_cast<u16>(1u << task.initiator);
    preventing_ = static_cast<u16>(task.cdb[4] & 0x01 ? preventing_ | bit : preventing_ & ~bit);
  }
  good(task);
}

void DvdTarget::get_event_status(Task& task) {
  if (!(task.cdb[1] & 0x01)) return refuse(task, sense::kInvalidFieldInCdb);  // only polling
  u8 code;
  dvd::TrayState state;
  {
    std::lock_guard lock(mutex_);
    code = static_cast<u8>(event_);
    state = {.open = open_, .disc = disc_ != nullptr && !open_};
    if ((task.cdb[4] & dvd::kMediaClass) && load_be<u16>(&task.cdb[7]) > 4) event_ = MediaEvent::None;
  }
  answer(task, dvd::event_status(task.cdb[4], code, state), load_be<u16>(&task.cdb[7]));
}

// --- reading
// ----------------------------------------------------------------------------------------------------------

void DvdTarget::read_sectors(Task& task, const BlockRange& r) {
  const auto from = disc();
  if (!from) return refuse(task, sense::kNoMediumTrayOpen);
  const u64 bytes = r.blocks * kSectorBytes;
  if (r.lba > from->block_count() || r.blocks > from->block_count() - r.lba) return refuse(task, sense::kLbaOutOfRange);
  if (identity_.max_transfer_bytes && bytes > identity_.max_transfer_bytes) return refuse(task, sense::kInvalidFieldInCdb);
  if (list_bytes(task.data_in) < bytes) return finish(task, {.overrun = true});
  auto list = std::move(task.data_in);
  trim_list(list, bytes);
  BlockRequest request{.op = BlockOp::Read, .offset_bytes = r.lba * kSectorBytes, .size_bytes = bytes, .iov = std::move(list), .done = {}};
  request.done = [this, from, task = std::move(task), r, bytes](BlockStatus status) mutable {
    finish(task, result_of(status, r.lba, bytes, false));
  };
  from->submit(std::move(request));
}

void DvdTarget::read(Task& task) {
  read_sectors(task, block_range(task.cdb));
}

void DvdTarget::check_range(Task& task) {
  const bool seek = task.cdb[0] == kSeek10;
  const BlockRange r = seek ? BlockRange{load_be<u32>(&task.cdb[2]), 1} : block_range(task.cdb);
  if (!seek && (task.cdb[1] & 0x06)) return refuse(task, sense::kInvalidFieldInCdb);  // comparing data
  r.lba <= sectors() && r.blocks <= sectors() - r.lba ? good(task) : refuse(task, sense::kLbaOutOfRange);
}

void DvdTarget::read_cd(Task& task) {
  const auto& c = task.cdb;
  const u8 type = c[1] >> 2 & 7;
  const BlockRange r{load_be<u32>(&c[2]), load_be<u32>(&c[5]) & 0xff'ffff};
  if (type != 0 && type != 2) return refuse(task, sense::kIllegalModeForTrack);  // the track is mode 1
  // Sub-channel data, error flags and error-correction codes are not on an image.
  if ((c[10] & 0x07) || (c[9] & 0x0e)) return refuse(task, sense::kInvalidFieldInCdb);
  if ((c[9] & 0xf0) == dvd::kUserData) return read_sectors(task, r);
  read_raw(task, r, c[9] & 0xf0);
}

void DvdTarget::read_cd_msf(Task& task) {
  auto& c = task.cdb;
  const auto at = [&](unsigned i) { return (c[i] * 60 + c[i + 1]) * 75 + c[i + 2] - 150; };
  const int from = at(3), to = at(6);
  if (from < 0 || to < from) return refuse(task, sense::kLbaOutOfRange);
  store_be<u32>(&c[2], static_cast<u32>(from));
  const u32 count = static_cast<u32>(to - from);
  c[6] = static_cast<u8>(count >> 16), c[7] = static_cast<u8>(count >> 8), c[8] = static_cast<u8>(count);
  read_cd(task);
}

// Sectors with sync bytes or headers: read into a buffer, then put together.
void DvdTarget::read_raw(Task& task, const BlockRange& r, u8 parts) {
  const auto from = disc();
  if (!from) return refuse(task, sense::kNoMediumTrayOpen);
  if (r.lba > from->block_count() || r.blocks > from->block_count() - r.lba) return refuse(task, sense::kLbaOutOfRange);
  if (r.blocks > kMaxRawSectors) return refuse(task, sense::kInvalidFieldInCdb);
  if (!dvd::raw_sector_bytes(parts) || !r.blocks) return good(task);
  auto data = std::make_shared<std::vector<u8>>(r.blocks * kSectorBytes);
  BlockRequest request{.op = BlockOp::Read, .offset_bytes = r.lba * kSectorBytes, .size_bytes = data->size(),
                       .iov = {{data->data(), data->size()}}, .done = {}};
  request.done = [this, from, task = std::move(task), r, data, parts](BlockStatus status) mutable {
    if (status != BlockStatus::Ok) return finish(task, result_of(status, r.lba, 0, false));
    const auto raw = dvd::raw_sectors(*data, r.lba, parts);
    if (list_bytes(task.data_in) < raw.size()) return finish(task, {.overrun = true});
    answer(task, raw, raw.size());
  };
  from->submit(std::move(request));
}

// --- describing
// -------------------------------------------------------------------------------------------------------

void DvdTarget::inquiry(Task& task) {
  const u64 allocation = load_be<u16>(&task.cdb[3]);
  const u8 page = task.cdb[2];
  if ((task.cdb[1] & 0x02) || (!(task.cdb[1] & 0x01) && page)) return refuse(task, sense::kInvalidFieldInCdb);
  if (!(task.cdb[1] & 0x01)) return answer(task, standard_inquiry(identity_), allocation);
  const auto data = vital_product_data(page, identity_);
  data ? answer(task, *data, allocation) : refuse(task, sense::kInvalidFieldInCdb);
}

void DvdTarget::read_capacity(Task& task) {
  std::array<u8, 8> data{};
  store_be<u32>(&data[0], static_cast<u32>(std::clamp<u64>(sectors(), 1, u64{1} << 32) - 1));
  store_be<u32>(&data[4], kSectorBytes);
  answer(task, data, data.size());
}

void DvdTarget::read_format_capacities(Task& task) {
  std::array<u8, 12> data{};
  data[3] = 8;
  store_be<u32>(&data[4], static_cast<u32>(sectors()));
  data[8] = sectors() ? 2 : 3;  // formatted, or no medium
  data[10] = kSectorBytes >> 8;
  answer(task, data, load_be<u16>(&task.cdb[7]));
}

void DvdTarget::read_toc(Task& task) {
  const u8 format = task.cdb[2] & 0x0f ? task.cdb[2] & 0x0f : task.cdb[9] >> 6;  // old drivers use the control byte
  const auto data = dvd::toc(format, task.cdb[6], task.cdb[1] & 0x02, static_cast<u32>(sectors()));
  data ? answer(task, *data, load_be<u16>(&task.cdb[7])) : refuse(task, sense::kInvalidFieldInCdb);
}

void DvdTarget::read_sub_channel(Task& task) {
  std::array<u8, 24> data{};
  data[1] = 0x15;  // no audio status to report
  const bool wanted = task.cdb[2] & 0x40;
  const u8 format = task.cdb[3];
  if (wanted && (format < 1 || format > 3)) return refuse(task, sense::kInvalidFieldInCdb);
  if (wanted) {
    data[3] = format == 1 ? 12 : 20;
    data[4] = format;
    if (format == 1) data[5] = 0x14, data[6] = 1, data[7] = 1;
  }
  answer(task, std::span(data).first(size_t{4} + data[3]), load_be<u16>(&task.cdb[7]));
}

void DvdTarget::read_header(Task& task) {
  const u32 lba = load_be<u32>(&task.cdb[2]);
  if (lba >= sectors()) return refuse(task, sense::kLbaOutOfRange);
  std::array<u8, 8> data{};
  data[0] = 0x01;  // mode 1
  dvd::put_address(&data[4], lba, task.cdb[1] & 0x02);
  answer(task, data, load_be<u16>(&task.cdb[7]));
}

void DvdTarget::get_configuration(Task& task) {
  const u8 request = task.cdb[1] & 0x03;
  if (request == 3) return refuse(task, sense::kInvalidFieldInCdb);
  const auto profile = !sectors() ? dvd::Profile::None : is_dvd() ? dvd::Profile::DvdRom : dvd::Profile::CdRom;
  answer(task, dvd::configuration(request, load_be<u16>(&task.cdb[2]), profile), load_be<u16>(&task.cdb[7]));
}

void DvdTarget::read_disc_information(Task& task) {
  if (task.cdb[1] & 0x07) return refuse(task, sense::kInvalidFieldInCdb);
  answer(task, dvd::disc_information(), load_be<u16>(&task.cdb[7]));
}

void DvdTarget::read_track_information(Task& task) {
  const u8 kind = task.cdb[1] & 0x03;
  const u32 number = load_be<u32>(&task.cdb[2]);
  const bool known = kind == 0 ? number < sectors() : kind < 3 && number == 1;
  if (!known) return refuse(task, sense::kInvalidFieldInCdb);
  answer(task, dvd::track_information(static_cast<u32>(sectors())), load_be<u16>(&task.cdb[7]));
}

void DvdTarget::read_dvd_structure(Task& task) {
  const u8 format = task.cdb[7];
  if (!is_dvd()) return refuse(task, {SenseKey::IllegalRequest, 0x30, 0x02});  // incompatible format
  if ((task.cdb[1] & 0x0f) || task.cdb[6] || (format != 0 && format != 1))
    return refuse(task, sense::kInvalidFieldInCdb);
  const auto data = format == 0 ? dvd::physical_format(static_cast<u32>(sectors())) : dvd::copyright_information();
  answer(task, data, load_be<u16>(&task.cdb[8]));
}

void DvdTarget::mechanism_status(Task& task) {
  std::array<u8, 8> data{};
  data[1] = tray_open() ? 0x10 : 0x00;
  answer(task, data, load_be<u16>(&task.cdb[8]));
}

void DvdTarget::mode_sense(Task& task) {
  const bool ten = task.cdb[0] == kModeSense10;
  if (task.cdb[2] >> 6 == 3) return refuse(task, sense::kSavingNotSupported);
  const auto data = dvd::mode_pages(task.cdb[2] & 0x3f, task.cdb[2] >> 6 == 1, ten, locked());
  if (!data || (task.cdb[3] && task.cdb[3] != 0xff)) return refuse(task, sense::kInvalidFieldInCdb);
  answer(task, *data, ten ? load_be<u16>(&task.cdb[7]) : task.cdb[4]);
}

// Nothing can be changed, so only what a well-formed list says again is accepted.
void DvdTarget::mode_select(Task& task) {
  const bool ten = task.cdb[0] == kModeSelect10;
  const size_t length = ten ? load_be<u16>(&task.cdb[7]) : task.cdb[4], header = ten ? 8 : 4;
  std::vector<u8> list(length);
  if (task.cdb[1] & 0x01) return refuse(task, sense::kInvalidFieldInCdb);
  if (!length) return good(task);
  if (copy_from_list(task.data_out, list) != length || length < header) return refuse(task, sense::kParameterListLength);
  const size_t descriptors = ten ? load_be<u16>(&list[6]) : list[3];
  if (descriptors > length - header) return refuse(task, sense::kParameterListLength);
  for (size_t at = header + descriptors; at < length;) {
    if (length - at < 2 || length - at < size_t{2} + list[at + 1]) return refuse(task, sense::kParameterListLength);
    if (!dvd::same_page(std::span(list).subspan(at, size_t{2} + list[at + 1]), locked()))
      return refuse(task, sense::kInvalidFieldInParameters);
    at += size_t{2} + list[at + 1];
  }
  good(task, length);
}

}  // namespace ia64::storage::scsi
