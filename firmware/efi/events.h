// EFI events, timers and task priority levels.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/state_archive.h"
#include "firmware/efi/status.h"
#include "firmware/gate.h"

namespace ia64::firmware {

/// EFI_EVENT: an opaque nonzero number for the guest.
using EfiEvent = u64;

/// Events with their notification queue. Notification functions run at their level from dispatch(), highest
/// level first and in order of signalling within a level. @source EFI 1.10, 5.1. Thread rule: the firmware's
/// lock.
class EventTable {
 public:
  explicit EventTable(Clock& clock) : clock_(clock) {}

  /// CreateEvent for the guest. `notify` is a function descriptor, called as notify(event, context).
  EfiStatus create(u32 type, u64 tpl, u64 notify, u64 context, EfiEvent& event);
  /// An event whose readiness the host decides: `poll` runs on WaitForEvent/CheckEvent and returns true when
  /// it is signalled (e.g. a key is waiting).
  EfiEvent create_polled(std::function<bool()> poll);
  EfiStatus close(EfiEvent event);
  EfiStatus signal(EfiEvent event);
  /// CheckEvent's answer after running wait notifications: Success, NotReady or InvalidParameter.
  EfiStatus check(EfiEvent event, GateCall& call);
  /// Type: 0 cancel, 1 periodic, 2 relative. Time in 100 ns units.
  EfiStatus set_timer(EfiEvent event, u64 type, u64 time_100ns);
  bool exists(EfiEvent event) const { return events_.count(event) != 0; }
  bool is_notify_signal(EfiEvent event) const;

  /// Signals every event of a group type (ExitBootServices, VirtualAddressChange).
  void signal_group(u32 type);
  /// Signals timers whose time has come.
  void check_timers();
  /// Runs queued notifications whose level is above the current one.
  void dispatch(GateCall& call);
  /// The next timer's virtual time, if any.
  std::optional<u64> next_deadline() const;

  u64 tpl() const { return tpl_; }
  /// Raises or lowers the level without dispatching. @returns the old level
  u64 set_tpl(u64 tpl);

  /// Drops everything that cannot outlive ExitBootServices (all but runtime events).
  void drop_boot_events();
  /// What is left after that.
  void visit_state(StateArchive& a) { a(events_, queue_, next_, tpl_); }

 private:
  struct Event {
    u32 type = 0;
    u64 tpl = 0, notify = 0, context = 0;
    std::function<bool()> poll;
    bool signalled = false, queued = false;
    std::optional<u64> deadline_ns;
    u64 period_ns = 0;
    /// Of runtime events, which no host function polls.
    void visit_state(StateArchive& a) { a(type, tpl, notify, context, signalled, queued, deadline_ns, period_ns); }
  };
  void enqueue(EfiEvent id, Event& e);
  EfiEvent take_pending();

  Clock& clock_;
  std::map<EfiEvent, Event> events_;
  std::vector<EfiEvent> queue_;
  EfiEvent next_ = 0x1000;
  u64 tpl_ = efi::kTplApplication;
};

}  // namespace ia64::firmware
