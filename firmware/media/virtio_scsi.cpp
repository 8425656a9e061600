// virtio-scsi commands, target scan and disks.
#include "firmware/media/virtio_scsi.h"

#include <algorithm>

#include "base/bits.h"
#include "base/endian.h"
#include "base/log.h"
#include "firmware/media/scsi_medium.h"

namespace ia64::firmware {

namespace {

// @source VIRTIO 1.1, 5.6.4 and 5.6.6.1
enum : unsigned { kConfigSegMax = 4, kConfigMaxSectors = 8, kConfigMaxTarget = 30 };
constexpr u16 kRequestQueue = 2;
constexpr size_t kRequestBytes = 51, kResponseBytes = 108;
constexpr u8 kStatusBusy = 0x08, kStatusTaskSetFull = 0x28, kCheckCondition = 0x02;
constexpr u8 kUnitAttention = 6;
constexpr u8 kResponseOk = 0;

constexpr u8 kInquiry = 0x12, kReportLuns = 0xa0;
constexpr u8 kTypeDisk = 0, kTypeCdrom = 5;
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
  if (o.status == kCheckCondition && sense_bytes >= 14)
    o.sense_key = response[12 + 2] & 0xf, o.asc = response[12 + 12];
  return o;
}

VirtioScsi::Outcome VirtioScsi::execute(u16 target, u16 lun, std::span<const u8> cdb, Direction direction,
                                        std::span<const GuestSpan> data) {
  constexpr int kTries = 8;
  Outcome o;
  for (int n = 0; n < kTries; n++) {
    o = execute_once(target, lun, cdb, direction, data);
    const bool again = o.answered && (o.status == kStatusBusy || o.status == kStatusTaskSetFull ||
                                      (o.status == kCheckCondition && o.sense_key == kUnitAttention));
    if (!again) break;
  }
  return o;
}

/// A command whose answer fits the bounce buffer.
bool VirtioScsi::inquire(u16 target, u16 lun, std::vector<u8>& data, u32 size, std::span<const u8> cdb) {
  data.assign(size, 0);
  bus_.write_bytes(bounce(), data.data(), size);
  const GuestSpan span{bounce(), size};
  if (!execute(target, lun, cdb, Direction::In, {&span, 1}).good()) return false;
  bus_.read_bytes(bounce(), data.data(), size);
  return true;
}

std::vector<u16> VirtioScsi::luns_of(u16 target) {
  constexpr u32 kBytes = 8 + 8 * 64;
  u8 cdb[12] = {kReportLuns};
  store_be(cdb + 6, kBytes);
  std::vector<u8> data;
  std::vector<u16> luns;
  luns.reserve(64);
  if (!inquire(target, 0, data, kBytes, cdb)) {
    luns.push_back(0);
    return luns;
  }
  const u32 bytes = std::min(load_be<u32>(data.data()), kBytes - 8);
  for (u32 at = 8; at + 8 <= 8 + bytes; at += 8) luns.push_back(load_be<u16>(&data[at]) & 0x3fff);
  return luns;
}

void VirtioScsi::add_disk(u16 target, u16 lun, std::vector<Disk>& out) {
  const u8 cdb[6] = {kInquiry, 0, 0, 0, 36, 0};
  std::vector<u8> data;
  if (!inquire(target, lun, data, 36, cdb)) return;
  const u8 type = data[0] & 0x1f, qualifier = data[0] >> 5;
  if (qualifier != 0 || (type != kTypeDisk && type != kTypeCdrom)) return;
  const bool removable = data[1] & 0x80;
  if (auto medium = ScsiMedium::open(*this, target, lun, removable))
    out.push_back({target, lun, type == kTypeCdrom, std::move(medium)});
}

std::vector<VirtioScsi::Disk> VirtioScsi::scan() {
  std::vector<Disk> out;
  for (u16 target = 0; target <= max_target_; target++) {
    const u8 cdb[6] = {kInquiry, 0, 0, 0, 36, 0};
    std::vector<u8> data;
    if (!inquire(target, 0, data, 36, cdb)) continue;
    for (const u16 lun : luns_of(target)) add_disk(target, lun, out);
  }
  return out;
}

}  // namespace ia64::firmware
