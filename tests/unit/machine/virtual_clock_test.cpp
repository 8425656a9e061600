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

TEST_CASE("virtual clock: input shortens the time to the next timer and runs before it, with the number of the look that saw it", "[icount]") {
  VirtualClock clock;
  std::string order;
  clock.schedule(10, [&] { order += "timer "; });
  CHECK(clock.next_due_ns() == 10);  // look 1
  clock.schedule_input([&](u64 look) { order += "a" + std::to_string(look) + " "; });
  CHECK(clock.next_due_ns() == 0);  // look 2
  clock.schedule_input([&](u64 look) {
    order += "b" + std::to_string(look) + " ";
    clock.schedule_input([&](u64 next) { order += "c" + std::to_string(next) + " "; });
  });
  clock.advance_to(10);  // look 3
  CHECK(order == "a2 b3 timer ");
  CHECK(clock.next_due_ns() == 0);
  clock.advance_to(10);
  CHECK(order == "a2 b3 timer c4 ");
  CHECK(clock.next_due_ns() == ~u64{0});
  CHECK(clock.looks() == 6);
}

TEST_CASE("virtual clock: input that is held makes no difference before it is let go", "[icount]") {
  VirtualClock clock;
  std::string order;
  clock.schedule_input([&](u64) { order += "a"; });
  clock.hold_input(true);
  clock.schedule_input([&](u64) { order += "b"; });
  CHECK(clock.next_due_ns() == ~u64{0});
  clock.advance_to(5);
  CHECK(order.empty());
  clock.hold_input(false);
  CHECK(clock.next_due_ns() == 0);
  clock.advance_to(5);
  CHECK(order == "ab");
}

TEST_CASE("virtual clock: gone back, earlier input comes again with the look that saw it", "[icount]") {
  VirtualClock clock;
  std::string order;
  clock.go_back(7, {{9, [&] { order += "x"; }}, {9, [&] { order += "y"; }}, {12, [&] { order += "z"; }}});
  CHECK(clock.next_due_ns() == ~u64{0});  // look 8
  CHECK(clock.next_due_ns() == 0);        // look 9
  CHECK(order.empty());
  clock.advance_to(1);  // look 10
  CHECK(order == "xy");
  CHECK(clock.next_due_ns() == ~u64{0});
  clock.advance_to(1);  // look 12
  CHECK(order == "xyz");
}
