// Data structures a DVD drive answers with. @source MMC-5
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/int_types.h"

namespace ia64::storage::scsi::dvd {

enum class Profile : u16 { None = 0x0000, CdRom = 0x0008, DvdRom = 0x0010 };
struct TrayState {
  bool open = false, disc = false;
};

inline constexpr u8 kMediaClass = 0x10;                                  ///< bit of GET EVENT STATUS NOTIFICATION
inline constexpr u8 kSync = 0x80, kHeader = 0x20, kUserData = 0x10;      ///< READ CD: parts of a sector

/// A disc address as logical block or as minute, second, frame. @param at 4 bytes
void put_address(u8* at, u32 lba, bool msf);
/// READ TOC/PMA/ATIP, formats 0 to 2: one data track and the lead-out. Nothing for other formats or starting tracks.
std::optional<std::vector<u8>> toc(u8 format, u8 first_track, bool msf, u32 sectors);
/// GET CONFIGURATION. @param request 0 all features, 1 current ones, 2 only the one numbered `from`
std::vector<u8> configuration(u8 request, u16 from, Profile profile);
/// GET EVENT STATUS NOTIFICATION for the classes of `mask`; the first class in it that has news, or the first one.
std::vector<u8> event_status(u8 mask, u8 media_event, TrayState state);
std::vector<u8> disc_information();
std::vector<u8> track_information(u32 sectors);
std::vector<u8> physical_format(u32 sectors);
std::vector<u8> copyright_information();
/// MODE SENSE data with its header; nothing for unknown pages.
std::optional<std::vector<u8>> mode_pages(u8 code, bool changeable, bool ten_byte, bool locked);
/// Whether a MODE SELECT page says what the drive has anyway.
bool same_page(std::span<const u8> page, bool locked);
/// Bytes one sector has with these parts; 0 for none.
unsigned raw_sector_bytes(u8 parts);
/// Puts sync bytes and headers round user data.
std::vector<u8> raw_sectors(std::span<const u8> user_data, u64 lba, u8 parts);

}  // namespace ia64::storage::scsi::dvd
