// A whole machine at one moment, but for its memory and disks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cpu/core_checkpoint.h"
#include "machine/history/history.h"
#include "machine/snapshot/machine_snapshot.h"
#include "machine/snapshot/state_sections.h"

namespace ia64::machine {

/// As a snapshot, in memory; taking it changes nothing, and translated code stays. Time must be counted, no firmware service under way,
/// nothing in flight.
class MachineMoment final : public Moment {
 public:
  /// @param printed  bytes of the console @param looks  at the clock
  MachineMoment(const MachineParts& parts, u64 printed, u64 looks);
  u64 printed() const { return printed_; }
  u64 looks() const { return looks_; }

  Result<void> let_go(const MachineParts& parts) const;
  /// When memory is what it was.
  Result<void> take_up(const MachineParts& parts) const;

 private:
  void visit_devices(const MachineParts& parts, StateSections& state) const;
  struct Drive {
    DeviceAddress address;
    std::string medium;
  };
  struct Adapter {
    u8 bus = 0, slot = 0;
    std::string kind, next_kind;
  };
  const u64 now_ns_, printed_, looks_;
  cpu::CoreCheckpoint core_;
  std::vector<u8> state_;
  std::vector<Drive> drives_;
  std::vector<Adapter> adapters_;
  mutable std::optional<StateSections> loading_;  ///< between the halves of going back
};

}  // namespace ia64::machine
