// Attached devices: what is refused here, and a tape and a changer of a real iSCSI target (tgtd) on loopback.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <thread>

#include "storage/attached/attached_target.h"
#include "tests/support/test.h"
#include "tests/support/tool.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::storage::scsi;
using namespace ia64::testing;

namespace {

/// Runs one command and waits for it.
struct Initiator {
  ScsiTarget& target;
  std::vector<u8> in = std::vector<u8>(2 << 20);
  std::vector<u8> out;
  scsi::Result last;

  scsi::Result run(std::initializer_list<int> cdb, size_t in_bytes = 0) {
    Task t;
    size_t i = 0;
    for (int b : cdb) t.cdb[i++] = static_cast<u8>(b);
    if (!out.empty()) t.data_out = {{out.data(), out.size()}};
    if (in_bytes) t.data_in = {{in.data(), in_bytes}};
    std::mutex mutex;
    std::condition_variable ready;
    bool finished = false;
    t.done = [&](const scsi::Result& r) {
      std::lock_guard lock(mutex);
      last = r, finished = true;
      ready.notify_one();
    };
    target.submit(std::move(t));
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return finished; });
    return last;
  }
  bool good() const { return last.status == Status::Good; }
};

/// Keeps what it is told.
struct FakeDevice final : PassThrough {
  std::vector<u8> cdb;
  size_t bytes = 0;
  std::vector<u8> arriving;
  int resets = 0;
  PassedOutcome next{};
  PassedOutcome execute(const PassedCommand& c) override {
    cdb.assign(c.cdb.begin(), c.cdb.end());
    bytes = c.data.size();
    std::copy_n(arriving.begin(), std::min(arriving.size(), bytes), c.data.begin());
    return next;
  }
  void reset() override { resets++; }
  std::string describe() const override { return "fake"; }
};

struct Tgtd {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("ivm-tgt-" + std::to_string(getpid()));
  std::string control = std::to_string(20000 + getpid() % 10000), port = std::to_string(31000 + getpid() % 10000);
  std::string name = "iqn.2004-01.test.tape-" + std::to_string(getpid());
  pid_t pid = 0;
  bool ready = false;
  std::string log;

  int admin(const std::string& arguments) {
    std::string out;
    const int rc = run_tool("tgtadm -C " + control + " --lld iscsi " + arguments, &out);
    log += out;
    return rc;
  }
  Tgtd() {
    std::filesystem::create_directories(folder);
    pid = fork();
    if (pid == 0) {
      if (!std::freopen("/dev/null", "w", stdout) || !std::freopen("/dev/null", "w", stderr)) _exit(1);
      execlp("tgtd", "tgtd", "-f", "-C", control.c_str(), "--iscsi", ("portal=127.0.0.1:" + port).c_str(), nullptr);
      _exit(127);
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (admin("--op show --mode sys") != 0)
      if (std::chrono::steady_clock::now() > until) return;
    log.clear();
    const std::string tape = (folder / "tape").string();
    int rc = run_tool("tgtimg --op new --device-type tape --barcode A1 --size 64 --type data --file " + tape, &log);
    rc |= admin("--op new --mode target --tid 1 -T " + name);
    rc |= admin("--op new --mode logicalunit --tid 1 --lun 1 -b " + tape + " --device-type tape");
    rc |= admin("--op bind --mode target --tid 1 -I ALL");
    ready = rc == 0;
  }
  ~Tgtd() {
    if (pid > 0) kill(pid, SIGKILL), waitpid(pid, nullptr, 0);
    std::filesystem::remove_all(folder);
  }
  std::string url(int lun) const { return "iscsi://127.0.0.1:" + port + "/" + name + "/" + std::to_string(lun); }
};

}  // namespace

TEST_CASE("attached: a disk of the host is refused, another device than the statement's is taken", "[attached]") {
  FakeDevice fake;
  fake.next = {.transferred = 36};
  const auto outcome = [&](u8 type, const char* device, const char* location) {
    fake.arriving = {type};
    return check_attached_kind(device, location, fake);
  };
  CHECK(outcome(0x01, "tape", "/dev/sg0"));
  CHECK(outcome(0x08, "changer", "/dev/sg0"));
  CHECK(outcome(0x05, "burner", "/dev/sr0"));
  CHECK(fake.cdb == std::vector<u8>{0x12, 0, 0, 0, 36, 0});
  CHECK(outcome(0x08, "tape", "/dev/sg0"));
  CHECK(outcome(0x00, "burner", "iscsi://host/target/1"));
  for (const char* device : {"tape", "changer", "burner"}) {
    const auto disk = outcome(0x00, device, "/dev/sg0");
    REQUIRE(!disk);
    CHECK(disk.error().message.find("/dev/sg0: this is a disk of the host") == 0);
  }
  fake.next = {.status = 2};
  CHECK(outcome(0x01, "tape", "/dev/sg0").error().kind == ErrorKind::Io);
  fake.next = {.lost = true};
  CHECK(outcome(0x01, "tape", "/dev/sg0").error().kind == ErrorKind::Io);
}

