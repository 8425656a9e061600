// Overlays are copied, everything else is recognised by its size and a fingerprint.
#include "machine/snapshot/media.h"

#include <fmt/format.h>

#include <algorithm>

#include "machine/snapshot/checksum.h"
#include "machine/storage_bays.h"
#include "storage/formats/overlay_image.h"
#include "storage/request_pieces.h"
#include "storage/scsi/disk_target.h"
#include "storage/scsi/dvd_drive.h"
#include "storage/store_registry.h"

namespace ia64::machine {

using storage::BlockDevice;
using storage::BlockOp;
using storage::BlockStatus;
using storage::BlockStore;

namespace {

constexpr u64 kEndBytes = 64 << 10, kSampleBytes = 4096;
constexpr u64 kSamples = 62;

Error refused(std::string why) { return {ErrorKind::Unsupported, std::move(why)}; }

/// "disk:avio_stor:0,2,0" without what is behind it.
std::string place_of(const ResourceStatement& s) {
  return fmt::format("{}:{}:{},{},{}", s.device, s.adapter, *s.address.bus, *s.address.slot, *s.address.target);
}

Result<void> add_fingerprint(SnapshotMedium& out, BlockStore& store) {
  auto print = medium_fingerprint(store);
  if (!print) return print.error();
  out.size_bytes = store.size_bytes();
  out.fingerprint = *print;
  return {};
}

Result<void> save_overlay(SnapshotMedium& out, const StorageDevice& device, storage::OverlayImage& overlay, PartialSnapshot& snapshot) {
  const auto& a = device.statement.address;
  out.keep = "overlay";
  out.overlay = fmt::format("overlay-{},{},{}", *a.bus, *a.slot, *a.target);
  const auto fd = snapshot.create(out.overlay);
  if (!fd) return fd.error();
  if (auto ok = overlay.copy_to(*fd, snapshot.path(out.overlay)); !ok) return ok;
  return add_fingerprint(out, *overlay.below());
}

Result<void> save_disk(SnapshotMedium& out, const StorageDevice& device, PartialSnapshot& snapshot, bool external) {
  BlockDevice& disk = device.disk->device();
  if (disk.transfer(BlockOp::Flush, 0, nullptr, 0) != BlockStatus::Ok && !disk.read_only())
    return Error{ErrorKind::Io, fmt::format("{}: its writes cannot be made durable", out.statement)};
  if (auto* const overlay = disk.overlay()) return save_overlay(out, device, *overlay, snapshot);
  if (!disk.read_only() && !external)
    return refused(fmt::format("{} is writable and would go on changing: run the guest with {}:overlay:{}:{}, or use disks=external when you keep "
                               "what it holds now yourself",
                               out.statement, place_of(device.statement), device.statement.storage, device.statement.location));
  out.keep = disk.read_only() ? "read-only" : "external";
  return add_fingerprint(out, disk.store());
}

Result<SnapshotMedium> save_medium(const StorageDevice& device, PartialSnapshot& snapshot, bool external) {
  SnapshotMedium out;
  out.statement = format_statement(device.statement);
  Result<void> done;
  if (device.disk) {
    done = save_disk(out, device, snapshot, external);
  } else if (device.dvd) {
    out.current = device.dvd->current();
    const auto disc = device.dvd->medium();
    out.keep = disc ? "read-only" : "empty";
    if (disc) done = add_fingerprint(out, disc->store());
  } else {
    out.keep = "attached";
    if (!external)
      done = refused(fmt::format("{} is a real device, whose state cannot be saved: detach it, or use disks=external when you keep it as it is", out.statement));
  }
  if (!done) return done.error();
  return out;
}

Result<void> check_content(const SnapshotMedium& saved, const std::string& what, BlockStore& store) {
  if (store.size_bytes() != saved.size_bytes)
    return refused(fmt::format("{}: {} has {} bytes, it was saved with {}", saved.statement, what, store.size_bytes(), saved.size_bytes));
  auto print = medium_fingerprint(store);
  if (!print) return print.error();
  if (*print != saved.fingerprint)
    return refused(fmt::format("{}: {} holds something else than when the snapshot was saved", saved.statement, what));
  return {};
}

Result<void> check_disk(const SnapshotMedium& saved, BlockDevice& disk) {
  auto* const overlay = disk.overlay();
  if ((saved.keep == "overlay") != (overlay != nullptr))
    return refused(fmt::format("{}: {}", saved.statement, overlay ? "it is an overlay here and was none" : "it was an overlay and is none here"));
  if (overlay) return check_content(saved, overlay->below()->describe(), *overlay->below());
  return check_content(saved, disk.describe(), disk.store());
}

/// The disc that was in the drive, wherever the drive of this machine is now.
Result<void> check_dvd(const SnapshotMedium& saved) {
  if (saved.keep == "empty") return {};
  const std::string path = saved.current.substr(saved.current.find(':') + 1);
  auto store = storage::open_store("ro:file:" + path);
  if (!store) return Error{store.error().kind, fmt::format("{}: {}", saved.statement, store.error().message)};
  return check_content(saved, path, **store);
}

}  // namespace

Result<std::string> medium_fingerprint(BlockStore& store) {
  const u64 size = store.size_bytes();
  Checksum sum;
  std::vector<u8> buffer;
  const auto sample = [&](u64 offset, u64 bytes) {
    buffer.assign(std::min(bytes, size - offset), 0);
    u8 place[8];
    store_le<u64>(place, offset);
    sum.add(place);
    const BlockStatus status = storage::submit_and_wait(
        store, {.op = BlockOp::Read, .offset_bytes = offset, .size_bytes = buffer.size(), .iov = {{buffer.data(), buffer.size()}}, .done = {}});
    sum.add(buffer);
    return status == BlockStatus::Ok;
  };
  bool good = sample(0, kEndBytes);
  for (u64 n = 1; n <= kSamples && good; n++) good = sample(size / (kSamples + 1) * n / kSampleBytes * kSampleBytes, kSampleBytes);
  if (good) good = sample(size > kEndBytes ? (size - kEndBytes) / kSampleBytes * kSampleBytes : 0, kEndBytes);
  if (!good) return Error{ErrorKind::Io, fmt::format("{}: cannot read it", store.describe())};
  u8 total[8];
  store_le<u64>(total, size);
  sum.add(total);
  return sum.text();
}

Result<void> save_media(const StorageBays& bays, bool external, PartialSnapshot& snapshot, SnapshotManifest& manifest) {
  for (const auto& [slot, adapter] : bays.adapters()) {
    manifest.adapters.push_back({slot.first, slot.second, adapter.kind, adapter.next_kind});
    for (const auto& [number, device] : adapter.devices) {
      auto medium = save_medium(device, snapshot, external);
      if (!medium) return medium.error();
      manifest.media.push_back(std::move(*medium));
    }
  }
  return {};
}

Result<void> check_media(const SnapshotManifest& saved, const StorageBays& bays) {
  std::vector<std::string> here;
  for (const ResourceStatement& s : bays.statements()) here.push_back(place_of(s));
  for (const SnapshotMedium& medium : saved.media) {
    auto statement = parse_resource_statement(medium.statement);
    if (!statement) return statement.error();
    const StorageDevice* const device = bays.find(statement->address);
    if (!device || place_of(device->statement) != place_of(*statement))
      return refused(fmt::format("the machine differs from the saved one: it has no {}", place_of(*statement)));
    std::erase(here, place_of(*statement));
    auto same = device->disk ? check_disk(medium, device->disk->device()) : device->dvd ? check_dvd(medium) : Result<void>();
    if (!same) return same;
  }
  if (!here.empty()) return refused(fmt::format("the machine differs from the saved one: it has a {} more", here.front()));
  for (const auto& [slot, adapter] : bays.adapters())
    if (std::none_of(saved.adapters.begin(), saved.adapters.end(),
                     [&](const SnapshotAdapter& a) { return a.bus == slot.first && a.slot == slot.second && a.kind == adapter.kind; }))
      return refused(fmt::format("the machine differs from the saved one: it has a storage adapter in slot {} of bus {} more", slot.second, slot.first));
  return {};
}

Result<void> load_media(const SnapshotDirectory& directory, const SnapshotManifest& saved, StorageBays& bays, bool overlays) {
  for (const SnapshotAdapter& a : saved.adapters) bays.set_adapter(a.bus, a.slot, a.kind, a.next_kind);
  std::vector<ResourceStatement> anew;
  for (const SnapshotMedium& medium : saved.media) {
    auto statement = parse_resource_statement(medium.statement);
    if (!statement) return statement.error();
    const StorageDevice* const device = bays.find(statement->address);
    if (!device) return refused(fmt::format("the machine has no {}", place_of(*statement)));
    if (device->dvd)
      if (auto ok = device->dvd->restore(medium.current); !ok) return ok;
    if (!overlays || medium.overlay.empty()) continue;
    anew.push_back(device->statement);
    anew.back().overlay_copy = directory.path_of(saved.name, medium.overlay);
  }
  return bays.reopen(anew);
}

}  // namespace ia64::machine
