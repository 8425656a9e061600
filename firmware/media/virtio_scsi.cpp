// virtio-scsi commands.
#include "firmware/media/virtio_scsi.h"

#include <algorithm>

#include "base/endian.h"

namespace ia64::firmware {

namespace {

// @source VIRTIO 1.1, 5.6.4 and 5.6.6.1
enum : unsigned { kConfigSegMax = 4, kConfigMaxSectors = 8, kConfigMaxTarget = 30 };
constexpr u16 kRequestQueue = 2;
constexpr size_t kRequestBytes = 51, kResponseBytes = 108, kSenseAt = 12;
constexpr u8 kCheckCondition = 0x02;
constexpr u8 kResponseOk = 0;
constexpr u64 kRequestAt = VirtioQueue::kRingBytes, kResponseAt = kRequestAt + 256;

}  // namespace

std::unique_ptr<VirtioScsi> VirtioScsi::attach(AddressSpace& bus, const BoardDescription& board,
                                               const PciFunction& function, GuestPhys memory, Relax relax) {
  if (function.vendor_id != kVendorId || function.device_id != kDeviceId) return nullptr;
  std::unique_ptr<VirtioScsi> s(new VirtioScsi(bus, memory));
  s->queue_ = VirtioQueue::open(bus, board, function, kRequestQueue, memory, std::move(relax));
  if (!s->queue_) return nullptr;
  const u64 segments = s->queue_->device_config(kConfigSegMax),
            sectors = s->queue_->device_config(kConfigMaxSectors);
  constexpr u64 kMaxTransfer = 4 << 20;
  s->max_segments_ = std::clamp<u64>(segments, 1, s->queue_->size() - 2u);
  s->max_transfer_bytes_ = std::clamp<u64>(sectors * 512, 4096, kMaxTransfer);
  s->max_target_ = static_cast<u16>(std::min<u32>(s->queue_->device_config(kConfigMaxTarget - 2) >> 16, 255));
  return s;
}

void VirtioScsi::stop() {
  if (queue_) queue_->stop();
  queue_.reset();
}

VirtioScsi::Outcome VirtioScsi::execute_once(u16 target, u16 lun, std::span<const u8> cdb,
                                             Direction direction, std::span<const GuestSpan> data) {
  u8 request[kRequestBytes] = {1, static_cast<u8>(target), static_cast<u8>(0x40 | lun >> 8),
                               static_cast<u8>(lun)};
  store_le(request + 8, ++tag_);
  std::copy(cdb.begin(), cdb.end(), request + 19);
  u8 response[kResponseBytes] = {};
  response[11] = 0xff;
  bus_.write_bytes(memory_ + kRequestAt, request, sizeof request);
  bus_.write_bytes(memory_ + kResponseAt, response, sizeof response);

  std::vector<GuestSpan> readable, writable;
  readable.push_back({memory_ + kRequestAt, sizeof request});
  writable.push_back({memory_ + kResponseAt, sizeof response});
  for (const GuestSpan& s : data) (direction == Direction::Out ? readable : writable).push_back(s);
  if (!queue_ || !queue_->submit(readable, writable)) return {};
  bus_.read_bytes(memory_ + kResponseAt, response, sizeof response);
  if (response[11] != kResponseOk) return {};
  Outcome o{true, response[10], 0, 0};
  const u32 sense_bytes = load_le<u32>(response);
  if (o.status == kCheckCondition)
    read_sense({response + kSenseAt, std::min<size_t>(sense_bytes, sizeof response - kSenseAt)}, o);
  return o;
}

}  // namespace ia64::firmware
