// When the timer of a guest that does nothing but ticks may be late.
#pragma once

#include "base/int_types.h"

namespace ia64::machine {

/// Watches a processor halt, again and again, and says by how much the timer that would end a halt may be late. A guest that has done nothing but
/// answer its clock for a second gets its ticks late, by four ticks but 20 ms at most: up to five are then taken at once, so that its host processor wakes a
/// fifth as often. Operating systems find out from the ITC how many ticks have passed, because interrupts may be held off on real machines too.
///
/// Doing nothing means, for all of that second: no interrupt but the timer's, no call of firmware but the one that halts, timers that follow
/// each other at even distances of 10 ms at most, and no wake that executes four times as many instructions as the shortest; those that are longer by more than half
/// are rare (background work of a kernel). What breaks any of that ends it, and another second must pass.
/// CPU thread only.
class IdleSlack {
 public:
  static constexpr u64 kEarnedNs = 1'000'000'000;
  static constexpr u64 kLongestTickNs = 10'000'000, kLatestNs = 20'000'000;
  static constexpr u64 kMostLate = 4;  ///< ticks

  /// What the processor has done and waits for when it halts; the counts are totals of anything.
  struct Halt {
    u64 now_ns = 0;    ///< virtual time
    u64 due_ns = 0;    ///< when its timer is due; a time that is over, or ~0, for none
    u64 executed = 0;  ///< instructions
    u64 messages = 0;  ///< interrupts that others have sent
    u64 firmware = 0;  ///< calls of firmware, the one that halted included
  };

  /// The processor has halted. @returns by how many nanoseconds its timer may be late
  u64 halted(const Halt& h);
  /// Something else has happened: a second must pass again.
  void end() { interval_ns_ = slack_ns_ = 0, last_.due_ns = 0; }
  /// Ticks that were late, so that they were taken together with the next one.
  u64 joined() const { return joined_; }

 private:
  static constexpr u64 kMuchLonger = 4;
  static constexpr u64 kLongWeight = 32;             ///< ticks that pay for one wake that is longer by more than half
  static constexpr u64 kMostLong = 8 * kLongWeight;  ///< owed at most

  bool only_ticks(const Halt& h);
  u64 earned_ns() const;
  bool is_short_enough(u64 executed, u64 ticks);

  Halt last_;
  u64 began_ns_ = 0;     ///< of the spell
  u64 interval_ns_ = 0;  ///< between two ticks; 0: no spell
  u64 shortest_ = 0;     ///< instructions of the shortest wake of one tick
  u64 owed_ = 0;         ///< ticks that long wakes cost
  u64 slack_ns_ = 0;
  u64 joined_ = 0;
};

}  // namespace ia64::machine
