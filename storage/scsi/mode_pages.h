// Mode parameters of a disk: MODE SENSE and MODE SELECT data.
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <vector>

#include "storage/scsi/cdb.h"
#include "storage/scsi/sense.h"

namespace ia64::storage::scsi {

/// Caching, control and error-recovery pages. Only the write-cache bit can be changed. Any thread.
/// @source SPC-4 6.11-6.14 and 7.5, SBC-3 6.4
class ModePages {
 public:
  /// Whether writes may be answered before they are durable (WCE).
  bool write_cache() const { return write_cache_.load(std::memory_order_relaxed); }
  void reset() { write_cache_ = true; }

  struct Medium {
    u64 blocks = 0;
    unsigned block_bytes = 512;
    bool read_only = false;
  };
  /// Parameter data for a MODE SENSE(6) or (10). On refusal returns nothing and sets `why`.
  std::optional<std::vector<u8>> sense(const Cdb& cdb, const Medium& medium, Sense& why) const;
  /// Applies the parameter list of a MODE SELECT(6) or (10). @returns sense::kNone when accepted
  Sense select(const Cdb& cdb, const Medium& medium, std::span<const u8> list);

 private:
  std::vector<u8> page(u8 code, unsigned control) const;
  std::atomic<bool> write_cache_{true};
};

}  // namespace ia64::storage::scsi