TEST_CASE("attached: commands pass unchanged, dangerous and oversized ones do not", "[attached]") {
  auto owned = std::make_unique<FakeDevice>();
  auto& fake = *owned;
  AttachedTarget target(std::move(owned));
  Initiator i{target, std::vector<u8>(2 << 20), {}, {}};
  fake.next = {.status = 2, .transferred = 100, .sense = {0xf0, 0, 0xa0, 0, 0, 1, 156}};
  i.run({0x08, 0, 0, 1, 0, 0}, 256);
  CHECK(fake.cdb == std::vector<u8>{8, 0, 0, 1, 0, 0});
  CHECK(i.last.status == Status::CheckCondition);
  CHECK(i.last.transferred == 100);
  CHECK(i.last.sense_bytes().size() == 7);
  CHECK(i.last.sense_bytes().data()[2] == 0xa0);  // filemark and incorrect length survive
  fake.cdb.clear();
  i.run({0x3b, 0x05, 0, 0, 0, 0, 0, 0, 0, 0});  // firmware
  CHECK(i.last.sense.asc == 0x24);
  i.run({0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(i.last.sense.asc == 0x24);
  i.run({0x08, 0, 0x10, 0, 1, 0}, (1 << 20) + 1);
  CHECK(i.last.sense.asc == 0x24);
  CHECK(fake.cdb.empty());
  fake.next = {.status = 0x18};
  i.run({0x00});
  CHECK(i.last.status == Status::ReservationConflict);
  fake.next = {.lost = true};
  i.run({0x00});
  CHECK(static_cast<int>(i.last.sense.key) == 4);
  target.reset(ResetKind::PowerOn);
  target.reset(ResetKind::Bus);
  i.run({0x00});
  CHECK(fake.resets == 1);
}

TEST_CASE("attached: memory beyond the data that arrived stays as it was", "[attached]") {
  auto owned = std::make_unique<FakeDevice>();
  auto& fake = *owned;
  AttachedTarget target(std::move(owned));
  Initiator i{target, std::vector<u8>(512, 0x77), {}, {}};
  fake.arriving = {1, 2, 3, 4};
  fake.next = {.transferred = 2};
  i.run({0x12, 0, 0, 0, 8, 0}, 8);
  CHECK(std::vector<u8>(i.in.begin(), i.in.begin() + 8) == std::vector<u8>{1, 2, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77});
  fake.next = {.transferred = 2, .in_place = true};  // a count that is too small loses nothing
  i.run({0x12, 0, 0, 0, 8, 0}, 8);
  CHECK(std::vector<u8>(i.in.begin(), i.in.begin() + 8) == std::vector<u8>{1, 2, 3, 4, 0x77, 0x77, 0x77, 0x77});
  CHECK(i.last.transferred == 2);
}

TEST_CASE("attached: what is no SCSI device is refused in one line", "[attached]") {
  CHECK(open_pass_through("/dev/null").error().message.find("SG_IO") != std::string::npos);
  CHECK(open_pass_through("/no/such").error().kind == ErrorKind::NotFound);
  CHECK_FALSE(open_pass_through("iscsi://nonsense").ok());
}

TEST_CASE("attached: a tape of tgtd writes, spaces, reads filemarks and 1 MiB blocks, and belongs to one guest", "[attached]") {
  if (!has_tool("tgtd") || !has_tool("tgtimg")) SKIP_TEST("tgtd is not installed");
  Tgtd tgtd;
  if (!tgtd.ready) SKIP_TEST(("tgtd does not run here: " + tgtd.log).c_str());
  auto opened = open_pass_through(tgtd.url(1));
  if (!opened) FAIL(opened.error().message);
  CHECK(open_pass_through(tgtd.url(1)).error().kind == ErrorKind::Locked);
  AttachedTarget tape(std::move(*opened));
  Initiator i{tape, std::vector<u8>(2 << 20), {}, {}};
  i.run({0x12, 0, 0, 0, 96, 0}, 96);
  REQUIRE(i.good());
  CHECK((i.in[0] & 0x1f) == 1);  // a tape
  for (int n = 0; n < 5 && !i.run({0x00}).sense_bytes().size(); n++) {
  }
  i.run({0x00});
  i.run({0x01, 0, 0, 0, 0, 0});  // REWIND
  CHECK(i.good());
  i.out.assign(1 << 20, 0x5a);
  i.run({0x0a, 0, 0x10, 0, 0, 0});  // one block of 1 MiB, variable length
  CHECK(i.good());
  CHECK(i.last.transferred == 1 << 20);
  i.out.assign(3000, 0x33);
  i.run({0x0a, 0, 0, 0x0b, 0xb8, 0});
  CHECK(i.good());
  i.out.clear();
  i.run({0x10, 0, 0, 0, 1, 0});  // WRITE FILEMARKS
  CHECK(i.good());
  i.run({0x01, 0, 0, 0, 0, 0});
  i.run({0x08, 0, 0x10, 0, 0, 0}, 1 << 20);
  CHECK(i.good());
  CHECK(i.in[0] == 0x5a);
  CHECK(i.in[(1 << 20) - 1] == 0x5a);
  std::fill(i.in.begin(), i.in.end(), u8{0});
  i.run({0x08, 0, 0, 0x19, 0, 0}, 6400);  // a buffer larger than the block; of less than twice its size tgtd would not fill it
  REQUIRE(i.last.status == Status::CheckCondition);
  CHECK((i.last.sense_bytes().data()[2] & 0x20));  // incorrect length
  CHECK(load_be<u32>(i.last.sense_bytes().data() + 3) == 3400);
  CHECK(i.last.transferred == 3000);
  CHECK(i.in[2999] == 0x33);
  CHECK(i.in[3000] == 0);
  i.run({0x08, 0, 0, 0x0b, 0xb8, 0}, 3000);  // the filemark
  REQUIRE(i.last.status == Status::CheckCondition);
  CHECK((i.last.sense_bytes().data()[2] & 0x80));
}
