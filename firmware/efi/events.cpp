// EFI events, timers and task priority levels.
#include "firmware/efi/events.h"

#include <algorithm>
#include <array>

namespace ia64::firmware {

EfiStatus EventTable::create(u32 type, u64 tpl, u64 notify, u64 context, EfiEvent& event) {
  constexpr u32 kKnown = efi::kEventTimer | efi::kEventRuntime | efi::kEventRuntimeContext |
                         efi::kEventNotifyWait | efi::kEventNotifySignal;
  const bool group = type == efi::kEventExitBootServices || type == efi::kEventVirtualAddressChange;
  if (!group && (type & ~kKnown)) return efi::kInvalidParameter;
  const bool waits = type & efi::kEventNotifyWait, signals = type & efi::kEventNotifySignal;
  if (waits && signals) return efi::kInvalidParameter;
  if (waits || signals) {
    if (notify == 0 || tpl <= efi::kTplApplication || tpl >= efi::kTplHighLevel)
      return efi::kInvalidParameter;
  } else {
    tpl = notify = 0;
  }
  event = next_;
  next_ += 0x10;
  Event& e = events_[event];
  e.type = type, e.tpl = tpl, e.notify = notify, e.context = context;
  return efi::kSuccess;
}

EfiEvent EventTable::create_polled(std::function<bool()> poll) {
  const EfiEvent event = next_;
  next_ += 0x10;
  events_[event].poll = std::move(poll);
  return event;
}

EfiStatus EventTable::close(EfiEvent event) {
  if (!events_.erase(event)) return efi::kInvalidParameter;
  std::erase(queue_, event);
  return efi::kSuccess;
}

bool EventTable::is_notify_signal(EfiEvent event) const {
  const auto it = events_.find(event);
  return it != events_.end() && (it->second.type & efi::kEventNotifySignal);
}

void EventTable::enqueue(EfiEvent id, Event& e) {
  if (e.queued || !e.notify) return;
  e.queued = true;
  queue_.push_back(id);
}

EfiStatus EventTable::signal(EfiEvent event) {
  const auto it = events_.find(event);
  if (it == events_.end()) return efi::kInvalidParameter;
  it->second.signalled = true;
  if (it->second.type & efi::kEventNotifySignal) enqueue(event, it->second);
  return efi::kSuccess;
}

EfiStatus EventTable::check(EfiEvent event, GateCall& call) {
  check_timers();
  auto it = events_.find(event);
  if (it == events_.end() || (it->second.type & efi::kEventNotifySignal)) return efi::kInvalidParameter;
  if (it->second.poll) return it->second.poll() ? efi::kSuccess : efi::kNotReady;
  if (!it->second.signalled && (it->second.type & efi::kEventNotifyWait)) {
    enqueue(event, it->second);
    dispatch(call);
    it = events_.find(event);  // the notification may have closed it
    if (it == events_.end()) return efi::kInvalidParameter;
  }
  if (!it->second.signalled) return efi::kNotReady;
  it->second.signalled = false;
  return efi::kSuccess;
}

EfiStatus EventTable::set_timer(EfiEvent event, u64 type, u64 time_100ns) {
  const auto it = events_.find(event);
  if (it == events_.end() || !(it->second.type & efi::kEventTimer) || type > 2) return efi::kInvalidParameter;
  Event& e = it->second;
  e.deadline_ns.reset();
  e.period_ns = 0;
  if (type == 0) return efi::kSuccess;
  // Several centuries are for ever; clamping keeps the arithmetic safe.
  constexpr u64 kLongest = u64{1} << 62;
  const u64 span_ns = time_100ns > kLongest / 100 ? kLongest : time_100ns * 100;
  // A periodic timer of 0 means every tick of the platform timer: 10 ms here.
  if (type == 1) e.period_ns = span_ns ? span_ns : 10'000'000;
  e.deadline_ns = clock_.now_ns() + (type == 1 ? e.period_ns : span_ns);
  return efi::kSuccess;
}

void EventTable::signal_group(u32 type) {
  std::vector<EfiEvent> members;
  for (const auto& [id, e] : events_)
    if (e.type == type) members.push_back(id);
  for (const EfiEvent id : members) (void)signal(id);
}

void EventTable::check_timers() {
  const u64 now = clock_.now_ns();
  std::vector<EfiEvent> due;
  for (auto& [id, e] : events_) {
    if (!e.deadline_ns || *e.deadline_ns > now) continue;
    // Ticks missed while nobody looked are one signal, as with a late timer interrupt.
    if (e.period_ns)
      e.deadline_ns = *e.deadline_ns + ((now - *e.deadline_ns) / e.period_ns + 1) * e.period_ns;
    else
      e.deadline_ns.reset();
    due.push_back(id);
  }
  for (const EfiEvent id : due) (void)signal(id);
}

EfiEvent EventTable::take_pending() {
  auto best = queue_.end();
  u64 best_tpl = tpl_;
  for (auto it = queue_.begin(); it != queue_.end(); ++it) {
    const u64 level = events_[*it].tpl;
    if (level > best_tpl) best = it, best_tpl = level;
  }
  if (best == queue_.end()) return 0;
  const EfiEvent id = *best;
  queue_.erase(best);
  return id;
}

void EventTable::dispatch(GateCall& call) {
  while (const EfiEvent id = take_pending()) {
    Event& e = events_[id];
    e.queued = false;
    if (e.type & efi::kEventNotifySignal) e.signalled = false;
    const u64 args[] = {id, e.context}, notify = e.notify;
    const u64 old_tpl = set_tpl(e.tpl);
    (void)call.call_guest(notify, args);
    set_tpl(old_tpl);
  }
}

std::optional<u64> EventTable::next_deadline() const {
  std::optional<u64> next;
  for (const auto& [id, e] : events_)
    if (e.deadline_ns && (!next || *e.deadline_ns < *next)) next = e.deadline_ns;
  return next;
}

u64 EventTable::set_tpl(u64 tpl) {
  const u64 old = tpl_;
  tpl_ = tpl;
  return old;
}

void EventTable::drop_boot_events() {
  for (auto it = events_.begin(); it != events_.end();)
    if (it->second.type & efi::kEventRuntime) {
      it->second.deadline_ns.reset();
      ++it;
    } else {
      std::erase(queue_, it->first);
      it = events_.erase(it);
    }
}

}  // namespace ia64::firmware
