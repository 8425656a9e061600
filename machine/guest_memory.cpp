// mmap-backed guest RAM.
#include "machine/guest_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace ia64::machine {

Result<GuestMemory> GuestMemory::map(u64 size_bytes) {
  void* p = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    return Error{ErrorKind::NoSpace,
                 fmt::format("cannot reserve {} MiB of guest memory: {}", size_bytes >> 20, std::strerror(errno))};
  madvise(p, size_bytes, MADV_HUGEPAGE);
  return GuestMemory(static_cast<u8*>(p), size_bytes);
}

GuestMemory::GuestMemory(GuestMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}

GuestMemory::~GuestMemory() {
  if (data_) munmap(data_, size_);
}

void GuestMemory::clear() { madvise(data_, size_, MADV_DONTNEED); }

}  // namespace ia64::machine
