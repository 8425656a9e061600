// Virtio PCI transport.
#include "devices/virtio/virtio_pci.h"

#include <algorithm>
#include <cstring>

#include "base/bits.h"
#include "base/endian.h"
#include "base/invariant.h"
#include "base/log.h"

namespace ia64::devices::virtio {

namespace {

// BAR 0: one 4 KiB page for each structure.
constexpr u32 kBarBytes = 0x4000, kPage = 0x1000;
constexpr u32 kCommonAt = 0x0000, kIsrAt = 0x1000, kDeviceAt = 0x2000, kNotifyAt = 0x3000;
constexpr u32 kNotifyMultiplier = 4;
constexpr unsigned kMsixBar = 1;

// The configuration access capability: offset +8, length +12, data +16; bar +4.
constexpr unsigned kCfgBar = 4, kCfgOffset = 8, kCfgLength = 12, kCfgData = 16;

pci::Identity identity_of(const VirtioPci::Description& d) {
  return {.vendor_id = kVendorId,
          .device_id = static_cast<u16>(kDeviceIdBase + d.type),
          .revision = 1,
          .class_code = d.class_code,
          .subsystem_vendor = d.subsystem_vendor,
          .subsystem_id = d.subsystem_id};
}

}  // namespace

VirtioPci::VirtioPci(const Description& d, IrqLine& intx, AddressSpace& memory)
    : PciDevice(identity_of(d), intx, memory),
      device_features_(d.features | kFeatureVersion1 | kFeatureIndirect | kFeatureEventIndex),
      queue_size_(d.queue_size),
      queues_(d.queues),
      deferred_(d.deferral, [this] { serve_notified(); }) {
  INVARIANT(d.queues >= 1 && d.queues <= 1024);
  add_bar(0, pci::BarKind::Memory32, kBarBytes);
  add_msix(kMsixBar, d.queues + 1);
  add_structure(kCapCommon, kCommonAt, kCommonBytes);
  add_structure(kCapIsr, kIsrAt, 4);
  add_structure(kCapDevice, kDeviceAt, kPage);
  add_structure(kCapNotify, kNotifyAt, kNotifyMultiplier * d.queues);
  add_structure(kCapPciCfg, 0, 0);
  for (auto& q : queues_) q.reset(queue_size_);
}

void VirtioPci::add_structure(u8 type, u32 offset, u32 length) {
  std::vector<u8> body(type == kCapNotify || type == kCapPciCfg ? 18 : 14), writable;
  body[0] = static_cast<u8>(body.size() + 2);
  body[1] = type;
  store_le<u32>(&body[6], offset);
  store_le<u32>(&body[10], length);
  if (type == kCapNotify) store_le<u32>(&body[14], kNotifyMultiplier);
  if (type == kCapPciCfg) {
    writable.resize(18);
    writable[2] = 0xff;  // bar
    std::memset(&writable[6], 0xff, 12);
  }
  const unsigned at = add_capability(pci::kCapVendor, body, writable);
  if (type == kCapPciCfg) pci_cfg_at_ = at;
}

// --- register windows
// -------------------------------------------------------------------------------------------------

AccessResult VirtioPci::bar_read(unsigned bar, u64 offset, unsigned size, u64& value) {
  const unsigned at = offset % kPage;
  value = 0;
  switch (offset / kPage * kPage) {
    case kCommonAt:
      if (at + size <= kCommonBytes) value = common_read(at, size);
      break;
    case kIsrAt:
      if (at == 0) value = read_isr();
      break;
    case kDeviceAt:
      if (size > 4) return AccessResult::BadSize;
      value = device_config_read(at, size);
      break;
    default: break;  // the notification area is write-only
  }
  LOG(Virtio, "{} read +{:#x}/{} -> {:#x}", name(), offset, size, value);
  return AccessResult::Ok;
}

AccessResult VirtioPci::bar_write(unsigned bar, u64 offset, unsigned size, u64 value) {
  const unsigned at = offset % kPage;
  LOG(Virtio, "{} write +{:#x}/{} <- {:#x}", name(), offset, size, value);
  switch (offset / kPage * kPage) {
    case kCommonAt:
      common_write(at, size, static_cast<u32>(value));
      if (size == 8) common_write(at + 4, 4, static_cast<u32>(value >> 32));
      break;
    case kDeviceAt:
      if (size > 4) return AccessResult::BadSize;
      device_config_write(at, size, static_cast<u32>(value));
      break;
    case kNotifyAt:
      // The address, not the value, names the queue.
      if (at % kNotifyMultiplier == 0 && at / kNotifyMultiplier < queues_.size())
        notified(at / kNotifyMultiplier);
      break;
    default: break;  // ISR is read-only
  }
  return AccessResult::Ok;
}

void VirtioPci::notified(unsigned queue) {
  if (!deferred_.deferred()) return queue_notified(queue);
  {
    std::lock_guard lock(mutex_);
    if (std::find(notified_.begin(), notified_.end(), queue) == notified_.end()) notified_.push_back(queue);
  }
  deferred_.request();
}

void VirtioPci::serve_notified() {
  std::vector<unsigned> queues;
  {
    std::lock_guard lock(mutex_);
    queues.swap(notified_);
  }
  for (const unsigned queue : queues) queue_notified(queue);
}

bool VirtioPci::special_config_read(unsigned reg, unsigned size, u32& value) {
  if (reg != pci_cfg_at_ + kCfgData) return false;
  const u32 bar = raw_config(pci_cfg_at_ + kCfgBar, 1), offset = raw_config(pci_cfg_at_ + kCfgOffset, 4),
            length = raw_config(pci_cfg_at_ + kCfgLength, 4);
  if (bar != 0 || length != size || offset >= kBarBytes || offset % size) return false;
  u64 v = 0;
  bar_read(0, offset, size, v);
  value = static_cast<u32>(v);
  return true;
}

bool VirtioPci::special_config_write(unsigned reg, unsigned size, u32 value) {
  if (reg != pci_cfg_at_ + kCfgData) return false;
  const u32 bar = raw_config(pci_cfg_at_ + kCfgBar, 1), offset = raw_config(pci_cfg_at_ + kCfgOffset, 4),
            length = raw_config(pci_cfg_at_ + kCfgLength, 4);
  if (bar != 0 || length != size || offset >= kBarBytes || offset % size) return false;
  bar_write(0, offset, size, value);
  return true;
}

// --- common configuration
// ---------------------------------------------------------------------------------------------

u64 VirtioPci::common_read(unsigned offset, unsigned size) {
  std::lock_guard lock(mutex_);
  u8 image[kCommonBytes + 8] = {};
  const auto half = [](u64 v, u32 select) { return select < 2 ? static_cast<u32>(v >> (32 * select)) : 0; };
  store_le<u32>(image + kDeviceFeatureSelect, state_.device_feature_select);
  store_le<u32>(image + kDeviceFeature, half(device_features_, state_.device_feature_select));
  store_le<u32>(image + kDriverFeatureSelect, state_.driver_feature_select);
  store_le<u32>(image + kDriverFeature, half(state_.driver_features, state_.driver_feature_select));
  store_le<u16>(image + kConfigVector, state_.config_vector);
  store_le<u16>(image + kNumQueues, static_cast<u16>(queues_.size()));
  image[kDeviceStatus] = state_.status;
  store_le<u16>(image + kQueueSelect, state_.queue_select);
  if (state_.queue_select < queues_.size()) {
    const auto& q = queues_[state_.queue_select].setup;
    store_le<u16>(image + kQueueSize, q.size);
    store_le<u16>(image + kQueueVector, q.vector);
    store_le<u16>(image + kQueueEnable, q.enabled);
    store_le<u16>(image + kQueueNotifyOff, state_.queue_select);
    store_le<u64>(image + kQueueDesc, q.desc);
    store_le<u64>(image + kQueueDriver, q.driver);
    store_le<u64>(image + kQueueDevice, q.device);
  }
  return load_le<u64>(image + offset) & low_mask(8 * size);
}

u16 VirtioPci::checked_vector(u32 value) const {
  return value < msix_vectors() ? static_cast<u16>(value) : kNoVector;
}

void VirtioPci::common_write(unsigned offset, unsigned size, u32 value) {
  std::lock_guard lock(mutex_);
  if (state_.resetting) return;
  switch (offset) {
    case kDeviceFeatureSelect: state_.device_feature_select = value; break;
    case kDriverFeatureSelect: state_.driver_feature_select = value; break;
    case kDriverFeature:
      if (!(state_.status & kStatusFeaturesOk) && state_.driver_feature_select < 2)
        state_.driver_features =
            with_field(state_.driver_features, 32 * state_.driver_feature_select, 32, value);
      break;
    case kConfigVector: state_.config_vector = checked_vector(value & 0xffff); break;
    case kDeviceStatus: write_status(static_cast<u8>(value)); break;
    case kQueueSelect: state_.queue_select = static_cast<u16>(value); break;
    default:
      if (offset >= kQueueSize && offset < kCommonBytes && state_.queue_select < queues_.size())
        write_queue(offset, size, value);
  }
}

void VirtioPci::write_queue(unsigned offset, unsigned size, u32 value) {
  auto& q = queues_[state_.queue_select].setup;
  const u16 half = static_cast<u16>(value);
  if (offset == kQueueVector) q.vector = checked_vector(half);
  if (q.enabled) return;  // the rest is fixed while the queue is live
  if (offset == kQueueSize && half && half <= queue_size_ && (half & (half - 1)) == 0) q.size = half;
  if (offset == kQueueEnable && half == 1) q.enabled = true;
  if (offset < kQueueDesc || size < 4 || offset % 4) return;
  GuestPhys& address = offset < kQueueDriver ? q.desc : offset < kQueueDevice ? q.driver : q.device;
  address = with_field(address, offset % 8 * 8, 32, value);
}

void VirtioPci::write_status(u8 value) {
  if (value == 0) {
    state_.resetting = true;
    if (idle()) finish_reset();
    return;
  }
  u8 next = value | (state_.status & kStatusNeedsReset);  // only a reset clears it
  const bool acceptable =
      !(state_.driver_features & ~device_features_) && (state_.driver_features & kFeatureVersion1);
  if ((next & kStatusFeaturesOk) && !(state_.status & kStatusFeaturesOk) && !acceptable)
    next &= static_cast<u8>(~kStatusFeaturesOk);
  state_.status = next;
}

bool VirtioPci::running() const {
  return !state_.resetting && (state_.status & kStatusDriverOk) && !(state_.status & kStatusNeedsReset);
}

// --- reset
// ------------------------------------------------------------------------------------------------------------

void VirtioPci::finish_reset() {
  state_ = State{};
  for (auto& q : queues_) q.reset(queue_size_);
  device_state_reset();
  set_intx(false);
}

void VirtioPci::became_idle() {
  if (state_.resetting) finish_reset();
  idle_changed_.notify_all();
}

void VirtioPci::reset() {
  {
    std::unique_lock lock(mutex_);
    state_.resetting = true;  // nothing that completes from now on touches guest memory
    idle_changed_.wait(lock, [this] { return idle(); });
    finish_reset();
  }
  reset_pci();
}

void VirtioPci::visit_state(StateArchive& a) {
  visit_pci(a);
  std::lock_guard lock(mutex_);
  a(state_);
  a.same(static_cast<u32>(queues_.size()), "the number of queues");
  for (Virtqueue& q : queues_) q.visit_state(a, dma(), queue_size_);
  visit_device_state(a);
}

// --- interrupts
// -------------------------------------------------------------------------------------------------------

u8 VirtioPci::read_isr() {
  std::lock_guard lock(mutex_);
  const u8 isr = state_.isr;
  state_.isr = 0;
  set_intx(false);
  return isr;
}

void VirtioPci::raise(u16 vector, u8 isr_bit, Interrupts& out) {
  if (msix_enabled()) {
    if (vector != kNoVector) out.add(vector);
    return;
  }
  state_.isr |= isr_bit;
  set_intx(true);
}

void VirtioPci::interrupt_queue(unsigned n, Interrupts& out) {
  raise(queues_[n].setup.vector, kIsrQueue, out);
}

void VirtioPci::break_device(const char* why, Interrupts& out) {
  LOG(Virtio, "{}: driver error: {}; reset needed", name(), why);
  state_.status |= kStatusNeedsReset;
  if (state_.status & kStatusDriverOk) raise(state_.config_vector, kIsrConfig, out);
}

void VirtioPci::send(const Interrupts& interrupts) {
  for (unsigned i = 0; i < interrupts.count; i++) raise_msix(interrupts.vectors[i]);
}

void VirtioPci::inspect(InspectWriter& out) const {
  out.begin(name());
  inspect_pci(out);
  std::lock_guard lock(mutex_);
  out.value("status", state_.status);
  out.value("features", state_.driver_features);
  out.value("isr", state_.isr);
  for (size_t n = 0; n < queues_.size(); n++) {
    const auto& q = queues_[n].setup;
    if (!q.enabled) continue;
    out.begin(fmt::format("queue{}", n));
    out.value("size", q.size);
    out.value("vector", q.vector);
    out.value("desc", q.desc);
    out.end();
  }
  out.end();
}

}  // namespace ia64::devices::virtio
