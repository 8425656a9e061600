// mmap-backed guest RAM.
#include "machine/guest_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/endian.h"
#include "base/invariant.h"

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
      view_(std::exchange(other.view_, nullptr)),
      shown_(std::exchange(other.shown_, -1)),
      shown_offset_(other.shown_offset_) {}

GuestMemory::~GuestMemory() {
  if (data_) munmap(data_, size_);
  if (view_) munmap(view_, size_);
  if (file_ >= 0) close(file_);
  if (shown_ >= 0) close(shown_);
}

u8* GuestMemory::private_view() {
  if (view_ || file_ < 0) return view_;
  void* p = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file_, 0);
  if (p != MAP_FAILED) view_ = static_cast<u8*>(p);
  return view_;
}

void GuestMemory::clear() {
  if (shown_ >= 0) return drop_shown_file();
  madvise(data_, size_, file_ < 0 ? MADV_DONTNEED : MADV_REMOVE);
}

void GuestMemory::drop_shown_file() {
  void* p = mmap(data_, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  INVARIANT(p == data_);
  madvise(data_, size_, MADV_HUGEPAGE);
  close(std::exchange(shown_, -1));
}

Result<void> GuestMemory::show_file(int fd, u64 offset) {
  INVARIANT(file_ < 0);
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  void* p = own < 0 ? MAP_FAILED
                    : mmap(data_, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, own, static_cast<off_t>(offset));
  if (p == MAP_FAILED) {
    const Error error{ErrorKind::Io, fmt::format("cannot map {} MiB of guest memory: {}", size_ >> 20, std::strerror(errno))};
    if (own >= 0) close(own);
    return error;
  }
  if (shown_ >= 0) close(shown_);
  shown_ = own, shown_offset_ = offset;
  return {};
}

namespace {

constexpr u64 kPage = 4096;

/// Which pages the host has given to this process, read from its page map; all of them when the host does not tell.
class PageMap {
 public:
  explicit PageMap(const u8* start) : start_(start), fd_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}
  ~PageMap() {
    if (fd_ >= 0) close(fd_);
  }
  PageMap(const PageMap&) = delete;

  bool has(u64 offset) { return entry(offset) & (kPresent | kSwapped); }
  /// Whether the page is not one of a file that others see too.
  bool own(u64 offset) {
    const u64 e = entry(offset);
    return (e & kSwapped) || ((e & kPresent) && !(e & kOfFile));
  }

 private:
  static constexpr u64 kBatch = 512;
  static constexpr u64 kPresent = u64{1} << 63, kSwapped = u64{1} << 62, kOfFile = u64{1} << 61;
  static constexpr u64 kUnknown = kPresent | kSwapped;
  u64 entry(u64 offset) {
    if (fd_ < 0) return kUnknown;
    const u64 page = offset / kPage;
    if (page / kBatch != batch_) load(page / kBatch);
    return entries_[page % kBatch];
  }
  void load(u64 batch) {
    const u64 first = reinterpret_cast<u64>(start_) / kPage + batch * kBatch;
    entries_.fill(kUnknown);
    batch_ = batch;
    // Beyond the end of the mapping there are zeroes or nothing; neither is asked for.
    if (pread(fd_, entries_.data(), sizeof entries_, static_cast<off_t>(first * 8)) < static_cast<ssize_t>(8)) entries_.fill(kUnknown);
  }
  const u8* start_;
  const int fd_;
  u64 batch_ = ~u64{0};
  std::array<u64, kBatch> entries_;
};

/// Which parts of a sparse file are stored.
class StoredParts {
 public:
  explicit StoredParts(int fd) : fd_(fd) {}
  bool has(u64 offset) {
    if (fd_ < 0) return false;
    if (offset >= known_end_) look(offset);
    return offset >= data_begin_ && offset < known_end_;
  }

 private:
  void look(u64 offset) {
    const off_t data = lseek(fd_, static_cast<off_t>(offset), SEEK_DATA);
    data_begin_ = data < 0 ? (errno == ENXIO ? ~u64{0} : offset) : static_cast<u64>(data);
    const off_t hole = data < 0 ? -1 : lseek(fd_, data, SEEK_HOLE);
    known_end_ = hole < 0 ? ~u64{0} : static_cast<u64>(hole);
  }
  const int fd_;
  u64 data_begin_ = 0, known_end_ = 0;
};

bool all_zero(const u8* page) {
  for (u64 at = 0; at < kPage; at += 64) {
    u64 any = 0;
    for (u64 word = 0; word < 64; word += 8) any |= load_le<u64>(page + at + word);
    if (any) return false;
  }
  return true;
}

}  // namespace

void GuestMemory::for_each_own_page(const std::function<void(u64 offset)>& visit) const {
  PageMap pages(data_);
  for (u64 offset = 0; offset < size_; offset += kPage)
    if (pages.own(offset)) visit(offset);
}

void GuestMemory::give_back(u64 offset, u64 size_bytes) {
  INVARIANT(shown_ >= 0);
  madvise(data_ + offset, size_bytes, MADV_DONTNEED);
}

void GuestMemory::for_each_content_page(const std::function<void(u64 offset, std::span<const u8> page)>& visit) const {
  PageMap own(data_);
  StoredParts shown(shown_);
  for (u64 offset = 0; offset < size_; offset += kPage) {
    if (!own.has(offset) && !shown.has(shown_offset_ + offset)) continue;
    if (!all_zero(data_ + offset)) visit(offset, {data_ + offset, kPage});
  }
}

}  // namespace ia64::machine
