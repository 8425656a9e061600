// qcow2: lookups, allocation, ordered flush.
#include "storage/formats/qcow2_image.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>

#include "base/endian.h"

namespace ia64::storage {

namespace {

constexpr u64 kCopied = u64{1} << 63, kCompressed = u64{1} << 62, kZero = 1;
constexpr u64 kOffsetMask = 0x00ff'ffff'ffff'fe00;

}  // namespace

bool Qcow2Image::valid_offset(u64 offset) const {
  return offset % header_.cluster_bytes() == 0 && offset / header_.cluster_bytes() < end_cluster_;
}

// --- lookups
// ----------------------------------------------------------------------------------------------------------

/// The second-level table of a unit, read on its first use; nullptr when there is none or it is damaged.
Qcow2Image::Table* Qcow2Image::table_of(u64 unit) {
  const u64 index = unit / entries_per_table();
  std::lock_guard lock(tables_mutex_);
  if (const auto it = tables_.find(index); it != tables_.end()) return &it->second;
  const u64 offset = l1_[index] & kOffsetMask;
  if (!valid_offset(offset) || !offset) return nullptr;
  std::vector<u8> raw(header_.cluster_bytes());
  if (io_.read(offset, raw) != BlockStatus::Ok) return nullptr;
  Table t{std::vector<u64>(entries_per_table()), offset, false};
  for (size_t i = 0; i < t.entries.size(); i++) t.entries[i] = load_be<u64>(&raw[i * 8]);
  return &tables_.emplace(index, std::move(t)).first->second;
}

bool Qcow2Image::find(u64 unit, UnitPlace& out) {
  out = {};
  const u64 index = unit / entries_per_table();
  if (index >= l1_.size()) return false;
  if (!(l1_[index] & kOffsetMask)) return true;
  const Table* t = table_of(unit);
  if (!t) return false;
  const u64 entry = t->entries[unit % entries_per_table()];
  if (entry & kCompressed) return out.place = Place::Packed, true;
  if (header_.version >= 3 && (entry & kZero)) return out.place = Place::Zero, true;
  out.offset = entry & kOffsetMask;
  if (!out.offset) return true;
  out.place = Place::File;
  return valid_offset(out.offset);
}

BlockStatus Qcow2Image::unpack(u64 unit, std::span<u8> out) {
  const Table* t = table_of(unit);
  if (!t) return BlockStatus::Io;
  const u64 entry = t->entries[unit % entries_per_table()];
  const unsigned split = 62 - (header_.cluster_bits - 8);
  const u64 offset = entry & ((u64{1} << split) - 1);
  const u64 sectors = (entry >> split & ((u64{1} << (62 - split)) - 1)) + 1;
  const u64 size = io_.file().measure().value_or(0);
  if (offset >= size) return BlockStatus::Io;
  std::vector<u8> packed(std::min(sectors * 512 - offset % 512, size - offset));
  if (const auto s = io_.read(offset, packed); s != BlockStatus::Ok) return s;
  z_stream z{};
  if (inflateInit2(&z, -15) != Z_OK) return BlockStatus::Io;
  z.next_in = packed.data(), z.avail_in = static_cast<uInt>(packed.size());
  z.next_out = out.data(), z.avail_out = static_cast<uInt>(out.size());
  inflate(&z, Z_FINISH);
  const bool whole = z.avail_out == 0;
  inflateEnd(&z);
  return whole ? BlockStatus::Ok : BlockStatus::Io;
}

// --- allocation
// -------------------------------------------------------------------------------------------------------

u16 Qcow2Image::count_of(u64 cluster) {
  const auto it = refcounts_.find(cluster / counts_per_block());
  return it == refcounts_.end() ? u16{0} : it->second.counts[cluster % counts_per_block()];
}

// A part of the counts without its block gets one, at the end of the file and counted by itself.
bool Qcow2Image::set_count(u64 cluster, u16 count) {
  const u64 index = cluster / counts_per_block();
  if (index >= refcount_table_.size()) return false;
  auto& block = refcounts_[index];
  if (block.counts.empty()) {
    block.counts.resize(counts_per_block());
    const u64 own = end_cluster_++;
    refcount_table_[index] = own * header_.cluster_bytes();
    refcount_table_dirty_ = true;
    if (!set_count(own, 1)) return false;
  }
  auto& now = refcounts_[index];
  now.counts[cluster % counts_per_block()] = count;
  now.dirty = true;
  return true;
}

BlockStatus Qcow2Image::take_cluster(u64& offset) {
  if (!free_.empty()) {
    offset = free_.back();
    free_.pop_back();
    return set_count(offset / header_.cluster_bytes(), 1) ? BlockStatus::Ok : BlockStatus::NoSpace;
  }
  const u64 cluster = end_cluster_++;
  offset = cluster * header_.cluster_bytes();
  return set_count(cluster, 1) ? BlockStatus::Ok : BlockStatus::NoSpace;
}

// A place that no table names any more. It is not used again before the tables on the disk have forgotten it too.
void Qcow2Image::release(u64 entry) {
  const u64 offset = entry & kOffsetMask;
  if ((entry & kCompressed) || !offset || !valid_offset(offset)) return;  // parts of compressed clusters stay counted
  const u64 cluster = offset / header_.cluster_bytes();
  if (count_of(cluster) != 1) return;
  set_count(cluster, 0);
  freed_.push_back(offset);
}

BlockStatus Qcow2Image::allocate(u64, u64& offset, bool& fresh) {
  fresh = false;
  return take_cluster(offset);
}

Qcow2Image::Table* Qcow2Image::table_for_writing(u64 unit) {
  const u64 index = unit / entries_per_table();
  if (index >= l1_.size()) return nullptr;
  if (l1_[index] & kOffsetMask) return table_of(unit);
  u64 offset;
  if (take_cluster(offset) != BlockStatus::Ok) return nullptr;
  l1_[index] = offset | kCopied;
  l1_dirty_ = true;
  std::lock_guard lock(tables_mutex_);
  return &tables_.insert_or_assign(index, Table{std::vector<u64>(entries_per_table()), offset, true}).first->second;
}

BlockStatus Qcow2Image::settle(u64 unit, u64 offset) {
  Table* t = table_for_writing(unit);
  if (!t) return BlockStatus::NoSpace;
  u64& entry = t->entries[unit % entries_per_table()];
  release(entry);
  entry = offset | kCopied;
  t->dirty = true;
  return BlockStatus::Ok;
}

BlockStatus Qcow2Image::drop(u64 unit) {
  if (header_.version < 3 && below_) return BlockStatus::Unsupported;  // cannot say "zeroes" over a backing file
  UnitPlace p;
  if (!find(unit, p)) return BlockStatus::Io;
  if (p.place == Place::Zero || (p.place == Place::Below && !below_)) return BlockStatus::Ok;
  Table* t = table_for_writing(unit);
  if (!t) return BlockStatus::NoSpace;
  u64& entry = t->entries[unit % entries_per_table()];
  release(entry);
  entry = below_ ? kZero : 0;
  t->dirty = true;
  return BlockStatus::Ok;
}

// --- flush
// ------------------------------------------------------------------------------------------------------------

BlockStatus Qcow2Image::write_table(u64 offset, std::span<const u64> entries) {
  std::vector<u8> raw(entries.size() * 8);
  for (size_t i = 0; i < entries.size(); i++) store_be<u64>(&raw[i * 8], entries[i]);
  return io_.write(offset, raw);
}

// Data and the counts of new clusters first, then the tables that name them, then the counts of freed ones: whatever moment
// a crash picks, every cluster in use is counted. (Counts of freed clusters go out with the next flush at the earliest.)
BlockStatus Qcow2Image::flush() {
  std::vector<u64> pending;
  pending.swap(freed_);
  for (const u64 offset : pending) set_count(offset / header_.cluster_bytes(), 1);
  auto status = io_.flush();
  const auto step = [&](BlockStatus s) {
    if (status == BlockStatus::Ok) status = s;
  };
  bool wrote = false;
  const auto write_counts = [&] {
    for (auto& [index, block] : refcounts_) {
      if (!block.dirty || status != BlockStatus::Ok) continue;
      std::vector<u8> raw(header_.cluster_bytes());
      for (size_t i = 0; i < block.counts.size(); i++) store_be<u16>(&raw[i * 2], block.counts[i]);
      step(io_.write(refcount_table_[index], raw));
      block.dirty = status != BlockStatus::Ok;
      wrote = true;
    }
  };
  write_counts();
  if (refcount_table_dirty_ && status == BlockStatus::Ok) {
    step(write_table(header_.refcount_table_offset, refcount_table_));
    refcount_table_dirty_ = status != BlockStatus::Ok;
    wrote = true;
  }
  if (wrote) step(io_.flush());
  bool tables = false;
  for (auto& [index, t] : tables_) {
    if (!t.dirty || status != BlockStatus::Ok) continue;
    step(write_table(t.offset, t.entries));
    t.dirty = status != BlockStatus::Ok;
    tables = true;
  }
  if (tables) step(io_.flush());
  if (l1_dirty_ && status == BlockStatus::Ok) {
    step(write_table(header_.l1_offset, l1_));
    l1_dirty_ = status != BlockStatus::Ok;
    step(io_.flush());
  }
  for (const u64 offset : pending) set_count(offset / header_.cluster_bytes(), 0);
  if (status != BlockStatus::Ok) {
    freed_.insert(freed_.end(), pending.begin(), pending.end());
    return status;
  }
  write_counts();
  free_.insert(free_.end(), pending.begin(), pending.end());
  return status;
}

}  // namespace ia64::storage
