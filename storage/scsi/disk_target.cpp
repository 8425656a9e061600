// SCSI disk: command table, inquiry and configuration commands.
#include "storage/scsi/disk_target.h"

#include <algorithm>

#include "base/log.h"

namespace ia64::storage::scsi {

namespace {

// Row flags.
constexpr u8 kPassesAttention = 1;  // runs although a unit attention is pending, and leaves it pending
constexpr u8 kNeedsMedium = 2;

constexpr u16 kPowerOnAttention = 0x2901;
constexpr u64 kReportLunsUnit = 0xc101;  // well-known logical unit

u16 attention_of(ResetKind kind) {
  switch (kind) {
    case ResetKind::Bus: return 0x2902;
    case ResetKind::Target:
    case ResetKind::LogicalUnit: return 0x2903;
    default: return kPowerOnAttention;
  }
}

}  // namespace

const DiskTarget::Row DiskTarget::kRows[] = {
    {kTestUnitReady, kNeedsMedium, &DiskTarget::do_nothing},
    {kRequestSense, kPassesAttention, &DiskTarget::request_sense},
    {kRead6, kNeedsMedium, &DiskTarget::read},
    {kWrite6, kNeedsMedium, &DiskTarget::write},
    {kInquiry, kPassesAttention, &DiskTarget::inquiry},
    {kModeSelect6, 0, &DiskTarget::mode_select},
    {kReserve6, 0, &DiskTarget::do_nothing},  // one initiator: a reservation never conflicts
    {kRelease6, 0, &DiskTarget::do_nothing},
    {kModeSense6, 0, &DiskTarget::mode_sense},
    {kStartStopUnit, 0, &DiskTarget::start_stop},
    {kSendDiagnostic, 0, &DiskTarget::do_nothing},
    {kPreventAllow, 0, &DiskTarget::do_nothing},
    {kReadCapacity10, kNeedsMedium, &DiskTarget::read_capacity10},
    {kRead10, kNeedsMedium, &DiskTarget::read},
    {kWrite10, kNeedsMedium, &DiskTarget::write},
    {kWriteAndVerify10, kNeedsMedium, &DiskTarget::write},
    {kVerify10, kNeedsMedium, &DiskTarget::verify},
    {kSynchronizeCache10, kNeedsMedium, &DiskTarget::synchronize_cache},
    {kWriteSame10, kNeedsMedium, &DiskTarget::write_same},
    {kUnmap, kNeedsMedium, &DiskTarget::unmap},
    {kModeSelect10, 0, &DiskTarget::mode_select},
    {kReserve10, 0, &DiskTarget::do_nothing},
    {kRelease10, 0, &DiskTarget::do_nothing},
    {kModeSense10, 0, &DiskTarget::mode_sense},
    {kRead16, kNeedsMedium, &DiskTarget::read},
    {kWrite16, kNeedsMedium, &DiskTarget::write},
    {kWriteAndVerify16, kNeedsMedium, &DiskTarget::write},
    {kVerify16, kNeedsMedium, &DiskTarget::verify},
    {kSynchronizeCache16, kNeedsMedium, &DiskTarget::synchronize_cache},
    {kWriteSame16, kNeedsMedium, &DiskTarget::write_same},
    {kServiceActionIn16, kNeedsMedium, &DiskTarget::service_action_in},
    {kReportLuns, kPassesAttention, &DiskTarget::report_luns},
    {kRead12, kNeedsMedium, &DiskTarget::read},
    {kWrite12, kNeedsMedium, &DiskTarget::write},
    {kWriteAndVerify12, kNeedsMedium, &DiskTarget::write},
    {kVerify12, kNeedsMedium, &DiskTarget::verify},
};

const DiskTarget::Row* DiskTarget::find(u8 opcode) {
  const auto* row = std::lower_bound(std::begin(kRows), std::end(kRows), opcode,
                                     [](const Row& r, u8 code) { return r.opcode < code; });
  return row != std::end(kRows) && row->opcode == opcode ? row : nullptr;
}

DiskTarget::DiskTarget(std::unique_ptr<BlockDevice> device, DiskIdentity identity)
    : device_(std::move(device)), identity_(std::move(identity)), attention_(kPowerOnAttention) {}

void DiskTarget::reset(ResetKind kind) {
  modes_.reset();
  stopped_ = false;
  attention_ = attention_of(kind);
}

void DiskTarget::submit(Task task) {
  LOG(Scsi, "{}: opcode {:#04x} lba {:#x} lun {:#x}", describe(), task.cdb[0], block_range(task.cdb).lba,
      task.lun);
  const unsigned length = cdb_bytes(task.cdb[0]);
  const Row* row = find(task.cdb[0]);
  if (task.lun != 0 && !(task.lun == kReportLunsUnit && task.cdb[0] == kReportLuns)) return absent_unit(task);
  if (!row) {
    LOG_ONCE(Unknown, 0x5c51'0000u | task.cdb[0], "SCSI disk: unknown opcode {:#04x}", task.cdb[0]);
    return refuse(task, sense::kInvalidOpcode);
  }
  if (!(row->flags & kPassesAttention)) {
    if (const u16 code = attention_.exchange(0))
      return refuse(task, {SenseKey::UnitAttention, static_cast<u8>(code >> 8), static_cast<u8>(code)});
  }
  if (task.cdb[length - 1] & 0x04) return refuse(task, sense::kInvalidFieldInCdb);  // NACA is not supported
  if ((row->flags & kNeedsMedium) && stopped_) return refuse(task, sense::kBecomingReady);
  (this->*row->handler)(task);
}

// --- answers
// ----------------------------------------------------------------------------------------------------------

void DiskTarget::good(Task& task, u64 transferred) {
  task.done({.transferred = transferred});
}

void DiskTarget::refuse(Task& task, const Sense& sense) {
  LOG(Scsi, "{}: opcode {:#04x} refused: key {} asc {:#x}/{:#x}", describe(), task.cdb[0],
      static_cast<int>(sense.key), sense.asc, sense.ascq);
  task.done({.status = Status::CheckCondition, .sense = sense});
}

void DiskTarget::answer(Task& task, std::span<const u8> data, u64 allocation_bytes) {
  good(task, copy_to_list(task.data_in, data.first(std::min<u64>(data.size(), allocation_bytes))));
}

// --- commands that describe the disk
// ----------------------------------------------------------------------------------

void DiskTarget::absent_unit(Task& task) {
  if (task.cdb[0] == kInquiry) return answer(task, absent_unit_inquiry(), load_be<u16>(&task.cdb[3]));
  if (task.cdb[0] == kReportLuns) return report_luns(task);
  if (task.cdb[0] == kRequestSense) return answer(task, sense::kNoSuchUnit.encode(), task.cdb[4]);
  refuse(task, sense::kNoSuchUnit);
}

void DiskTarget::inquiry(Task& task) {
  const u64 allocation = load_be<u16>(&task.cdb[3]);
  const u8 page = task.cdb[2];
  if (task.cdb[1] & 0x02) return refuse(task, sense::kInvalidFieldInCdb);  // CMDDT is obsolete
  if (!(task.cdb[1] & 0x01))
    return page ? refuse(task, sense::kInvalidFieldInCdb)
                : answer(task, standard_inquiry(identity_), allocation);
  const auto data = vital_product_data(page, identity_);
  data ? answer(task, *data, allocation) : refuse(task, sense::kInvalidFieldInCdb);
}

void DiskTarget::request_sense(Task& task) {
  if (task.cdb[1] & 0x01) return refuse(task, sense::kInvalidFieldInCdb);  // descriptor format
  Sense sense = stopped_ ? sense::kBecomingReady : sense::kNone;
  if (const u16 code = attention_.exchange(0))
    sense = {SenseKey::UnitAttention, static_cast<u8>(code >> 8), static_cast<u8>(code)};
  answer(task, sense.encode(), task.cdb[4]);
}

void DiskTarget::report_luns(Task& task) {
  const u64 allocation = load_be<u32>(&task.cdb[6]);
  if (allocation < 16 || task.cdb[2] > 2) return refuse(task, sense::kInvalidFieldInCdb);
  std::array<u8, 16> data{};
  store_be<u32>(&data[0], 8);  // one entry, logical unit 0
  answer(task, data, allocation);
}

ModePages::Medium DiskTarget::medium() const {
  return {device_->block_count(), device_->block_bytes(), device_->read_only()};
}

void DiskTarget::mode_sense(Task& task) {
  Sense why;
  const auto data = modes_.sense(task.cdb, medium(), why);
  if (!data) return refuse(task, why);
  answer(task, *data, task.cdb[0] == kModeSense6 ? task.cdb[4] : load_be<u16>(&task.cdb[7]));
}

void DiskTarget::mode_select(Task& task) {
  const size_t length = task.cdb[0] == kModeSelect6 ? task.cdb[4] : load_be<u16>(&task.cdb[7]);
  std::vector<u8> list(length);
  if (copy_from_list(task.data_out, list) != length) return refuse(task, sense::kParameterListLength);
  const Sense verdict = modes_.select(task.cdb, medium(), list);
  if (verdict != sense::kNone) return refuse(task, verdict);
  // Turning the cache off promises that everything written so far is durable.
  if (modes_.write_cache()) return good(task, length);
  device_->submit({.op = BlockOp::Flush, .iov = {}, .done = completion(task, 0, length, true)});
}

void DiskTarget::read_capacity10(Task& task) {
  std::array<u8, 8> data{};
  store_be<u32>(&data[0], static_cast<u32>(std::min<u64>(device_->block_count() - 1, 0xffff'ffff)));
  store_be<u32>(&data[4], device_->block_bytes());
  answer(task, data, data.size());
}

void DiskTarget::service_action_in(Task& task) {
  if ((task.cdb[1] & 0x1f) != kServiceReadCapacity16) return refuse(task, sense::kInvalidFieldInCdb);
  std::array<u8, 32> data{};
  store_be<u64>(&data[0], device_->block_count() - 1);
  store_be<u32>(&data[8], device_->block_bytes());
  data[14] = 0x80;  // LBPME: thin
  answer(task, data, load_be<u32>(&task.cdb[10]));
}

void DiskTarget::start_stop(Task& task) {
  const bool start = task.cdb[4] & 0x01;
  if (task.cdb[4] & 0xf2) return refuse(task, sense::kInvalidFieldInCdb);  // power conditions, load/eject
  stopped_ = !start;
  if (start) return good(task);
  device_->submit({.op = BlockOp::Flush, .iov = {}, .done = completion(task, 0, 0, true)});
}

}  // namespace ia64::storage::scsi
