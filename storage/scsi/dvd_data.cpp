// DVD drive: tables of contents, features, events, mode pages.
#include "storage/scsi/dvd_data.h"

#include <algorithm>
#include <array>

#include "base/endian.h"

namespace ia64::storage::scsi::dvd {

namespace {

constexpr u8 kLeadOut = 0xaa;
constexpr u8 kDataTrack = 0x14;  // ADR 1, data, no copying forbidden
constexpr u32 kPregapFrames = 150;
constexpr unsigned kSector = 2048;

void append(std::vector<u8>& out, std::initializer_list<int> bytes) {
  for (const int b : bytes) out.push_back(static_cast<u8>(b));
}

void put_length(std::vector<u8>& out) {
  store_be<u16>(out.data(), static_cast<u16>(out.size() - 2));
}

std::vector<u8> simple_toc(u8 first_track, bool msf, u32 sectors) {
  std::vector<u8> out{0, 0, 1, 1};
  const auto track = [&](u8 number, u32 lba) {
    append(out, {0, kDataTrack, number, 0, 0, 0, 0, 0});
    put_address(&out[out.size() - 4], lba, msf);
  };
  if (first_track <= 1) track(1, 0);
  track(kLeadOut, sectors);
  put_length(out);
  return out;
}

std::vector<u8> session_toc(bool msf) {
  std::vector<u8> out{0, 0, 1, 1};
  append(out, {0, kDataTrack, 1, 0, 0, 0, 0, 0});
  put_address(&out[out.size() - 4], 0, msf);
  put_length(out);
  return out;
}

std::vector<u8> full_toc(u32 sectors) {
  std::vector<u8> out{0, 0, 1, 1};
  u8 end[4], start[4];
  put_address(end, sectors, true);
  put_address(start, 0, true);
  append(out, {1, kDataTrack, 0, 0xa0, 0, 0, 0, 0, 1, 0, 0});
  append(out, {1, kDataTrack, 0, 0xa1, 0, 0, 0, 0, 1, 0, 0});
  append(out, {1, kDataTrack, 0, 0xa2, 0, 0, 0, 0, end[1], end[2], end[3]});
  append(out, {1, kDataTrack, 0, 1, 0, 0, 0, 0, start[1], start[2], start[3]});
  put_length(out);
  return out;
}

// --- features
constexpr u8 kPersistent = 0x02, kCurrent = 0x01;

struct Feature {
  u16 code;
  u8 flags;  // version << 2 | persistent; current is added
  std::array<u8, 8> data;
  u8 data_bytes;
  bool (*current)(Profile);
};
bool always(Profile) { return true; }
bool any_disc(Profile p) { return p != Profile::None; }
bool cd(Profile p) { return p == Profile::CdRom; }
bool dvd_rom(Profile p) { return p == Profile::DvdRom; }

constexpr Feature kFeatures[] = {
    {0x0001, 0x0b, {0, 0, 0, 1, 0x03}, 8, always},       // core: SCSI family, device busy and INQUIRY bits
    {0x0002, 0x07, {0x02}, 4, always},                   // morphing: polled events
    {0x0003, 0x03, {0x29}, 4, always},                   // removable medium: tray, eject, lock
    {0x0010, 0x00, {0, 0, 0x08, 0, 0, 0x10}, 8, any_disc},  // random readable: 2048 bytes, 16 a unit
    {0x001e, 0x08, {0}, 4, cd},                          // CD read
    {0x001f, 0x04, {0}, 4, dvd_rom},                     // DVD read
    {0x0100, 0x03, {}, 0, always},                       // power management
    {0x0105, 0x07, {0}, 4, always},                      // timeout
};

void append_profiles(std::vector<u8>& out, Profile profile) {
  append(out, {0, 0, kPersistent | kCurrent, 8});
  for (const auto p : {Profile::DvdRom, Profile::CdRom})
    append(out, {0, static_cast<int>(p), p == profile ? 1 : 0, 0});
}

// --- mode pages
constexpr u8 kRecovery = 0x01, kPower = 0x1a, kTimeout = 0x1d, kCapabilities = 0x2a, kAll = 0x3f;
constexpr u8 kPageCodes[] = {kRecovery, kPower, kTimeout, kCapabilities};

std::vector<u8> mode_page(u8 code, bool locked) {
  std::vector<u8> out(code == kCapabilities ? 22 : code == kTimeout ? 10 : 12);
  out[0] = code;
  out[1] = static_cast<u8>(out.size() - 2);
  if (code == kRecovery) out[3] = 0x20;  // read retries
  if (code != kCapabilities) return out;
  out[2] = 0x3b;  // reads CD-R, CD-RW, DVD-ROM, DVD-R, DVD-RAM
  out[4] = 0x30;  // mode 2 forms
  out[6] = static_cast<u8>(0x29 | (locked ? 0x02 : 0));  // tray, eject, lock
  store_be<u16>(&out[8], 11080);   // kB/s: 8x DVD
  store_be<u16>(&out[12], 512);    // buffer, KiB
  store_be<u16>(&out[14], 11080);
  return out;
}

u8 bcd(u32 v) {
  return static_cast<u8>(v / 10 * 16 + v % 10);
}

}  // namespace

void put_address(u8* at, u32 lba, bool msf) {
  if (!msf) return store_be<u32>(at, lba);
  const u32 frames = lba + kPregapFrames;
  at[0] = 0;
  at[1] = static_cast<u8>(std::min<u32>(frames / 75 / 60, 255));
  at[2] = static_cast<u8>(frames / 75 % 60);
  at[3] = static_cast<u8>(frames % 75);
}

std::optional<std::vector<u8>> toc(u8 format, u8 first_track, bool msf, u32 sectors) {
  switch (format) {
    case 0:
      if (first_track > 1 && first_track != kLeadOut) return std::nullopt;
      return simple_toc(first_track, msf, sectors);
    case 1: return session_toc(msf);
    case 2: return full_toc(sectors);
    default: return std::nullopt;
  }
}

std::vector<u8> configuration(u8 request, u16 from, Profile profile) {
  std::vector<u8> out(8);
  store_be<u16>(&out[6], static_cast<u16>(profile));
  const auto wanted = [&](u16 code, bool current) {
    return request == 2 ? code == from : code >= from && (request == 0 || current);
  };
  if (wanted(0, true)) append_profiles(out, profile);
  for (const auto& f : kFeatures) {
    const bool current = f.current(profile);
    if (!wanted(f.code, current)) continue;
    append(out, {f.code >> 8, f.code & 0xff, (f.flags & ~kCurrent) | (current ? kCurrent : 0), f.data_bytes});
    out.insert(out.end(), f.data.begin(), f.data.begin() + f.data_bytes);
  }
  store_be<u32>(out.data(), static_cast<u32>(out.size() - 4));
  return out;
}

std::vector<u8> event_status(u8 mask, u8 media_event, TrayState state) {
  constexpr u8 kSupported = 0x16;  // operational change, power management, media
  std::vector<u8> out{0, 2, 0x80, kSupported};
  if (!(mask & kSupported)) return out;  // NEA: none of the classes asked for
  store_be<u16>(out.data(), 6);
  if ((mask & kMediaClass) && (media_event || !(mask & 0x06))) {
    out[2] = 4;
    append(out, {media_event, (state.open ? 1 : 0) | (state.disc ? 2 : 0), 0, 0});
  } else if (mask & 0x02) {
    out[2] = 1;
    append(out, {0, 0, 0, 0});
  } else {
    out[2] = 2;
    append(out, {0, 1, 0, 0});  // active
  }
  return out;
}

std::vector<u8> disc_information() {
  std::vector<u8> out(34);
  store_be<u16>(out.data(), 32);
  out[2] = 0x0e;                           // complete session, complete disc
  out[3] = out[4] = out[5] = out[6] = 1;   // first track, sessions, first and last track of the last session
  out[7] = 0x20;                           // unrestricted use
  std::fill(out.begin() + 16, out.begin() + 24, u8{0xff});
  return out;
}

std::vector<u8> track_information(u32 sectors) {
  std::vector<u8> out(36);
  store_be<u16>(out.data(), 34);
  out[2] = out[3] = 1;
  out[5] = 0x04;  // data
  out[6] = 0x01;  // mode 1
  store_be<u32>(&out[24], sectors);
  return out;
}

std::vector<u8> physical_format(u32 sectors) {
  std::vector<u8> out(4 + 2048);
  put_length(out);
  constexpr u32 kFirst = 0x3'0000;  // physical sector of logical block 0
  out[4] = 0x01;                    // DVD-ROM, version 1
  out[5] = 0x02;                    // 120 mm, 10 Mbit/s
  out[6] = 0x01;                    // one layer, embossed
  out[9] = kFirst >> 16;
  store_be<u32>(&out[12], kFirst + sectors - 1);
  return out;
}

std::vector<u8> copyright_information() {
  return {0, 6, 0, 0, 0, 0, 0, 0};  // no protection, every region
}

std::optional<std::vector<u8>> mode_pages(u8 code, bool changeable, bool ten_byte, bool locked) {
  if (code != kAll && std::find(std::begin(kPageCodes), std::end(kPageCodes), code) == std::end(kPageCodes))
    return std::nullopt;
  std::vector<u8> out(ten_byte ? 8 : 4);
  for (const u8 c : kPageCodes) {
    if (code != kAll && c != code) continue;
    auto page = mode_page(c, locked);
    if (changeable) std::fill(page.begin() + 2, page.end(), u8{0});
    out.insert(out.end(), page.begin(), page.end());
  }
  if (ten_byte)
    put_length(out);
  else
    out[0] = static_cast<u8>(out.size() - 1);
  return out;
}

bool same_page(std::span<const u8> page, bool locked) {
  const u8 code = page[0] & 0x3f;
  if (std::find(std::begin(kPageCodes), std::end(kPageCodes), code) == std::end(kPageCodes)) return false;
  const auto own = mode_page(code, locked);
  return page.size() == own.size() && std::equal(own.begin() + 2, own.end(), page.begin() + 2);
}

unsigned raw_sector_bytes(u8 parts) {
  return (parts & kSync ? 12u : 0) + (parts & kHeader ? 4u : 0) + (parts & kUserData ? kSector : 0);
}

std::vector<u8> raw_sectors(std::span<const u8> user_data, u64 lba, u8 parts) {
  std::vector<u8> out;
  out.reserve(user_data.size() / kSector * raw_sector_bytes(parts));
  for (size_t at = 0; at < user_data.size(); at += kSector, lba++) {
    if (parts & kSync) append(out, {0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0});
    u8 msf[4];
    put_address(msf, static_cast<u32>(lba), true);
    if (parts & kHeader) append(out, {bcd(msf[1]), bcd(msf[2]), bcd(msf[3]), 1});
    if (parts & kUserData) out.insert(out.end(), user_data.begin() + static_cast<std::ptrdiff_t>(at), user_data.begin() + static_cast<std::ptrdiff_t>(at + kSector));
  }
  return out;
}

}  // namespace ia64::storage::scsi::dvd
