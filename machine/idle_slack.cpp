// The rules by which a guest earns and loses that its timer may be late.
#include "machine/idle_slack.h"

#include <algorithm>

namespace ia64::machine {

namespace {

/// How many ticks a clock that ticks every `interval_ns` has made when its timer goes from `last_ns` to `next_ns`: 0 when that is none. It leaves out
/// only what is over, or nearly: the host was late, or the guest. A guest that chooses a timer further ahead does not just tick.
u64 ticks_in(u64 last_ns, u64 next_ns, u64 interval_ns, u64 now_ns) {
  constexpr u64 kMost = 8;
  const u64 step_ns = next_ns - last_ns, ticks = (step_ns + interval_ns / 2) / interval_ns, even_ns = ticks * interval_ns;
  const u64 off_ns = step_ns > even_ns ? step_ns - even_ns : even_ns - step_ns;
  if (ticks > kMost || off_ns > interval_ns / 64) return 0;
  return ticks <= 1 || last_ns + (ticks - 1) * interval_ns <= now_ns + interval_ns / 2 ? ticks : 0;
}

}  // namespace

u64 IdleSlack::halted(const Halt& h) {
  const bool same_halt = h.executed == last_.executed && h.messages == last_.messages && h.due_ns == last_.due_ns;
  if (same_halt) return slack_ns_;  // the processor has slept and done nothing since
  if (!only_ticks(h)) {
    end();
    began_ns_ = h.now_ns;
  }
  last_ = h;
  slack_ns_ = interval_ns_ && h.now_ns - began_ns_ >= kEarnedNs ? earned_ns() : 0;
  return slack_ns_;
}

u64 IdleSlack::earned_ns() const { return interval_ns_ * std::min(kMostLate, kLatestNs / interval_ns_); }

/// Whether nothing but the clock has happened since the last halt.
bool IdleSlack::only_ticks(const Halt& h) {
  if (h.due_ns == ~u64{0} || h.due_ns <= h.now_ns || !last_.due_ns || h.due_ns <= last_.due_ns) return false;
  if (h.messages != last_.messages || h.firmware != last_.firmware + 1) return false;
  const u64 step_ns = h.due_ns - last_.due_ns, executed = h.executed - last_.executed;
  if (!interval_ns_) {
    interval_ns_ = step_ns, shortest_ = executed, owed_ = 0;
    return step_ns <= kLongestTickNs;
  }
  const u64 ticks = ticks_in(last_.due_ns, h.due_ns, interval_ns_, h.now_ns);
  if (ticks == 0 || !is_short_enough(executed, ticks)) return false;
  if (slack_ns_) joined_ += ticks - 1;
  return true;
}

bool IdleSlack::is_short_enough(u64 executed, u64 ticks) {
  if (ticks == 1) shortest_ = std::min(shortest_, executed);
  const u64 usual = shortest_ * ticks;
  if (executed > usual * kMuchLonger) return false;
  owed_ -= std::min(owed_, ticks);
  if (executed > usual + usual / 2) owed_ += kLongWeight;
  return owed_ <= kMostLong;
}

}  // namespace ia64::machine
