// 53C1030: registers, interrupts, resets, targets.
#include "devices/mpt/mpt.h"

#include <algorithm>

#include "base/invariant.h"
#include "base/log.h"
#include "devices/mpt/mpt_request.h"

namespace ia64::devices::mpt {

using storage::scsi::ResetKind;
using storage::scsi::ScsiTarget;
using storage::scsi::Task;

namespace {

// BARs: registers in I/O space, registers in memory, the chip's own memory for diagnostics.
constexpr unsigned kIoBar = 0, kRegisterBar = 1, kDiagnosticBar = 3;
constexpr u64 kIoBytes = 0x100, kMemoryBytes = 0x1'0000;
constexpr unsigned kRegisterBytes = 0x100;

// Like the firmware of a real adapter, ours looks at its targets when the power comes on, which takes their
// power-on unit attention: a driver sees attentions only for resets it asked for.
void discover(ScsiTarget& target) {
  Task task;
  task.cdb[0] = storage::scsi::kRequestSense;
  task.done = [](const storage::scsi::Result&) {};
  target.submit(std::move(task));
}

}  // namespace

Mpt::Mpt(IrqLine& intx, AddressSpace& memory, Clock* deferral)
    : PciDevice({.vendor_id = kVendorId,
                 .device_id = kDeviceId,
                 .revision = kRevisionC0,
                 .class_code = 0x010000,
                 .subsystem_vendor = 0x103c,
                 .subsystem_id = 0x12c5},  // HP's A7173A, which in-box drivers of HP-UX know
                intx, memory),
      deferred_(deferral, [this] { serve_accesses(); }) {
  add_bar(kIoBar, pci::BarKind::Io, kIoBytes);
  add_bar(kRegisterBar, pci::BarKind::Memory64, kMemoryBytes);
  add_bar(kDiagnosticBar, pci::BarKind::Memory64, kMemoryBytes);
  add_msi();
}

Mpt::~Mpt() {
  // Stores finish their requests here, while the rest of this object still stands; the guest does not hear of
  // it.
  std::array<std::unique_ptr<ScsiTarget>, kTargets> gone;
  {
    std::lock_guard lock(mutex_);
    silenced_ = true;
    gone = std::move(targets_);
  }
}

// --- targets

void Mpt::attach(unsigned number, std::unique_ptr<ScsiTarget> target) {
  INVARIANT(number < kTargets && target);
  discover(*target);
  {
    std::lock_guard lock(mutex_);
    INVARIANT(!targets_[number]);
    targets_[number] = std::move(target);
    pages_.set_present(static_cast<u8>(number), true);
    post_event(kEventRescan, number);
  }
  serve();
}

std::unique_ptr<ScsiTarget> Mpt::detach(unsigned number) {
  INVARIANT(number < kTargets);
  std::unique_ptr<ScsiTarget> gone;
  {
    std::unique_lock lock(mutex_);
    if (!targets_[number]) return nullptr;
    gone = std::move(targets_[number]);
    pages_.set_present(static_cast<u8>(number), false);
    idle_changed_.wait(lock, [&] {
      return std::none_of(in_flight_.begin(), in_flight_.end(),
                          [&](const Request& r) { return r.target == number; });
    });
    post_event(kEventRescan, number);
  }
  serve();
  return gone;
}

ScsiTarget* Mpt::target(unsigned number) const {
  std::lock_guard lock(mutex_);
  return number < kTargets ? targets_[number].get() : nullptr;
}

unsigned Mpt::requests_in_flight(unsigned number) const {
  std::lock_guard lock(mutex_);
  return static_cast<unsigned>(
      std::count_if(in_flight_.begin(), in_flight_.end(), [&](const Request& r) { return r.target == number; }));
}

// --- register windows

AccessResult Mpt::bar_read(unsigned bar, u64 offset, unsigned size, u64& value) {
  if (size != 4 || offset % 4) return AccessResult::BadSize;
  value = bar == kDiagnosticBar ? 0xffff'ffff : 0;  // the chip's memory is closed: no firmware lives there
  if (bar == kDiagnosticBar || offset >= kRegisterBytes) return AccessResult::Ok;
  {
    std::lock_guard lock(mutex_);
    value = read_register(static_cast<unsigned>(offset));
  }
  LOG(Mpt, "mpt read +{:#x} -> {:#x}", offset, value);
  if (offset == kReplyQueue) deferred_.request();  // there may be room for a reply that waits
  return AccessResult::Ok;
}

AccessResult Mpt::bar_write(unsigned bar, u64 offset, unsigned size, u64 value) {
  if (size != 4 || offset % 4) return AccessResult::BadSize;
  if (bar == kDiagnosticBar || offset >= kRegisterBytes) return AccessResult::Ok;
  LOG(Mpt, "mpt write +{:#x} <- {:#x}", offset, value);
  {
    std::lock_guard lock(mutex_);
    write_register(static_cast<unsigned>(offset), static_cast<u32>(value));
    if (!deferred_.deferred()) memory_work();
    update_interrupt();
  }
  deferred_.request();
  return AccessResult::Ok;
}

u32 Mpt::read_register(unsigned offset) {
  u32 v = 0;
  switch (offset) {
    case kDoorbell: return doorbell_value();
    case kWriteSequence: return 0;
    case kDiagnostic: return state_.diagnostic;
    case kTestBase: return state_.test_base;
    case kDiagRwData: return 0;
    case kDiagRwAddress: return state_.rw_address;
    case kInterruptStatus:
      if (!state_.posted_replies.empty()) v |= kStatusReply;
      if (state_.doorbell.interrupt()) v |= kStatusDoorbell;
      return v;  // a doorbell write is always taken at once, so bit 31 never shows
    case kInterruptMask: return state_.interrupt_mask;
    case kRequestQueue: return kQueueEmpty;
    case kReplyQueue:
      if (state_.posted_replies.empty()) return kQueueEmpty;
      v = state_.posted_replies.pop();
      if (!deferred_.deferred()) memory_work();
      update_interrupt();
      return v;
    default: LOG_ONCE(Unknown, 0x1030'0000 | offset, "mpt: read of register {:#x}", offset); return 0;
  }
}

void Mpt::write_register(unsigned offset, u32 value) {
  switch (offset) {
    case kDoorbell: return write_doorbell(value);
    case kWriteSequence: return write_sequence(value);
    case kDiagnostic: return write_diagnostic(value);
    case kTestBase: state_.test_base = value; return;
    case kDiagRwAddress: state_.rw_address = value; return;
    case kInterruptStatus: return state_.doorbell.confirm();
    case kInterruptMask: state_.interrupt_mask = value & (kMaskReply | kMaskDoorbell); return;
    case kRequestQueue: return post_request(value);
    case kReplyQueue: return free_reply(value);
    default: LOG_ONCE(Unknown, 0x1031'0000 | offset, "mpt: write of {:#x} to register {:#x}", value, offset);
  }
}

u32 Mpt::doorbell_value() const {
  const u16 data = state_.ioc == kStateFault ? state_.fault_code : state_.doorbell.data();
  return state_.ioc | (state_.doorbell.active() ? kDoorbellActive : 0) |
         u32{state_.who_init} << kWhoInitShift | data;
}

void Mpt::write_doorbell(u32 value) {
  if (state_.doorbell.wants_words()) {
    state_.doorbell.add_word(value);
  } else {
    if (pending_reset_ != Reset::None || state_.ioc == kStateFault) return;  // nobody listens
    switch (value >> kDoorbellFunctionShift) {
      case kDoorbellMessageUnitReset: return begin_reset(Reset::MessageUnit);
      case kDoorbellIoUnitReset: return begin_reset(Reset::IoUnit);
      case kDoorbellHandshake:
        if (state_.doorbell.active() || state_.ioc == kStateReset) return;  // one at a time
        if (const u32 dwords = value >> kDoorbellDwordsShift & 0xff) state_.doorbell.begin(dwords);
        break;
      default:
        LOG_ONCE(Unknown, 0x1032'0000 | value >> kDoorbellFunctionShift, "mpt: doorbell function {:#x}",
                 value);
        return;
    }
  }
}

void Mpt::write_sequence(u32 value) {
  const bool right = (value & 0xf) == kSequenceKeys[state_.sequence_step];
  state_.sequence_step = right ? static_cast<u8>(state_.sequence_step + 1) : u8{0};
  if (!right) state_.diagnostic &= ~kDiagWriteEnabled;
  if (state_.sequence_step < std::size(kSequenceKeys)) return;
  state_.sequence_step = 0;
  state_.diagnostic |= kDiagWriteEnabled;
}

void Mpt::write_diagnostic(u32 value) {
  constexpr u32 kWritable = kDiagPreventBoot | kDiagRwEnable | kDiagDisableArm | kDiagMemoryEnable;
  if (!(state_.diagnostic & kDiagWriteEnabled)) return;
  const u32 history = state_.diagnostic & value & kDiagResetHistory;  // can be cleared, not set
  state_.diagnostic = (value & kWritable) | history | kDiagWriteEnabled;
  if (value & kDiagResetAdapter) begin_reset(Reset::Adapter);
}

void Mpt::post_request(u32 address) {
  if (!operational()) return;
  if (state_.requests.full()) return fault(kFaultQueueOverrun);
  state_.requests.push(address);
}

void Mpt::free_reply(u32 address) {
  if (pending_reset_ != Reset::None || state_.ioc == kStateFault) return;
  if (state_.free_replies.full()) return fault(kFaultQueueOverrun);
  state_.free_replies.push(address);
}

// A message goes out when the level rises: drivers drain the queue before they return from their handler.
void Mpt::update_interrupt() {
  const u32 status = (state_.posted_replies.empty() ? 0 : kStatusReply) |
                     (state_.doorbell.interrupt() ? kStatusDoorbell : 0);
  const bool level = status & ~state_.interrupt_mask;
  if (level == state_.interrupt) return;
  state_.interrupt = level;
  set_intx(level);
  if (level) message_due_ = true;
}

// --- resets and faults

void Mpt::begin_reset(Reset kind) {
  LOG(Mpt, "mpt: reset of kind {}, {} requests in flight", static_cast<int>(kind), in_flight_.size());
  pending_reset_ = std::max(pending_reset_, kind);
  State next;
  next.ioc = kStateReset;
  next.diagnostic = state_.diagnostic;
  next.interrupt = state_.interrupt;
  if (kind <= Reset::IoUnit) next.interrupt_mask = state_.interrupt_mask;
  if (kind == Reset::Adapter)
    next.diagnostic = (state_.diagnostic & kDiagPreventBoot) | kDiagResetHistory | kDiagResetAdapter;
  if (kind == Reset::PowerOn) next.diagnostic = 0;
  state_ = next;
  waiting_.clear();
  management_.clear();
  update_interrupt();
  if (in_flight_.empty()) finish_reset();
}

void Mpt::finish_reset() {
  const Reset kind = std::exchange(pending_reset_, Reset::None);
  const bool stays_down = state_.diagnostic & kDiagPreventBoot && kind == Reset::Adapter;
  state_.ioc = stays_down ? kStateReset : kStateReady;
  state_.diagnostic = kind == Reset::PowerOn ? 0 : state_.diagnostic & ~kDiagResetAdapter;
  if (kind == Reset::MessageUnit) return;
  pages_.reset();
  for (auto& target : targets_) {
    if (!target) continue;
    target->reset(kind == Reset::PowerOn ? ResetKind::PowerOn : ResetKind::Bus);
    if (kind == Reset::PowerOn) discover(*target);
  }
}

// What is in flight ends unheard; only a reset through the diagnostic register helps.
void Mpt::fault(u16 code) {
  LOG(Mpt, "mpt: driver error, fault {:#x}", code);
  State next;
  next.ioc = kStateFault;
  next.fault_code = code;
  next.diagnostic = state_.diagnostic;
  next.interrupt = state_.interrupt;
  next.interrupt_mask = state_.interrupt_mask;
  state_ = next;
  waiting_.clear();
  management_.clear();
  update_interrupt();
}

void Mpt::reset() {
  {
    std::unique_lock lock(mutex_);
    begin_reset(Reset::PowerOn);
    idle_changed_.wait(lock, [this] { return in_flight_.empty(); });
    message_due_ = false;
  }
  reset_pci();
}

bool Mpt::drain(std::chrono::milliseconds limit) {
  if (deferred_.waits()) return false;
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (!idle_changed_.wait_until(lock, end, [this] { return in_flight_.empty(); })) return false;
    }
    for (unsigned n; (n = completing_.load(std::memory_order_acquire)) != 0;) completing_.wait(n);
    std::lock_guard lock(mutex_);
    if (in_flight_.empty()) return true;  // no completion has taken another request from the queue
  }
}

void Mpt::visit_state(StateArchive& a) {
  visit_pci(a);
  std::lock_guard lock(mutex_);
  a(state_, pages_, next_sequence_, waiting_);
  if (a.loading()) management_.clear(), message_due_ = false;
}

void Mpt::inspect(InspectWriter& out) const {
  out.begin(name());
  inspect_pci(out);
  std::lock_guard lock(mutex_);
  out.value("doorbell", doorbell_value());
  out.value("interrupt_mask", state_.interrupt_mask);
  out.value("diagnostic", state_.diagnostic);
  out.value("requests", state_.requests.size());
  out.value("free_replies", state_.free_replies.size());
  out.value("posted_replies", state_.posted_replies.size());
  out.value("waiting_replies", waiting_.size());
  out.value("in_flight", in_flight_.size());
  out.value("reply_frame_bytes", state_.reply_frame_bytes);
  out.value("events", state_.events_on);
  out.end();
}

}  // namespace ia64::devices::mpt
