// Creating, describing, converting, committing, checking and resizing images.
#include "storage/image_tools.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "storage/formats/overlay_image.h"
#include "storage/formats/qcow2_image.h"
#include "storage/formats/vhd_image.h"
#include "storage/host_extents.h"
#include "storage/request_pieces.h"
#include "storage/store_registry.h"

namespace ia64::storage {

namespace {

constexpr u64 kChunk = u64{1} << 20, kZeroUnit = 4096;

Error host_error(const std::string& path, const char* what) {
  const auto kind = errno == ENOSPC ? ErrorKind::NoSpace : ErrorKind::Io;
  return {kind, fmt::format("{}: cannot {}: {}", path, what, std::strerror(errno))};
}

Result<void> set_raw_size(int fd, const std::string& path, u64 size, bool reserve) {
  if (ftruncate(fd, static_cast<off_t>(size)) != 0) return host_error(path, "set the size");
  if (reserve && fallocate(fd, 0, 0, static_cast<off_t>(size)) != 0) return host_error(path, "reserve the space");
  return {};
}

Result<void> create_raw(const NewImage& image) {
  const int fd = open(image.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return host_error(image.path, "create");
  auto done = set_raw_size(fd, image.path, image.size_bytes, image.reserve);
  close(fd);
  if (!done) unlink(image.path.c_str());
  return done;
}

BlockStatus move(BlockStore& store, BlockOp op, u64 offset, std::span<u8> bytes) {
  return submit_and_wait(store, {.op = op, .offset_bytes = offset, .size_bytes = bytes.size(), .iov = {{bytes.data(), bytes.size()}}, .done = {}});
}

BlockStatus flush(BlockStore& store) {
  return submit_and_wait(store, {.op = BlockOp::Flush, .iov = {}, .done = {}});
}

bool all_zero(std::span<const u8> bytes) {
  return bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

/// Writes what is not zero, in runs of whole pieces.
BlockStatus write_nonzero(BlockStore& to, u64 offset, std::span<u8> bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const auto piece = [&](size_t from) { return bytes.subspan(from, std::min<size_t>(kZeroUnit, bytes.size() - from)); };
    if (all_zero(piece(at))) {
      at += piece(at).size();
      continue;
    }
    size_t end = at;
    while (end < bytes.size() && !all_zero(piece(end))) end += piece(end).size();
    if (const auto s = move(to, BlockOp::Write, offset + at, bytes.subspan(at, end - at)); s != BlockStatus::Ok) return s;
    at = end;
  }
  return BlockStatus::Ok;
}

Result<void> copy_disk(BlockStore& from, BlockStore& to, const std::function<void(u64, u64)>& progress) {
  const u64 size = from.size_bytes();
  std::vector<u8> buffer(kChunk);
  for (u64 at = 0; at < size;) {
    // A hole over a base shows the base, so only stores without one may be trusted about holes; zeroes are found anyway.
    const u64 n = std::min(kChunk, size - at);
    if (move(from, BlockOp::Read, at, std::span(buffer).first(n)) != BlockStatus::Ok)
      return Error{ErrorKind::Io, fmt::format("{}: cannot read at {}", from.describe(), at)};
    const auto s = write_nonzero(to, at, std::span(buffer).first(n));
    if (s != BlockStatus::Ok)
      return Error{s == BlockStatus::NoSpace ? ErrorKind::NoSpace : ErrorKind::Io, fmt::format("{}: cannot write at {}", to.describe(), at)};
    at += n;
    if (progress) progress(at, size);
  }
  if (flush(to) != BlockStatus::Ok) return Error{ErrorKind::Io, fmt::format("{}: cannot flush", to.describe())};
  return {};
}

std::string kind_of(const std::string& format) {
  return format == "raw" ? "file" : format == "vhd-fixed" ? "vhd" : format;
}

void add_notes(ImageInfo& info, const std::string& path) {
  if (info.format == "overlay")
    if (auto below = OverlayImage::below_spec(path)) info.notes.push_back("base: " + *below);
  if (info.format != "qcow2") return;
  auto file = LockedFile::open(path, {.read_only = true, .any_size = true});
  if (!file) return;
  const auto h = Qcow2Image::read_header(FileIo(std::move(*file), path));
  if (!h) return;
  info.notes.push_back(fmt::format("version {}, clusters of {} bytes, {} internal snapshots", h->version, h->cluster_bytes(), h->snapshots));
  if (!h->backing.empty()) info.notes.push_back("backing file: " + h->backing);
}

}  // namespace

std::string spec_of(const std::string& text) {
  const auto colon = text.find(':');
  if (colon != std::string::npos && known_store_kind(text.substr(0, colon))) return text;
  return kind_of(image_format(text)) + ":" + text;
}

Result<void> create_image(const NewImage& wanted) {
  NewImage image = wanted;
  if (image.path.empty()) return Error{ErrorKind::Invalid, "an image needs a path"};
  if (image.format == "overlay" && image.base.empty()) return Error{ErrorKind::Invalid, "an overlay needs a base"};
  if (!image.base.empty() && image.format != "overlay" && image.format != "qcow2")
    return Error{ErrorKind::Invalid, fmt::format("an image of format {} has no base", image.format)};
  if (!image.base.empty()) {
    auto base = open_store("ro:" + spec_of(image.base));
    if (!base) return base.error();
    if (image.size_bytes == 0 || image.format == "overlay") image.size_bytes = (*base)->size_bytes();
  }
  if (image.size_bytes == 0) return Error{ErrorKind::Invalid, "an image needs a size"};
  if (image.format == "raw") return create_raw(image);
  if (image.format == "qcow2")
    return Qcow2Image::create(image.path, image.size_bytes, image.base, image.base.empty() ? "" : image_format(image.base) == "raw" ? "raw" : "qcow2");
  if (image.format == "vhd" || image.format == "vhd-fixed") return VhdImage::create(image.path, image.size_bytes, image.format == "vhd-fixed");
  if (image.format == "overlay") return OverlayImage::create(image.path, spec_of(image.base), image.size_bytes);
  return Error{ErrorKind::Invalid, fmt::format("unknown format '{}'; known: raw qcow2 vhd vhd-fixed overlay", image.format)};
}

Result<ImageInfo> describe_image(const std::string& text) {
  ImageInfo info{.spec = spec_of(text), .format = {}, .extents = {}, .notes = {}};
  auto store = open_store("ro:" + info.spec);
  if (!store) return store.error();
  info.format = info.spec == text ? text.substr(0, text.find(':')) : image_format(text);
  info.size_bytes = (*store)->size_bytes();
  constexpr size_t kMostExtents = 100'000;
  for (u64 at = 0; at < info.size_bytes && info.extents.size() < kMostExtents;) {
    const auto e = (*store)->extent_at(at);
    if (e.mapped) info.stored_bytes += e.size_bytes;
    if (!info.extents.empty() && info.extents.back().second.mapped == e.mapped)
      info.extents.back().second.size_bytes += e.size_bytes;
    else
      info.extents.emplace_back(at, e);
    at += std::max<u64>(e.size_bytes, 1);
  }
  const std::string path = text.starts_with("file:") ? text.substr(5) : text;
  struct stat st;
  if (stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode)) {
    info.host_bytes = static_cast<u64>(st.st_blocks) * 512;
    info.host_pieces = host_pieces(path);
  }
  add_notes(info, text);
  return info;
}

Result<void> convert_image(const std::string& from, NewImage to, const std::function<void(u64, u64)>& progress) {
  auto source = open_store("ro:" + spec_of(from));
  if (!source) return source.error();
  to.size_bytes = (*source)->size_bytes();
  if (!to.base.empty() || to.format == "overlay") return Error{ErrorKind::Invalid, "converting makes images that stand alone"};
  if (auto made = create_image(to); !made) return made;
  auto target = open_store(kind_of(to.format) + ":" + to.path);
  if (!target) return target.error();
  auto done = copy_disk(**source, **target, progress);
  target = Error{};  // closed before it is removed
  if (!done) unlink(to.path.c_str());
  return done;
}

Result<u64> commit_overlay(const std::string& path) {
  const auto spec = OverlayImage::below_spec(path);
  if (!spec) return spec.error();
  auto base = open_store(*spec);
  if (!base) return base.error();
  if ((*base)->read_only()) return Error{ErrorKind::AccessDenied, fmt::format("{}: its base cannot be written", path)};
  auto overlay = OverlayImage::open(path, false, std::move(*base));
  if (!overlay) return overlay.error();
  OverlayImage& o = **overlay;
  u64 written = 0;
  std::vector<u8> unit(o.unit_bytes());
  for (u64 i = 0, units = (o.size_bytes() + o.unit_bytes() - 1) / o.unit_bytes(); i < units; i++) {
    UnitPlace place;
    if (!o.find(i, place) || place.place != Place::File) continue;
    const u64 at = i * o.unit_bytes(), n = std::min<u64>(o.unit_bytes(), o.size_bytes() - at);
    const auto part = std::span(unit).first(n);
    if (o.file().read(place.offset, part) != BlockStatus::Ok || move(*o.below(), BlockOp::Write, at, part) != BlockStatus::Ok)
      return Error{ErrorKind::Io, fmt::format("{}: cannot commit at {}; nothing is lost, the overlay still has it", path, at)};
    written += n;
  }
  if (flush(*o.below()) != BlockStatus::Ok || o.clear() != BlockStatus::Ok)
    return Error{ErrorKind::Io, fmt::format("{}: cannot flush", path)};
  return written;
}

Result<std::vector<std::string>> check_image(const std::string& path) {
  const auto format = image_format(path);
  std::vector<std::string> out;
  if (format == "qcow2") {
    auto image = Qcow2Image::open(path, true, nullptr);
    if (!image) return image.error();
    auto report = (*image)->check();
    if (!report) return report.error();
    out = std::move(report->errors);
    if (report->leaked) out.push_back(fmt::format("{} clusters are counted but not used (space only)", report->leaked));
    return out;
  }
  auto store = open_store("ro:" + spec_of(path));
  if (!store) return store.error();
  store = Error{};
  if (format != "vhd") return out;
  if (auto image = VhdImage::open(path, true)) return (*image)->check();
  return out;  // a fixed one has no tables
}

Result<void> resize_image(const std::string& path, u64 size, bool shrink, bool reserve) {
  const auto format = image_format(path);
  if (format == "qcow2") {
    auto image = Qcow2Image::open(path, false, nullptr);
    return image ? (*image)->grow(size) : image.error();
  }
  if (format != "raw") return Error{ErrorKind::Unsupported, fmt::format("{}: only raw and qcow2 images can be resized", path)};
  auto file = LockedFile::open(path, {});
  if (!file) return file.error();
  if (!file->regular()) return Error{ErrorKind::Invalid, fmt::format("{}: a device keeps its size", path)};
  if (size < file->size_bytes() && !shrink)
    return Error{ErrorKind::Invalid, fmt::format("{}: that would cut off the end of the disk; --shrink allows it", path)};
  return set_raw_size(file->fd(), path, size, reserve);
}

}  // namespace ia64::storage
