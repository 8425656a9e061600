// SCSI block commands.
#include "firmware/media/scsi_medium.h"

#include <algorithm>
#include <bit>

#include "base/endian.h"

namespace ia64::firmware {

namespace {

enum : u8 {
  kTestUnitReady = 0x00,
  kModeSense6 = 0x1a,
  kReadCapacity10 = 0x25,
  kRead10 = 0x28,
  kWrite10 = 0x2a,
  kSynchronizeCache10 = 0x35,
  kRead16 = 0x88,
  kWrite16 = 0x8a,
  kServiceActionIn16 = 0x9e,
  kReadCapacity16 = 0x10,
};
constexpr u8 kDataProtect = 7, kNotReady = 2, kAscNoMedium = 0x3a;

using Direction = ScsiHost::Direction;

EfiStatus status_of(const ScsiHost::Outcome& o) {
  if (o.good()) return efi::kSuccess;
  if (o.sense_key == kDataProtect) return efi::kWriteProtected;
  if (o.sense_key == kNotReady && o.asc == kAscNoMedium) return efi::kNoMedia;
  return efi::kDeviceError;
}

}  // namespace

std::unique_ptr<ScsiMedium> ScsiMedium::open(ScsiHost& host, u16 target, u16 lun, bool removable) {
  std::unique_ptr<ScsiMedium> m(new ScsiMedium(host, target, lun, removable));
  const u8 ready[6] = {kTestUnitReady};
  if (!host.execute(target, lun, ready, Direction::None, {}).good() || !m->read_capacity()) return nullptr;
  m->read_write_protect();
  return m;
}

bool ScsiMedium::read_capacity() {
  const u8 short_cdb[10] = {kReadCapacity10};
  u8 data[32] = {};
  GuestSpan span{host_.bounce(), 8};
  if (!host_.execute(target_, lun_, short_cdb, Direction::In, {&span, 1}).good()) return false;
  host_.bus().read_bytes(span.phys, data, 8);
  u64 last = load_be<u32>(data);
  block_size_ = load_be<u32>(data + 4);
  if (last == 0xffff'ffff) {
    u8 cdb[16] = {kServiceActionIn16, kReadCapacity16};
    cdb[13] = sizeof data;
    span.size_bytes = sizeof data;
    if (!host_.execute(target_, lun_, cdb, Direction::In, {&span, 1}).good()) return false;
    host_.bus().read_bytes(span.phys, data, sizeof data);
    last = load_be<u64>(data);
    block_size_ = load_be<u32>(data + 8);
  }
  block_count_ = last + 1;
  return block_count_ != 0 && block_size_ >= 512 && block_size_ <= 4096 && std::has_single_bit(block_size_);
}

void ScsiMedium::read_write_protect() {
  constexpr u8 kAllPages = 0x3f, kHeaderBytes = 4, kBytes = 192;
  const u8 cdb[6] = {kModeSense6, 0, kAllPages, 0, kBytes, 0};
  const GuestSpan span{host_.bounce(), kBytes};
  u8 header[kHeaderBytes] = {};
  if (host_.execute(target_, lun_, cdb, Direction::In, {&span, 1}).good())
    host_.bus().read_bytes(span.phys, header, sizeof header);
  read_only_ = (header[2] & 0x80) != 0 || block_size_ == 2048;  // optical media are read only here
}

EfiStatus ScsiMedium::command(bool write, u64 lba, u64 blocks, std::span<const GuestSpan> spans) {
  u8 cdb[16] = {};
  size_t length = 10;
  if (lba + blocks <= 0xffff'ffff && blocks <= 0xffff) {
    cdb[0] = write ? kWrite10 : kRead10;
    store_be(cdb + 2, static_cast<u32>(lba));
    store_be(cdb + 7, static_cast<u16>(blocks));
  } else {
    length = 16;
    cdb[0] = write ? kWrite16 : kRead16;
    store_be(cdb + 2, lba);
    store_be(cdb + 10, static_cast<u32>(blocks));
  }
  return status_of(
      host_.execute(target_, lun_, {cdb, length}, write ? Direction::Out : Direction::In, spans));
}

/// Cuts the spans into commands that keep the controller's limits; each command moves whole blocks.
EfiStatus ScsiMedium::transfer(bool write, u64 lba, std::span<const GuestSpan> spans) {
  size_t index = 0;
  u64 within = 0;
  while (index < spans.size()) {
    std::vector<GuestSpan> part;
    u64 bytes = 0;
    size_t i = index;
    u64 at = within;
    while (i < spans.size() && part.size() < host_.max_segments() && bytes < host_.max_transfer_bytes()) {
      const u64 n = std::min(spans[i].size_bytes - at, host_.max_transfer_bytes() - bytes);
      if (n) part.push_back({spans[i].phys + at, n});
      bytes += n, at += n;
      if (at == spans[i].size_bytes) i++, at = 0;
    }
    // Give back what does not fill a block.
    for (u64 extra = bytes % block_size_; extra;) {
      const u64 n = std::min(extra, part.back().size_bytes);
      part.back().size_bytes -= n, bytes -= n, extra -= n;
      if (part.back().size_bytes == 0) part.pop_back();
    }
    if (bytes == 0) return i == spans.size() && at == 0 ? efi::kSuccess : efi::kInvalidParameter;
    if (const EfiStatus s = command(write, lba, bytes / block_size_, part); efi_error(s)) return s;
    lba += bytes / block_size_;
    for (u64 left = bytes; left;) {  // advance the cursor by what was moved
      const u64 n = std::min(left, spans[index].size_bytes - within);
      within += n, left -= n;
      if (within == spans[index].size_bytes) index++, within = 0;
    }
  }
  return efi::kSuccess;
}

EfiStatus ScsiMedium::read(u64 lba, u64 count, u8* out) {
  const u64 step = ScsiHost::kBounceBytes / block_size_;
  for (u64 done = 0; done < count;) {
    const u64 n = std::min(step, count - done);
    const GuestSpan span{host_.bounce(), n * block_size_};
    if (const EfiStatus s = transfer(false, lba + done, {&span, 1}); efi_error(s)) return s;
    host_.bus().read_bytes(span.phys, out + done * block_size_, span.size_bytes);
    done += n;
  }
  return efi::kSuccess;
}

EfiStatus ScsiMedium::write(u64 lba, u64 count, const u8* in) {
  if (read_only_) return efi::kWriteProtected;
  const u64 step = ScsiHost::kBounceBytes / block_size_;
  for (u64 done = 0; done < count;) {
    const u64 n = std::min(step, count - done);
    const GuestSpan span{host_.bounce(), n * block_size_};
    host_.bus().write_bytes(span.phys, in + done * block_size_, span.size_bytes);
    if (const EfiStatus s = transfer(true, lba + done, {&span, 1}); efi_error(s)) return s;
    done += n;
  }
  return efi::kSuccess;
}

EfiStatus ScsiMedium::flush() {
  const u8 cdb[10] = {kSynchronizeCache10};
  return status_of(host_.execute(target_, lun_, cdb, Direction::None, {}));
}

}  // namespace ia64::firmware
