// The contract of image formats that keep a disk in units of one size, each somewhere in a file or not at all.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "storage/stores/file_io.h"

namespace ia64::storage {

/// Where a unit of the disk is.
enum class Place : u8 {
  Below,   ///< in the store below, or zeroes when there is none
  Zero,    ///< reads as zeroes whatever is below
  File,    ///< at `offset` of the file
  Packed,  ///< compressed: unit_image.unpack() gives it
};
struct UnitPlace {
  Place place = Place::Below;
  u64 offset = 0;
};

/// A format's tables. UnitStore (unit_store.h) calls lookups from several threads at once, everything else from one.
/// Changes of the tables stay in memory until flush(), which makes the data durable before the tables that name them: after
/// a crash the file has everything a flush acknowledged and is consistent.
class UnitImage {
 public:
  virtual ~UnitImage() = default;

  virtual FileIo& file() = 0;
  virtual u64 size_bytes() const = 0;
  virtual u32 unit_bytes() const = 0;      ///< a power of two
  virtual BlockStore* below() { return nullptr; }
  virtual std::string describe() const = 0;

  /// @returns false when the tables are damaged there (an I/O error for the guest)
  virtual bool find(u64 unit, UnitPlace& out) = 0;
  /// A new place in the file for a unit; not yet its place. @param fresh set when the file has zeroes there
  virtual BlockStatus allocate(u64 unit, u64& offset, bool& fresh) = 0;
  /// From now on the unit is at `offset`.
  virtual BlockStatus settle(u64 unit, u64 offset) = 0;
  /// Makes a whole unit read as zeroes and frees its place. @returns Unsupported when the format cannot say so
  virtual BlockStatus drop(u64 unit) = 0;
  virtual BlockStatus unpack(u64 /*unit*/, std::span<u8> /*out*/) { return BlockStatus::Io; }
  virtual BlockStatus flush() = 0;
};

}  // namespace ia64::storage
