// Guest RAM to a sparse file and back.
#include "machine/snapshot/memory_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "base/endian.h"
#include "machine/snapshot/checksum.h"

namespace ia64::machine {

namespace {

constexpr u64 kPage = 4096;

Error failed(const char* what) { return {errno == ENOSPC ? ErrorKind::NoSpace : ErrorKind::Io, fmt::format("cannot {} the memory file: {}", what, std::strerror(errno))}; }

u64 total_bytes(std::span<const GuestMemory> ram) {
  return std::accumulate(ram.begin(), ram.end(), u64{0}, [](u64 n, const GuestMemory& m) { return n + m.size_bytes(); });
}

/// Counts and sums up pages; writes neighbours together when it has a file.
class Pages {
 public:
  Pages(int fd, const MemoryProgress& progress) : fd_(fd), progress_(progress) {}

  void add(u64 offset, std::span<const u8> page) {
    if (stopped_) return;
    u8 number[8];
    store_le<u64>(number, offset / kPage);
    sum_.add(number);
    sum_.add(page);
    stored_bytes_ += page.size();
    if (run_.data() + run_.size() != page.data() || run_offset_ + run_.size() != offset || run_.size() >= kMostRun) flush(), run_ = {}, run_offset_ = offset;
    run_ = run_.empty() ? page : std::span(run_.data(), run_.size() + page.size());
  }
  bool flush() {
    for (size_t done = 0; good_ && fd_ >= 0 && done < run_.size();) {
      const ssize_t n = pwrite(fd_, run_.data() + done, run_.size() - done, static_cast<off_t>(run_offset_ + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) errno_ = n < 0 ? errno : ENOSPC, good_ = false;
      done += static_cast<size_t>(std::max<ssize_t>(n, 0));
    }
    if (progress_ && !run_.empty() && !stopped_) stopped_ = !progress_(run_offset_ + run_.size());
    run_ = {};
    errno = errno_;
    return good_;
  }
  bool stopped() const { return stopped_; }
  MemoryFile result(u64 size_bytes) const { return {size_bytes, stored_bytes_, sum_.text()}; }

 private:
  static constexpr size_t kMostRun = 4 << 20;
  const int fd_;
  const MemoryProgress& progress_;
  Checksum sum_;
  u64 stored_bytes_ = 0;
  std::span<const u8> run_;
  u64 run_offset_ = 0;
  bool good_ = true, stopped_ = false;
  int errno_ = 0;
};

}  // namespace

Result<MemoryFile> write_memory_file(int fd, std::span<GuestMemory> ram, const MemoryProgress& progress) {
  const u64 size = total_bytes(ram);
  if (ftruncate(fd, static_cast<off_t>(size)) != 0) return failed("make");
  Pages pages(fd, progress);
  u64 base = 0;
  for (const GuestMemory& m : ram) {
    m.for_each_content_page([&](u64 offset, std::span<const u8> page) { pages.add(base + offset, page); });
    if (!pages.flush()) return failed("write");
    if (pages.stopped()) return Error{ErrorKind::Unsupported, "cancelled"};
    base += m.size_bytes();
  }
  return pages.result(size);
}

Result<void> show_memory_file(int fd, std::span<GuestMemory> ram) {
  struct stat st;
  if (fstat(fd, &st) != 0) return failed("read");
  // Behind the end of a file there is no memory, only a signal.
  if (static_cast<u64>(st.st_size) != total_bytes(ram))
    return Error{ErrorKind::Invalid, fmt::format("the memory file has {} bytes in place of {}", st.st_size, total_bytes(ram))};
  u64 base = 0;
  for (GuestMemory& m : ram) {
    if (auto ok = m.show_file(fd, base); !ok) return ok;
    base += m.size_bytes();
  }
  return {};
}

Result<MemoryFile> examine_memory_file(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0) return failed("read");
  const u64 size = static_cast<u64>(st.st_size);
  if (size == 0 || size % kPage) return Error{ErrorKind::Invalid, fmt::format("the memory file has {} bytes, which is no memory", size)};
  auto memory = GuestMemory::map(size);
  if (!memory) return memory.error();
  if (auto ok = memory->show_file(fd, 0); !ok) return ok.error();
  const MemoryProgress nobody;
  Pages pages(-1, nobody);
  memory->for_each_content_page([&](u64 offset, std::span<const u8> page) { pages.add(offset, page); });
  return pages.result(size);
}

}  // namespace ia64::machine
