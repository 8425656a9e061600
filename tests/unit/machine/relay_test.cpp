// The threads of a processor: errands between stretches of guest code, and what happens when one hangs.
#include "machine/relay.h"

#include <atomic>
#include <future>
#include <set>
#include <vector>

#include "storage/block_device.h"
#include "storage/store_registry.h"
#include "tests/support/held_file.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

/// A processor whose guest code is a function of the test's; it runs until that says false.
struct Processor {
  explicit Processor(const Relay::Limits& limits = {}) : relay([this] { leaves++; }, limits) {}

  void run(const std::function<bool()>& stretch) {
    relay.run([&] {
      for (bool more = true; more;) {
        {
          const Errands::Scope scope(&relay);
          threads.insert(std::this_thread::get_id());
          more = stretch();
        }
        if (!relay.carry_out()) return;
      }
    });
  }

  std::atomic<unsigned> leaves{0};  ///< times that it was told to leave its stretch
  std::set<std::thread::id> threads;
  Relay relay;
};

constexpr auto kNever = std::chrono::hours(10);

}  // namespace

TEST_CASE("relay: errands are done in order by the processor's own thread, behind the access that posts them", "[machine]") {
  Processor processor({.hold = kNever, .quick = kNever, .pause = kNever});
  std::vector<int> order;
  std::set<std::thread::id> doers;
  int stretches = 0;
  processor.run([&] {
    if (++stretches == 2) return false;
    for (const int n : {1, 2, 3})
      CHECK(Errands::here()->post([&, n](bool here) {
        CHECK(here);
        CHECK(Errands::here() == nullptr);  // whatever an errand asks for is done elsewhere
        order.push_back(n);
        doers.insert(std::this_thread::get_id());
      }));
    CHECK(order.empty());
    return true;
  });
  CHECK(order == std::vector<int>{1, 2, 3});
  CHECK(doers == processor.threads);
  CHECK(processor.threads.size() == 1);
  CHECK(processor.leaves == 3);
  CHECK(Errands::here() == nullptr);
}

TEST_CASE("relay: while an errand hangs another thread is the processor, and takes no more", "[machine]") {
  Processor processor({.hold = std::chrono::milliseconds(1), .quick = kNever, .pause = std::chrono::nanoseconds(0)});
  std::promise<void> let_go;
  std::promise<void> ended;
  unsigned stretches = 0, elsewhere = 0;
  bool refused = false, taken_again = false;
  processor.run([&] {
    switch (++stretches) {
      case 1:
        CHECK(Errands::here()->post([&](bool here) {
          CHECK(here);
          let_go.get_future().wait();
          ended.set_value();
        }));
        CHECK(Errands::here()->post([&](bool here) { elsewhere += !here; }));
        return true;
      case 2: refused = !Errands::here()->post([](bool) {}); return true;
      case 3:
        let_go.set_value();
        ended.get_future().wait();
        return true;
      default:  // the thread that was held comes back a moment after its errand has ended
        taken_again = Errands::here()->post([](bool) {});
        return !taken_again;
    }
  });
  CHECK(processor.threads.size() == 2);
  CHECK(elsewhere == 1);
  CHECK(refused);
  CHECK(taken_again);
}

TEST_CASE("relay: an errand that waited long is the last one for a while, one that only took long is not", "[machine]") {
  Processor processor({.hold = kNever, .quick = std::chrono::nanoseconds(0), .pause = kNever});
  unsigned stretches = 0, done = 0;
  std::vector<bool> taken;
  processor.run([&] {
    taken.push_back(Errands::here()->post([&](bool here) {
      done += here;
      if (stretches == 2) std::this_thread::sleep_for(std::chrono::nanoseconds(1));  // that is waiting
    }));
    return ++stretches < 3;
  });
  CHECK(taken == std::vector<bool>{true, true, false});
  CHECK(done == 2);
}

TEST_CASE("relay: errands that take long together are shared with others", "[machine]") {
  Processor processor({.hold = std::chrono::nanoseconds(0), .quick = kNever, .pause = std::chrono::nanoseconds(0)});
  std::atomic<unsigned> here{0}, elsewhere{0};
  unsigned stretches = 0;
  processor.run([&] {
    if (++stretches == 2) return false;
    for (int n = 0; n < 2; n++) Errands::here()->post([&](bool mine) { mine ? here++ : elsewhere++; });
    return true;
  });
  CHECK(here == 1);
  CHECK(elsewhere == 1);
}

TEST_CASE("relay: what a processor posts at its end is done elsewhere", "[machine]") {
  Processor processor;
  std::vector<bool> here_or_not;
  processor.relay.run([&] {
    CHECK(processor.relay.post([&](bool here) { here_or_not.push_back(here); }));
  });
  CHECK(here_or_not == std::vector<bool>{false});
}

TEST_CASE("relay: a guest goes on while its write hangs on the host's medium, and gets its answer in the end", "[machine]") {
  constexpr u64 kSize = 1024 * 1024;
  const auto medium = HeldFile::mount(8 * kSize);
  if (!medium) SKIP_TEST("cannot mount FUSE file systems here");
  auto opened = open_store("file:" + medium->path());
  REQUIRE(opened.ok());
  BlockDevice device(std::move(*opened));
  std::vector<u8> data(kSize, 0xa5), found(kSize);
  std::atomic<unsigned> ended{0};
  const auto write = [&](u64 at) {
    device.submit({.op = BlockOp::Write, .offset_bytes = at, .size_bytes = kSize, .iov = {{data.data(), kSize}}, .done = [&](BlockStatus s) { ended += s == BlockStatus::Ok; }});
  };
  Processor processor({.hold = std::chrono::milliseconds(4), .quick = kNever, .pause = std::chrono::nanoseconds(0)});
  unsigned stretches = 0;
  processor.run([&] {
    while (stretches <= 8 && ended != stretches) std::this_thread::yield();
    if (++stretches <= 8) return write(0), true;  // the first one goes the long way
    if (stretches == 9) return medium->hold(), write(kSize), true;
    if (stretches < 1000) return true;
    CHECK(ended == 8);
    return medium->release(), false;
  });
  CHECK(processor.threads.size() == 2);
  while (ended != 9) std::this_thread::yield();
  REQUIRE(device.transfer(BlockOp::Read, kSize, found.data(), kSize) == BlockStatus::Ok);
  CHECK(found == data);
}
