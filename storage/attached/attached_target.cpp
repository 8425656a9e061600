// Commands of attached devices: what is answered here, what goes to the device.
#include "storage/attached/attached_target.h"

#include <array>

#include "storage/scsi/inquiry.h"

namespace ia64::storage::scsi {

namespace {

constexpr u8 kExtendedCopy = 0x83, kReceiveCopyResults = 0x84;
constexpr Sense kCommunicationLost{SenseKey::HardwareError, 0x08, 0x00};
constexpr size_t kVendorCdbBytes = 12;  // command groups without a length of their own

bool harms_host(const Cdb& cdb) {
  if (cdb[0] == kExtendedCopy || cdb[0] == kReceiveCopyResults) return true;
  const u8 mode = cdb[1] & 0x1f;
  return cdb[0] == kWriteBuffer && mode != 0x00 && mode != 0x02 && mode != 0x0a;  // all but data and the echo buffer
}

Result refused(const Sense& sense) {
  return {.status = Status::CheckCondition, .sense = sense};
}

Result answer(Task& task, std::span<const u8> data, u64 allocation) {
  return {.transferred = copy_to_list(task.data_in, data.first(std::min<u64>(data.size(), allocation)))};
}

Result absent_unit(Task& task) {
  if (task.cdb[0] == kInquiry) return answer(task, absent_unit_inquiry(), load_be<u16>(&task.cdb[3]));
  if (task.cdb[0] == kRequestSense) return answer(task, sense::kNoSuchUnit.encode(), task.cdb[4]);
  return refused(sense::kNoSuchUnit);
}

Result report_luns(Task& task) {
  std::array<u8, 16> data{};
  store_be<u32>(&data[0], 8);
  const u64 allocation = load_be<u32>(&task.cdb[6]);
  return allocation < 16 ? refused(sense::kInvalidFieldInCdb) : answer(task, data, allocation);
}

}  // namespace

AttachedTarget::AttachedTarget(std::unique_ptr<PassThrough> device) : device_(std::move(device)), worker_([this] { run(); }) {}

AttachedTarget::~AttachedTarget() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  worker_.join();
}

void AttachedTarget::submit(Task task) {
  std::lock_guard lock(mutex_);
  queue_.emplace_back(std::move(task));
  wake_.notify_one();
}

void AttachedTarget::reset(ResetKind kind) {
  if (kind == ResetKind::PowerOn) return;
  std::lock_guard lock(mutex_);
  queue_.emplace_back(std::nullopt);
  wake_.notify_one();
}

void AttachedTarget::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (job)
      job->done(perform(*job));
    else
      device_->reset();
    job.reset();
    lock.lock();
  }
}

Result AttachedTarget::perform(Task& task) {
  if (task.lun != 0) return task.cdb[0] == kReportLuns ? report_luns(task) : absent_unit(task);
  if (task.cdb[0] == kReportLuns) return report_luns(task);
  if (harms_host(task.cdb)) return refused(sense::kInvalidFieldInCdb);
  const bool out = !task.data_out.empty();
  const u64 bytes = list_bytes(out ? task.data_out : task.data_in);
  if (bytes > kMaxTransferBytes) return refused(sense::kInvalidFieldInCdb);
  buffer_.resize(bytes);
  copy_from_list(out ? task.data_out : task.data_in, buffer_);
  using Direction = PassedCommand::Direction;
  const size_t length = cdb_bytes(task.cdb[0]) ? cdb_bytes(task.cdb[0]) : kVendorCdbBytes;
  auto outcome = device_->execute({.cdb = std::span(task.cdb).first(length),
                                   .data = buffer_,
                                   .direction = bytes == 0 ? Direction::None : out ? Direction::Out : Direction::In});
  if (outcome.lost) return refused(kCommunicationLost);
  const u64 moved = std::min(outcome.transferred, bytes);
  if (!out) copy_to_list(task.data_in, std::span(buffer_).first(outcome.in_place ? bytes : moved));
  return {.status = static_cast<Status>(outcome.status), .transferred = moved, .raw_sense = std::move(outcome.sense)};
}

}  // namespace ia64::storage::scsi
