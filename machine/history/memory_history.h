// What guest RAM was at earlier moments, by the pages that were written since.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "machine/guest_memory.h"

namespace ia64::machine {

/// Pages as they were before something wrote them.
struct EarlierPages {
  struct Page {
    u32 range = 0;
    u64 offset = 0;
  };
  std::vector<Page> pages;  ///< in order of range and offset
  std::vector<u8> content;  ///< 4 KiB of each
  u64 bytes() const { return content.size() + pages.size() * sizeof(Page); }
  /// What going back over `later` and then over this does, at once.
  void append_later(const EarlierPages& later);
};

/// RAM shows a file privately, which holds what it was at the last mark: the host itself keeps apart what is written from then on, and
/// costs of a mark go by the pages that were written, not by the size of memory. No processor and no DMA runs during a call.
class MemoryHistory {
 public:
  /// Copies, once, all pages that are not zero. @param ram  outlives this, and stays in its hands until it is reset
  static Result<std::unique_ptr<MemoryHistory>> begin(std::span<GuestMemory> ram);
  ~MemoryHistory();
  MemoryHistory(const MemoryHistory&) = delete;

  /// Called with each page whose content a step back has changed.
  std::function<void(size_t range, u64 offset)> on_changed;
  /// Makes what RAM is now the mark. @returns what the pages written since the last one were there
  EarlierPages mark();
  /// RAM is again what it was at the last mark.
  void back_to_mark();
  /// RAM, which is as at the last mark, becomes what it was at the one before, and that is the last.
  void back_over(const EarlierPages& pages);

 private:
  struct File {
    int fd = -1;
    u8* bytes = nullptr;  ///< all of the file, to read and write
    u64 size = 0;
  };
  explicit MemoryHistory(std::span<GuestMemory> ram) : ram_(ram) {}
  Result<void> add_file(GuestMemory& memory);
  std::span<GuestMemory> ram_;
  std::vector<File> files_;
};

}  // namespace ia64::machine
