// A medium of fixed-size blocks as firmware drivers see it, and byte-wise access on top.
#pragma once

#include <span>
#include <vector>

#include "firmware/efi/status.h"

namespace ia64::firmware {

/// A run of guest physical memory that a device can reach.
struct GuestSpan {
  GuestPhys phys = 0;
  u64 size_bytes = 0;
};

/// Blocks 0..block_count()-1. Callers keep ranges inside; results are Success, DeviceError, NoMedia or
/// WriteProtected. Synchronous: a call returns when the transfer is done. Thread rule: the firmware's lock.
class BlockMedium {
 public:
  virtual ~BlockMedium() = default;
  virtual u32 block_size() const = 0;  ///< a power of two, 512..4096
  virtual u64 block_count() const = 0;
  virtual bool read_only() const = 0;
  virtual bool removable() const { return false; }
  virtual EfiStatus read(u64 lba, u64 count, u8* out) = 0;
  virtual EfiStatus write(u64 lba, u64 count, const u8* in) = 0;
  virtual EfiStatus flush() = 0;
  /// Transfers straight between medium and guest memory; the spans add up to whole blocks.
  virtual EfiStatus read_guest(u64 lba, std::span<const GuestSpan> to) = 0;
  virtual EfiStatus write_guest(u64 lba, std::span<const GuestSpan> from) = 0;
  /// Counts changes made past file systems (raw block writes), so that their caches know when to forget.
  virtual u64& raw_writes() = 0;

  u64 size_bytes() const { return block_count() * block_size(); }
};

/// A contiguous part of another medium: a partition.
class MediumSlice final : public BlockMedium {
 public:
  /// first + count must lie inside `whole`, which must outlive this.
  MediumSlice(BlockMedium& whole, u64 first, u64 count) : whole_(whole), first_(first), count_(count) {}
  u32 block_size() const override { return whole_.block_size(); }
  u64 block_count() const override { return count_; }
  bool read_only() const override { return whole_.read_only(); }
  bool removable() const override { return whole_.removable(); }
  EfiStatus read(u64 lba, u64 n, u8* out) override { return whole_.read(first_ + lba, n, out); }
  EfiStatus write(u64 lba, u64 n, const u8* in) override { return whole_.write(first_ + lba, n, in); }
  EfiStatus flush() override { return whole_.flush(); }
  EfiStatus read_guest(u64 lba, std::span<const GuestSpan> to) override {
    return whole_.read_guest(first_ + lba, to);
  }
  EfiStatus write_guest(u64 lba, std::span<const GuestSpan> from) override {
    return whole_.write_guest(first_ + lba, from);
  }
  u64& raw_writes() override { return whole_.raw_writes(); }

 private:
  BlockMedium& whole_;
  u64 first_, count_;
};

/// Byte-wise transfers: whole blocks go straight, partial ones through a block buffer (read-modify-write).
/// @returns InvalidParameter when the range leaves the medium, else what the medium says
EfiStatus read_medium_bytes(BlockMedium& medium, u64 offset, size_t size_bytes, void* out);
EfiStatus write_medium_bytes(BlockMedium& medium, u64 offset, size_t size_bytes, const void* in);

}  // namespace ia64::firmware
