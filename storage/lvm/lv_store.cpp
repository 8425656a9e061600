// Logical volumes: from a request to its pieces.
#include "storage/lvm/lv_store.h"

#include <fmt/core.h>

#include <algorithm>

#include "storage/request_pieces.h"

namespace ia64::storage {

namespace {

/// Every stripe must lie on its disk, so that no request is ever out of range there.
bool fits(const lvm::LogicalVolume& layout, const std::vector<std::unique_ptr<BlockStore>>& volumes) {
  for (const auto& segment : layout.segments)
    for (const auto& stripe : segment.stripes) {
      const u64 size = segment.size_bytes / segment.stripes.size(), disk = volumes[stripe.volume]->size_bytes();
      if (stripe.offset_bytes > disk || size > disk - stripe.offset_bytes) return false;
    }
  return true;
}

}  // namespace

LvStore::LvStore(std::string name, std::vector<std::unique_ptr<BlockStore>> volumes, lvm::LogicalVolume layout)
    : name_(std::move(name)), volumes_(std::move(volumes)), layout_(std::move(layout)) {}

Result<std::unique_ptr<BlockStore>> LvStore::open(const std::string& name, std::vector<std::unique_ptr<BlockStore>> volumes) {
  std::vector<std::string> uuids;
  std::string metadata;
  const auto say = [](const BlockStore& s, const Error& e) { return Error{e.kind, fmt::format("{}: {}", s.describe(), e.message)}; };
  for (const auto& v : volumes) {
    auto pv = lvm::read_physical_volume(*v);
    if (!pv) return say(*v, pv.error());
    uuids.push_back(pv->uuid);
    if (metadata.empty()) metadata = pv->metadata;
  }
  if (metadata.empty()) return Error{ErrorKind::Invalid, fmt::format("{}: no LVM metadata", volumes[0]->describe())};
  const auto tree = lvm::parse_text(metadata);
  if (!tree) return say(*volumes[0], tree.error());
  auto layout = lvm::find_volume(*tree, name, uuids);
  if (!layout) return say(*volumes[0], layout.error());
  if (!fits(*layout, volumes)) return Error{ErrorKind::Invalid, fmt::format("{}: '{}' reaches past the end of a disk", volumes[0]->describe(), name)};
  return std::unique_ptr<BlockStore>(new LvStore(name, std::move(volumes), std::move(*layout)));
}

bool LvStore::read_only() const {
  return std::any_of(volumes_.begin(), volumes_.end(), [](const auto& v) { return v->read_only(); });
}

std::vector<LvStore::Piece> LvStore::pieces(u64 offset, u64 size) const {
  std::vector<Piece> out;
  for (u64 at = 0; at < size;) {
    const u64 here = offset + at;
    const auto next = std::upper_bound(layout_.segments.begin(), layout_.segments.end(), here,
                                       [](u64 v, const lvm::Segment& s) { return v < s.start_bytes; });
    const lvm::Segment& s = *std::prev(next);
    const u64 within = here - s.start_bytes;
    u64 n = std::min(size - at, s.size_bytes - within), stripe = 0, position = within;
    if (s.stripes.size() > 1) {
      const u64 chunk = within / s.stripe_bytes, inside = within % s.stripe_bytes;
      stripe = chunk % s.stripes.size();
      position = chunk / s.stripes.size() * s.stripe_bytes + inside;
      n = std::min(n, s.stripe_bytes - inside);
    }
    out.push_back({s.stripes[stripe].volume, s.stripes[stripe].offset_bytes + position, at, n});
    at += n;
  }
  return out;
}

void LvStore::submit(BlockRequest request) {
  auto join = std::make_shared<RequestJoin>();
  join->done = std::move(request.done);
  if (request.op == BlockOp::Flush) {
    join->left = static_cast<unsigned>(volumes_.size());
    for (const auto& v : volumes_) v->submit({.op = BlockOp::Flush, .iov = {}, .done = [join](BlockStatus s) { join->finish(s); }});
    return;
  }
  const auto parts = pieces(request.offset_bytes, request.size_bytes);
  join->left = static_cast<unsigned>(parts.size());
  for (const auto& p : parts)
    volumes_[p.volume]->submit({.op = request.op,
                                .offset_bytes = p.offset,
                                .size_bytes = p.size,
                                .iov = request.iov.empty() ? std::vector<iovec>{} : slice_iov(request.iov, p.at, p.size),
                                .fua = request.fua,
                                .done = [join](BlockStatus s) { join->finish(s); }});
}

}  // namespace ia64::storage
