// SCSI commands with retries, target scan and disks.
#include "firmware/media/scsi_host.h"

#include <algorithm>

#include "base/endian.h"
#include "firmware/media/scsi_medium.h"

namespace ia64::firmware {

namespace {

constexpr u8 kStatusBusy = 0x08, kStatusTaskSetFull = 0x28, kCheckCondition = 0x02;
constexpr u8 kUnitAttention = 6;
constexpr u8 kInquiry = 0x12, kReportLuns = 0xa0;
constexpr u8 kTypeDisk = 0, kTypeCdrom = 5;

}  // namespace

void ScsiHost::read_sense(std::span<const u8> sense, Outcome& out) {
  constexpr size_t kKeyAt = 2, kCodeAt = 12;
  if (sense.size() <= kCodeAt) return;
  out.sense_key = sense[kKeyAt] & 0xf;
  out.asc = sense[kCodeAt];
}

ScsiHost::Outcome ScsiHost::execute(u16 target, u16 lun, std::span<const u8> cdb, Direction direction,
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
bool ScsiHost::inquire(u16 target, u16 lun, std::vector<u8>& data, u32 size, std::span<const u8> cdb) {
  data.assign(size, 0);
  bus_.write_bytes(bounce(), data.data(), size);
  const GuestSpan span{bounce(), size};
  if (!execute(target, lun, cdb, Direction::In, {&span, 1}).good()) return false;
  bus_.read_bytes(bounce(), data.data(), size);
  return true;
}

std::vector<u16> ScsiHost::luns_of(u16 target) {
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

void ScsiHost::add_disk(u16 target, u16 lun, std::vector<Disk>& out) {
  const u8 cdb[6] = {kInquiry, 0, 0, 0, 36, 0};
  std::vector<u8> data;
  if (!inquire(target, lun, data, 36, cdb)) return;
  const u8 type = data[0] & 0x1f, qualifier = data[0] >> 5;
  if (qualifier != 0 || (type != kTypeDisk && type != kTypeCdrom)) return;
  const bool removable = data[1] & 0x80;
  if (auto medium = ScsiMedium::open(*this, target, lun, removable))
    out.push_back({target, lun, type == kTypeCdrom, std::move(medium)});
}

std::vector<ScsiHost::Disk> ScsiHost::scan() {
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
