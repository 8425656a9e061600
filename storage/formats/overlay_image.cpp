// Overlay files: header, bitmap, units.
#include "storage/formats/overlay_image.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/endian.h"

namespace ia64::storage {

namespace {

constexpr u64 kPage = 4096;
constexpr u32 kVersion = 1, kSmallestUnit = 4096;
constexpr u64 kMaxBitmapBytes = u64{8} << 20;
constexpr size_t kAtVersion = 16, kAtUnit = 20, kAtSize = 24, kAtSpecLength = 32, kAtSpec = 64;
constexpr size_t kMaxSpec = kPage - kAtSpec;

u64 bitmap_bytes(u64 size, u32 unit) {
  const u64 units = (size + unit - 1) / unit;
  return (units + 8 * kPage - 1) / (8 * kPage) * kPage;
}

u32 unit_for(u64 size) {
  u32 unit = kSmallestUnit;
  while (bitmap_bytes(size, unit) > kMaxBitmapBytes) unit *= 2;
  return unit;
}

Result<std::vector<u8>> make_header(const std::string& below_spec, u64 size) {
  std::vector<u8> h(kPage);
  if (below_spec.size() > kMaxSpec) return Error{ErrorKind::Invalid, "the specification of the store below is too long"};
  std::memcpy(h.data(), OverlayImage::kMagic, sizeof OverlayImage::kMagic);
  store_le<u32>(&h[kAtVersion], kVersion);
  store_le<u32>(&h[kAtUnit], unit_for(size));
  store_le<u64>(&h[kAtSize], size);
  store_le<u32>(&h[kAtSpecLength], static_cast<u32>(below_spec.size()));
  std::memcpy(&h[kAtSpec], below_spec.data(), below_spec.size());
  return h;
}

Result<void> fill_new(int fd, const std::string& path, const std::string& below_spec, u64 size) {
  const auto header = make_header(below_spec, size);
  if (!header) return header.error();
  const u64 data = kPage + bitmap_bytes(size, unit_for(size));
  if (pwrite(fd, header->data(), header->size(), 0) != static_cast<ssize_t>(header->size()) ||
      ftruncate(fd, static_cast<off_t>(data + (size + kPage - 1) / kPage * kPage)) != 0)
    return Error{ErrorKind::Io, fmt::format("{}: cannot write: {}", path, std::strerror(errno))};
  return {};
}

}  // namespace

Result<void> OverlayImage::create(const std::string& path, const std::string& below_spec, u64 size) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return Error{ErrorKind::Io, fmt::format("{}: cannot create: {}", path, std::strerror(errno))};
  auto done = fill_new(fd, path, below_spec, size);
  close(fd);
  if (!done) unlink(path.c_str());
  return done;
}

Result<std::string> OverlayImage::below_spec(const std::string& path) {
  auto file = LockedFile::open(path, {.read_only = true, .any_size = true});
  if (!file) return file.error();
  const FileIo io(std::move(*file), path);
  std::vector<u8> h(kPage);
  if (io.file().size_bytes() < kPage || io.read(0, h) != BlockStatus::Ok || std::memcmp(h.data(), kMagic, sizeof kMagic) != 0)
    return Error{ErrorKind::Invalid, fmt::format("{}: not an overlay file", path)};
  const u32 length = load_le<u32>(&h[kAtSpecLength]);
  if (length > kMaxSpec) return Error{ErrorKind::Invalid, fmt::format("{}: damaged header", path)};
  return std::string(reinterpret_cast<const char*>(&h[kAtSpec]), length);
}

Result<std::unique_ptr<OverlayImage>> OverlayImage::open(const std::string& path, bool read_only, std::unique_ptr<BlockStore> below) {
  auto file = LockedFile::open(path, {.read_only = read_only, .any_size = true});
  if (!file) return file.error();
  std::unique_ptr<OverlayImage> image(new OverlayImage(FileIo(std::move(*file), path), std::move(below)));
  if (auto ok = image->load(); !ok) return ok.error();
  return image;
}

Result<std::unique_ptr<OverlayImage>> OverlayImage::scratch(std::unique_ptr<BlockStore> below, const std::string& below_spec) {
  const char* folder = std::getenv("TMPDIR");
  std::string path = std::string(folder ? folder : "/tmp") + "/ivm-overlay-XXXXXX";
  const int fd = mkstemp(path.data());
  if (fd < 0) return Error{ErrorKind::Io, fmt::format("{}: cannot create: {}", path, std::strerror(errno))};
  auto made = fill_new(fd, path, below_spec.size() <= kMaxSpec ? below_spec : "", below->size_bytes());
  close(fd);
  auto image = made ? open(path, false, std::move(below)) : Result<std::unique_ptr<OverlayImage>>(made.error());
  unlink(path.c_str());
  return image;
}

namespace {

Error cannot_copy(const std::string& path) {
  return {errno == ENOSPC ? ErrorKind::NoSpace : ErrorKind::Io, fmt::format("{}: cannot copy: {}", path, std::strerror(errno))};
}

/// Copies one stretch of data; the host may do it by sharing blocks.
bool copy_stretch(int from, int to, off_t at, off_t end) {
  while (at < end) {
    off_t in = at, out = at;
    ssize_t n = copy_file_range(from, &in, to, &out, static_cast<size_t>(end - at), 0);
    if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
      std::vector<u8> buffer(std::min<size_t>(static_cast<size_t>(end - at), 1 << 20));
      n = pread(from, buffer.data(), buffer.size(), at);
      if (n > 0) n = pwrite(to, buffer.data(), static_cast<size_t>(n), at);
    }
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
  }
  return true;
}

