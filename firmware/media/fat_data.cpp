// FAT file contents: chains, growing, shrinking, transfers in contiguous runs.
#include <algorithm>
#include <vector>

#include "firmware/media/fat_volume.h"

namespace ia64::firmware::fat {

/// The cluster that holds cluster number `position` of the file.
EfiStatus Volume::cluster_at(const File& file, u32 position, u32& cluster) {
  u32 at = 0, here = file->cluster();
  if (file->cached_cluster && file->cached_position <= position)
    at = file->cached_position, here = file->cached_cluster;
  if (!geometry_.valid(here)) return efi::kVolumeCorrupted;
  for (; at < position; at++) {
    if (const EfiStatus s = table_.next(here, here); efi_error(s)) return s;
    if (here == 0) return efi::kVolumeCorrupted;  // shorter than its size says
  }
  file->cached_position = position, file->cached_cluster = here;
  cluster = here;
  return efi::kSuccess;
}

EfiStatus Volume::for_each_run(const File& file, u64 offset, u64 size, const Mover& move) {
  const u64 unit = geometry_.cluster_bytes;
  for (u64 done = 0; done < size;) {
    const u64 at = offset + done;
    u32 position = static_cast<u32>(at / unit), cluster = 0;
    if (const EfiStatus s = cluster_at(file, position, cluster); efi_error(s)) return s;
    const u64 start = geometry_.cluster_offset(cluster) + at % unit;
    u64 run = unit - at % unit;
    while (run < size - done) {
      u32 next = 0;
      if (const EfiStatus s = cluster_at(file, ++position, next); efi_error(s)) return s;
      if (next != ++cluster) break;
      run += unit;
    }
    run = std::min(run, size - done);
    if (const EfiStatus s = move(start, done, run); efi_error(s)) return s;
    done += run;
  }
  return efi::kSuccess;
}

EfiStatus Volume::read(const File& file, u64 offset, u64 size, const Mover& move) {
  revalidate();
  if (file->deleted) return efi::kDeviceError;
  if (file->is_directory() || offset > file->size() || size > file->size() - offset)
    return efi::kInvalidParameter;
  return for_each_run(file, offset, size, move);
}

/// Adds clusters until `size` bytes fit, all or nothing; the recorded size changes too, contents are not
/// touched.
EfiStatus Volume::grow(const File& file, u64 size) {
  constexpr u64 kMaxFile = 0xffff'ffff;
  if (size > kMaxFile) return efi::kVolumeFull;
  const u64 unit = geometry_.cluster_bytes;
  u64 have = (u64{file->size()} + unit - 1) / unit;
  const u64 want = (size + unit - 1) / unit;
  // A chain may be there without size (interrupted writer): drop it rather than trust it.
  if (have == 0 && file->cluster()) {
    if (const EfiStatus s = table_.free_chain(file->cluster()); efi_error(s)) return s;
    file->slot.set_cluster(0);
  }
  file->cached_cluster = have ? file->cached_cluster : 0;
  u32 tail = 0, first_new = 0;
  if (have)
    if (const EfiStatus s = cluster_at(file, static_cast<u32>(have - 1), tail); efi_error(s)) return s;
  const u32 old_tail = tail;
  if (have && have < want) {  // drop clusters beyond the size, if any
    u32 extra = 0;
    if (const EfiStatus s = table_.next(tail, extra); efi_error(s)) return s;
    if (extra) {
      if (const EfiStatus s = table_.set_end(tail); efi_error(s)) return s;
      if (const EfiStatus s = table_.free_chain(extra); efi_error(s)) return s;
    }
  }
  for (; have < want; have++) {
    const EfiStatus s = table_.allocate(tail, tail);
    if (efi_error(s)) {
      if (first_new) (void)table_.free_chain(first_new);
      if (old_tail) (void)table_.set_end(old_tail);
      return s;
    }
    if (!first_new) first_new = tail;
  }
  if (!old_tail && first_new) file->slot.set_cluster(first_new);
  file->slot.set_size(static_cast<u32>(size));
  return efi::kSuccess;
}

EfiStatus Volume::fill_zeros(const File& file, u64 offset, u64 end) {
  if (offset >= end) return efi::kSuccess;
  constexpr u64 kChunk = 1 << 20;
  const std::vector<u8> zeros(std::min(kChunk, end - offset));
  return for_each_run(file, offset, end - offset, [&](u64 at, u64, u64 n) {
    for (u64 done = 0; done < n; done += kChunk)
      if (const EfiStatus s =
              write_medium_bytes(medium_, at + done, std::min(kChunk, n - done), zeros.data());
          efi_error(s))
        return s;
    cache_.forget(at, n);
    return efi::kSuccess;
  });
}

EfiStatus Volume::write(const File& file, u64 offset, u64 size, const Mover& move) {
  revalidate();
  if (file->deleted) return efi::kDeviceError;
  if (file->is_directory()) return efi::kUnsupported;
  if (read_only()) return efi::kWriteProtected;
  const u64 old_size = file->size();
  if (size > ~u64{0} - offset) return efi::kVolumeFull;
  if (offset + size > old_size)
    if (const EfiStatus s = grow(file, offset + size); efi_error(s)) return finish(s);
  stamp(file->slot, false);
  file->slot.raw[11] |= attribute::kArchive;
  EfiStatus s =
      finish(store(file));  // also empties the cache of changes, so that pages may be forgotten below
  if (!efi_error(s)) s = fill_zeros(file, old_size, offset);
  if (!efi_error(s))
    s = for_each_run(file, offset, size, [&](u64 at, u64 done, u64 n) {
      const EfiStatus moved = move(at, done, n);
      cache_.forget(at, n);
      return moved;
    });
  return s;
}

EfiStatus Volume::resize(const File& file, u64 size) {
  revalidate();
  if (file->deleted) return efi::kDeviceError;
  if (file->is_directory()) return efi::kUnsupported;
  if (read_only()) return efi::kWriteProtected;
  const u64 old_size = file->size();
  if (size == old_size) return efi::kSuccess;
  if (size > old_size) {
    EfiStatus s = grow(file, size);
    if (!efi_error(s)) s = store(file);
    s = finish(s);
    return efi_error(s) ? s : fill_zeros(file, old_size, size);
  }
  const u64 keep = (size + geometry_.cluster_bytes - 1) / geometry_.cluster_bytes;
  EfiStatus s = efi::kSuccess;
  u32 extra = file->cluster();
  if (keep) {
    u32 tail = 0;
    s = cluster_at(file, static_cast<u32>(keep - 1), tail);
    if (!efi_error(s)) s = table_.next(tail, extra);
    if (!efi_error(s) && extra) s = table_.set_end(tail);
  } else {
    file->slot.set_cluster(0);
  }
  file->cached_cluster = 0;
  if (!efi_error(s) && extra) s = table_.free_chain(extra);
  if (efi_error(s)) return finish(s);
  file->slot.set_size(static_cast<u32>(size));
  stamp(file->slot, false);
  return finish(store(file));
}

}  // namespace ia64::firmware::fat
