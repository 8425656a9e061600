// Commands that take counted time.
#include "storage/scsi/paced_target.h"

#include <thread>

#include "tests/support/test.h"
#include "tests/unit/devices/fakes.h"

using namespace ia64;
using namespace ia64::storage::scsi;
using ia64::testing::FakeClock;

namespace {

/// Does each command on a thread of its own and writes down which.
struct Below final : ScsiTarget {
  void submit(Task task) override {
    performed += static_cast<char>(task.cdb[0]);
    if (worker.joinable()) worker.join();
    worker = std::thread([task = std::move(task)] {
      for (const iovec& v : task.data_in) *static_cast<u8*>(v.iov_base) = task.cdb[0];
      task.done({.transferred = task.cdb[0]});
    });
  }
  void reset(ResetKind) override { performed += '!'; }
  std::string describe() const override { return "below"; }
  ~Below() override {
    if (worker.joinable()) worker.join();
  }
  std::string& performed;
  std::thread worker;
  explicit Below(std::string& p) : performed(p) {}
};

struct Fixture {
  FakeClock clock;
  std::string performed, ended;
  std::vector<u8> buffer = std::vector<u8>(8192);
  std::unique_ptr<PacedTarget> target = std::make_unique<PacedTarget>(std::make_unique<Below>(performed), clock);

  void submit(char name, size_t bytes = 0) {
    Task t;
    t.cdb[0] = static_cast<u8>(name);
    if (bytes) t.data_in = {{buffer.data(), bytes}};
    t.done = [this, name](const Result& r) {
      CHECK(r.transferred == static_cast<u8>(name));
      ended += name;
    };
    target->submit(std::move(t));
  }
};

constexpr u64 kShort = PacedTarget::duration_ns(0);

}  // namespace

TEST_CASE_METHOD(Fixture, "paced target: a command is done and ends at its time, on the clock's thread", "[storage]") {
  submit('a', 4096);
  clock.advance_to(PacedTarget::duration_ns(4096) - 1);
  CHECK(performed == "");
  CHECK(buffer[0] == 0);
  clock.advance_to(PacedTarget::duration_ns(4096));
  CHECK(ended == "a");
  CHECK(buffer[0] == 'a');
}

TEST_CASE_METHOD(Fixture, "paced target: larger commands take longer, and commands end in the order of their times", "[storage]") {
  CHECK(PacedTarget::duration_ns(1 << 20) > PacedTarget::duration_ns(4096));
  submit('a', 8192);
  submit('b');
  submit('c');
  clock.advance_to(2 * PacedTarget::duration_ns(8192));
  CHECK(performed == "bca");
  CHECK(ended == "bca");
}

TEST_CASE_METHOD(Fixture, "paced target: settling does what waits and what is submitted meanwhile", "[storage]") {
  CHECK_FALSE(target->settle());
  Task first;
  first.cdb[0] = 'a';
  first.done = [this](const Result&) { submit('b'); };
  target->submit(std::move(first));
  CHECK(target->settle());
  CHECK(ended == "b");
  clock.advance_to(10 * kShort);
  CHECK(performed == "ab");
  CHECK(clock.timers.empty());
}

TEST_CASE_METHOD(Fixture, "paced target: what waits is done before it goes, and resets pass at once", "[storage]") {
  submit('a');
  target->reset(ResetKind::Bus);
  CHECK(performed == "!");
  target.reset();
  CHECK(ended == "a");
  CHECK(clock.timers.empty());
}
