// Boot services: events, timers, delays, watchdog.
#include <algorithm>

#include "base/log.h"
#include "firmware/efi/boot_services.h"

namespace ia64::firmware {
namespace {

constexpr u64 kPollNs = 10'000'000;  // how often polled events (keys) are looked at
constexpr u64 kMaxEvents = 4096;

EfiStatus create_event(EfiContext& efi, GateCall& call) {
  EfiEvent event = 0;
  if (call.arg(4) == 0) return efi::kInvalidParameter;
  const auto s =
      efi.events.create(static_cast<u32>(call.arg(0)), call.arg(1), call.arg(2), call.arg(3), event);
  if (efi_error(s)) return s;
  return call.write_value(call.arg(4), event) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus close_event(EfiContext& efi, GateCall& call) {
  efi.handles.drop_registrations_of_event(call.arg(0));
  return efi.events.close(call.arg(0));
}

EfiStatus wait_for_event(EfiContext& efi, GateCall& call) {
  const u64 count = call.arg(0), list = call.arg(1), index_at = call.arg(2);
  if (count == 0 || count > kMaxEvents) return efi::kInvalidParameter;
  if (efi.events.tpl() != efi::kTplApplication) return efi::kUnsupported;
  std::vector<u64> events(count);
  if (!call.read(list, events.data(), count * 8)) return efi::kInvalidParameter;
  for (;;) {
    for (u64 i = 0; i < count; i++) {
      const auto s = efi.events.check(events[i], call);
      if (s == efi::kNotReady) continue;
      if (!call.write_value(index_at, i)) return efi::kInvalidParameter;
      return s;
    }
    efi.events.dispatch(call);
    const u64 poll = efi.clock.now_ns() + kPollNs;
    call.wait_until(std::min(efi.events.next_deadline().value_or(poll), poll));
  }
}

EfiStatus stall(EfiContext& efi, GateCall& call) {
  constexpr u64 kLongestUs = u64{1} << 40;
  const u64 until = efi.clock.now_ns() + std::min(call.arg(0), kLongestUs) * 1000;
  while (efi.clock.now_ns() < until) {
    efi.events.check_timers();
    efi.events.dispatch(call);
    call.wait_until(std::min(efi.events.next_deadline().value_or(until), until));
  }
  return efi::kSuccess;
}

EfiStatus next_count(MonotonicCounter& counter, GateCall& call) {
  if (call.arg(0) == 0) return efi::kInvalidParameter;
  return call.write_value(call.arg(0), counter.next()) ? efi::kSuccess : efi::kInvalidParameter;
}

EfiStatus set_watchdog(Watchdog& watchdog, GateCall& call) {
  // Codes below 0x10000 are reserved for firmware itself.
  if (call.arg(0) && call.arg(1) && call.arg(1) < 0x10000) return efi::kInvalidParameter;
  watchdog.set(call.arg(0));
  return efi::kSuccess;
}

}  // namespace

void Watchdog::set(u64 seconds) {
  constexpr u64 kLongest = u64{1} << 32;
  deadline_ns_ = seconds ? efi_.clock.now_ns() + std::min(seconds, kLongest) * 1'000'000'000 : 0;
}

void Watchdog::check() {
  if (!deadline_ns_ || !efi_.boot_services || efi_.clock.now_ns() < deadline_ns_) return;
  deadline_ns_ = 0;
  LOG(Warn, "the boot loader did not finish in time: watchdog resets the machine");
  efi_.host.reset(true);
}

std::vector<EfiServiceRow> event_services(EfiContext& efi, Watchdog& watchdog, MonotonicCounter& counter) {
  EfiContext* e = &efi;
  return {
      {"CreateEvent", [e](GateCall& c) { return create_event(*e, c); }},
      {"SetTimer", [e](GateCall& c) { return e->events.set_timer(c.arg(0), c.arg(1), c.arg(2)); }},
      {"WaitForEvent", [e](GateCall& c) { return wait_for_event(*e, c); }},
      {"SignalEvent", [e](GateCall& c) { return e->events.signal(c.arg(0)); }},
      {"CloseEvent", [e](GateCall& c) { return close_event(*e, c); }},
      {"CheckEvent",
       [e, w = &watchdog](GateCall& c) {
         w->check();
         return e->events.check(c.arg(0), c);
       }},
      {"Stall",
       [e, w = &watchdog](GateCall& c) {
         w->check();
         return stall(*e, c);
       }},
      {"GetNextMonotonicCount", [n = &counter](GateCall& c) { return next_count(*n, c); }},
      {"SetWatchdogTimer", [w = &watchdog](GateCall& c) { return set_watchdog(*w, c); }},
  };
}

}  // namespace ia64::firmware
