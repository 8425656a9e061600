// Guest RAM: one host mapping per range, untouched until the guest touches it.
#pragma once

#include <functional>
#include <span>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::machine {

/// An anonymous host mapping that reads as zeroes. Huge pages are advised.
class GuestMemory {
 public:
  /// @param size_bytes a multiple of 4 KiB, not 0
  static Result<GuestMemory> map(u64 size_bytes);
  /// The same over pages that several mappings can show.
  static Result<GuestMemory> map_shared(u64 size_bytes);
  GuestMemory(GuestMemory&& other) noexcept;
  GuestMemory& operator=(GuestMemory&&) = delete;
  ~GuestMemory();

  u8* data() const { return data_; }
  u64 size_bytes() const { return size_; }
  /// A second mapping that shows the same bytes; pages written through it become its own until MADV_DONTNEED gives them up.
  /// Only for map_shared(); lives as long as this. @returns nullptr when the host refuses
  u8* private_view();
  /// Gives all pages back to the host: the range reads as zeroes again, as after a power cycle.
  void clear();
  /// Replaces all bytes by those of a file, page by page when they are first touched. The file is not written, and is to keep
  /// its content until clear() or the end. Not for map_shared().
  /// @param offset  of the first byte in the file, a multiple of 4 KiB
  Result<void> show_file(int fd, u64 offset);
  /// Calls `visit` with every 4 KiB page that may have been written since show_file() or give_back(), in order. Others are not among them
  /// where the host tells which pages are this process' own; else all are.
  void for_each_own_page(const std::function<void(u64 offset)>& visit) const;
  /// Pages show the file of show_file() again.
  void give_back(u64 offset, u64 size_bytes);
  /// Calls `visit` with every 4 KiB page that is not all zero, in order. Pages that nothing ever touched are not looked at.
  void for_each_content_page(const std::function<void(u64 offset, std::span<const u8> page)>& visit) const;

 private:
  GuestMemory(u8* data, u64 size, int file = -1) : data_(data), size_(size), file_(file) {}
  void drop_shown_file();
  u8* data_;
  u64 size_;
  int file_;             ///< of map_shared(), else -1
  u8* view_ = nullptr;
  int shown_ = -1;       ///< of show_file(), else -1
  u64 shown_offset_ = 0;
};

}  // namespace ia64::machine
