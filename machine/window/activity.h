// What the guest is doing, from samples of the `activity` command, in words for the status bar.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/int_types.h"

namespace ia64::machine::window {

/// One answer of `activity`. Counters only grow, but for a reset of the machine's devices.
struct ActivitySample {
  std::string state, firmware_or_os;
  u64 virtual_ns = 0, idle_ns = 0, instructions = 0, read_bytes = 0, written_bytes = 0;
  unsigned cpl = 0;
  bool big_endian = false, collects = false, translates = false;

  static ActivitySample from_json(const nlohmann::ordered_json& answer);
};

/// Rates between the last two samples.
class ActivityMeter {
 public:
  void add(const ActivitySample& sample);
  bool paused() const { return last_ && last_->state == "Paused"; }
  bool known() const { return last_.has_value(); }
  /// "On (OS)", "Paused"; empty before the first sample.
  std::string state() const { return last_ ? last_->state : std::string(); }
  std::string mips() const;  ///< "312 MIPS": millions of instructions a second of virtual time
  std::string idle() const;  ///< "idle 93%": share of virtual time in which the processor waited
  std::string disk() const;  ///< "disk R 1.2M W 80K" bytes a second, "disk -"
  std::string mode() const;  ///< "EFI LE cpl0 ic vm"; see docs/window.md

 private:
  double seconds() const;
  std::optional<ActivitySample> before_, last_;
};

}  // namespace ia64::machine::window
