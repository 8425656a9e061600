// SCSI commands through a Fusion-MPT controller.
#include "firmware/media/mpt_scsi.h"

#include <algorithm>

#include "base/endian.h"

namespace ia64::firmware {

namespace {

// Places in the driver's page.
constexpr u64 kFrameAt = 0, kSenseAt = 0x100, kListAt = 0x200;
constexpr size_t kMaxList = 128, kSenseBytes = 32;

// SCSI I/O request and reply. @source MPI 1.2, ch. 3 and 5
constexpr unsigned kSglAt = 0x30;
constexpr u32 kWrite = 1u << 24, kRead = 2u << 24;
constexpr u32 kSimple64 = 0x12, kChain64 = 0x32, kToController = 0x04, kLastOfAll = 0xc1;
constexpr unsigned kElementBytes = 12;
constexpr u16 kUnderrun = 0x45;
constexpr u8 kSenseValid = 0x01, kNoStatus = 0x04;
constexpr u8 kCheckCondition = 0x02;

}  // namespace

std::unique_ptr<MptScsi> MptScsi::attach(AddressSpace& bus, const BoardDescription& board,
                                         const PciFunction& function, GuestPhys memory, Relax relax) {
  if (function.vendor_id != kVendorId || function.device_id != kDeviceId) return nullptr;
  std::unique_ptr<MptScsi> s(new MptScsi(bus, memory));
  s->ioc_ = MptIoc::open(bus, board, function, memory + 4096, std::move(relax));
  if (!s->ioc_) return nullptr;
  s->max_segments_ = kMaxList;
  s->max_transfer_bytes_ = 1 << 20;
  s->max_target_ = static_cast<u16>(std::clamp(s->ioc_->max_devices(), 1u, 16u) - 1);
  return s;
}

void MptScsi::stop() {
  if (ioc_) ioc_->stop();
  ioc_.reset();
}

/// Data elements lie in a chain behind the frame, so that one form serves any number of them.
void MptScsi::write_list(Direction direction, std::span<const GuestSpan> data, std::span<u8> frame) {
  const u32 flags = kSimple64 | (direction == Direction::Out ? kToController : 0);
  u8 list[kMaxList * kElementBytes] = {};
  for (size_t n = 0; n < data.size(); n++) {
    const u32 last = n + 1 == data.size() ? kLastOfAll : 0;
    store_le<u32>(&list[n * kElementBytes], (flags | last) << 24 | static_cast<u32>(data[n].size_bytes));
    store_le<u64>(&list[n * kElementBytes + 4], data[n].phys);
  }
  const u32 list_bytes = static_cast<u32>(data.size() * kElementBytes);
  bus_.write_bytes(memory_ + kListAt, list, list_bytes);
  frame[2] = kSglAt / 4;
  store_le<u32>(&frame[kSglAt], kChain64 << 24 | list_bytes);
  store_le<u64>(&frame[kSglAt + 4], memory_ + kListAt);
}

ScsiHost::Outcome MptScsi::execute_once(u16 target, u16 lun, std::span<const u8> cdb, Direction direction,
                                        std::span<const GuestSpan> data) {
  if (!ioc_ || target == ioc_->own_id() || data.size() > kMaxList || cdb.size() > 16) return {};
  u8 frame[MptIoc::kFrameBytes] = {};
  u64 data_bytes = 0;
  for (const GuestSpan& s : data) data_bytes += s.size_bytes;
  frame[0] = static_cast<u8>(target);
  frame[4] = static_cast<u8>(cdb.size());
  frame[5] = kSenseBytes;
  store_le<u32>(&frame[8], ++context_ & 0xffff);
  store_be<u16>(&frame[0x0c], lun);
  if (!data.empty()) store_le<u32>(&frame[0x14], direction == Direction::Out ? kWrite : kRead);
  std::copy(cdb.begin(), cdb.end(), &frame[0x18]);
  store_le<u32>(&frame[0x28], static_cast<u32>(data_bytes));
  store_le<u32>(&frame[0x2c], static_cast<u32>(memory_ + kSenseAt));
  if (!data.empty()) write_list(direction, data, frame);
  bus_.write_bytes(memory_ + kFrameAt, frame, sizeof frame);

  MptIoc::Reply reply;
  if (!ioc_->submit(memory_ + kFrameAt, reply)) return {};
  const u16 status = load_le<u16>(&reply[0x0e]) & 0x7fff;
  if ((status != 0 && status != kUnderrun) || (reply[0x0d] & kNoStatus)) return {};
  Outcome o{true, reply[0x0c], 0, 0};
  if (o.status == kCheckCondition && (reply[0x0d] & kSenseValid)) {
    u8 sense[kSenseBytes];
    bus_.read_bytes(memory_ + kSenseAt, sense, sizeof sense);
    read_sense({sense, std::min<size_t>(load_le<u32>(&reply[0x18]), sizeof sense)}, o);
  }
  return o;
}

}  // namespace ia64::firmware
