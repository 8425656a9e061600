// qcow2: headers, creation, opening, checking, growing.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/endian.h"
#include "storage/formats/qcow2_image.h"

namespace ia64::storage {

namespace {

constexpr u32 kMagic = 0x5146'49fb;
constexpr u64 kCopied = u64{1} << 63, kCompressed = u64{1} << 62;
constexpr u64 kOffsetMask = 0x00ff'ffff'ffff'fe00;
constexpr u32 kBackingFormatExtension = 0xe279'2aca;
constexpr u64 kDirty = 1, kCorrupt = 2, kExternalData = 4, kCompressionType = 8, kExtendedL2 = 16;
constexpr u64 kMaxTableBytes = u64{64} << 20;

Error bad(const FileIo& io, const std::string& what, ErrorKind kind = ErrorKind::Invalid) {
  return {kind, fmt::format("{}: {}", io.path(), what)};
}

/// Header extensions lie between the header and the first byte of anything else in the first cluster.
std::string backing_format(std::span<const u8> first, size_t at, u64 backing_offset) {
  const u64 end = backing_offset ? std::min<u64>(backing_offset, first.size()) : first.size();
  while (at + 8 <= end) {
    const u32 type = load_be<u32>(&first[at]), length = load_be<u32>(&first[at + 4]);
    if (type == 0 || length > end - at - 8) break;
    if (type == kBackingFormatExtension) return {reinterpret_cast<const char*>(&first[at + 8]), length};
    at += 8 + (length + 7) / 8 * 8;
  }
  return {};
}

Result<std::vector<u64>> read_table(const FileIo& io, u64 offset, u64 entries, const char* what) {
  const u64 size = io.file().size_bytes();
  if (entries * 8 > kMaxTableBytes) return bad(io, fmt::format("the {} is too large", what));
  if (offset % 512 || offset > size || entries * 8 > size - offset) return bad(io, fmt::format("the {} lies outside the file", what));
  std::vector<u8> raw(entries * 8);
  if (io.read(offset, raw) != BlockStatus::Ok) return bad(io, fmt::format("cannot read the {}", what), ErrorKind::Io);
  std::vector<u64> out(entries);
  for (size_t i = 0; i < out.size(); i++) out[i] = load_be<u64>(&raw[i * 8]);
  return out;
}

}  // namespace

Result<Qcow2Header> Qcow2Image::read_header(const FileIo& io) {
  const u64 size = io.file().measure().value_or(0);
  std::vector<u8> h(std::min<u64>(size, 65536));
  if (h.size() < 104) h.resize(104);
  if (size < 72 || io.read(0, std::span(h).first(std::min<u64>(size, h.size()))) != BlockStatus::Ok || load_be<u32>(&h[0]) != kMagic)
    return bad(io, "not a qcow2 image");
  Qcow2Header q;
  q.version = load_be<u32>(&h[4]);
  q.cluster_bits = load_be<u32>(&h[20]);
  q.size_bytes = load_be<u64>(&h[24]);
  q.crypt = load_be<u32>(&h[32]);
  q.l1_entries = load_be<u32>(&h[36]);
  q.l1_offset = load_be<u64>(&h[40]);
  q.refcount_table_offset = load_be<u64>(&h[48]);
  q.refcount_table_clusters = load_be<u32>(&h[56]);
  q.snapshots = load_be<u32>(&h[60]);
  size_t header_bytes = 72;
  if (q.version >= 3) {
    q.incompatible = load_be<u64>(&h[72]);
    q.refcount_order = load_be<u32>(&h[96]);
    header_bytes = load_be<u32>(&h[100]);
    if (header_bytes > 104 && h.size() > 104) q.compression = h[104];
  }
  const u64 backing_offset = load_be<u64>(&h[8]);
  const u32 backing_size = load_be<u32>(&h[16]);
  if (backing_offset) {
    if (backing_size > 1023 || backing_offset > h.size() || backing_size > h.size() - backing_offset)
      return bad(io, "damaged name of the backing file");
    q.backing.assign(reinterpret_cast<const char*>(&h[backing_offset]), backing_size);
    if (header_bytes < h.size()) q.backing_format = backing_format(h, header_bytes, backing_offset);
  }
  if (q.version != 2 && q.version != 3) return bad(io, fmt::format("qcow2 version {} is not supported", q.version), ErrorKind::Unsupported);
  if (q.cluster_bits < 9 || q.cluster_bits > 21) return bad(io, "odd cluster size");
  if (q.size_bytes > u64{1} << 60 || q.size_bytes % 512) return bad(io, "odd disk size");
  return q;
}

Result<std::unique_ptr<Qcow2Image>> Qcow2Image::open(const std::string& path, bool read_only, std::unique_ptr<BlockStore> below) {
  auto file = LockedFile::open(path, {.read_only = read_only, .any_size = true});
  if (!file) return file.error();
  std::unique_ptr<Qcow2Image> image(new Qcow2Image(FileIo(std::move(*file), path)));
  image->below_ = std::move(below);
  if (auto ok = image->load(read_only); !ok) return ok.error();
  return image;
}

Result<void> Qcow2Image::load(bool read_only) {
  const auto header = read_header(io_);
  if (!header) return header.error();
  header_ = *header;
  const auto& h = header_;
  if (h.crypt) return bad(io_, "encrypted images are not supported", ErrorKind::Unsupported);
  if (h.incompatible & kExternalData) return bad(io_, "external data files are not supported", ErrorKind::Unsupported);
  if (h.incompatible & kExtendedL2) return bad(io_, "extended L2 entries are not supported", ErrorKind::Unsupported);
  if ((h.incompatible & kCompressionType) && h.compression) return bad(io_, "only zlib compression is supported", ErrorKind::Unsupported);
  if (h.incompatible & ~(kDirty | kCorrupt | kExternalData | kCompressionType | kExtendedL2))
    return bad(io_, "the image uses features that are not known", ErrorKind::Unsupported);
  if (h.size_bytes == 0) return bad(io_, "the image is empty");
  const u64 per_l1 = h.cluster_bytes() * (h.cluster_bytes() / 8);
  if (h.l1_entries < (h.size_bytes + per_l1 - 1) / per_l1) return bad(io_, "the L1 table does not cover the disk");
  auto l1 = read_table(io_, h.l1_offset, h.l1_entries, "L1 table");
  if (!l1) return l1.error();
  l1_ = std::move(*l1);
  end_cluster_ = (io_.file().size_bytes() + h.cluster_bytes() - 1) / h.cluster_bytes();
  if (read_only) return {};
  if (h.snapshots) return bad(io_, "has internal snapshots; open it with ro:", ErrorKind::Unsupported);
  if (h.incompatible & kCorrupt) return bad(io_, "is marked corrupt; open it with ro:");
  if (h.incompatible & kDirty) return bad(io_, "was not closed and its reference counts are stale; repair it or open it with ro:");
  if (h.refcount_order != 4) return bad(io_, "only 16-bit reference counts can be written; open it with ro:", ErrorKind::Unsupported);
  if (auto ok = load_refcounts(); !ok) return ok;
  // Everything the disk can ever need must have its place in the table, so that no allocation fails half way.
  return reserve_counts(h.size_bytes / h.cluster_bytes() + l1_.size() + refcount_table_.size() + end_cluster_);
}

Result<void> Qcow2Image::load_refcounts() {
  const u64 entries = u64{header_.refcount_table_clusters} * entries_per_table();
  auto table = read_table(io_, header_.refcount_table_offset, entries, "refcount table");
  if (!table) return table.error();
  refcount_table_ = std::move(*table);
  for (u64 i = 0; i < refcount_table_.size(); i++) {
    const u64 offset = refcount_table_[i] & kOffsetMask;
    if (!offset) continue;
    if (!valid_offset(offset)) return bad(io_, "a refcount block lies outside the file");
    std::vector<u8> raw(header_.cluster_bytes());
    if (io_.read(offset, raw) != BlockStatus::Ok) return bad(io_, "cannot read a refcount block", ErrorKind::Io);
    auto& block = refcounts_[i];
    block.counts.resize(counts_per_block());
    for (size_t k = 0; k < block.counts.size(); k++) block.counts[k] = load_be<u16>(&raw[k * 2]);
  }
  return {};
}

// A longer table goes to the end of the file; the header names it only when it is there.
Result<void> Qcow2Image::reserve_counts(u64 clusters) {
  if (clusters <= refcount_table_.size() * counts_per_block()) return {};
  const u64 per_table_cluster = entries_per_table() * counts_per_block();  // clusters one cluster of the table covers
  const u64 size = (clusters + clusters / 8) / per_table_cluster + 2, first = end_cluster_;
  const u64 old_offset = header_.refcount_table_offset, old_size = header_.refcount_table_clusters;
  if (size * header_.cluster_bytes() > kMaxTableBytes) return bad(io_, "the disk is too large for its cluster size", ErrorKind::Unsupported);
  refcount_table_.resize(size * entries_per_table());
  end_cluster_ += size;
  for (u64 i = 0; i < size; i++) set_count(first + i, 1);
  header_.refcount_table_offset = first * header_.cluster_bytes();
  header_.refcount_table_clusters = static_cast<u32>(size);
  refcount_table_dirty_ = true;
  std::array<u8, 12> fields;
  store_be<u64>(&fields[0], header_.refcount_table_offset);
  store_be<u32>(&fields[8], header_.refcount_table_clusters);
  if (flush() != BlockStatus::Ok || io_.write(48, fields) != BlockStatus::Ok || io_.flush() != BlockStatus::Ok)
    return bad(io_, "cannot write the refcount table", ErrorKind::Io);
  for (u64 i = 0; i < old_size; i++) set_count(old_offset / header_.cluster_bytes() + i, 0);
  return {};
}

Result<void> Qcow2Image::create(const std::string& path, u64 size, const std::string& backing, const std::string& format) {
  constexpr u64 kCluster = 65536;
  size = (size + 511) / 512 * 512;
  const u64 l1_entries = std::max<u64>((size + (kCluster * kCluster / 8) - 1) / (kCluster * kCluster / 8), 1);
  const u64 l1_clusters = (l1_entries * 8 + kCluster - 1) / kCluster;
  // Counts for the disk and its tables, twice over, so that the image can grow.
  const u64 blocks = (2 * (size / kCluster + 64) + kCluster / 2 - 1) / (kCluster / 2) + 1;
  const u64 table_clusters = (blocks * 8 + kCluster - 1) / kCluster;
  const u64 used = 1 + table_clusters + 1 + l1_clusters;  // header, refcount table, its first block, L1
  if (used > kCluster / 2) return Error{ErrorKind::Invalid, fmt::format("{}: {} bytes are too many for a qcow2 image", path, size)};
  std::vector<u8> out(used * kCluster);
  const u64 block_offset = (1 + table_clusters) * kCluster;
  store_be<u32>(&out[0], kMagic);
  store_be<u32>(&out[4], 3);
  store_be<u32>(&out[20], 16);
  store_be<u64>(&out[24], size);
  store_be<u32>(&out[36], static_cast<u32>(l1_entries));
  store_be<u64>(&out[40], block_offset + kCluster);
  store_be<u64>(&out[48], kCluster);
  store_be<u32>(&out[56], static_cast<u32>(table_clusters));
  store_be<u32>(&out[96], 4);
  store_be<u32>(&out[100], 104);
  if (!backing.empty()) {
    store_be<u32>(&out[104], kBackingFormatExtension);
    store_be<u32>(&out[108], static_cast<u32>(format.size()));
    std::memcpy(&out[112], format.data(), format.size());
    store_be<u64>(&out[8], 1024);
    store_be<u32>(&out[16], static_cast<u32>(backing.size()));
    std::memcpy(&out[1024], backing.data(), std::min<size_t>(backing.size(), 1023));
  }
  store_be<u64>(&out[kCluster], block_offset);
  for (u64 i = 0; i < used; i++) store_be<u16>(&out[block_offset + i * 2], 1);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return Error{ErrorKind::Io, fmt::format("{}: cannot create: {}", path, std::strerror(errno))};
  const bool ok = pwrite(fd, out.data(), out.size(), 0) == static_cast<ssize_t>(out.size());
  const int error = errno;
  close(fd);
  if (ok) return {};
  unlink(path.c_str());
  return Error{ErrorKind::Io, fmt::format("{}: cannot write: {}", path, std::strerror(error))};
}

Result<Qcow2Image::CheckReport> Qcow2Image::check() {
  if (refcount_table_.empty())
    if (auto ok = load_refcounts(); !ok) return ok.error();
  CheckReport report;
  std::vector<u32> used(end_cluster_);
  const auto use = [&](u64 offset, const char* what) {
    if (!offset) return;
    if (offset % header_.cluster_bytes() || offset / header_.cluster_bytes() >= end_cluster_)
      return report.errors.push_back(fmt::format("{} at {:#x} lies outside the file", what, offset));
    if (used[offset / header_.cluster_bytes()]++) report.errors.push_back(fmt::format("{} at {:#x} is used twice", what, offset));
  };
  const auto use_range = [&](u64 offset, u64 bytes, const char* what) {
    for (u64 at = offset; at < offset + bytes; at += header_.cluster_bytes()) use(at, what);
  };
  use(0, "header");
  used[0] = 1;
  use_range(header_.l1_offset, std::max<u64>(l1_.size() * 8, 1), "L1 table");
  use_range(header_.refcount_table_offset, refcount_table_.size() * 8, "refcount table");
  for (const u64 entry : refcount_table_) use(entry & kOffsetMask, "refcount block");
  std::vector<bool> packed(end_cluster_);
  for (u64 i = 0; i < l1_.size(); i++) {
    use(l1_[i] & kOffsetMask, "L2 table");
    const Table* t = l1_[i] & kOffsetMask ? table_of(i * entries_per_table()) : nullptr;
    if (!t) continue;
    for (const u64 entry : t->entries) {
      report.allocated += (entry & kCompressed) || (entry & kOffsetMask);
      if (!(entry & kCompressed)) {
        use(entry & kOffsetMask, "cluster");
        continue;
      }
      const u64 first = (entry & ((u64{1} << (70 - header_.cluster_bits)) - 1)) / header_.cluster_bytes();
      for (u64 c = first; c < std::min(first + 2, end_cluster_); c++) packed[c] = true;
    }
  }
  for (u64 c = 0; c < end_cluster_; c++) {
    if (packed[c]) continue;  // shared by several compressed clusters: any count may be right
    if (count_of(c) < used[c]) report.errors.push_back(fmt::format("cluster {} is used but counted {} times", c, count_of(c)));
    if (count_of(c) > used[c]) report.leaked++;
  }
  return report;
}

// The longer first-level table goes to the end of the file; the header names it only when it is there.
Result<void> Qcow2Image::grow(u64 size) {
  if (size < header_.size_bytes) return bad(io_, "an image cannot be made smaller");
  size = (size + 511) / 512 * 512;
  const u64 per_l1 = header_.cluster_bytes() * entries_per_table();
  const u64 wanted = (size + per_l1 - 1) / per_l1;
  if (auto ok = reserve_counts(size / header_.cluster_bytes() + 2 * wanted + end_cluster_); !ok) return ok;
  u64 l1_offset = header_.l1_offset;
  const u64 clusters = (wanted * 8 + header_.cluster_bytes() - 1) / header_.cluster_bytes();
  const u64 old_clusters = (l1_.size() * 8 + header_.cluster_bytes() - 1) / header_.cluster_bytes();
  auto l1 = l1_;
  l1.resize(std::max<u64>(wanted, l1_.size()));
  if (clusters > old_clusters) {
    // One stretch: a refcount block made on the way must not land inside it.
    const u64 first = end_cluster_;
    end_cluster_ += clusters;
    for (u64 i = 0; i < clusters; i++)
      if (!set_count(first + i, 1)) return bad(io_, "no room for the L1 table");
    l1_offset = first * header_.cluster_bytes();
  }
  if (flush() != BlockStatus::Ok || write_table(l1_offset, l1) != BlockStatus::Ok || io_.flush() != BlockStatus::Ok)
    return bad(io_, "cannot write the L1 table", ErrorKind::Io);
  std::array<u8, 24> fields;
  store_be<u64>(&fields[0], size);
  store_be<u32>(&fields[8], 0);
  store_be<u32>(&fields[12], static_cast<u32>(l1.size()));
  store_be<u64>(&fields[16], l1_offset);
  if (io_.write(24, fields) != BlockStatus::Ok || io_.flush() != BlockStatus::Ok) return bad(io_, "cannot write the header", ErrorKind::Io);
  const u64 old = header_.l1_offset;
  header_.size_bytes = size, header_.l1_entries = static_cast<u32>(l1.size()), header_.l1_offset = l1_offset;
  l1_ = std::move(l1);
  if (old != l1_offset)
    for (u64 i = 0; i < old_clusters; i++) set_count(old / header_.cluster_bytes() + i, 0);
  return flush() == BlockStatus::Ok ? Result<void>{} : bad(io_, "cannot write the reference counts", ErrorKind::Io);
}

}  // namespace ia64::storage
