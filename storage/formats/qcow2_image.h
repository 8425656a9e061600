// qcow2 images, versions 2 and 3. @source "qcow2 Image File Format" (interop document of the format)
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/formats/unit_image.h"

namespace ia64::storage {

/// What the fixed header says.
struct Qcow2Header {
  u32 version = 3, cluster_bits = 16, l1_entries = 0, refcount_table_clusters = 0, snapshots = 0, refcount_order = 4, crypt = 0;
  u64 size_bytes = 0, l1_offset = 0, refcount_table_offset = 0;
  u64 incompatible = 0;
  u8 compression = 0;
  std::string backing;         ///< file name as written, or empty
  std::string backing_format;  ///< "raw", "qcow2", ... or empty
  u64 cluster_bytes() const { return u64{1} << cluster_bits; }
};

/// Reads every image without encryption, external data file or extended L2 entries (zlib compression included); writes those
/// without internal snapshots and with 16-bit reference counts.
class Qcow2Image final : public UnitImage {
 public:
  static Result<Qcow2Header> read_header(const FileIo& io);
  /// Makes an empty version 3 image. @param backing file below it, with its format, or empty. Refuses to overwrite.
  static Result<void> create(const std::string& path, u64 size_bytes, const std::string& backing, const std::string& backing_format);
  static Result<std::unique_ptr<Qcow2Image>> open(const std::string& path, bool read_only, std::unique_ptr<BlockStore> below);

  FileIo& file() override { return io_; }
  u64 size_bytes() const override { return header_.size_bytes; }
  u32 unit_bytes() const override { return static_cast<u32>(header_.cluster_bytes()); }
  BlockStore* below() override { return below_.get(); }
  std::string describe() const override { return "qcow2:" + io_.path(); }
  bool find(u64 unit, UnitPlace& out) override;
  BlockStatus allocate(u64 unit, u64& offset, bool& fresh) override;
  BlockStatus settle(u64 unit, u64 offset) override;
  BlockStatus drop(u64 unit) override;
  BlockStatus unpack(u64 unit, std::span<u8> out) override;
  BlockStatus flush() override;

  const Qcow2Header& header() const { return header_; }
  struct CheckReport {
    u64 allocated = 0, leaked = 0;
    std::vector<std::string> errors;
  };
  /// Compares the reference counts with what the tables use.
  Result<CheckReport> check();
  /// Grows the disk. For tools, with nothing in flight.
  Result<void> grow(u64 size_bytes);

 private:
  struct Table {
    std::vector<u64> entries;
    u64 offset = 0;
    bool dirty = false;
  };
  explicit Qcow2Image(FileIo io) : io_(std::move(io)) {}
  Result<void> load(bool read_only);
  Result<void> load_refcounts();
  Result<void> reserve_counts(u64 clusters);
  Table* table_of(u64 unit);
  Table* table_for_writing(u64 unit);
  BlockStatus take_cluster(u64& offset);
  bool set_count(u64 cluster, u16 count);
  u16 count_of(u64 cluster);
  void release(u64 entry);
  BlockStatus write_table(u64 offset, std::span<const u64> entries);
  bool valid_offset(u64 offset) const;
  u64 entries_per_table() const { return header_.cluster_bytes() / 8; }
  u64 counts_per_block() const { return header_.cluster_bytes() / 2; }

  FileIo io_;
  std::unique_ptr<BlockStore> below_;
  Qcow2Header header_;
  std::vector<u64> l1_, refcount_table_;
  bool l1_dirty_ = false, refcount_table_dirty_ = false;
  std::mutex tables_mutex_;  // guards tables_ against lookups side by side
  std::map<u64, Table> tables_;
  struct Counts {
    std::vector<u16> counts;
    bool dirty = false;
  };
  std::map<u64, Counts> refcounts_;  // by index in the refcount table
  u64 end_cluster_ = 0;
  std::vector<u64> free_, freed_;  // clusters to take first; those freed since the last flush
};

}  // namespace ia64::storage
