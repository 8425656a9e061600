// Mode pages of a disk.
#include "storage/scsi/mode_pages.h"

#include <algorithm>

namespace ia64::storage::scsi {

namespace {

constexpr u8 kRecovery = 0x01, kDisconnect = 0x02, kFormat = 0x03, kGeometry = 0x04, kCaching = 0x08, kControl = 0x0a,
             kPower = 0x1a, kExceptions = 0x1c, kAllPages = 0x3f;
constexpr u8 kPageCodes[] = {kRecovery, kDisconnect, kFormat, kGeometry, kCaching, kControl, kPower, kExceptions};
constexpr unsigned kChangeable = 1, kDefault = 2, kSaved = 3;
constexpr u8 kWce = 0x04, kDSense = 0x04, kSwp = 0x08;
constexpr u8 kWriteProtect = 0x80, kDpoFua = 0x10;
// A geometry that old systems can compute with; nothing depends on it.
constexpr u32 kHeads = 16, kSectorsPerTrack = 63;

bool ten_byte(const Cdb& cdb) {
  return cdb[0] == kModeSense10 || cdb[0] == kModeSelect10;
}

bool known_page(u8 code) {
  return std::find(std::begin(kPageCodes), std::end(kPageCodes), code) != std::end(kPageCodes);
}

size_t page_bytes(u8 code) {
  switch (code) {
    case kDisconnect: return 16;
    case kFormat:
    case kGeometry: return 24;
    case kCaching: return 20;
    default: return 12;
  }
}

void fill_format(std::vector<u8>& out, const ModePages::Medium& m) {
  store_be<u16>(&out[2], kHeads);  // tracks per zone
  store_be<u16>(&out[10], kSectorsPerTrack);
  store_be<u16>(&out[12], static_cast<u16>(m.block_bytes));
  store_be<u16>(&out[14], 1);  // interleave
  out[20] = 0x40;              // hard-sectored
}

void fill_geometry(std::vector<u8>& out, const ModePages::Medium& m) {
  const u64 cylinders = std::clamp<u64>(m.blocks / (kHeads * kSectorsPerTrack), 1, 0xff'ffff);
  out[2] = static_cast<u8>(cylinders >> 16);
  store_be<u16>(&out[3], static_cast<u16>(cylinders));
  out[5] = kHeads;
  store_be<u16>(&out[20], 10000);  // revolutions a minute
}

void append_descriptor(std::vector<u8>& out, const ModePages::Medium& m, bool long_lba) {
  const size_t at = out.size();
  out.resize(at + (long_lba ? 16 : 8));
  if (long_lba) {
    store_be<u64>(&out[at], m.blocks);
    store_be<u32>(&out[at + 12], m.block_bytes);
    return;
  }
  store_be<u32>(&out[at], static_cast<u32>(std::min<u64>(m.blocks, 0xffff'ffff)));
  store_be<u32>(&out[at + 4], m.block_bytes);  // density byte stays 0: block sizes are below 2^24
}

}  // namespace

std::vector<u8> ModePages::page(u8 code, unsigned control, const Medium& medium) const {
  std::vector<u8> out(page_bytes(code));
  out[0] = code;
  out[1] = static_cast<u8>(out.size() - 2);
  if (control == kChangeable) {
    if (code == kCaching) out[2] = kWce;
    if (code == kControl) out[2] = kDSense, out[4] = kSwp;
    return out;
  }
  switch (code) {
    case kRecovery: out[2] = 0xc0; break;  // automatic reallocation of reads and writes
    case kFormat: fill_format(out, medium); break;
    case kGeometry: fill_geometry(out, medium); break;
    case kCaching: out[2] = control == kDefault || write_cache() ? kWce : 0; break;
    case kControl:
      out[3] = 0x10;  // unrestricted reordering
      if (control == kDefault) break;
      if (descriptor_sense()) out[2] = kDSense;
      if (software_write_protect()) out[4] = kSwp;
      break;
    case kExceptions: out[2] = 0x08; break;  // exceptions are not reported
    default: break;
  }
  return out;
}

std::optional<std::vector<u8>> ModePages::sense(const Cdb& cdb, const Medium& medium, Sense& why) const {
  const unsigned control = cdb[2] >> 6;
  const u8 code = cdb[2] & 0x3f, subpage = cdb[3];
  if (control == kSaved) return why = sense::kSavingNotSupported, std::nullopt;
  if ((code != kAllPages && !known_page(code)) || (subpage != 0 && !(subpage == 0xff && code == kAllPages)))
    return why = sense::kInvalidFieldInCdb, std::nullopt;

  const bool ten = ten_byte(cdb), long_lba = ten && (cdb[1] & 0x10), descriptor = !(cdb[1] & 0x08);
  const bool protect = medium.read_only || software_write_protect();
  std::vector<u8> out(ten ? 8 : 4);
  out[ten ? 3 : 2] = static_cast<u8>((protect ? kWriteProtect : 0) | kDpoFua);
  if (ten && long_lba && descriptor) out[4] = 1;
  if (descriptor) append_descriptor(out, medium, long_lba);
  out[ten ? 7 : 3] = static_cast<u8>(out.size() - (ten ? 8 : 4));
  for (const u8 c : kPageCodes) {
    if (code != kAllPages && c != code) continue;
    const auto bytes = page(c, control, medium);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  if (ten)
    store_be<u16>(&out[0], static_cast<u16>(out.size() - 2));
  else
    out[0] = static_cast<u8>(out.size() - 1);
  return out;
}

ModePages::Verdict ModePages::select(const Cdb& cdb, const Medium& medium, std::span<const u8> list) {
  if (cdb[1] & 0x01) return {sense::kInvalidFieldInCdb};  // SP: nothing can be saved
  if (list.empty()) return {};
  const bool ten = ten_byte(cdb);
  const size_t header = ten ? 8 : 4;
  if (list.size() < header) return {sense::kParameterListLength};
  const size_t descriptor = ten ? load_be<u16>(&list[6]) : list[3];
  if (list.size() < header + descriptor) return {sense::kParameterListLength};
  if (descriptor == 8 && (load_be<u32>(&list[header + 4]) & 0xff'ffff) != medium.block_bytes)
    return {sense::kInvalidFieldInParameters};
  if (descriptor != 0 && descriptor != 8 && descriptor != 16) return {sense::kInvalidFieldInParameters};

  // Applied after the last page, so that a bad one later in the list changes nothing.
  bool wce = write_cache();
  u8 flags = control_;
  for (auto rest = list.subspan(header + descriptor); !rest.empty();) {
    if (rest.size() < 2 || rest.size() < size_t{2} + rest[1]) return {sense::kParameterListLength};
    const u8 code = rest[0] & 0x7f;
    if (!known_page(code)) return {sense::kInvalidFieldInParameters};
    const auto now = page(code, 0, medium), mask = page(code, kChangeable, medium);
    if (rest[1] != now[1]) return {sense::kInvalidFieldInParameters};
    for (size_t i = 2; i < now.size(); i++)
      if ((rest[i] ^ now[i]) & ~mask[i]) return {sense::kInvalidFieldInParameters};
    if (code == kCaching) wce = rest[2] & kWce;
    if (code == kControl)
      flags = static_cast<u8>((rest[2] & kDSense ? kDescriptorSense : 0) | (rest[4] & kSwp ? kSoftwareProtect : 0));
    rest = rest.subspan(now.size());
  }
  const bool changed = wce != write_cache() || flags != control_;
  write_cache_ = wce;
  control_ = flags;
  return {sense::kNone, changed};
}

}  // namespace ia64::storage::scsi
