// Stand-ins for the wires of a device: clock, line, interrupt bus, host end.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/address_space.h"
#include "base/char_channel.h"
#include "base/clock.h"
#include "base/inspect.h"
#include "base/interrupt_bus.h"
#include "base/irq_line.h"

namespace ia64::testing {

/// A line that remembers its level and counts how often it rose.
struct FakeLine final : IrqLine {
  bool level = false;
  int rises = 0;
  void set(bool asserted) override {
    if (asserted && !level) rises++;
    level = asserted;
  }
};

/// Collects interrupt messages.
struct FakeInterruptBus final : InterruptBus {
  struct Message {
    u16 id_eid;
    DeliveryMode mode;
    u8 vector;
    bool operator==(const Message&) const = default;
  };
  std::vector<Message> messages;
  std::mutex mutex;
  std::condition_variable arrived;
  void deliver(u16 id_eid, DeliveryMode mode, u8 vector) override {
    std::lock_guard lock(mutex);
    messages.push_back({id_eid, mode, vector});
    arrived.notify_all();
  }
  /// Waits until `n` messages have come in all.
  void wait_for(size_t n) {
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return messages.size() >= n; });
  }
};

/// Virtual time that moves only when told; timers run inside advance_to().
struct FakeClock final : Clock {
  u64 now = 0;
  TimerId next_id = 1;
  std::map<TimerId, std::pair<u64, std::function<void()>>> timers;
  u64 now_ns() const override { return now; }
  TimerId schedule(u64 deadline_ns, std::function<void()> fn) override {
    timers[next_id] = {deadline_ns, std::move(fn)};
    return next_id++;
  }
  void cancel(TimerId id) override { timers.erase(id); }
  void advance_to(u64 when) {
    for (;;) {
      auto first = timers.end();
      for (auto it = timers.begin(); it != timers.end(); ++it)
        if (it->second.first <= when && (first == timers.end() || it->second.first < first->second.first))
          first = it;
      if (first == timers.end()) break;
      now = std::max(now, first->second.first);
      auto fn = std::move(first->second.second);
      timers.erase(first);
      fn();
    }
    now = when;
  }
};

/// A host end that keeps typed text until the receiver takes it.
struct FakeChannel final : CharChannel {
  std::string output;
  std::deque<u8> typed;
  std::function<size_t(std::span<const u8>)> receiver;
  std::function<void()> on_break;
  std::mutex mutex;
  void write(std::span<const u8> bytes) override {
    std::lock_guard lock(mutex);
    output.append(bytes.begin(), bytes.end());
  }
  void set_receiver(std::function<size_t(std::span<const u8>)> r) override { receiver = std::move(r); }
  void receiver_ready() override { offer(); }
  void set_break_handler(std::function<void()> fn) override { on_break = std::move(fn); }
  void type(std::string_view text) {
    typed.insert(typed.end(), text.begin(), text.end());
    offer();
  }
  void offer() {
    const std::vector<u8> all(typed.begin(), typed.end());
    if (all.empty() || !receiver) return;
    const size_t taken = receiver(all);
    typed.erase(typed.begin(), typed.begin() + static_cast<std::ptrdiff_t>(taken));
  }
};

/// Swallows an inspection; counts what it saw.
struct CountingInspector final : InspectWriter {
  int depth = 0, values = 0;
  void begin(std::string_view) override { depth++; }
  void end() override { depth--; }
  void value(std::string_view, u64) override { values++; }
  void text(std::string_view, std::string_view) override { values++; }
};

inline u64 read_of(MmioRegion& r, u64 offset, unsigned size) {
  u64 v = 0;
  return r.read(offset, size, v) == AccessResult::Ok ? v : ~u64{0} >> (64 - 8 * size);
}

}  // namespace ia64::testing
