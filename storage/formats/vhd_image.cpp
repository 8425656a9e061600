// VHD: footer, dynamic header, block allocation table.
#include "storage/formats/vhd_image.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <random>

#include "base/endian.h"
#include "storage/formats/unit_store.h"

namespace ia64::storage {

namespace {

constexpr u32 kSector = 512, kBlock = 2u << 20, kNoBlock = 0xffff'ffff;
constexpr u64 kHeaderOffset = 512, kTableOffset = 1536, kMaxTableEntries = u64{1} << 22;
constexpr u32 kFixed = 2, kDynamic = 3, kDifferencing = 4;
constexpr char kCookie[] = "conectix", kDynamicCookie[] = "cxsparse";
using Footer = std::array<u8, kSector>;

u32 checksum(std::span<const u8> bytes, size_t field) {
  u32 sum = 0;
  for (size_t i = 0; i < bytes.size(); i++)
    if (i < field || i >= field + 4) sum += bytes[i];
  return ~sum;
}

struct Geometry {
  u32 cylinders, heads, sectors;
  u64 total() const { return u64{cylinders} * heads * sectors; }
};

/// @source VHD specification, appendix "CHS calculation"
Geometry geometry_of(u64 total) {
  total = std::min<u64>(total, 65535ull * 16 * 255);
  u64 per_track, heads, tracks;
  if (total >= 65535ull * 16 * 63) {
    per_track = 255, heads = 16, tracks = total / per_track;
  } else {
    per_track = 17, tracks = total / per_track;
    heads = std::max<u64>((tracks + 1023) / 1024, 4);
    if (tracks >= heads * 1024 || heads > 16) per_track = 31, heads = 16, tracks = total / per_track;
    if (tracks >= heads * 1024) per_track = 63, heads = 16, tracks = total / per_track;
  }
  return {static_cast<u32>(tracks / heads), static_cast<u32>(heads), static_cast<u32>(per_track)};
}

/// Readers take the size from the geometry or from its own field: both must agree where the geometry reaches.
u64 rounded_sectors(u64 size_bytes) {
  const u64 wanted = (size_bytes + kSector - 1) / kSector;
  for (u64 n = wanted;; n++) {
    const auto g = geometry_of(n);
    if (g.total() >= wanted) return g.total();
    if (n >= 65535ull * 16 * 255) return wanted;
  }
}

Footer make_footer(u64 sectors, bool fixed) {
  Footer f{};
  std::memcpy(f.data(), kCookie, 8);
  store_be<u32>(&f[8], 2);
  store_be<u32>(&f[12], 0x10000);
  store_be<u64>(&f[16], fixed ? ~u64{0} : kHeaderOffset);
  store_be<u32>(&f[24], static_cast<u32>(std::time(nullptr) - 946684800));
  std::memcpy(&f[28], "ivm ", 4);
  store_be<u32>(&f[32], 0x10000);
  store_be<u64>(&f[40], sectors * kSector);
  store_be<u64>(&f[48], sectors * kSector);
  const auto g = geometry_of(sectors);
  store_be<u16>(&f[56], static_cast<u16>(g.cylinders));
  f[58] = static_cast<u8>(g.heads), f[59] = static_cast<u8>(g.sectors);
  store_be<u32>(&f[60], fixed ? kFixed : kDynamic);
  std::random_device random;
  for (size_t i = 68; i < 84; i++) f[i] = static_cast<u8>(random());
  store_be<u32>(&f[64], checksum(f, 64));
  return f;
}

bool valid_footer(std::span<const u8> f) {
  return std::memcmp(f.data(), kCookie, 8) == 0 && load_be<u32>(&f[64]) == checksum(f, 64);
}

std::vector<u8> dynamic_header(u64 sectors) {
  std::vector<u8> h(1024);
  std::memcpy(h.data(), kDynamicCookie, 8);
  store_be<u64>(&h[8], ~u64{0});
  store_be<u64>(&h[16], kTableOffset);
  store_be<u32>(&h[24], 0x10000);
  store_be<u32>(&h[28], static_cast<u32>((sectors * kSector + kBlock - 1) / kBlock));
  store_be<u32>(&h[32], kBlock);
  store_be<u32>(&h[36], checksum(h, 36));
  return h;
}

u64 round_up(u64 v, u64 unit) {
  return (v + unit - 1) / unit * unit;
}

/// The footer at the end, or its copy at the beginning when a crash has left something else at the end.
Result<Footer> find_footer(const FileIo& io) {
  Footer f;
  const u64 size = io.file().size_bytes();
  if (size < kSector) return Error{ErrorKind::Invalid, fmt::format("{}: not a VHD image", io.path())};
  if (io.read(size - kSector, f) == BlockStatus::Ok && valid_footer(f)) return f;
  if (io.read(0, f) == BlockStatus::Ok && valid_footer(f) && load_be<u32>(&f[60]) == kDynamic) return f;
  return Error{ErrorKind::Invalid, fmt::format("{}: not a VHD image, or its footer is damaged", io.path())};
}

/// A raw file with a footer behind it.
class FixedVhd final : public BlockStore {
 public:
  FixedVhd(FileIo io, u64 size_bytes, bool read_only) : io_(std::move(io)), size_bytes_(size_bytes), read_only_(read_only) {}
  ~FixedVhd() override { workers_.stop(); }
  u64 size_bytes() const override { return size_bytes_; }
  bool read_only() const override { return read_only_; }
  std::string describe() const override { return "vhd:" + io_.path(); }
  void submit(BlockRequest request) override { workers_.submit(std::move(request)); }

