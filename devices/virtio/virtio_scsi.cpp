// Virtio SCSI host: configuration, targets and the request queues.
#include "devices/virtio/virtio_scsi.h"

#include <algorithm>

#include "base/invariant.h"
#include "base/log.h"
#include "devices/virtio/virtio_scsi_request.h"

namespace ia64::devices::virtio {

using storage::scsi::Result;
using storage::scsi::ScsiTarget;
using storage::scsi::Task;

namespace {

constexpr u16 kRingSize = 256;
constexpr u32 kSegments = kRingSize - 2;  // a request head and a response go with the data
constexpr u32 kMaxSenseSize = 252, kMaxCdbSize = 255;

// Like the firmware of a real adapter, ours looks at its targets when it starts, which takes their power-on
// unit attention: a driver sees attentions only for resets it asked for.
void discover(ScsiTarget& target) {
  Task task;
  task.cdb[0] = storage::scsi::kRequestSense;
  task.done = [](const Result&) {};
  target.submit(std::move(task));
}

}  // namespace

VirtioScsi::VirtioScsi(const Config& config, IrqLine& intx, AddressSpace& memory)
    : VirtioPci({.type = kScsiDeviceType,
                 .class_code = 0x010000,
                 .subsystem_id = 0x1339,  // HP's AVIO storage adapter
                 .features = kScsiFeatureHotplug | kScsiFeatureChange,
                 .queues = config.request_queues + kScsiRequestQueue,
                 .queue_size = kRingSize,
                 .deferral = config.deferral},
                intx, memory),
      request_queues_(config.request_queues) {
  INVARIANT(config.request_queues >= 1 && config.request_queues <= 64);
}

VirtioScsi::~VirtioScsi() {
  // Stores finish their requests here, while the rest of this object still stands; the guest does not hear of
  // it, for its processors may be gone already.
  std::array<std::unique_ptr<ScsiTarget>, kTargets> gone;
  {
    std::lock_guard lock(mutex_);
    silence();
    gone = std::move(targets_);
  }
}

// --- targets
// ----------------------------------------------------------------------------------------------------------

void VirtioScsi::attach(unsigned number, std::unique_ptr<ScsiTarget> target) {
  INVARIANT(number < kTargets && target);
  discover(*target);
  Interrupts interrupts;
  {
    std::lock_guard lock(mutex_);
    INVARIANT(!targets_[number]);
    targets_[number] = std::move(target);
    report_event(kScsiEventTransportReset, number, kScsiReasonRescan, interrupts);
  }
  send(interrupts);
}

std::unique_ptr<ScsiTarget> VirtioScsi::detach(unsigned number) {
  INVARIANT(number < kTargets);
  std::unique_ptr<ScsiTarget> gone;
  Interrupts interrupts;
  {
    std::unique_lock lock(mutex_);
    if (!targets_[number]) return nullptr;
    gone = std::move(targets_[number]);
    idle_changed_.wait(lock, [&] {
      return std::none_of(in_flight_.begin(), in_flight_.end(),
                          [&](const Request& r) { return r.address.target == number; });
    });
    report_event(kScsiEventTransportReset, number, kScsiReasonRemoved, interrupts);
  }
  send(interrupts);
  return gone;
}

ScsiTarget* VirtioScsi::target(unsigned number) const {
  std::lock_guard lock(mutex_);
  return number < kTargets ? targets_[number].get() : nullptr;
}

unsigned VirtioScsi::requests_in_flight(unsigned number) const {
  std::lock_guard lock(mutex_);
  return static_cast<unsigned>(std::count_if(in_flight_.begin(), in_flight_.end(),
                                             [&](const Request& r) { return r.address.target == number; }));
}

void VirtioScsi::target_changed(unsigned number, u16 code) {
  Interrupts interrupts;
  {
    std::lock_guard lock(mutex_);
    const u32 reason = u32{code} >> 8 | (u32{code} & 0xff) << 8;  // the qualifier is the upper byte
    if (number < kTargets && targets_[number]) report_event(kScsiEventParameterChange, number, reason, interrupts);
  }
  send(interrupts);
}

// --- device configuration
// ---------------------------------------------------------------------------------------------

u32 VirtioScsi::device_config_read(unsigned offset, unsigned size) {
  std::lock_guard lock(mutex_);
  u8 image[kScsiConfigBytes] = {};
  store_le<u32>(image + 0, request_queues_);
  store_le<u32>(image + 4, kSegments);
  store_le<u32>(image + 8, kMaxTransferBytes / 512);
  store_le<u32>(image + 12, 128);  // commands per logical unit
  store_le<u32>(image + 16, 16);   // size of an event
  store_le<u32>(image + kScsiConfigSenseSize, state_.sense_size);
  store_le<u32>(image + kScsiConfigCdbSize, state_.cdb_size);
  store_le<u16>(image + 28, 0);  // last channel
  store_le<u16>(image + 30, kTargets - 1);
  store_le<u32>(image + 32, 0);  // last logical unit
  u32 value = 0;
  if (offset + size <= kScsiConfigBytes) std::memcpy(&value, image + offset, size);
  return value;
}

void VirtioScsi::device_config_write(unsigned offset, unsigned size, u32 value) {
  std::lock_guard lock(mutex_);
  if (size != 4) return;
  if (offset == kScsiConfigSenseSize && value <= kMaxSenseSize) state_.sense_size = value;
  if (offset == kScsiConfigCdbSize && value >= 6 && value <= kMaxCdbSize) state_.cdb_size = value;
}

bool VirtioScsi::idle() const {
  return in_flight_.empty();
}

void VirtioScsi::device_state_reset() {
  state_ = State{};
  management_.clear();
  for (auto& target : targets_) {
    if (!target) continue;
    target->reset(storage::scsi::ResetKind::PowerOn);
    discover(*target);
  }
}

void VirtioScsi::visit_device_state(StateArchive& a) {
  a(state_, next_sequence_);
  if (a.loading()) management_.clear();
  a.require(state_.sense_size <= kMaxSenseSize && state_.cdb_size >= 6 && state_.cdb_size <= kMaxCdbSize, "the size of a request");
}

bool VirtioScsi::drain(std::chrono::milliseconds limit) {
  if (notification_waits()) return false;
  {
    std::unique_lock lock(mutex_);
    if (!idle_changed_.wait_for(lock, limit, [this] { return idle(); })) return false;
  }
  // What completed last may still be on its way to send its interrupt.
  for (unsigned n; (n = completing_.load(std::memory_order_acquire)) != 0;) completing_.wait(n);
  return true;
}

void VirtioScsi::queue_notified(unsigned queue) {
  if (queue == kScsiControlQueue) return serve_control();
  if (queue == kScsiEventQueue) return serve_events();
  serve_requests(queue);
}

// --- requests
// ---------------------------------------------------------------------------------------------------------

void VirtioScsi::serve_requests(unsigned queue) {
  for (;;) {
    RequestList::iterator request;
    Task task;
    Interrupts interrupts;
    ScsiTarget* target = nullptr;
    bool more;
    {
      std::lock_guard lock(mutex_);
      more = next_request(queue, request, task, interrupts);
      if (more && request != in_flight_.end()) target = targets_[request->address.target].get();
    }
    send(interrupts);
    if (!more) return;
    if (!target) continue;  // answered already
    task.done = [this, request](const Result& result) { complete(request, result); };
    target->submit(std::move(task));
  }
}

// Takes one chain. @returns false when there is none; `out` is end() when the chain was answered on the spot.
bool VirtioScsi::next_request(unsigned queue_number, RequestList::iterator& out, Task& task,
                              Interrupts& interrupts) {
  out = in_flight_.end();
  if (!running()) return false;
  auto& ring = queue(queue_number);
  if (spare_.empty()) spare_.emplace_back();
  Request& request = spare_.front();
  auto taken = ring.pop(dma(), features(), request.chain);
  if (taken == Virtqueue::Taken::Empty && ring.arm(dma(), features()))
    taken = ring.pop(dma(), features(), request.chain);
  if (taken == Virtqueue::Taken::Empty) return false;
  request.queue = queue_number;
  if (taken == Virtqueue::Taken::Broken || !parse(request, task)) {
    break_device("bad request chain", interrupts);
    return false;
  }
  request.sequence = next_sequence_++;
  request.ended_by_manager = false;
  in_flight_.splice(in_flight_.end(), spare_, spare_.begin());
  out = std::prev(in_flight_.end());

  auto refusal = ScsiResponse::Ok;
  if (!request.address.valid || !targets_[request.address.target]) refusal = ScsiResponse::BadTarget;
  if (!task.data_in.empty() && !task.data_out.empty())
    refusal = ScsiResponse::Failure;  // two directions were not offered
  if (refusal != ScsiResponse::Ok) {
    respond(request, refusal, {}, interrupts);
    retire(out, interrupts);
    out = in_flight_.end();
  }
  return true;
}

// Head and CDB, then data out; response and sense room, then data in. Element boundaries mean nothing.
bool VirtioScsi::parse(Request& request, Task& task) {
  u8 head[kScsiRequestHeadBytes + kMaxCdbSize];
  const u64 head_bytes = kScsiRequestHeadBytes + state_.cdb_size;
  const u64 response_bytes = kScsiResponseHeadBytes + state_.sense_size;
  const auto& chain = request.chain;
  const u64 out_bytes = total(chain.readable), in_bytes = total(chain.writable);
  if (out_bytes < head_bytes || in_bytes < response_bytes) return false;
  gather(chain.readable, {head, head_bytes});
  request.address = Address::decode(head);
  request.tag = load_le<u64>(head + 8);
  request.sense_bytes = state_.sense_size;
  std::memcpy(task.cdb.data(), head + kScsiRequestHeadBytes,
              std::min<size_t>(state_.cdb_size, task.cdb.size()));
  task.lun = request.address.lun;
  task.data_out = slice(chain.readable, head_bytes, out_bytes);
  task.data_in = slice(chain.writable, response_bytes, in_bytes);
  request.data_bytes = out_bytes - head_bytes + in_bytes - response_bytes;
  return true;
}

void VirtioScsi::complete(RequestList::iterator request, const Result& result) {
  Interrupts interrupts;
  completing_.fetch_add(1, std::memory_order_relaxed);
  {
    std::lock_guard lock(mutex_);
    auto response = result.overrun ? ScsiResponse::Overrun : ScsiResponse::Ok;
    if (request->ended_by_manager) response = request->manager_response;
    respond(*request, response, result, interrupts);
    retire(request, interrupts);
  }
  send(interrupts);
  completing_.fetch_sub(1, std::memory_order_release);
  completing_.notify_all();
}

void VirtioScsi::respond(Request& request, ScsiResponse response, const Result& result,
                         Interrupts& interrupts) {
  // Data that arrived by DMA may lie on translated pages, whatever becomes of the response.
  for (const auto& s : request.chain.writable) dma().written(s.phys, s.size_bytes);
  if (!running()) return;  // being reset: the rings are no longer ours
  std::array<u8, kScsiResponseHeadBytes + kMaxSenseSize> out{};
  if (response == ScsiResponse::Ok && result.status == storage::scsi::Status::CheckCondition) {
    const auto sense = result.sense_bytes();
    const u32 n = std::min<u32>(static_cast<u32>(sense.size()), request.sense_bytes);
    store_le<u32>(&out[0], n);
    std::memcpy(&out[kScsiResponseHeadBytes], sense.data(), n);
  }
  const u64 moved = std::min(result.transferred, request.data_bytes);
  store_le<u32>(&out[4], static_cast<u32>(request.data_bytes - moved));
  out[10] = static_cast<u8>(result.status);
  out[11] = static_cast<u8>(response);
  const u32 head_bytes = kScsiResponseHeadBytes + request.sense_bytes;
  scatter(dma(), request.chain.writable, {out.data(), head_bytes});
  const bool reads = total(request.chain.writable) > head_bytes;
  const u32 written = head_bytes + (reads ? static_cast<u32>(moved) : 0);
  if (queue(request.queue).push(dma(), features(), request.chain.head, written))
    interrupt_queue(request.queue, interrupts);
}

void VirtioScsi::retire(RequestList::iterator request, Interrupts& interrupts) {
  spare_.splice(spare_.begin(), in_flight_, request);
  if (!management_.empty()) finish_management(interrupts);
  if (in_flight_.empty())
    became_idle();
  else
    idle_changed_.notify_all();  // detach() may wait for one target's last request
}

}  // namespace ia64::devices::virtio
