// Mode parameters of a disk: MODE SENSE and MODE SELECT data.
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <vector>

#include "base/state_archive.h"
#include "storage/scsi/cdb.h"
#include "storage/scsi/sense.h"

namespace ia64::storage::scsi {

/// The pages disks of parallel SCSI have. The write cache, the sense format and software write protection can be
/// changed. Any thread.
/// @source SPC-4 6.11-6.14 and 7.5, SBC-3 6.4, SBC-2 for format and geometry
class ModePages {
 public:
  /// Whether writes may be answered before they are durable (WCE).
  bool write_cache() const { return write_cache_.load(std::memory_order_relaxed); }
  bool descriptor_sense() const { return control_.load(std::memory_order_relaxed) & kDescriptorSense; }
  bool software_write_protect() const { return control_.load(std::memory_order_relaxed) & kSoftwareProtect; }
  void reset() { write_cache_ = true, control_ = 0; }
  void visit_state(StateArchive& a) { a(write_cache_, control_); }

  struct Medium {
    u64 blocks = 0;
    unsigned block_bytes = 512;
    bool read_only = false;
  };
  /// Parameter data for a MODE SENSE(6) or (10). On refusal returns nothing and sets `why`.
  std::optional<std::vector<u8>> sense(const Cdb& cdb, const Medium& medium, Sense& why) const;
  struct Verdict {
    Sense sense = sense::kNone;  ///< kNone: accepted
    bool changed = false;
  };
  /// Applies the parameter list of a MODE SELECT(6) or (10).
  Verdict select(const Cdb& cdb, const Medium& medium, std::span<const u8> list);

 private:
  static constexpr u8 kDescriptorSense = 1, kSoftwareProtect = 2;
  std::vector<u8> page(u8 code, unsigned control, const Medium& medium) const;
  std::atomic<bool> write_cache_{true};
  std::atomic<u8> control_{0};
};

}  // namespace ia64::storage::scsi
