// Reading and writing disks kept in units.
#include "storage/formats/unit_store.h"

#include <algorithm>
#include <vector>

#include "storage/request_pieces.h"
#include "storage/formats/overlay_image.h"

namespace ia64::storage {

UnitStore::UnitStore(std::unique_ptr<UnitImage> image, bool read_only) : image_(std::move(image)), read_only_(read_only) {}

UnitStore::~UnitStore() {
  workers_.stop();
  if (!read_only_) image_->flush();
}

u64 UnitStore::unit_end(u64 unit) const {
  return std::min((unit + 1) * image_->unit_bytes(), image_->size_bytes());
}

BlockStatus UnitStore::perform(BlockRequest& r) {
  switch (r.op) {
    case BlockOp::Read: return read(r.offset_bytes, r.iov);
    case BlockOp::Write: return write(r.offset_bytes, r.iov, r.fua);
    case BlockOp::Flush: return flush();
    case BlockOp::Discard: return zero(r.offset_bytes, r.size_bytes, false);
    case BlockOp::WriteZeroes: return zero(r.offset_bytes, r.size_bytes, true);
  }
  return BlockStatus::Unsupported;
}

BlockStatus UnitStore::flush() {
  if (read_only_) return BlockStatus::Ok;
  std::unique_lock lock(mutex_);
  return image_->flush();
}

// --- reading
// ----------------------------------------------------------------------------------------------------------

BlockStatus UnitStore::read(u64 offset, std::span<const iovec> iov) {
  u64 left = 0;
  for (const auto& v : iov) left += v.iov_len;
  for (u64 at = 0; left;) {
    const u64 unit = (offset + at) / image_->unit_bytes(), within = (offset + at) % image_->unit_bytes();
    const u64 n = std::min(left, image_->unit_bytes() - within);
    std::shared_lock lock(mutex_);
    if (const auto s = read_piece(unit, within, slice_iov(iov, at, n), n); s != BlockStatus::Ok) return s;
    at += n, left -= n;
  }
  return BlockStatus::Ok;
}

BlockStatus UnitStore::read_piece(u64 unit, u64 within, std::span<const iovec> iov, u64 bytes) {
  UnitPlace p;
  if (!image_->find(unit, p)) return BlockStatus::Io;
  switch (p.place) {
    case Place::File: return image_->file().transfer(false, p.offset + within, iov);
    case Place::Zero: fill_zero(iov); return BlockStatus::Ok;
    case Place::Below: return read_below(unit * image_->unit_bytes() + within, iov, bytes);
    case Place::Packed: break;
  }
  std::vector<u8> whole(image_->unit_bytes());
  const auto s = image_->unpack(unit, whole);
  copy_to_iov(iov, std::span(whole).subspan(within, bytes));
  return s;
}

// A store below may be shorter than the disk: what lies behind its end is zeroes.
BlockStatus UnitStore::read_below(u64 offset, std::span<const iovec> iov, u64 bytes) {
  BlockStore* below = image_->below();
  const u64 there = below && offset < below->size_bytes() ? std::min(bytes, below->size_bytes() - offset) : 0;
  if (there < bytes) fill_zero(slice_iov(iov, there, bytes - there));
  if (!there) return BlockStatus::Ok;
  return submit_and_wait(*below, {.op = BlockOp::Read, .offset_bytes = offset, .size_bytes = there,
                                  .iov = slice_iov(iov, 0, there), .done = {}});
}

// --- writing
// ----------------------------------------------------------------------------------------------------------

BlockStatus UnitStore::write(u64 offset, std::span<const iovec> iov, bool fua) {
  u64 left = 0;
  for (const auto& v : iov) left += v.iov_len;
  for (u64 at = 0; left;) {
    const u64 unit = (offset + at) / image_->unit_bytes(), within = (offset + at) % image_->unit_bytes();
    const u64 n = std::min(left, image_->unit_bytes() - within);
    if (const auto s = write_piece(unit, within, slice_iov(iov, at, n), n); s != BlockStatus::Ok) return s;
    at += n, left -= n;
  }
  return fua ? flush() : BlockStatus::Ok;
}

BlockStatus UnitStore::write_piece(u64 unit, u64 within, std::span<const iovec> iov, u64 bytes) {
  {
    std::shared_lock lock(mutex_);
    UnitPlace p;
    if (!image_->find(unit, p)) return BlockStatus::Io;
    if (p.place == Place::File) return image_->file().transfer(true, p.offset + within, iov);
  }
  std::unique_lock lock(mutex_);
  UnitPlace p;
  if (!image_->find(unit, p)) return BlockStatus::Io;
  if (p.place == Place::File) return image_->file().transfer(true, p.offset + within, iov);  // another writer was first
  return write_new_unit(unit, within, iov, bytes);
}

BlockStatus UnitStore::write_new_unit(u64 unit, u64 within, std::span<const iovec> iov, u64 bytes) {
  u64 offset = 0;
  bool fresh = false;
  UnitPlace old;
  if (!image_->find(unit, old)) return BlockStatus::Io;
  if (const auto s = image_->allocate(unit, offset, fresh); s != BlockStatus::Ok) return s;
  const u64 start = unit * image_->unit_bytes(), size = unit_end(unit) - start;
  const bool empty = old.place == Place::Zero || (old.place == Place::Below && !image_->below());
  BlockStatus s;
  if (bytes == size || (empty && fresh)) {
    s = image_->file().transfer(true, offset + within, iov);
  } else {
    std::vector<u8> whole(image_->unit_bytes());
    const iovec all{whole.data(), static_cast<size_t>(size)};
    if (!empty && (s = read_piece(unit, 0, {&all, 1}, size)) != BlockStatus::Ok) return s;
    copy_from_iov(iov, std::span(whole).subspan(within, bytes));
    s = image_->file().write(offset, whole);
  }
  return s == BlockStatus::Ok ? image_->settle(unit, offset) : s;
}

// A discard that covers a unit only in part leaves that unit alone; zeroing writes zeroes there.
BlockStatus UnitStore::zero(u64 offset, u64 bytes, bool must) {
  std::vector<u8> zeroes;
  while (bytes) {
    const u64 unit = offset / image_->unit_bytes(), within = offset % image_->unit_bytes();
    const u64 n = std::min(bytes, image_->unit_bytes() - within);
    BlockStatus s = BlockStatus::Unsupported;
    if (offset == unit * image_->unit_bytes() && offset + n == unit_end(unit)) {
      std::unique_lock lock(mutex_);
      s = image_->drop(unit);
    }
    if (s == BlockStatus::Unsupported && must) {
      zeroes.resize(std::max<size_t>(zeroes.size(), n));
      const iovec v{zeroes.data(), static_cast<size_t>(n)};
      s = write_piece(unit, within, {&v, 1}, n);
    }
    if (s != BlockStatus::Ok && s != BlockStatus::Unsupported) return s;
    offset += n, bytes -= n;
  }
  return BlockStatus::Ok;
}

BlockExtent UnitStore::extent_at(u64 offset_bytes) {
  const auto stored = [&](u64 unit) {
    UnitPlace p;
    return image_->find(unit, p) && (p.place == Place::File || p.place == Place::Packed);
  };
  constexpr u64 kMostUnits = 65536;  // an answer, not a scan of the whole disk
  std::shared_lock lock(mutex_);
  const u64 first = offset_bytes / image_->unit_bytes();
  const bool mapped = stored(first);
  u64 unit = first + 1;
  while (unit_end(unit - 1) < image_->size_bytes() && unit - first < kMostUnits && stored(unit) == mapped) unit++;
  return {unit_end(unit - 1) - offset_bytes, mapped};
}

OverlayImage* UnitStore::overlay() { return read_only_ ? nullptr : dynamic_cast<OverlayImage*>(image_.get()); }

}  // namespace ia64::storage
