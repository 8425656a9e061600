// Marks in the course of guest RAM.
#include "machine/history/memory_history.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <tuple>

namespace ia64::machine {

namespace {

constexpr u64 kPage = 4096;

bool precedes(const EarlierPages::Page& a, const EarlierPages::Page& b) { return std::tie(a.range, a.offset) < std::tie(b.range, b.offset); }

/// Calls `visit` with stretches of neighbouring pages.
class Runs {
 public:
  explicit Runs(std::function<void(u64 offset, u64 size)> visit) : visit_(std::move(visit)) {}
  void add(u64 offset) {
    if (offset != begin_ + size_) flush(), begin_ = offset;
    size_ += kPage;
  }
  void flush() {
    if (size_) visit_(begin_, size_);
    size_ = 0;
  }

 private:
  std::function<void(u64 offset, u64 size)> visit_;
  u64 begin_ = 0, size_ = 0;
};

}  // namespace

void EarlierPages::append_later(const EarlierPages& later) {
  EarlierPages all;
  size_t own = 0, other = 0;
  const auto take = [&](const EarlierPages& from, size_t n) {
    all.pages.push_back(from.pages[n]);
    all.content.insert(all.content.end(), &from.content[n * kPage], &from.content[n * kPage] + kPage);
  };
  while (own < pages.size() || other < later.pages.size()) {
    const bool mine = other == later.pages.size() || (own < pages.size() && !precedes(later.pages[other], pages[own]));
    if (mine && other < later.pages.size() && !precedes(pages[own], later.pages[other])) other++;  // both: the earlier content counts
    mine ? take(*this, own++) : take(later, other++);
  }
  *this = std::move(all);
}

Result<std::unique_ptr<MemoryHistory>> MemoryHistory::begin(std::span<GuestMemory> ram) {
  std::unique_ptr<MemoryHistory> history(new MemoryHistory(ram));
  for (GuestMemory& memory : ram)
    if (auto ok = history->add_file(memory); !ok) return ok.error();
  for (size_t n = 0; n < ram.size(); n++)
    if (auto ok = ram[n].show_file(history->files_[n].fd, 0); !ok) return ok.error();
  return history;
}

Result<void> MemoryHistory::add_file(GuestMemory& memory) {
  File& file = files_.emplace_back();
  file.size = memory.size_bytes();
  file.fd = memfd_create("earlier guest memory", MFD_CLOEXEC);
  const bool sized = file.fd >= 0 && ftruncate(file.fd, static_cast<off_t>(file.size)) == 0;
  void* const p = sized ? mmap(nullptr, file.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.fd, 0) : MAP_FAILED;
  if (p == MAP_FAILED) return Error{ErrorKind::NoSpace, fmt::format("cannot keep what {} MiB of guest memory were: {}", file.size >> 20, std::strerror(errno))};
  file.bytes = static_cast<u8*>(p);
  memory.for_each_content_page([&](u64 offset, std::span<const u8> page) { std::memcpy(file.bytes + offset, page.data(), kPage); });
  return {};
}

MemoryHistory::~MemoryHistory() {
  for (const File& file : files_) {
    if (file.bytes) munmap(file.bytes, file.size);
    if (file.fd >= 0) close(file.fd);  // RAM goes on showing its own duplicate
  }
}

EarlierPages MemoryHistory::mark() {
  EarlierPages out;
  for (u32 n = 0; n < files_.size(); n++) {
    Runs written([&](u64 offset, u64 size) { ram_[n].give_back(offset, size); });
    ram_[n].for_each_own_page([&](u64 offset) {
      u8 *const before = files_[n].bytes + offset, *const now = ram_[n].data() + offset;
      if (std::memcmp(before, now, kPage) != 0) {
        out.pages.push_back({n, offset});
        out.content.insert(out.content.end(), before, before + kPage);
        std::memcpy(before, now, kPage);
      }
      written.add(offset);
    });
    written.flush();
  }
  return out;
}

void MemoryHistory::back_to_mark() {
  for (size_t n = 0; n < files_.size(); n++) {
    Runs written([&](u64 offset, u64 size) { ram_[n].give_back(offset, size); });
    std::vector<u64> changed;
    ram_[n].for_each_own_page([&](u64 offset) {
      if (std::memcmp(files_[n].bytes + offset, ram_[n].data() + offset, kPage) != 0) changed.push_back(offset);
      written.add(offset);
    });
    written.flush();
    if (on_changed)
      for (const u64 offset : changed) on_changed(n, offset);
  }
}

void MemoryHistory::back_over(const EarlierPages& pages) {
  for (size_t n = 0; n < pages.pages.size(); n++) {
    const auto& [range, offset] = pages.pages[n];
    std::memcpy(files_[range].bytes + offset, &pages.content[n * kPage], kPage);
    if (on_changed) on_changed(range, offset);
  }
}

}  // namespace ia64::machine
