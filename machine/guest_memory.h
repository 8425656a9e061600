// Guest RAM: one host mapping per range, untouched until the guest touches it.
#pragma once

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

 private:
  GuestMemory(u8* data, u64 size, int file = -1) : data_(data), size_(size), file_(file) {}
  u8* data_;
  u64 size_;
  int file_;             ///< of map_shared(), else -1
  u8* view_ = nullptr;
};

}  // namespace ia64::machine
