// The safe point of a processor's thread, and a clock that can stand still.
#include "machine/safe_point.h"

#include <condition_variable>
#include <thread>

#include "machine/host_clock.h"

#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;

TEST_CASE("safe point: posted work runs at the next pass, in order, on the thread that passes", "[machine]") {
  SafePoint point;
  std::vector<int> seen;
  CHECK(point.post([&] { seen.push_back(1); }));
  CHECK(point.post([&] {
    seen.push_back(2);
    point.post([&] { seen.push_back(3); });
  }));
  CHECK(seen.empty());
  point.pass([] { return false; });
  CHECK(seen == std::vector<int>{1, 2, 3});
  point.pass([] { return false; });
  CHECK(seen.size() == 3);
}

TEST_CASE("safe point: who hears of a pause from the work that made it finds time at a standstill", "[machine]") {
  SafePoint point;
  std::vector<std::string> order;
  point.on_wait = [&](bool waiting) { order.push_back(waiting ? "time stands" : "time goes on"); };
  point.post([&] {
    point.pause();
    order.push_back("told");
  });
  point.post([&] { order.push_back("more work"); });
  point.pass([] { return true; });
  CHECK(order == std::vector<std::string>{"time stands", "told", "more work", "time goes on"});
  point.post([&] {
    point.pause();
    point.resume();
  });
  point.pass([] { return false; });
  CHECK(order.size() == 6);
}

TEST_CASE("safe point: a paused thread serves work until it is resumed or wanted elsewhere", "[machine]") {
  SafePoint point;
  std::atomic<bool> leave{false};
  std::vector<bool> waits;
  point.on_wait = [&](bool waiting) { waits.push_back(waiting); };
  point.pause();
  std::atomic<int> done{0};
  std::thread cpu([&] {
    point.pass([&] { return leave.load(); });  // until resume()
    done++;
    point.pause();
    point.pass([&] { return leave.load(); });  // until wanted elsewhere
    done++;
  });
  std::mutex m;
  std::condition_variable ran;
  bool called = false;
  point.post([&] {
    std::lock_guard lock(m);
    called = true;
    ran.notify_one();
  });
  {
    std::unique_lock lock(m);
    ran.wait(lock, [&] { return called; });
  }
  CHECK(done == 0);
  point.resume();
  while (done == 0) std::this_thread::yield();
  leave = true;
  point.wake();
  cpu.join();
  CHECK(done == 2);
  CHECK(point.paused());
  CHECK(waits.size() % 2 == 0);
}

TEST_CASE("safe point: a closed one has run everything and takes no more", "[machine]") {
  SafePoint point;
  int ran = 0;
  point.post([&] { ran++; });
  point.close();
  CHECK(ran == 1);
  CHECK_FALSE(point.post([&] { ran++; }));
  CHECK(ran == 1);
}

TEST_CASE("host clock: time stands while paused and goes on where it stopped", "[machine]") {
  HostClock clock;
  clock.pause();
  const u64 at = clock.now_ns();
  clock.pause();
  std::atomic<bool> fired{false}, overdue{false};
  clock.schedule(at + 1, [&] { fired = true; });
  clock.schedule(0, [&] { overdue = true; });  // due already, and waits all the same
  CHECK(clock.now_ns() == at);
  CHECK_FALSE(fired);
  CHECK_FALSE(overdue);
  clock.resume();
  while (!fired || !overdue) std::this_thread::yield();
  CHECK(clock.now_ns() > at);
}