 private:
  BlockStatus perform(BlockRequest& r) {
    switch (r.op) {
      case BlockOp::Read:
      case BlockOp::Write: return io_.transfer(r.op == BlockOp::Write, r.offset_bytes, r.iov, r.fua);
      case BlockOp::Flush: return read_only_ ? BlockStatus::Ok : io_.flush();
      case BlockOp::Discard: return io_.discard(r.offset_bytes, r.size_bytes);
      case BlockOp::WriteZeroes: return io_.write_zeroes(r.offset_bytes, r.size_bytes);
    }
    return BlockStatus::Unsupported;
  }
  FileIo io_;
  const u64 size_bytes_;
  const bool read_only_;
  RequestWorkers workers_{[this](BlockRequest& r) { return perform(r); }};
};

}  // namespace

Result<void> VhdImage::create(const std::string& path, u64 size, bool fixed) {
  const u64 sectors = rounded_sectors(size);
  const auto footer = make_footer(sectors, fixed);
  if (!fixed && sectors * kSector / kBlock >= kMaxTableEntries)
    return Error{ErrorKind::Invalid, fmt::format("{}: too large for a VHD", path)};
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return Error{ErrorKind::Io, fmt::format("{}: cannot create: {}", path, std::strerror(errno))};
  const auto put = [&](u64 at, std::span<const u8> bytes) {
    return pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(bytes.size());
  };
  bool ok;
  if (fixed) {
    ok = ftruncate(fd, static_cast<off_t>(sectors * kSector)) == 0 && put(sectors * kSector, footer);
  } else {
    const auto header = dynamic_header(sectors);
    const std::vector<u8> table(round_up(u64{load_be<u32>(&header[28])} * 4, kSector), 0xff);
    ok = put(0, footer) && put(kHeaderOffset, header) && put(kTableOffset, table) && put(kTableOffset + table.size(), footer);
  }
  const int error = errno;
  close(fd);
  if (ok) return {};
  unlink(path.c_str());
  return Error{ErrorKind::Io, fmt::format("{}: cannot write: {}", path, std::strerror(error))};
}

Result<std::unique_ptr<VhdImage>> VhdImage::open(const std::string& path, bool read_only) {
  auto file = LockedFile::open(path, {.read_only = read_only, .any_size = true});
  if (!file) return file.error();
  std::unique_ptr<VhdImage> image(new VhdImage(FileIo(std::move(*file), path)));
  if (auto ok = image->load(); !ok) return ok.error();
  return image;
}

Result<void> VhdImage::load() {
  const auto bad = [&](const std::string& what) { return Error{ErrorKind::Invalid, fmt::format("{}: {}", io_.path(), what)}; };
  const auto footer = find_footer(io_);
  if (!footer) return footer.error();
  footer_.assign(footer->begin(), footer->end());
  const u32 type = load_be<u32>(&footer_[60]);
  if (type == kDifferencing) return bad("differencing VHDs are not supported");
  if (type != kDynamic) return bad("not a dynamic VHD");
  std::vector<u8> h(1024);
  if (io_.read(load_be<u64>(&footer_[16]), h) != BlockStatus::Ok || std::memcmp(h.data(), kDynamicCookie, 8) != 0 ||
      load_be<u32>(&h[36]) != checksum(h, 36))
    return bad("damaged dynamic header");
  size_bytes_ = load_be<u64>(&footer_[48]) / kSector * kSector;
  table_offset_ = load_be<u64>(&h[16]);
  block_bytes_ = load_be<u32>(&h[32]);
  const u64 entries = load_be<u32>(&h[28]);
  if (block_bytes_ < kSector || block_bytes_ > (64u << 20) || (block_bytes_ & (block_bytes_ - 1))) return bad("odd block size");
  if (size_bytes_ == 0 || entries > kMaxTableEntries || entries < (size_bytes_ + block_bytes_ - 1) / block_bytes_)
    return bad("the block table does not cover the disk");
  bitmap_bytes_ = static_cast<u32>(round_up(block_bytes_ / kSector / 8 ? block_bytes_ / kSector / 8 : 1, kSector));
  const u64 file_size = io_.file().size_bytes();
  if (table_offset_ > file_size || entries * 4 > file_size - table_offset_) return bad("the block table lies outside the file");
  std::vector<u8> raw(entries * 4);
  if (io_.read(table_offset_, raw) != BlockStatus::Ok) return bad("cannot read the block table");
  table_.resize(entries);
  end_ = table_offset_ + round_up(raw.size(), kSector);
  for (u64 i = 0; i < entries; i++) {
    table_[i] = load_be<u32>(&raw[i * 4]);
    if (table_[i] == kNoBlock) continue;
    const u64 block_end = u64{table_[i]} * kSector + bitmap_bytes_ + block_bytes_;
    if (block_end <= file_size) end_ = std::max(end_, block_end);
  }
  dirty_pages_.resize(round_up(raw.size(), kSector) / kSector);
  return {};
}

bool VhdImage::find(u64 unit, UnitPlace& out) {
  if (unit >= table_.size()) return false;
  out = table_[unit] == kNoBlock ? UnitPlace{Place::Zero} : UnitPlace{Place::File, u64{table_[unit]} * kSector + bitmap_bytes_};
  return out.place != Place::File || out.offset >= table_offset_;
}

// A new block goes where the footer was; until the next flush writes a new one, the copy at the beginning counts.
BlockStatus VhdImage::allocate(u64, u64& offset, bool& fresh) {
  const u64 at = round_up(end_, kSector);
  if (at / kSector >= kNoBlock) return BlockStatus::NoSpace;
  const std::vector<u8> bitmap(bitmap_bytes_, 0xff);
  if (const auto s = io_.write(at, bitmap); s != BlockStatus::Ok) return s;
  offset = at + bitmap_bytes_;
  if (ftruncate(io_.file().fd(), static_cast<off_t>(offset)) != 0 ||
      ftruncate(io_.file().fd(), static_cast<off_t>(offset + block_bytes_)) != 0)
    return io_.fail("extending", errno);
  fresh = true;
  end_ = offset + block_bytes_;
  dirty_ = true;
  return BlockStatus::Ok;
}

BlockStatus VhdImage::settle(u64 unit, u64 offset) {
  table_[unit] = static_cast<u32>((offset - bitmap_bytes_) / kSector);
  dirty_pages_[unit * 4 / kSector] = true;
  return BlockStatus::Ok;
}

BlockStatus VhdImage::write_footer() {
  return io_.write(round_up(end_, kSector), footer_);
}

BlockStatus VhdImage::flush() {
  if (!dirty_) return io_.flush();
  if (const auto s = write_footer(); s != BlockStatus::Ok) return s;
  if (const auto s = io_.flush(); s != BlockStatus::Ok) return s;
  for (size_t page = 0; page < dirty_pages_.size(); page++) {
    if (!dirty_pages_[page]) continue;
    std::array<u8, kSector> raw;
    raw.fill(0xff);
    for (size_t i = 0; i < kSector / 4 && page * (kSector / 4) + i < table_.size(); i++)
      store_be<u32>(&raw[i * 4], table_[page * (kSector / 4) + i]);
    const u64 bytes = std::min<u64>(kSector, table_.size() * 4 - page * kSector);
    const auto s = io_.write(table_offset_ + page * kSector, std::span(raw).first(bytes));
    if (s != BlockStatus::Ok) return s;
    dirty_pages_[page] = false;
  }
  dirty_ = false;
  return io_.flush();
}

u64 VhdImage::allocated_units() const {
  return static_cast<u64>(std::count_if(table_.begin(), table_.end(), [](u32 s) { return s != kNoBlock; }));
}

std::vector<std::string> VhdImage::check() const {
  std::vector<std::string> out;
  std::vector<std::pair<u64, u64>> used;
  for (size_t i = 0; i < table_.size(); i++)
    if (table_[i] != kNoBlock) used.emplace_back(u64{table_[i]} * kSector, i);
  std::sort(used.begin(), used.end());
  u64 last_end = table_offset_ + round_up(table_.size() * 4, kSector);
  for (const auto& [at, block] : used) {
    if (at < last_end) out.push_back(fmt::format("block {} at {:#x} overlaps what is before it", block, at));
    last_end = at + bitmap_bytes_ + block_bytes_;
    if (last_end > io_.file().measure().value_or(0)) out.push_back(fmt::format("block {} reaches past the end of the file", block));
  }
  return out;
}

Result<std::unique_ptr<BlockStore>> open_vhd(const std::string& path, bool read_only) {
  {
    auto file = LockedFile::open(path, {.read_only = read_only, .any_size = true});
    if (!file) return file.error();
    FileIo io(std::move(*file), path);
    const auto footer = find_footer(io);
    if (!footer) return footer.error();
    const u64 size = load_be<u64>(&(*footer)[48]) / kSector * kSector;
    if (load_be<u32>(&(*footer)[60]) == kFixed) {
      if (size == 0 || size > io.file().size_bytes() - kSector)
        return Error{ErrorKind::Invalid, fmt::format("{}: the VHD is cut short", path)};
      return std::unique_ptr<BlockStore>(std::make_unique<FixedVhd>(std::move(io), size, read_only));
    }
  }
  auto image = VhdImage::open(path, read_only);
  if (!image) return image.error();
  return std::unique_ptr<BlockStore>(std::make_unique<UnitStore>(std::move(*image), read_only));
}

}  // namespace ia64::storage
