// Boot sector checks, FAT entry access, allocation.
#include "firmware/media/fat_table.h"

#include <algorithm>
#include <bit>

#include "base/bits.h"
#include "base/endian.h"

namespace ia64::firmware::fat {

namespace {

// Offsets in the boot sector.
enum : size_t {
  kBytesPerSector = 11,
  kSectorsPerCluster = 13,
  kReservedSectors = 14,
  kTables = 16,
  kRootEntries = 17,
  kSectors16 = 19,
  kMedia = 21,
  kTableSectors16 = 22,
  kSectors32 = 32,
  kTableSectors32 = 36,
  kExtendedFlags = 40,
  kVersion = 42,
  kRootCluster = 44,
  kInfoSector = 48,
};
// Offsets in FSInfo.
enum : size_t { kInfoLead = 0, kInfoSignature = 484, kInfoFree = 488, kInfoNext = 492 };
constexpr u32 kLeadSignature = 0x41615252, kInfoStruct = 0x61417272;

void place_fat32(Geometry& g, std::span<const u8, 512> s, u64 reserved_sectors, unsigned tables) {
  const u16 flags = load_le<u16>(&s[kExtendedFlags]);
  if (flags & 0x80) {  // mirroring is off: one active copy
    const unsigned active = flags & 0xf;
    if (active < tables) g.table_offset += active * g.table_bytes;
    g.copies = 1;
  }
  g.root_cluster = load_le<u32>(&s[kRootCluster]);
  const u16 info = load_le<u16>(&s[kInfoSector]);
  if (info != 0 && info < reserved_sectors) g.info_offset = u64{info} * g.sector_bytes;
}

}  // namespace

std::optional<Geometry> parse_boot_sector(std::span<const u8, 512> s, u64 medium_bytes) {
  Geometry g;
  g.sector_bytes = load_le<u16>(&s[kBytesPerSector]);
  const u32 per_cluster = s[kSectorsPerCluster], tables = s[kTables];
  const u64 reserved = load_le<u16>(&s[kReservedSectors]);
  if (g.sector_bytes < 512 || g.sector_bytes > 4096 || !std::has_single_bit(g.sector_bytes)) return {};
  if (!std::has_single_bit(per_cluster) || reserved == 0 || tables == 0 || tables > 4) return {};
  if (s[kMedia] != 0xf0 && s[kMedia] < 0xf8) return {};
  if (s[0] != 0xeb && s[0] != 0xe9 && s[0] != 0) return {};
  g.cluster_bytes = g.sector_bytes * per_cluster;
  if (g.cluster_bytes > 256 << 10) return {};

  const u64 sectors16 = load_le<u16>(&s[kSectors16]),
            sectors = sectors16 ? sectors16 : load_le<u32>(&s[kSectors32]);
  const u64 table16 = load_le<u16>(&s[kTableSectors16]),
            table = table16 ? table16 : load_le<u32>(&s[kTableSectors32]);
  const u64 root_sectors = (u64{load_le<u16>(&s[kRootEntries])} * 32 + g.sector_bytes - 1) / g.sector_bytes;
  const u64 data_sector = reserved + tables * table + root_sectors;
  if (table == 0 || data_sector >= sectors || sectors * g.sector_bytes > medium_bytes) return {};
  const u64 clusters = (sectors - data_sector) / per_cluster;
  g.bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
  if (clusters == 0 || clusters > 0x0fff'fff5 || (g.bits == 32) != (table16 == 0)) return {};

  g.volume_bytes = sectors * g.sector_bytes;
  g.table_offset = reserved * g.sector_bytes;
  g.table_bytes = table * g.sector_bytes;
  g.copies = tables;
  g.root_offset = (reserved + tables * table) * g.sector_bytes;
  g.root_slots = g.bits == 32 ? 0 : load_le<u16>(&s[kRootEntries]);
  g.data_offset = data_sector * g.sector_bytes;
  // A table too short for the data area limits what can be used.
  g.clusters = static_cast<u32>(std::min(clusters, g.table_bytes * 8 / g.bits - 2));
  if (g.bits == 32) place_fat32(g, s, reserved, tables);
  if (g.bits == 32 ? !g.valid(g.root_cluster) : g.root_slots == 0) return {};
  return g;
}

EfiStatus Table::get(u32 cluster, u32& value) {
  if (!geometry_.valid(cluster)) return efi::kVolumeCorrupted;
  u8 raw[4] = {};
  const u64 at = geometry_.table_offset + u64{cluster} * geometry_.bits / 8;
  if (const EfiStatus s = cache_.read(at, geometry_.bits == 32 ? 4 : 2, raw); efi_error(s)) return s;
  value = load_le<u32>(raw);
  if (geometry_.bits == 12) value = static_cast<u32>(cluster & 1 ? field(value, 4, 12) : field(value, 0, 12));
  if (geometry_.bits == 32) value &= 0x0fff'ffff;
  return efi::kSuccess;
}

EfiStatus Table::put(u32 cluster, u32 value) {
  if (!geometry_.valid(cluster)) return efi::kVolumeCorrupted;
  const size_t width = geometry_.bits == 32 ? 4 : 2;
  for (unsigned copy = 0; copy < geometry_.copies; copy++) {
    const u64 at = geometry_.table_offset + copy * geometry_.table_bytes + u64{cluster} * geometry_.bits / 8;
    u8 raw[4] = {};
    if (const EfiStatus s = cache_.read(at, width, raw); efi_error(s)) return s;
    u64 word = load_le<u32>(raw);
    if (geometry_.bits == 12) word = with_field(word, cluster & 1 ? 4 : 0, 12, value);
    if (geometry_.bits == 16) word = value;
    if (geometry_.bits == 32)
      word = with_field(word, 0, 28, value);  // the top four bits are reserved and kept
    store_le(raw, static_cast<u32>(word));
    if (const EfiStatus s = cache_.write(at, width, raw); efi_error(s)) return s;
  }
  return efi::kSuccess;
}

EfiStatus Table::next(u32 cluster, u32& next) {
  u32 value = 0;
  if (const EfiStatus s = get(cluster, value); efi_error(s)) return s;
  const u32 end_from = end_mark() - 7;
  next = value >= end_from ? 0 : value;
  return next == 0 ? (value == 0 ? efi::kVolumeCorrupted : efi::kSuccess)
                   : (geometry_.valid(next) ? efi::kSuccess : efi::kVolumeCorrupted);
}

EfiStatus Table::allocate(u32 previous, u32& cluster) {
  u32 candidate = geometry_.valid(hint_) ? hint_ : 2;
  for (u32 tried = 0; tried < geometry_.clusters; tried++) {
    u32 value = 0;
    if (const EfiStatus s = get(candidate, value); efi_error(s)) return s;
    if (value == 0) {
      if (const EfiStatus s = set_end(candidate); efi_error(s)) return s;
      if (previous)
        if (const EfiStatus s = put(previous, candidate); efi_error(s)) return s;
      cluster = candidate;
      hint_ = candidate + 1;
      if (free_count_ && *free_count_) --*free_count_;
      info_dirty_ = true;
      return efi::kSuccess;
    }
    candidate = geometry_.valid(candidate + 1) ? candidate + 1 : 2;
  }
  return efi::kVolumeFull;
}

EfiStatus Table::free_chain(u32 cluster) {
  while (geometry_.valid(cluster)) {
    u32 value = 0;
    if (const EfiStatus s = get(cluster, value); efi_error(s)) return s;
    if (value == 0) break;  // already free: a damaged or circular chain
    if (const EfiStatus s = put(cluster, 0); efi_error(s)) return s;
    if (free_count_) ++*free_count_;
    info_dirty_ = true;
    hint_ = std::min(hint_, cluster);
    cluster = value;
  }
  return efi::kSuccess;
}

EfiStatus Table::free_clusters(u32& count) {
  if (!free_count_) {
    u32 found = 0;
    for (u32 c = 2; geometry_.valid(c); c++) {
      u32 value = 0;
      if (const EfiStatus s = get(c, value); efi_error(s)) return s;
      found += value == 0;
    }
    free_count_ = found;
  }
  count = *free_count_;
  return efi::kSuccess;
}

EfiStatus Table::store_info() {
  if (!geometry_.info_offset || !info_dirty_) return efi::kSuccess;
  u8 sector[512];
  if (const EfiStatus s = cache_.read(geometry_.info_offset, sizeof sector, sector); efi_error(s)) return s;
  if (load_le<u32>(sector + kInfoLead) != kLeadSignature ||
      load_le<u32>(sector + kInfoSignature) != kInfoStruct)
    return efi::kSuccess;
  u32 count = 0;
  if (const EfiStatus s = free_clusters(count); efi_error(s)) return s;
  store_le(sector + kInfoFree, count);
  store_le(sector + kInfoNext, hint_);
  info_dirty_ = false;
  return cache_.write(geometry_.info_offset, sizeof sector, sector);
}

}  // namespace ia64::firmware::fat
