// mmap-backed guest RAM.
#include "machine/guest_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

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

Result<GuestMemory> GuestMemory::map_shared(u64 size_bytes) {
  const int file = memfd_create("guest memory", MFD_CLOEXEC);
  const bool sized = file >= 0 && ftruncate(file, static_cast<off_t>(size_bytes)) == 0;
  void* p = sized ? mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0) : MAP_FAILED;
  if (p != MAP_FAILED) return GuestMemory(static_cast<u8*>(p), size_bytes, file);
  const Error error{ErrorKind::NoSpace, fmt::format("cannot share {} MiB of guest memory: {}", size_bytes >> 20, std::strerror(errno))};
  if (file >= 0) close(file);
  return error;
}

GuestMemory::GuestMemory(GuestMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(other.size_),
      file_(std::exchange(other.file_, -1)),
      view_(std::exchange(other.view_, nullptr)) {}

GuestMemory::~GuestMemory() {
  if (data_) munmap(data_, size_);
  if (view_) munmap(view_, size_);
  if (file_ >= 0) close(file_);
}

u8* GuestMemory::private_view() {
  if (view_ || file_ < 0) return view_;
  void* p = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file_, 0);
  if (p != MAP_FAILED) view_ = static_cast<u8*>(p);
  return view_;
}

void GuestMemory::clear() { madvise(data_, size_, file_ < 0 ? MADV_DONTNEED : MADV_REMOVE); }

}  // namespace ia64::machine
