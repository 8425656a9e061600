// Counted time: timers run in order, on the thread that moves it.
#include "machine/icount/virtual_clock.h"

#include <string>

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;

TEST_CASE("virtual clock: timers run at their times, equal ones in the order they were set", "[icount]") {
  VirtualClock clock;
  std::string order;
  const auto note = [&](char c) { return [&order, &clock, c] { order += c + std::to_string(clock.now_ns()) + " "; }; };
  clock.schedule(30, note('c'));
  clock.schedule(10, note('a'));
  clock.schedule(10, note('b'));
  clock.schedule(31, note('d'));
  CHECK(clock.next_due_ns() == 10);
  clock.advance_to(30);
  CHECK(order == "a10 b10 c30 ");
  CHECK(clock.now_ns() == 30);
  CHECK(clock.next_due_ns() == 31);
}

TEST_CASE("virtual clock: a timer for a time that has passed runs at the next advance and does not turn time back", "[icount]") {
  VirtualClock clock;
  clock.advance_to(100);
  u64 seen = 0;
  clock.schedule(0, [&] { seen = clock.now_ns(); });
  CHECK(seen == 0);
  clock.advance_to(100);
  CHECK(seen == 100);
}

TEST_CASE("virtual clock: timers may set and cancel timers", "[icount]") {
  VirtualClock clock;
  int runs = 0;
  Clock::TimerId doomed = 0;
  clock.schedule(5, [&] {
    clock.cancel(doomed);
    clock.schedule(7, [&] { runs++; });
    clock.schedule(50, [&] { runs += 10; });
  });
  doomed = clock.schedule(6, [&] { runs += 100; });
  clock.advance_to(20);
  CHECK(runs == 1);
  CHECK(clock.next_due_ns() == 50);
}
