// LVM2 labels, metadata areas and the layout of volumes.
#include "storage/lvm/lvm_metadata.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/endian.h"
#include "storage/request_pieces.h"

namespace ia64::storage::lvm {

namespace {

constexpr u64 kSector = 512, kMaxMetadata = u64{16} << 20, kMaxSegments = 65536, kMaxBytes = u64{1} << 60;
constexpr char kLabel[] = "LABELONE", kType[] = "LVM2 001";
constexpr char kAreaMagic[] = " LVM2 x[5A%r0N*>";

Error invalid(const char* what) {
  return {ErrorKind::Invalid, what};
}

/// CRC-32 as LVM uses it: reflected polynomial, its own starting value, no final inversion.
u32 checksum(std::span<const u8> bytes) {
  u32 crc = 0xf597'a6cf;
  for (const u8 b : bytes) {
    crc ^= b;
    for (int i = 0; i < 8; i++) crc = crc >> 1 ^ (crc & 1 ? 0xedb8'8320 : 0);
  }
  return crc;
}

bool read_at(BlockStore& store, u64 offset, std::span<u8> out) {
  if (offset > store.size_bytes() || out.size() > store.size_bytes() - offset) return false;
  return submit_and_wait(store, {.op = BlockOp::Read, .offset_bytes = offset, .size_bytes = out.size(),
                                 .iov = {{out.data(), out.size()}}, .done = {}}) == BlockStatus::Ok;
}

/// Bytes of any alignment.
bool read_bytes(BlockStore& store, u64 offset, std::span<u8> out) {
  const u64 from = offset / kSector * kSector, to = (offset + out.size() + kSector - 1) / kSector * kSector;
  std::vector<u8> whole(to - from);
  if (!read_at(store, from, whole)) return false;
  std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(offset - from), out.size(), out.begin());
  return true;
}

/// The text of one metadata area, which is a ring behind a header of one sector.
Result<std::string> read_area(BlockStore& store, u64 area, u64 area_size) {
  std::vector<u8> h(kSector);
  if (area_size < 2 * kSector || !read_at(store, area, h) || area_size > store.size_bytes() - area)
    return invalid("the LVM metadata area lies outside the disk");
  if (std::memcmp(&h[4], kAreaMagic, 16) != 0 || load_le<u32>(&h[0]) != checksum(std::span(h).subspan(4)))
    return invalid("the LVM metadata area is damaged");
  const u64 offset = load_le<u64>(&h[40]), size = load_le<u64>(&h[48]);
  if (offset == 0 || size == 0) return std::string{};  // nothing was ever written
  if (size > kMaxMetadata || size > area_size - kSector || offset < kSector || offset >= area_size)
    return invalid("the LVM metadata area is damaged");
  std::vector<u8> text(size);
  const u64 first = std::min(size, area_size - offset);
  if (!read_bytes(store, area + offset, std::span(text).first(first)) ||
      (first < size && !read_bytes(store, area + kSector, std::span(text).subspan(first))))
    return invalid("cannot read the LVM metadata");
  if (checksum(text) != load_le<u32>(&h[56])) return invalid("the checksum of the LVM metadata is wrong");
  return std::string(text.begin(), text.end());
}

std::string without_dashes(std::string s) {
  std::erase(s, '-');
  return s;
}

std::string known_volumes(const std::string& vg, const Node& volumes) {
  std::string out;
  for (const auto& [name, node] : volumes.children) out += fmt::format(" {}/{}", vg, name);
  return out;
}

Result<Segment> read_segment(const Node& s, u64 extent, const std::map<std::string, std::pair<unsigned, u64>>& volumes) {
  if (s.text("type") != "striped")
    return Error{ErrorKind::Unsupported, fmt::format("segments of type '{}' are not supported; linear and striped ones are", s.text("type"))};
  Segment out;
  const u64 start = s.number("start_extent"), extents = s.number("extent_count"), stripe = s.number("stripe_size");
  if (start > kMaxBytes / extent || extents > kMaxBytes / extent || stripe > kMaxBytes / kSector) return invalid("a segment of impossible size");
  out.start_bytes = start * extent;
  out.size_bytes = extents * extent;
  out.stripe_bytes = stripe * kSector;
  const Node* list = s.child("stripes");
  const u64 count = s.number("stripe_count");
  if (!list || count == 0 || count > 128 || list->values.size() != 2 * count) return invalid("a segment's stripes make no sense");
  // Chunks go round the stripes: only whole rounds stay inside each stripe's part.
  if (count > 1 && (out.stripe_bytes == 0 || out.stripe_bytes > out.size_bytes || out.size_bytes % (count * out.stripe_bytes)))
    return invalid("a segment is no whole number of rounds over its stripes");
  for (u64 i = 0; i < count; i++) {
    const auto pv = volumes.find(list->values[2 * i]);
    if (pv == volumes.end())
      return Error{ErrorKind::NotFound, fmt::format("the physical volume {} is not among the disks given", list->values[2 * i])};
    const u64 at = std::strtoull(list->values[2 * i + 1].c_str(), nullptr, 10);
    if (at > kMaxBytes / extent) return invalid("a stripe lies outside its disk");
    out.stripes.push_back({pv->second.first, pv->second.second + at * extent});
  }
  return out;
}

}  // namespace

Result<PhysicalVolume> read_physical_volume(BlockStore& store) {
  std::vector<u8> sectors(4 * kSector);
  if (!read_at(store, 0, sectors)) return invalid("too small for an LVM physical volume");
  for (u64 n = 0; n < 4; n++) {
    const std::span<const u8> s{&sectors[n * kSector], kSector};
    if (std::memcmp(s.data(), kLabel, 8) != 0 || std::memcmp(&s[24], kType, 8) != 0) continue;
    if (load_le<u64>(&s[8]) != n || load_le<u32>(&s[16]) != checksum(s.subspan(20))) return invalid("the LVM label is damaged");
    size_t at = load_le<u32>(&s[20]);
    if (at < 32 || at > kSector - 48) return invalid("the LVM label is damaged");
    PhysicalVolume pv{.uuid = {reinterpret_cast<const char*>(&s[at]), 32}, .metadata = {}};
    at += 40;
    const auto next = [&](u64& offset, u64& size) {
      if (at + 16 > kSector) return false;
      offset = load_le<u64>(&s[at]), size = load_le<u64>(&s[at + 8]);
      at += 16;
      return offset != 0;
    };
    u64 offset = 0, size = 0;
    while (next(offset, size)) {
    }  // data areas
    while (next(offset, size)) {
      auto text = read_area(store, offset, size);
      if (!text) return text.error();
      if (!text->empty()) return pv.metadata = *text, pv;
    }
    return pv;
  }
  return invalid("no LVM physical volume label");
}

Result<LogicalVolume> find_volume(const Node& metadata, std::string_view name, const std::vector<std::string>& uuids) {
  const auto slash = name.find('/');
  const std::string vg_name(name.substr(0, slash));
  const std::string lv_name(slash == std::string_view::npos ? "" : name.substr(slash + 1));
  const Node* vg = metadata.child(vg_name);
  std::string groups;
  for (const auto& [n, node] : metadata.children)
    if (node.child("physical_volumes")) groups += " " + n;
  if (!vg || !vg->child("physical_volumes"))
    return Error{ErrorKind::NotFound, fmt::format("no volume group '{}'; there is:{}", vg_name, groups)};
  const u64 extent = vg->number("extent_size") * kSector;
  if (extent == 0 || extent > u64{1} << 40) return invalid("odd extent size");
  std::map<std::string, std::pair<unsigned, u64>> volumes;  // name in the text -> index, start of its extents
  for (const auto& [pv_name, pv] : vg->child("physical_volumes")->children) {
    const auto it = std::find(uuids.begin(), uuids.end(), without_dashes(pv.text("id")));
    if (it == uuids.end()) continue;
    const u64 start = pv.number("pe_start");
    if (start > kMaxBytes / kSector) return invalid("a physical volume's extents lie outside its disk");
    volumes[pv_name] = {static_cast<unsigned>(it - uuids.begin()), start * kSector};
  }
  const Node* list = vg->child("logical_volumes");
  const Node* lv = list ? list->child(lv_name) : nullptr;
  if (!lv)
    return Error{ErrorKind::NotFound, fmt::format("no logical volume '{}'; there is:{}", name, list ? known_volumes(vg_name, *list) : "")};
  const u64 count = lv->number("segment_count");
  if (count == 0 || count > kMaxSegments) return invalid("odd number of segments");
  LogicalVolume out;
  for (u64 i = 1; i <= count; i++) {
    const Node* s = lv->child(fmt::format("segment{}", i));
    if (!s) return invalid("a segment is missing");
    auto segment = read_segment(*s, extent, volumes);
    if (!segment) return segment.error();
    if (segment->start_bytes != out.size_bytes || segment->size_bytes == 0 || segment->size_bytes > kMaxBytes - out.size_bytes)
      return invalid("the segments leave a gap");
    out.size_bytes += segment->size_bytes;
    out.segments.push_back(std::move(*segment));
  }
  return out;
}

}  // namespace ia64::storage::lvm
