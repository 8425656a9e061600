// Virtio PCI transport and split ring, driver side.
#include "firmware/media/virtio_queue.h"

#include <algorithm>
#include <atomic>

#include "base/bits.h"
#include "base/log.h"

namespace ia64::firmware {

namespace {

// @source VIRTIO 1.1, 4.1.4.3
enum : unsigned {
  kDriverFeatureSelect = 8,
  kDriverFeature = 12,
  kDeviceFeatureSelect = 0,
  kDeviceFeature = 4,
  kStatus = 20,
  kQueueSelect = 22,
  kQueueSize = 24,
  kQueueVector = 26,
  kQueueEnable = 28,
  kQueueNotifyOff = 30,
  kQueueDesc = 32,
  kQueueDriver = 40,
  kQueueDevice = 48,
};
enum : u8 { kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8, kFailed = 0x80 };
enum : u8 { kCommonStructure = 1, kNotifyStructure = 2, kDeviceStructure = 4 };
constexpr u16 kNext = 1, kWritable = 2, kNoVector = 0xffff;
constexpr u16 kNoInterrupt = 1;
constexpr u32 kVersion1 = 1;  // bit 32 of the features: bit 0 of the second word

// Places inside the ring memory.
constexpr u64 kAvailableAt = 0x1000, kUsedAt = 0x2000;

constexpr unsigned kCapabilities = 0x34, kPciStatus = 0x06, kCommand = 0x04;
constexpr u32 kVendorCapability = 0x09, kHasCapabilities = 0x10, kMemoryAndMaster = 6;

}  // namespace

u64 VirtioQueue::common(unsigned offset, unsigned size) const {
  u64 v = 0;
  bus_.read(common_ + offset, size, v);
  return v;
}
void VirtioQueue::set_common(unsigned offset, unsigned size, u64 value) {
  bus_.write(common_ + offset, size, value);
}

u32 VirtioQueue::device_config(unsigned offset) const {
  u64 v = 0;
  bus_.read(device_ + offset, 4, v);
  return static_cast<u32>(v);
}

bool VirtioQueue::find_structures(PciConfig& config, const PciFunction& function) {
  if (!(config.read(kPciStatus, 2) & kHasCapabilities)) return false;
  unsigned at = config.read(kCapabilities, 1) & 0xfc;
  for (unsigned n = 0; at >= 0x40 && n < 48; n++, at = config.read(at + 1, 1) & 0xfc) {
    if (config.read(at, 1) != kVendorCapability) continue;
    const u32 type = config.read(at + 3, 1), bar = config.read(at + 4, 1);
    const u64 offset = config.read(at + 8, 4), length = config.read(at + 12, 4);
    if (bar >= function.bars.size()) continue;
    const PciBar& b = function.bars[bar];
    if (b.io || !b.base || offset > b.size_bytes || length > b.size_bytes - offset) continue;
    const GuestPhys where = b.base + offset;
    if (type == kCommonStructure && !common_ && length >= 56) common_ = where;
    if (type == kDeviceStructure && !device_) device_ = where;
    if (type == kNotifyStructure && !notify_base_)
      notify_base_ = where, notify_multiplier_ = config.read(at + 16, 4);
  }
  return common_ && notify_base_;
}

bool VirtioQueue::wait(const std::function<bool()>& done) {
  constexpr u64 kGiveUp = 1'000'000;  // with the default relax, about a minute
  for (u64 spins = 0; spins < kGiveUp; spins++) {
    if (done()) return true;
    relax_(spins);
  }
  return false;
}

void VirtioQueue::stop() {
  set_common(kStatus, 1, 0);
  if (!wait([this] { return common(kStatus, 1) == 0; }))
    LOG(Warn, "a virtio device does not finish its reset");
}

bool VirtioQueue::negotiate() {
  stop();
  set_common(kStatus, 1, kAcknowledge);
  set_common(kStatus, 1, kAcknowledge | kDriver);
  set_common(kDeviceFeatureSelect, 4, 1);
  if (!(common(kDeviceFeature, 4) & kVersion1)) return false;
  for (const u32 word : {0u, 1u}) {
    set_common(kDriverFeatureSelect, 4, word);
    set_common(kDriverFeature, 4, word == 1 ? kVersion1 : 0);
  }
  set_common(kStatus, 1, kAcknowledge | kDriver | kFeaturesOk);
  return common(kStatus, 1) & kFeaturesOk;
}

bool VirtioQueue::set_up(u16 index) {
  index_ = index;
  set_common(kQueueSelect, 2, index);
  const u64 offered = common(kQueueSize, 2);
  if (offered == 0 || offered > 0x8000) return false;
  size_ = static_cast<u16>(std::min<u64>(offered, kMaxSize));
  set_common(kQueueSize, 2, size_);
  set_common(kQueueVector, 2, kNoVector);
  for (u64 at = 0; at < kRingBytes; at += 8) bus_.write(rings_ + at, 8, 0);
  bus_.write(rings_ + kAvailableAt, 2, kNoInterrupt);
  const std::pair<unsigned, GuestPhys> places[] = {
      {kQueueDesc, rings_}, {kQueueDriver, rings_ + kAvailableAt}, {kQueueDevice, rings_ + kUsedAt}};
  for (const auto& [reg, where] : places) {
    set_common(reg, 4, where & 0xffff'ffff);
    set_common(reg + 4, 4, where >> 32);
  }
  notify_ = notify_base_ + common(kQueueNotifyOff, 2) * notify_multiplier_;
  set_common(kQueueEnable, 2, 1);
  set_common(kStatus, 1, kAcknowledge | kDriver | kFeaturesOk | kDriverOk);
  return true;
}

std::unique_ptr<VirtioQueue> VirtioQueue::open(AddressSpace& bus, const BoardDescription& board,
                                               const PciFunction& function, u16 index, GuestPhys rings,
                                               Relax relax) {
  std::unique_ptr<VirtioQueue> q(new VirtioQueue(bus, rings, std::move(relax)));
  PciConfig config(bus, board, function);
  config.write(kCommand, 2, config.read(kCommand, 2) | kMemoryAndMaster);
  if (q->find_structures(config, function) && q->negotiate() && q->set_up(index)) return q;
  if (q->common_) q->set_common(kStatus, 1, kFailed);
  LOG(Warn, "PCI {}:{}.{}: virtio device cannot be used", function.bus, function.device, function.function);
  return nullptr;
}

bool VirtioQueue::submit(std::span<const GuestSpan> readable, std::span<const GuestSpan> writable) {
  const size_t count = readable.size() + writable.size();
  if (dead_ || count == 0 || count > size_) return false;
  for (size_t n = 0; n < count; n++) {
    const bool write = n >= readable.size();
    const GuestSpan& s = write ? writable[n - readable.size()] : readable[n];
    const GuestPhys d = rings_ + n * 16;
    const u16 flags = static_cast<u16>((write ? kWritable : 0) | (n + 1 < count ? kNext : 0));
    bus_.write(d, 8, s.phys);
    bus_.write(d + 8, 8, s.size_bytes | u64{flags} << 32 | u64{n + 1} << 48);
  }
  bus_.write(rings_ + kAvailableAt + 4 + 2 * (available_ % size_), 2, 0);  // the chain starts at descriptor 0
  std::atomic_thread_fence(std::memory_order_seq_cst);
  bus_.write(rings_ + kAvailableAt + 2, 2, ++available_);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  bus_.write(notify_, 2, index_);
  const bool used = wait([this] {
    u64 index = 0;
    bus_.read(rings_ + kUsedAt + 2, 2, index);
    std::atomic_thread_fence(std::memory_order_acquire);
    return static_cast<u16>(index) == available_;
  });
  if (!used) {
    LOG(Warn, "a virtio device does not answer; firmware gives it up");
    dead_ = true;
    stop();
  }
  return used;
}

}  // namespace ia64::firmware
