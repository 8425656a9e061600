// 53C1030: SCSI task management.
#include <algorithm>

#include "base/log.h"
#include "devices/mpt/mpt.h"
#include "devices/mpt/mpt_request.h"

namespace ia64::devices::mpt {

using storage::scsi::ResetKind;

IocStatus Mpt::check_management(const Management& m) const {
  if (m.bus != 0) return IocStatus::ScsiInvalidBus;
  if (m.type == TaskType::ResetBus) return IocStatus::Success;
  if (m.target >= kTargets) return IocStatus::ScsiInvalidTargetId;
  if (!targets_[m.target]) return IocStatus::ScsiDeviceNotThere;
  return IocStatus::Success;
}

void Mpt::manage(Frame frame) {
  Management m;
  m.reply = Reply(frame, kTaskReplyBytes);
  m.type = static_cast<TaskType>(frame[kTaskAtType]);
  m.reply.bytes[5] = frame[kTaskAtType];
  m.target = frame[kScsiAtTarget];
  m.bus = frame[kScsiAtBus];
  m.lun = decode_lun(&frame[kTaskAtLun]);
  m.task_context = load_le<u32>(&frame[kTaskAtContext]);
  m.sequence = next_sequence_;
  LOG(Mpt, "mpt: task management {} target {} lun {}", frame[kTaskAtType], m.target, m.lun);

  const auto fail = [&](IocStatus status, TaskResponse response) {
    m.reply.status(status);
    m.reply.bytes[kTaskReplyAtResponse] = static_cast<u8>(response);
    post_reply(m.reply);
  };
  switch (m.type) {
    case TaskType::AbortTask:
    case TaskType::TargetReset:
    case TaskType::ResetBus:
    case TaskType::QueryTask: break;
    case TaskType::AbortTaskSet:
    case TaskType::LogicalUnitReset:
    case TaskType::ClearTaskSet:
      if (m.lun != 0) return fail(IocStatus::ScsiTaskManagementFailed, TaskResponse::InvalidLun);
      break;
    default: return fail(IocStatus::ScsiTaskManagementFailed, TaskResponse::NotSupported);
  }
  if (const auto status = check_management(m); status != IocStatus::Success)
    return fail(status, TaskResponse::Failed);
  if (outstanding() >= 2 * kCredits) return fail(IocStatus::InsufficientResources, TaskResponse::Failed);
  if (m.type == TaskType::QueryTask)
    return fail(IocStatus::Success, waits(m) ? TaskResponse::Succeeded : TaskResponse::Complete);
  end_tasks(m);
  management_.push_back(std::move(m));
  finish_management();
}

void Mpt::end_tasks(Management& m) {
  for (auto& r : in_flight_) {
    if (!m.covers(r) || r.ended_by_manager) continue;
    r.ended_by_manager = true;
    m.ended++;
  }
}

bool Mpt::waits(const Management& m) const {
  return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const Request& r) { return m.covers(r); });
}

void Mpt::finish_management() {
  // A reply can end in a fault, which drops the whole list: what is done leaves it first.
  std::list<Management> done;
  for (auto it = management_.begin(); it != management_.end();) {
    const auto next = std::next(it);
    if (!waits(*it)) done.splice(done.end(), management_, it);
    it = next;
  }
  for (auto& m : done) {
    reset_targets(m);
    store_le<u32>(&m.reply.bytes[kTaskReplyAtCount], m.ended);
    if (operational()) post_reply(m.reply);
    if (m.type == TaskType::ResetBus) post_event(kEventIocBusReset, 0);
  }
}

void Mpt::reset_targets(const Management& m) {
  for (unsigned n = 0; n < kTargets; n++) {
    if (!targets_[n] || (m.type != TaskType::ResetBus && n != m.target)) continue;
    switch (m.type) {
      case TaskType::ResetBus: targets_[n]->reset(ResetKind::Bus); break;
      case TaskType::TargetReset: targets_[n]->reset(ResetKind::Target); break;
      case TaskType::LogicalUnitReset: targets_[n]->reset(ResetKind::LogicalUnit); break;
      default: break;
    }
  }
}

}  // namespace ia64::devices::mpt
