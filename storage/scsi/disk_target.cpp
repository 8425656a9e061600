// SCSI disk: command table, inquiry and configuration commands.
#include "storage/scsi/disk_target.h"

#include <algorithm>

#include "base/log.h"

namespace ia64::storage::scsi {

namespace {

constexpr u16 kModeParametersChanged = 0x2a01, kCapacityChanged = 0x2a09;

}  // namespace

#define ON(h) handler(&DiskTarget::h)
const LogicalUnit::Row DiskTarget::kRows[] = {
    {kTestUnitReady, kNeedsMedium, ON(do_nothing)},
    {kRequestSense, kPassesAttention, ON(request_sense)},
    {kRead6, kNeedsMedium | kReads, ON(read)},
    {kWrite6, kNeedsMedium | kWrites, ON(write)},
    {kInquiry, kPassesAttention, ON(inquiry)},
    {kModeSelect6, kWrites, ON(mode_select)},
    {kReserve6, kIgnoresSpc2, ON(reserve)},
    {kRelease6, kIgnoresSpc2, ON(release)},
    {kModeSense6, 0, ON(mode_sense)},
    {kStartStopUnit, kWrites, ON(start_stop)},
    {kSendDiagnostic, kWrites, ON(do_nothing)},
    {kPreventAllow, 0, ON(do_nothing)},
    {kReadCapacity10, kNeedsMedium | kIgnoresSpc2, ON(read_capacity10)},
    {kRead10, kNeedsMedium | kReads, ON(read)},
    {kWrite10, kNeedsMedium | kWrites, ON(write)},
    {kSeek10, kNeedsMedium | kReads, ON(check_range)},
    {kWriteAndVerify10, kNeedsMedium | kWrites, ON(write)},
    {kVerify10, kNeedsMedium | kReads, ON(verify)},
    {kPreFetch10, kNeedsMedium | kReads, ON(check_range)},
    {kSynchronizeCache10, kNeedsMedium | kWrites, ON(synchronize_cache)},
    {kWriteBuffer, kWrites, ON(write_buffer)},
    {kReadBuffer, 0, ON(read_buffer)},
    {kWriteSame10, kNeedsMedium | kWrites, ON(write_same)},
    {kUnmap, kNeedsMedium | kWrites, ON(unmap)},
    {kModeSelect10, kWrites, ON(mode_select)},
    {kReserve10, kIgnoresSpc2, ON(reserve)},
    {kRelease10, kIgnoresSpc2, ON(release)},
    {kModeSense10, 0, ON(mode_sense)},
    {kPersistentReserveIn, 0, ON(persistent_reserve_in)},
    {kPersistentReserveOut, 0, ON(persistent_reserve_out)},
    {kRead16, kNeedsMedium | kReads, ON(read)},
    {kCompareAndWrite, kNeedsMedium | kWrites, ON(compare_and_write)},
    {kWrite16, kNeedsMedium | kWrites, ON(write)},
    {kWriteAndVerify16, kNeedsMedium | kWrites, ON(write)},
    {kVerify16, kNeedsMedium | kReads, ON(verify)},
    {kPreFetch16, kNeedsMedium | kReads, ON(check_range)},
    {kSynchronizeCache16, kNeedsMedium | kWrites, ON(synchronize_cache)},
    {kWriteSame16, kNeedsMedium | kWrites, ON(write_same)},
    {kServiceActionIn16, kNeedsMedium | kIgnoresSpc2, ON(service_action_in)},
    {kReportLuns, kPassesAttention, ON(report_luns)},
    {kRead12, kNeedsMedium | kReads, ON(read)},
    {kWrite12, kNeedsMedium | kWrites, ON(write)},
    {kWriteAndVerify12, kNeedsMedium | kWrites, ON(write)},
    {kVerify12, kNeedsMedium | kReads, ON(verify)},
};
#undef ON
const std::span<const LogicalUnit::Row> DiskTarget::kTable{kRows};

DiskTarget::DiskTarget(std::unique_ptr<BlockDevice> device, DiskIdentity identity)
    : LogicalUnit(kTable), device_(std::move(device)), identity_(std::move(identity)) {}

void DiskTarget::after_reset(ResetKind) {
  modes_.reset();
  stopped_ = false;
}

bool DiskTarget::refresh_capacity() {
  if (!device_->refresh_size()) return false;
  raise_attention(kCapacityChanged);
  return true;
}

// --- commands that describe the disk
// ----------------------------------------------------------------------------------

void DiskTarget::inquiry(Task& task) {
  const u64 allocation = load_be<u16>(&task.cdb[3]);
  const u8 page = task.cdb[2];
  if (task.cdb[1] & 0x02) return refuse(task, sense::kInvalidFieldInCdb);  // CMDDT is obsolete
  if (!(task.cdb[1] & 0x01))
    return page ? refuse(task, sense::kInvalidFieldInCdb) : answer(task, standard_inquiry(identity_), allocation);
  const auto data = vital_product_data(page, identity_);
  data ? answer(task, *data, allocation) : refuse(task, sense::kInvalidFieldInCdb);
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
  const auto verdict = modes_.select(task.cdb, medium(), list);
  if (verdict.sense != sense::kNone) return refuse(task, verdict.sense);
  if (verdict.changed) raise_attention(kModeParametersChanged, task.initiator);
  // Turning the cache off promises that everything written so far is durable.
  if (modes_.write_cache()) return good(task, length);
  device_->submit({.op = BlockOp::Flush, .iov = {}, .done = completion(task, 0, length, true)});
}

void DiskTarget::read_capacity10(Task& task) {
  if (!(task.cdb[8] & 0x01) && load_be<u32>(&task.cdb[2])) return refuse(task, sense::kInvalidFieldInCdb);
  std::array<u8, 8> data{};
  store_be<u32>(&data[0], static_cast<u32>(std::min<u64>(device_->block_count() - 1, 0xffff'ffff)));
  store_be<u32>(&data[4], device_->block_bytes());
  answer(task, data, data.size());
}

void DiskTarget::service_action_in(Task& task) {
  const u8 action = task.cdb[1] & 0x1f;
  if (action == kServiceGetLbaStatus) return get_lba_status(task);
  if (action != kServiceReadCapacity16) return refuse(task, sense::kInvalidFieldInCdb);
  if (!(task.cdb[14] & 0x01) && load_be<u64>(&task.cdb[2])) return refuse(task, sense::kInvalidFieldInCdb);
  std::array<u8, 32> data{};
  store_be<u64>(&data[0], device_->block_count() - 1);
  store_be<u32>(&data[8], device_->block_bytes());
  data[14] = 0x80;  // LBPME: thin
  answer(task, data, load_be<u32>(&task.cdb[10]));
}

// One descriptor an answer: the initiator asks again for what follows.
void DiskTarget::get_lba_status(Task& task) {
  const u64 lba = load_be<u64>(&task.cdb[2]);
  if (lba >= device_->block_count()) return refuse(task, sense::kLbaOutOfRange);
  const auto extent = device_->extent_at(lba * device_->block_bytes());
  std::array<u8, 24> data{};
  store_be<u32>(&data[0], data.size() - 4);
  store_be<u64>(&data[8], lba);
  const u64 blocks = std::max<u64>(extent.size_bytes / device_->block_bytes(), 1);
  store_be<u32>(&data[16], static_cast<u32>(std::min<u64>(blocks, 0xffff'ffff)));
  data[20] = extent.mapped ? 0 : 1;  // mapped, deallocated
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
