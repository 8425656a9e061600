// When the timer of an idle guest may be late: what earns it, and what ends it.
#include "machine/idle_slack.h"

#include <algorithm>

#include "tests/support/test.h"

using namespace ia64;
using machine::IdleSlack;

namespace {

constexpr u64 kMs = 1'000'000, kTick = 4 * kMs, kLate = 4 * kTick, kShort = 4000;

/// A guest that ticks every 4 ms of a clock made up here. The timer of each halt comes as late as it may.
struct Guest {
  IdleSlack slack;
  IdleSlack::Halt h{.now_ns = 0, .due_ns = 3 * kTick, .executed = 1'000'000, .messages = 7, .firmware = 50};
  u64 late = slack.halted(h);

  /// The timer ends the halt; the guest takes the ticks that are over, as Linux does, and halts again. @returns by how much the next may be late
  u64 tick(u64 executed = kShort, u64 interval = kTick) {
    h.now_ns = h.due_ns + late;
    do h.due_ns += interval, h.executed += executed;
    while (h.due_ns <= h.now_ns);
    h.firmware++;
    return late = slack.halted(h);
  }
  void ticks(u64 until_ns) {
    while (h.now_ns < until_ns) tick();
  }
};

}  // namespace

TEST_CASE("a guest that only ticks for a second gets four of five ticks late", "[idle]") {
  Guest g;
  while (g.h.now_ns < g.h.due_ns) {
    const u64 before = g.h.now_ns;
    g.tick();
    if (g.late) break;
    CHECK(g.h.now_ns - before <= 3 * kTick);
    REQUIRE(g.h.now_ns < 2000 * kMs);
  }
  CHECK(g.late == kLate);
  CHECK(g.h.now_ns >= 1000 * kMs);
  CHECK(g.h.now_ns <= 1000 * kMs + 5 * kTick);
  CHECK(g.slack.joined() == 0);
  const u64 due = g.h.due_ns;
  for (unsigned n = 0; n < 100; n++) CHECK(g.tick() == kLate);
  CHECK(g.slack.joined() == 400);
  CHECK(g.h.due_ns == due + 500 * kTick);  // no tick is lost
}

TEST_CASE("no tick is more than 20 ms late", "[idle]") {
  for (const u64 interval : {kMs, 5 * kMs, 6 * kMs, 10 * kMs}) {
    Guest g;
    for (unsigned n = 0; n < 1500; n++) g.tick(kShort, interval);
    CHECK(g.late == std::min<u64>(4, 20 * kMs / interval) * interval);
  }
}

TEST_CASE("interrupts, firmware calls and anything else that happens end the slack at once, for a second", "[idle]") {
  for (const unsigned what : {0, 1, 2, 3, 4}) {
    Guest g;
    g.ticks(1100 * kMs);
    REQUIRE(g.late == kLate);
    u64 executed = kShort;
    if (what == 0) g.h.messages++;
    if (what == 1) g.h.firmware++;
    if (what == 2) g.slack.end();
    if (what == 3) executed = 4 * kShort + 1;
    if (what == 4) g.h.due_ns += kMs;  // the guest has set its timer to something else
    const u64 ended = g.h.due_ns;
    CHECK(g.tick(executed) == 0);
    g.ticks(ended + 900 * kMs);
    CHECK(g.late == 0);
    g.ticks(ended + 1100 * kMs);
    CHECK(g.late == kLate);
  }
}

TEST_CASE("rare longer wakes are background work, frequent ones are not", "[idle]") {
  Guest rare, often;
  for (unsigned n = 0; n < 2000; n++) rare.tick(n % 100 == 0 ? 3 * kShort : kShort), often.tick(n % 10 == 0 ? 3 * kShort : kShort);
  CHECK(rare.slack.joined() > 5000);
  CHECK(often.slack.joined() < 800);
}

TEST_CASE("guests that tick slowly, unevenly, or choose their timers get no slack", "[idle]") {
  Guest slow, uneven, choosing;
  for (unsigned n = 0; n < 1000; n++) {
    CHECK(slow.tick(kShort, 11 * kMs) == 0);
    CHECK(uneven.tick(kShort, n % 2 ? kTick : kTick + kTick / 8) == 0);
    CHECK(choosing.tick(kShort, n % 2 ? kTick : 2 * kTick) == 0);
  }
}

TEST_CASE("a host that was late once does not end the slack", "[idle]") {
  Guest g;
  g.ticks(1100 * kMs);
  REQUIRE(g.late == kLate);
  g.late += 3 * kTick;
  CHECK(g.tick() == kLate);
  g.late += 20 * kTick;  // that is no longer a tick
  CHECK(g.tick() == 0);
}

TEST_CASE("a processor that slept and did nothing keeps its slack; one without a timer has none", "[idle]") {
  Guest g;
  g.ticks(1100 * kMs);
  g.h.now_ns += kMs;
  CHECK(g.slack.halted(g.h) == kLate);
  g.h.due_ns = ~u64{0}, g.h.executed += kShort, g.h.firmware++;
  CHECK(g.slack.halted(g.h) == 0);
  g.h.due_ns = g.h.now_ns - 1, g.h.executed += kShort, g.h.firmware++;
  CHECK(g.slack.halted(g.h) == 0);
}