Result<void> copy_sparse(int from, int to, const std::string& path) {
  if (ioctl(to, FICLONE, from) == 0) return {};
  const off_t size = lseek(from, 0, SEEK_END);
  if (size < 0 || ftruncate(to, size) != 0) return cannot_copy(path);
  for (off_t at = 0; at < size;) {
    const off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    const off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
    if (hole < 0 || !copy_stretch(from, to, data, hole)) return cannot_copy(path);
    at = hole;
  }
  return {};
}

/// A file of its own, whose name is gone before it is used.
Result<std::string> new_file(const std::string& folder, int& fd) {
  std::string path = folder + "/.ivm-overlay-XXXXXX";
  fd = mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return Error{ErrorKind::Io, fmt::format("{}: cannot create: {}", path, std::strerror(errno))};
  return path;
}

}  // namespace

Result<std::unique_ptr<OverlayImage>> OverlayImage::scratch_copy(const std::string& path, std::unique_ptr<BlockStore> below) {
  auto original = LockedFile::open(path, {.read_only = true, .any_size = true});
  if (!original) return original.error();
  int fd = -1;
  auto name = new_file(std::filesystem::path(path).parent_path().parent_path().string(), fd);
  const char* const temporary = std::getenv("TMPDIR");
  if (!name) name = new_file(temporary ? temporary : "/tmp", fd);
  if (!name) return name.error();
  auto copied = copy_sparse(original->fd(), fd, path);
  close(fd);
  auto image = copied ? open(*name, false, std::move(below)) : Result<std::unique_ptr<OverlayImage>>(copied.error());
  unlink(name->c_str());
  return image;
}

Result<void> OverlayImage::copy_to(int fd, const std::string& path) const { return copy_sparse(io_.file().fd(), fd, path); }

Result<void> OverlayImage::load() {
  const auto damaged = [&](const char* what) { return Error{ErrorKind::Invalid, fmt::format("{}: {}", io_.path(), what)}; };
  std::vector<u8> h(kPage);
  if (io_.file().size_bytes() < kPage || io_.read(0, h) != BlockStatus::Ok || std::memcmp(h.data(), kMagic, sizeof kMagic) != 0)
    return damaged("not an overlay file");
  if (load_le<u32>(&h[kAtVersion]) != kVersion) return damaged("an overlay of another version");
  size_bytes_ = load_le<u64>(&h[kAtSize]);
  unit_bytes_ = load_le<u32>(&h[kAtUnit]);
  if (unit_bytes_ < kSmallestUnit || (unit_bytes_ & (unit_bytes_ - 1)) || size_bytes_ == 0 || size_bytes_ > u64{1} << 60 ||
      bitmap_bytes(size_bytes_, unit_bytes_) > kMaxBitmapBytes)
    return damaged("damaged header");
  if (size_bytes_ != below_->size_bytes())
    return damaged("the store below has another size than when the overlay was made");
  bitmap_.resize(bitmap_bytes(size_bytes_, unit_bytes_));
  data_offset_ = kPage + bitmap_.size();
  if (io_.file().size_bytes() < data_offset_ || io_.read(kPage, bitmap_) != BlockStatus::Ok) return damaged("the file was cut short");
  dirty_pages_.resize(bitmap_.size() / kPage);
  return {};
}

bool OverlayImage::find(u64 unit, UnitPlace& out) {
  const bool here = bitmap_[unit / 8] >> (unit % 8) & 1;
  out = here ? UnitPlace{Place::File, place_of(unit)} : UnitPlace{};
  return true;
}

BlockStatus OverlayImage::allocate(u64 unit, u64& offset, bool& fresh) {
  offset = place_of(unit);
  fresh = false;  // a write that was never flushed may have left something there
  return BlockStatus::Ok;
}

BlockStatus OverlayImage::settle(u64 unit, u64) {
  bitmap_[unit / 8] |= static_cast<u8>(1u << (unit % 8));
  dirty_pages_[unit / 8 / kPage] = true;
  dirty_ = true;
  return BlockStatus::Ok;
}

BlockStatus OverlayImage::clear() {
  std::fill(bitmap_.begin(), bitmap_.end(), u8{0});
  dirty_pages_.assign(dirty_pages_.size(), true);
  dirty_ = true;
  if (const auto s = flush(); s != BlockStatus::Ok) return s;
  return io_.discard(data_offset_, io_.file().size_bytes() - data_offset_);
}

BlockStatus OverlayImage::flush() {
  if (const auto s = io_.flush(); s != BlockStatus::Ok || !dirty_) return s;
  for (size_t page = 0; page < dirty_pages_.size(); page++) {
    if (!dirty_pages_[page]) continue;
    const auto s = io_.write(kPage + page * kPage, std::span(bitmap_).subspan(page * kPage, kPage));
    if (s != BlockStatus::Ok) return s;
    dirty_pages_[page] = false;
  }
  dirty_ = false;
  return io_.flush();
}

}  // namespace ia64::storage
