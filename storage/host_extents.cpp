// Extents of a file, from FIEMAP.
#include "storage/host_extents.h"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <memory>

namespace ia64::storage {

namespace {

constexpr unsigned kBatch = 128;

/// The ioctl's argument: a head and room for extents behind it.
struct Map {
  alignas(fiemap) std::byte bytes[sizeof(fiemap) + kBatch * sizeof(fiemap_extent)];
  fiemap* head() { return reinterpret_cast<fiemap*>(bytes); }
  const fiemap_extent& at(unsigned n) { return head()->fm_extents[n]; }
};

bool fetch(int fd, u64 from, Map& map) {
  *map.head() = {};
  map.head()->fm_start = from;
  map.head()->fm_length = FIEMAP_MAX_OFFSET - from;
  map.head()->fm_extent_count = kBatch;
  return ioctl(fd, FS_IOC_FIEMAP, map.head()) == 0;
}

std::optional<u64> count_pieces(int fd) {
  const auto map = std::make_unique<Map>();
  u64 pieces = 0, from = 0, last_shift = 0;
  for (;;) {
    if (!fetch(fd, from, *map)) return std::nullopt;
    const unsigned count = map->head()->fm_mapped_extents;
    if (count == 0) return pieces;
    for (unsigned n = 0; n < count; n++) {
      const fiemap_extent& e = map->at(n);
      const bool placed = !(e.fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC));
      const u64 shift = e.fe_physical - e.fe_logical;  // stays the same along a piece and over its holes
      if (placed && (pieces == 0 || shift != last_shift)) pieces++;
      if (placed) last_shift = shift;
      from = e.fe_logical + e.fe_length;
      if (e.fe_flags & FIEMAP_EXTENT_LAST) return pieces;
    }
  }
}

}  // namespace

std::optional<u64> host_pieces(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  const auto pieces = count_pieces(fd);
  close(fd);
  return pieces;
}

}  // namespace ia64::storage
