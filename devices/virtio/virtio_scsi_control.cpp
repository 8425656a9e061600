// Virtio SCSI host: task management and events.
#include "base/log.h"
#include "devices/virtio/virtio_scsi.h"
#include "devices/virtio/virtio_scsi_request.h"

namespace ia64::devices::virtio {

namespace {

constexpr unsigned kManagementBytes = 24;    // type, subtype, lun, tag
constexpr unsigned kNotificationBytes = 16;  // type, lun, event mask

}  // namespace

// --- control queue
// ----------------------------------------------------------------------------------------------------

void VirtioScsi::serve_control() {
  Interrupts interrupts;
  {
    std::lock_guard lock(mutex_);
    auto& ring = queue(kScsiControlQueue);
    while (running()) {
      Chain chain;
      const auto taken = ring.pop(dma(), features(), chain);
      if (taken == Virtqueue::Taken::Broken)
        break_device("bad control chain", interrupts);
      else if (taken == Virtqueue::Taken::Chain)
        control(std::move(chain), interrupts);
      else if (!ring.arm(dma(), features()))
        break;
    }
  }
  send(interrupts);
}

void VirtioScsi::control(Chain chain, Interrupts& interrupts) {
  u8 head[kManagementBytes] = {};
  const u64 bytes = gather(chain.readable, head);
  const u32 type = load_le<u32>(head);
  if (bytes >= 4 && (type == kScsiTypeAnQuery || type == kScsiTypeAnSubscribe) && bytes >= kNotificationBytes)
    return answer(chain, ScsiResponse::Ok, 4, interrupts);  // no asynchronous notification events exist
  if (type != kScsiTypeTmf || bytes < kManagementBytes) {
    LOG_ONCE(Unknown, 0x7105'0000 | type, "virtio-scsi: unknown control request {}", type);
    return answer(chain, ScsiResponse::Failure, 0, interrupts);
  }
  Management m;
  m.address = Address::decode(head + 8);
  m.tag = load_le<u64>(head + 16);
  m.sequence = next_sequence_;
  m.chain = std::move(chain);
  manage(m, load_le<u32>(head + 4), interrupts);
}

// An answer is `head_bytes` of zeroes (the event mask of a notification query) and the response byte.
void VirtioScsi::answer(const Chain& chain, ScsiResponse response, u32 head_bytes, Interrupts& interrupts) {
  u8 out[5] = {};
  out[head_bytes] = static_cast<u8>(response);
  const auto written = static_cast<u32>(scatter(dma(), chain.writable, {out, head_bytes + 1}));
  if (queue(kScsiControlQueue).push(dma(), features(), chain.head, written))
    interrupt_queue(kScsiControlQueue, interrupts);
}

void VirtioScsi::manage(Management& m, u32 subtype, Interrupts& interrupts) {
  LOG(Virtio, "virtio-scsi: task management {} target {} lun {}", subtype, m.address.target, m.address.lun);
  if (!m.address.valid || !targets_[m.address.target])
    return answer(m.chain, ScsiResponse::BadTarget, 0, interrupts);
  const auto function = static_cast<Tmf>(subtype);
  m.by_tag = function == Tmf::AbortTask || function == Tmf::QueryTask;
  m.whole_target = function == Tmf::NexusReset;
  m.resets = function == Tmf::NexusReset || function == Tmf::LogicalUnitReset;
  if (!m.whole_target && m.address.lun != 0)
    return answer(m.chain, ScsiResponse::IncorrectLun, 0, interrupts);

  switch (function) {
    case Tmf::QueryTask:
    case Tmf::QueryTaskSet:
      return answer(m.chain, waits(m) ? ScsiResponse::FunctionSucceeded : ScsiResponse::Ok, 0, interrupts);
    case Tmf::AbortTask:
    case Tmf::AbortTaskSet:
    case Tmf::ClearTaskSet:
    case Tmf::NexusReset:
    case Tmf::LogicalUnitReset: break;
    default: return answer(m.chain, ScsiResponse::FunctionRejected, 0, interrupts);
  }
  for (auto& r : in_flight_) {
    if (!m.covers(r) || r.ended_by_manager) continue;
    r.ended_by_manager = true;
    r.manager_response = m.resets ? ScsiResponse::Reset : ScsiResponse::Aborted;
  }
  management_.push_back(std::move(m));
  finish_management(interrupts);
}

bool VirtioScsi::waits(const Management& m) const {
  return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const Request& r) { return m.covers(r); });
}

void VirtioScsi::finish_management(Interrupts& interrupts) {
  for (auto it = management_.begin(); it != management_.end();) {
    if (waits(*it)) {
      ++it;
      continue;
    }
    using storage::scsi::ResetKind;
    if (auto& target = targets_[it->address.target]; it->resets && target)
      target->reset(it->whole_target ? ResetKind::Target : ResetKind::LogicalUnit);
    if (running()) answer(it->chain, ScsiResponse::Ok, 0, interrupts);
    it = management_.erase(it);
  }
}

// --- event queue
// ------------------------------------------------------------------------------------------------------

void VirtioScsi::serve_events() {
  Interrupts interrupts;
  {
    std::lock_guard lock(mutex_);
    if (state_.events_missed) report_event(kScsiEventNone, 0, 0, interrupts);
  }
  send(interrupts);
}

void VirtioScsi::report_event(u32 event, unsigned number, u32 reason, Interrupts& interrupts) {
  const u64 feature = event == kScsiEventParameterChange ? kScsiFeatureChange
                      : event == kScsiEventNone          ? kScsiFeatureChange | kScsiFeatureHotplug
                                                         : kScsiFeatureHotplug;
  if (!running() || !(features() & feature)) return;
  auto& ring = queue(kScsiEventQueue);
  Chain chain;
  const auto taken = ring.pop(dma(), features(), chain);
  if (taken == Virtqueue::Taken::Broken) return break_device("bad event chain", interrupts);
  if (taken == Virtqueue::Taken::Empty) {
    ring.arm(dma(), features());
    state_.events_missed = true;
    return;
  }
  u8 out[16] = {};
  store_le<u32>(out, event | (state_.events_missed ? kScsiEventMissed : 0));
  // Unit 0 in peripheral addressing: Linux takes all 16 bits behind the target for the unit's number.
  if (event != kScsiEventNone) out[4] = 1, out[5] = static_cast<u8>(number);
  store_le<u32>(out + 12, reason);
  state_.events_missed = false;
  const auto written = static_cast<u32>(scatter(dma(), chain.writable, out));
  if (ring.push(dma(), features(), chain.head, written)) interrupt_queue(kScsiEventQueue, interrupts);
}

}  // namespace ia64::devices::virtio
