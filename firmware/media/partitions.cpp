// Readers of the three partitioning schemes.
#include "firmware/media/partitions.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/endian.h"
#include "base/log.h"

namespace ia64::firmware {

namespace {

constexpr size_t kMbrSignatureAt = 510;
constexpr u8 kProtective = 0xee;

struct MbrEntry {
  u8 boot, type;
  u32 first, count;
};
MbrEntry mbr_entry(const u8* sector, unsigned n) {
  const u8* e = sector + 446 + n * 16;
  return {e[0], e[4], load_le<u32>(e + 8), load_le<u32>(e + 12)};
}
bool has_mbr_signature(const u8* sector) {
  return load_le<u16>(sector + kMbrSignatureAt) == 0xaa55;
}
bool is_extended(u8 type) {
  return type == 0x05 || type == 0x0f || type == 0x85;
}
bool inside(const BlockMedium& m, u64 first, u64 count) {
  return count != 0 && first != 0 && first < m.block_count() && count <= m.block_count() - first;
}

bool read_block(BlockMedium& m, u64 lba, std::vector<u8>& block) {
  block.resize(m.block_size());
  return lba < m.block_count() && !efi_error(m.read(lba, 1, block.data()));
}

// --- GPT
// ---------------------------------------------------------------------------------------------------------------

struct GptHeader {
  u64 my_lba, alternate_lba, first_usable, last_usable, entries_lba;
  u32 entry_count, entry_bytes, entries_crc;
};

/// @source EFI 1.10, 11.2.2 (table 11-4 and the tests a header must pass)
std::optional<GptHeader> gpt_header(BlockMedium& m, u64 lba) {
  std::vector<u8> b;
  if (!read_block(m, lba, b) || std::memcmp(b.data(), "EFI PART", 8) != 0) return {};
  const u32 size = load_le<u32>(&b[12]), crc = load_le<u32>(&b[16]);
  if (size < 92 || size > b.size()) return {};
  std::memset(&b[16], 0, 4);
  if (gpt_crc32({b.data(), size}) != crc) return {};
  const GptHeader h{load_le<u64>(&b[24]), load_le<u64>(&b[32]), load_le<u64>(&b[40]), load_le<u64>(&b[48]),
                    load_le<u64>(&b[72]), load_le<u32>(&b[80]), load_le<u32>(&b[84]), load_le<u32>(&b[88])};
  constexpr u32 kMaxEntries = 16384, kMaxEntryBytes = 4096;
  const bool sane = h.my_lba == lba && h.entry_bytes >= 128 && h.entry_bytes % 8 == 0 &&
                    h.entry_bytes <= kMaxEntryBytes && h.entry_count <= kMaxEntries &&
                    u64{h.entry_count} * h.entry_bytes <= 4 << 20;
  return sane ? std::optional(h) : std::nullopt;
}

std::optional<std::vector<Partition>> gpt_entries(BlockMedium& m, const GptHeader& h) {
  std::vector<u8> table(size_t{h.entry_count} * h.entry_bytes);
  if (h.entries_lba >= m.block_count()) return {};
  if (efi_error(read_medium_bytes(m, h.entries_lba * m.block_size(), table.size(), table.data()))) return {};
  if (gpt_crc32(table) != h.entries_crc) return {};
  std::vector<Partition> out;
  for (u32 n = 0; n < h.entry_count; n++) {
    const u8* e = &table[size_t{n} * h.entry_bytes];
    Partition p{Partition::Kind::Gpt, n + 1, load_le<u64>(e + 32), 0, {}, {}, 0, 0};
    const u64 last = load_le<u64>(e + 40);
    std::memcpy(&p.type, e, 16);
    std::memcpy(&p.unique, e + 16, 16);
    if (p.type == Guid{} || last < p.first || p.first < h.first_usable || last > h.last_usable) continue;
    p.count = last - p.first + 1;
    if (inside(m, p.first, p.count)) out.push_back(p);
  }
  return out;
}

/// True when the first block permits a GPT: a protective entry, or no partition table at all.
bool permits_gpt(const u8* mbr) {
  if (!has_mbr_signature(mbr)) return true;
  bool empty = true;
  for (unsigned n = 0; n < 4; n++) {
    if (mbr_entry(mbr, n).type == kProtective) return true;
    empty = empty && mbr_entry(mbr, n).type == 0;
  }
  return empty;
}

std::optional<std::vector<Partition>> find_gpt(BlockMedium& m, const u8* mbr) {
  if (m.block_count() < 3 || !permits_gpt(mbr)) return {};
  for (const u64 lba : {u64{1}, m.block_count() - 1}) {
    const auto header = gpt_header(m, lba);
    if (!header) continue;
    if (auto entries = gpt_entries(m, *header)) {
      if (lba != 1)
        LOG_ONCE(Warn, m.size_bytes(),
                 "a disk of {} bytes has a damaged primary partition table; its backup is used",
                 m.size_bytes());
      return entries;
    }
  }
  return {};
}

// --- MBR
// ---------------------------------------------------------------------------------------------------------------

/// A FAT boot sector carries the same signature; a partition table has sane flags and at least one sane
/// entry.
bool is_partition_table(const BlockMedium& m, const u8* mbr) {
  if (!has_mbr_signature(mbr)) return false;
  bool any = false;
  for (unsigned n = 0; n < 4; n++) {
    const MbrEntry e = mbr_entry(mbr, n);
    if (e.boot & 0x7f) return false;
    if (e.type == 0) continue;
    if (e.first == 0 || e.first >= m.block_count()) return false;
    any = true;
  }
  return any;
}

void add_logical(BlockMedium& m, u64 extended_first, u64 extended_count, u32 signature,
                 std::vector<Partition>& out) {
  constexpr u32 kMaxLogical = 64;
  u64 at = extended_first;
  for (u32 n = 0; n < kMaxLogical; n++) {
    std::vector<u8> b;
    if (!read_block(m, at, b) || !has_mbr_signature(b.data())) return;
    const MbrEntry data = mbr_entry(b.data(), 0), link = mbr_entry(b.data(), 1);
    if (data.type && !is_extended(data.type) && inside(m, at + data.first, data.count) && data.first)
      out.push_back({Partition::Kind::Mbr, 5 + n, at + data.first, data.count, {}, {}, signature, data.type});
    if (!is_extended(link.type) || link.first == 0 || link.first >= extended_count) return;
    const u64 next = extended_first + link.first;
    if (next <= at) return;  // links lead forward in every sane table, and so loops are impossible
    at = next;
  }
}

std::vector<Partition> find_mbr(BlockMedium& m, const u8* mbr) {
  std::vector<Partition> out;
  if (!is_partition_table(m, mbr)) return out;
  const u32 signature = load_le<u32>(mbr + 440);
  for (unsigned n = 0; n < 4; n++) {
    const MbrEntry e = mbr_entry(mbr, n);
    if (e.type == 0 || e.type == kProtective) continue;
    if (is_extended(e.type)) {
      add_logical(m, e.first, e.count, signature, out);
    } else if (inside(m, e.first, e.count)) {
      out.push_back({Partition::Kind::Mbr, n + 1, e.first, e.count, {}, {}, signature, e.type});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return out;
}

// --- El Torito
// ---------------------------------------------------------------------------------------------------------

constexpr u32 kCdBlock = 2048;

void add_boot_image(const BlockMedium& m, const u8* e, std::vector<Partition>& out) {
  const u64 first = load_le<u32>(e + 8);
  const u64 sectors = load_le<u16>(e + 6);
  const u8 emulation = e[1] & 0xf;
  // Floppy emulations have the size of the floppy; a count of 0 or 1 means "to the end of the medium".
  constexpr u64 kFloppyBlocks[] = {0, 1228800 / kCdBlock, 1474560 / kCdBlock, 2949120 / kCdBlock};
  if (first >= m.block_count()) return;
  const u64 left = m.block_count() - first;
  u64 blocks =
      emulation >= 1 && emulation <= 3 ? kFloppyBlocks[emulation] : (sectors * 512 + kCdBlock - 1) / kCdBlock;
  if (emulation == 0 && sectors < 2) blocks = left;
  blocks = std::min(blocks, left);
  if (inside(m, first, blocks)) out.push_back({Partition::Kind::ElTorito, 0, first, blocks, {}, {}, 0, 0});
}

std::optional<std::vector<Partition>> find_el_torito(BlockMedium& m) {
  std::vector<u8> b;
  constexpr u64 kBootRecordLba = 17;
  if (m.block_size() != kCdBlock || !read_block(m, kBootRecordLba, b)) return {};
  if (b[0] != 0 || std::memcmp(&b[1], "CD001\1EL TORITO SPECIFICATION", 29) != 0) return {};
  if (!read_block(m, load_le<u32>(&b[0x47]), b)) return {};
  u16 sum = 0;
  for (unsigned i = 0; i < 32; i += 2) sum = static_cast<u16>(sum + load_le<u16>(&b[i]));
  if (b[0] != 1 || sum != 0 || b[30] != 0x55 || b[31] != 0xaa) return {};
  std::vector<Partition> out;
  for (size_t at = 32; at + 32 <= b.size(); at += 32) {
    const u8 id = b[at];
    if (id == 0x88) {
      add_boot_image(m, &b[at], out);
    } else if (at != 32 && id == 0x00) {
      break;
    }
  }
  for (u32 n = 0; n < out.size(); n++) out[n].number = n;
  return out;
}

}  // namespace

u32 gpt_crc32(std::span<const u8> bytes) {
  static const auto table = [] {
    std::array<u32, 256> t{};
    for (u32 n = 0; n < 256; n++) {
      u32 c = n;
      for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
      t[n] = c;
    }
    return t;
  }();
  u32 crc = ~0u;
  for (const u8 b : bytes) crc = table[(crc ^ b) & 0xff] ^ crc >> 8;
  return ~crc;
}

std::vector<Partition> find_partitions(BlockMedium& medium) {
  std::vector<u8> mbr;
  if (!read_block(medium, 0, mbr)) return {};
  if (auto gpt = find_gpt(medium, mbr.data())) return *gpt;
  if (auto cd = find_el_torito(medium)) return *cd;
  return find_mbr(medium, mbr.data());
}

}  // namespace ia64::firmware
