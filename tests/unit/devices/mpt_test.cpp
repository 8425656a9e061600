// The VIO SCSI adapter end to end: a driver, disks in memory, resets. Expectations from MPI 1.2.
#include "devices/mpt/mpt.h"

#include <algorithm>
#include <thread>

#include "storage/scsi/disk_target.h"
#include "storage/store_registry.h"
#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "tests/unit/devices/mpt_driver.h"
#include "tests/support/temporary_file.h"

using namespace ia64;
using namespace ia64::devices;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

constexpr int kTestUnitReady = 0x00, kInquiry = 0x12, kRead10 = 0x28, kWrite10 = 0x2a;

struct Fixture {
  Board board;
  mpt::Mpt hba{board.intx, board.memory};
  FaultInjectingStore* fault = nullptr;
  std::unique_ptr<MptDriver> driver;
  u8* const data = &board.ram[MptDriver::kData];

  Fixture() {
    board.host.plug(1, 2, hba);
    hba.attach(5, disk());
    driver = std::make_unique<MptDriver>(board);
  }
  std::unique_ptr<scsi::ScsiTarget> disk() {
    auto store = std::make_unique<FaultInjectingStore>(std::make_unique<MemoryStore>(u64{1} << 20));
    fault = store.get();
    return std::make_unique<scsi::DiskTarget>(std::make_unique<BlockDevice>(std::move(store)),
                                              scsi::DiskIdentity{.serial = "X"});
  }
  MptDriver::Message read_block(u32 context, u8 lba = 0) {
    return driver->scsi(5, {kRead10, 0, 0, 0, 0, lba, 0, 0, 1, 0}, MptDriver::kIn, 512, context);
  }
};

/// The IOC's work with memory is done by the clock.
struct Deferred {
  Board board;
  FakeClock clock;
  mpt::Mpt hba{board.intx, board.memory, &clock};
  std::unique_ptr<MptDriver> driver;
  Deferred() {
    board.host.plug(1, 2, hba);
    driver = std::make_unique<MptDriver>(board);
    hba.attach(5, std::make_unique<scsi::DiskTarget>(std::make_unique<BlockDevice>(std::make_unique<MemoryStore>(u64{1} << 20)),
                                                     scsi::DiskIdentity{.serial = "X"}));
    clock.advance_to(0);
  }
  /// Sends a message through the doorbell and takes its reply once the clock has moved.
  MptDriver::Message handshake(const MptDriver::Message& m) {
    driver->write(0x30, 0);
    driver->write(0x00, 0x4200'0000u | static_cast<u32>(m.size() / 4) << 16);
    driver->write(0x30, 0);
    for (size_t at = 0; at < m.size(); at += 4) driver->write(0x00, load_le<u32>(&m[at]));
    CHECK_FALSE((driver->read(0x30) & 1));
    clock.advance_to(0);
    MptDriver::Message reply;
    for (size_t halves = 2, n = 0; n < halves; n++) {
      REQUIRE((driver->read(0x30) & 1));
      const u16 half = static_cast<u16>(driver->read(0x00));
      reply.push_back(static_cast<u8>(half));
      reply.push_back(static_cast<u8>(half >> 8));
      if (n == 1) halves = 2 * (half & 0xff);
      driver->write(0x30, 0);
    }
    driver->write(0x30, 0);
    return reply;
  }
};

}  // namespace

TEST_CASE_METHOD(Deferred, "mpt: with deferral requests are fetched and replies written when the clock moves", "[devices]") {
  driver->free_replies(4);
  REQUIRE(MptDriver::status(handshake(driver->ioc_init())) == 0);
  REQUIRE(MptDriver::status(handshake(MptDriver::message(6, 12))) == 0);
  const auto before = board.ram;
  driver->post(MptDriver::message(5, 12, {{0x08, 3}}));  // port facts: the reply is a frame in memory
  CHECK_FALSE(driver->next());
  CHECK(std::equal(before.begin() + MptDriver::kReplies, before.end(), board.ram.begin() + MptDriver::kReplies));
  clock.advance_to(0);
  const auto reply = driver->take();
  CHECK(reply.context == 3);
  CHECK(reply.status() == 0);
}

TEST_CASE_METHOD(Fixture, "mpt: identity and windows of an LSI 53C1030", "[devices]") {
  CHECK(board.get(MptDriver::kConfig, 4) == 0x0030'1000);
  CHECK(board.get(MptDriver::kConfig + 8, 4) == 0x0100'0008);
  CHECK(board.get(MptDriver::kConfig + 0x2c, 2) == 0x103c);
  // The registers answer in memory and in I/O space alike; the chip's own memory is closed.
  u64 v = 0;
  board.ports.read(0x3000, 4, v);
  CHECK(v == 0x1000'0000);
  CHECK(driver->read(0) == 0x1000'0000);
  CHECK(board.get(MptDriver::kDiagnosticBar, 4) == 0xffff'ffff);
  CHECK(board.get(MptDriver::kBar, 2) == 0xffff);  // doublewords only
  CHECK(driver->read(0x44) == 0xffff'ffff);
}

TEST_CASE_METHOD(Fixture, "mpt: IOC facts by handshake, before and after initialization", "[devices]") {
  auto facts = driver->handshake(MptDriver::message(3, 12, {{8, 0x1234'5678}}));
  REQUIRE(facts.size() == 0x3c);
  CHECK(load_le<u16>(&facts[0]) == 0x0102);
  CHECK(facts[3] == 3);
  CHECK(load_le<u32>(&facts[8]) == 0x1234'5678);
  CHECK(MptDriver::status(facts) == 0);
  CHECK(facts[0x15] == 0);                               // nobody has initialized it
  CHECK(load_le<u16>(&facts[0x1a]) == 32);               // request frame in doublewords
  CHECK((load_le<u16>(&facts[0x1e]) & 0xf00) == 0x100);  // initiator firmware, no RAID
  CHECK(load_le<u16>(&facts[0x24]) == 255);
  CHECK(facts[0x26] == 1);
  driver->handshake(driver->ioc_init(0, 0x11));
  facts = driver->handshake(MptDriver::message(3, 12));
  CHECK(facts[0x15] == 4);
  CHECK(load_le<u32>(&facts[0x28]) == 0x11);
  CHECK(load_le<u16>(&facts[0x2c]) == 128);
}

TEST_CASE_METHOD(Fixture, "mpt: IOC init needs the ready state and sane fields", "[devices]") {
  auto bad = driver->ioc_init();
  bad[0] = 0;
  CHECK(MptDriver::status(driver->handshake(bad)) == 0x0007);
  bad = driver->ioc_init();
  bad[0x0c] = 8;  // reply frames too small for any reply
  CHECK(MptDriver::status(driver->handshake(bad)) == 0x0007);
  CHECK(driver->state() == 1);
  CHECK(MptDriver::status(driver->handshake(driver->ioc_init())) == 0);
  CHECK(driver->read(0) == 0x2400'0000);  // operational, by the host driver
  CHECK(MptDriver::status(driver->handshake(driver->ioc_init())) == 0x0008);
}

TEST_CASE_METHOD(Fixture, "mpt: port facts: a SCSI initiator with 16 addresses, itself 15", "[devices]") {
  auto port = driver->handshake(MptDriver::message(5, 12));
  REQUIRE(port.size() == 0x28);
  CHECK(port[0x15] == 1);
  CHECK(load_le<u16>(&port[0x16]) == 16);
  CHECK(load_le<u16>(&port[0x18]) == 15);
  CHECK(load_le<u16>(&port[0x1a]) == 8);
  auto other = MptDriver::message(5, 12);
  other[6] = 1;
  CHECK(MptDriver::status(driver->handshake(other)) == 0x0007);
}

TEST_CASE_METHOD(Fixture, "mpt: INQUIRY comes back as a context reply and an interrupt", "[devices]") {
  driver->start();
  driver->post(driver->scsi(5, {kInquiry, 0, 0, 0, 96, 0}, MptDriver::kIn, 96, 0x0001'0007));
  CHECK(board.intx.level);
  CHECK(driver->read(0x30) == 8);
  CHECK(driver->read(0x44) == 0x0001'0007);
  CHECK_FALSE(board.intx.level);
  CHECK(driver->read(0x44) == 0xffff'ffff);
  CHECK(std::memcmp(data + 8, "HP      Virtual FileDisk", 24) == 0);
}

TEST_CASE_METHOD(Fixture, "mpt: a masked interrupt waits for the mask", "[devices]") {
  driver->start();
  driver->write(0x34, 0x9);
  driver->post(driver->scsi(5, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0));
  CHECK_FALSE(board.intx.level);
  CHECK(driver->read(0x30) == 8);
  driver->write(0x34, 0x1);
  CHECK(board.intx.level);
}

TEST_CASE_METHOD(Fixture, "mpt: message-signalled interrupts, one each time the queue stops being empty",
                 "[devices]") {
  driver->start();
  const u64 cap = board.get(MptDriver::kConfig + 0x34, 1);
  REQUIRE(board.get(MptDriver::kConfig + cap, 1) == 5);
  board.set(MptDriver::kConfig + cap + 4, 4, 0xfee0'0000);
  board.set(MptDriver::kConfig + cap + 8, 4, 0);
  board.set(MptDriver::kConfig + cap + 12, 2, 0x61);
  board.set(MptDriver::kConfig + cap + 2, 2, 1);
  for (int round = 1; round <= 2; round++) {
    driver->post(driver->scsi(5, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0));
    driver->post(driver->scsi(5, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0));
    CHECK(board.interrupts.messages.size() == static_cast<size_t>(round));
    CHECK(board.interrupts.messages.back().vector == 0x61);
    CHECK_FALSE(board.intx.level);
    while (driver->next()) {
    }
  }
}

TEST_CASE_METHOD(Fixture, "mpt: a short transfer is an underrun with the count", "[devices]") {
  driver->start();
  const auto a = driver->ask(driver->scsi(5, {kInquiry, 0, 0, 0, 36, 0}, MptDriver::kIn, 255));
  CHECK(a.status() == 0x0045);
  CHECK(a.frame.size() == 0x20);
  CHECK(a.frame[0] == 5);
  CHECK(a.frame[0x0c] == 0);
  CHECK(a.frame[0x0d] == 0);
  CHECK(a.dword(0x14) == 36);
}

TEST_CASE_METHOD(Fixture, "mpt: a check condition brings its sense data", "[devices]") {
  driver->start();
  auto m = driver->scsi(5, {0xff, 0, 0, 0, 0, 0}, MptDriver::kNone, 0);
  auto a = driver->ask(m);
  CHECK(a.status() == 0);
  CHECK(a.frame[0x0c] == 2);
  CHECK(a.frame[0x0d] == 1);
  CHECK(a.dword(0x18) == 18);
  const u8* sense = &board.ram[MptDriver::kSense];
  CHECK((sense[2] & 0xf) == 5);
  CHECK(sense[12] == 0x20);
  // No room for sense, or room that is not RAM: the driver is told so.
  m[5] = 0;
  CHECK(driver->ask(m).frame[0x0d] == 2);
  m[5] = 18;
  store_le<u32>(&m[0x2c], 0x7000'0000);
  CHECK(driver->ask(m).frame[0x0d] == 2);
}

TEST_CASE_METHOD(Fixture, "mpt: the upper half of the sense address counts only when asked for",
                 "[devices]") {
  driver->free_replies(4);
  driver->handshake(driver->ioc_init(0, 1));  // sense buffers above 4 GiB, where nothing is
  driver->handshake(MptDriver::message(6, 12));
  auto m = driver->scsi(5, {0xff, 0, 0, 0, 0, 0}, MptDriver::kNone, 0);
  CHECK(driver->ask(m).frame[0x0d] == 1);
  m[7] = 1;  // 64-bit sense address
  CHECK(driver->ask(m).frame[0x0d] == 2);
}

TEST_CASE_METHOD(Fixture, "mpt: requests that cannot be sent are refused with the reason", "[devices]") {
  driver->start();
  const auto with = [&](unsigned at, u8 v) {
    auto m = driver->scsi(5, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0);
    m[at] = v;
    return driver->ask(m).status();
  };
  CHECK(with(0, 6) == 0x0043);   // nobody there
  CHECK(with(0, 15) == 0x0042);  // ourselves
  CHECK(with(0, 200) == 0x0042);
  CHECK(with(1, 1) == 0x0041);     // second bus
  CHECK(with(4, 17) == 0x0007);    // CDB length
  CHECK(with(4, 0) == 0x0007);     // none
  CHECK(with(0x17, 3) == 0x0007);  // both directions
  CHECK(with(7, 2) == 0x0007);     // sense buffer inside the IOC
}

TEST_CASE_METHOD(Fixture, "mpt: no SCSI I/O before the port is enabled", "[devices]") {
  driver->free_replies(4);
  driver->handshake(driver->ioc_init());
  CHECK(driver->ask(driver->scsi(5, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0)).status() ==
        0x0008);
}

TEST_CASE_METHOD(Fixture, "mpt: a context that does not fit a context reply gets an address reply",
                 "[devices]") {
  driver->start();
  const auto m = driver->scsi(5, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0, 0xf000'0001);
  const auto a = driver->ask(m);
  CHECK_FALSE(a.is_context());
  CHECK(a.context == 0xf000'0001);
}

TEST_CASE_METHOD(Fixture, "mpt: data go through lists of any shape", "[devices]") {
  driver->start();
  for (unsigned i = 0; i < 4096; i++) data[i] = static_cast<u8>(i * 7 + i / 256);
  // Out: three 32-bit elements in the frame, a chain, two 64-bit elements there.
  auto m = driver->scsi(5, {kWrite10, 0, 0, 0, 0, 8, 0, 0, 8, 0}, MptDriver::kOut, 4096);
  m.resize(0x50);
  const u32 base = MptDriver::kData, chain = 0x4'0000;
  const auto put = [](u8* p, u32 head, u64 address, bool wide) {
    store_le<u32>(p, head);
    if (wide) store_le<u64>(p + 4, address);
    if (!wide) store_le<u32>(p + 4, static_cast<u32>(address));
  };
  put(&m[0x30], 0x1400'0000 | 1000, base, false);
  put(&m[0x38], 0x1400'0000 | 24, base + 1000, false);
  put(&m[0x40], 0x9400'0000 | 1024, base + 1024, false);  // last before the chain
  m[2] = 0x48 / 4;
  put(&m[0x48], 0x3000'0000 | 24, chain, false);
  put(&board.ram[chain], 0x1600'0000 | 2000, base + 2048, true);
  put(&board.ram[chain + 12], 0xd700'0000 | 48, base + 4048, true);
  CHECK(driver->ask(m).is_context());

  // In: one 64-bit chain element at once, which leads to a second chain.
  std::vector<u8> expected(data, data + 4096);
  std::memset(data, 0, 4096);
  m = driver->scsi(5, {kRead10, 0, 0, 0, 0, 8, 0, 0, 8, 0}, MptDriver::kIn, 4096);
  m.resize(0x3c);
  m[2] = 0x30 / 4;
  put(&m[0x30], 0x3200'0000 | 5u << 16 | 32, chain, true);
  put(&board.ram[chain], 0x1000'0000 | 4000, base, false);
  put(&board.ram[chain + 8], 0x9200'0000 | 6, base + 4000, true);
  put(&board.ram[chain + 20], 0x3200'0000 | 8, chain + 64, true);
  put(&board.ram[chain + 64], 0xd100'0000 | 5000, base + 4006, false);  // more than is wanted
  CHECK(driver->ask(m).is_context());
  CHECK(std::equal(expected.begin(), expected.end(), data));
  CHECK(data[4096] == 0);
}

TEST_CASE_METHOD(Fixture, "mpt: bad lists are refused", "[devices]") {
  driver->start();
  const auto with = [&](u32 head, u32 address) {
    auto m = read_block(1);
    store_le<u32>(&m[0x30], head);
    store_le<u32>(&m[0x34], address);
    return driver->ask(m).status();
  };
  const u32 loop = 0x4'0000;
  store_le<u32>(&board.ram[loop], 0x3000'0000 | 8);  // a chain that leads to itself
  store_le<u32>(&board.ram[loop + 4], loop);
  CHECK(with(0x3000'0000 | 8, loop) == 0x0003);
  CHECK(with(0x3000'0000 | 8, 0x7000'0000) == 0x0003);         // a chain nowhere
  CHECK(with(0x3000'0000 | 4, loop) == 0x0003);                // too short for an element
  CHECK(with(0xd100'0000 | 512, 0x7000'0000) == 0x0003);       // data nowhere
  CHECK(with(0xd100'0000 | 512, MptDriver::kBar) == 0x0003);   // data into our own registers
  CHECK(with(0xd900'0000 | 512, MptDriver::kData) == 0x0003);  // an address inside the chip
  CHECK(with(0xc000'0000 | 512, MptDriver::kData) == 0x0003);  // a transaction element
  CHECK(with(0xd100'0000 | 100, MptDriver::kData) == 0x0044);  // shorter than the command needs
  CHECK(driver->state() == 2);
}

TEST_CASE_METHOD(Fixture, "mpt: many requests are in flight together and all come back", "[devices]") {
  driver->start();
  fault->hold();
  for (u32 n = 0; n < 200; n++) driver->post(read_block(n));
  CHECK(fault->held() == 200);
  CHECK_FALSE(driver->next());
  fault->release();
  std::vector<bool> seen(200);
  while (auto a = driver->next()) seen[a->context] = true;
  CHECK(std::count(seen.begin(), seen.end(), true) == 200);
}

TEST_CASE_METHOD(Fixture, "mpt: replies wait for frames and keep their order", "[devices]") {
  driver->start(1);
  for (u32 n = 0; n < 5; n++)
    driver->post(driver->scsi(9, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0, n));
  driver->post(driver->scsi(5, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0, 5));
  for (u32 n = 0; n < 6; n++) CHECK(driver->take().context == n);  // take() gives the frame back
  CHECK_FALSE(driver->next());
}

TEST_CASE_METHOD(Fixture, "mpt: functions that are not there say so", "[devices]") {
  driver->start();
  for (u8 function : {0x09, 0x12, 0x15, 0x17, 0x18, 0x1d, 0x0a, 0xee}) {
    INFO(int{function});
    CHECK(driver->ask(MptDriver::message(function, 0x30)).status() == 0x0001);
  }
  const auto passthrough = driver->ask(MptDriver::message(0x16, 0x38));
  CHECK(passthrough.status() == 0x0001);
  CHECK(passthrough.frame.size() == 0x20);
  CHECK(MptDriver::status(driver->handshake(MptDriver::message(0, 0x34))) == 0x0001);  // SCSI I/O by doorbell
}

TEST_CASE_METHOD(Fixture, "mpt: events tell of hot-plugged targets once asked for", "[devices]") {
  driver->start();
  hba.attach(3, disk());
  CHECK_FALSE(driver->next());
  auto on = MptDriver::message(7, 12, {{8, 0x77}});
  on[0] = 1;
  auto a = driver->ask(on);
  CHECK(a.status() == 0);
  CHECK(a.frame[7] == 0x80);  // the request stays open
  CHECK(a.dword(0x14) == 0x0a);
  hba.attach(4, disk());
  a = driver->take();
  CHECK(a.context == 0x77);
  CHECK(a.frame[7] == 0x80);
  CHECK(a.dword(0x14) == 6);
  CHECK(driver->ask(MptDriver::message(8, 0x14)).status() == 0);  // an acknowledgement nobody needs
  CHECK(driver->handshake(MptDriver::message(3, 12))[0x27] == 1);
  CHECK(hba.detach(4));
  CHECK(driver->take().dword(0x14) == 6);
  CHECK(driver->ask(driver->scsi(4, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0)).status() ==
        0x0043);
}

TEST_CASE_METHOD(Fixture, "mpt: several processors post while another drains and a file answers",
                 "[devices]") {
  TemporaryFile file(1 << 20);
  hba.attach(2, std::make_unique<scsi::DiskTarget>(
                    std::make_unique<BlockDevice>(*open_store("file:" + file.path)), scsi::DiskIdentity{}));
  driver->start(128);
  constexpr u32 kThreads = 3, kEach = 60;
  const auto post_all = [&](u32 thread) {
    for (u32 n = 0; n < kEach; n++) {
      const u32 context = thread * kEach + n;
      auto m = driver->scsi(2, {kRead10, 0, 0, 0, 0, static_cast<int>(n), 0, 0, 1, 0}, MptDriver::kIn, 512,
                            context);
      store_le<u32>(&m[0x34], static_cast<u32>(MptDriver::kData + 512 * context));
      const u64 at = driver->frame_at(context);
      std::memcpy(&board.ram[at], m.data(), m.size());
      driver->write(0x40, static_cast<u32>(at));
    }
  };
  std::vector<std::thread> posters;
  for (u32 t = 0; t < kThreads; t++) posters.emplace_back(post_all, t);
  std::vector<int> seen(kThreads * kEach);
  for (u32 left = kThreads * kEach; left;) {
    const auto a = driver->next();
    if (!a) {
      std::this_thread::yield();
      continue;
    }
    CHECK(a->is_context());
    seen[a->context]++;
    left--;
  }
  for (auto& t : posters) t.join();
  CHECK(std::count(seen.begin(), seen.end(), 1) == kThreads * kEach);
}

// --- the doorbell

TEST_CASE_METHOD(Fixture, "mpt: a second handshake during the first is ignored", "[devices]") {
  driver->begin_handshake(MptDriver::message(3, 12));
  const u32 first = driver->read(0);
  driver->write(0, 0x4203'0000);
  CHECK(driver->read(0) == first);
  driver->write(0, 0x4000'0000);  // but a reset gets through
  CHECK(driver->read(0) == 0x1000'0000);
  CHECK(driver->read(0x30) == 0);
}

TEST_CASE_METHOD(Fixture, "mpt: a handshake of no words at all is none", "[devices]") {
  driver->write(0, 0x4200'0000);
  CHECK(driver->read(0) == 0x1000'0000);
  CHECK(driver->read(0x30) == 0);
}

TEST_CASE_METHOD(Fixture, "mpt: the diagnostic register opens with the right sequence only", "[devices]") {
  driver->write(8, 4);
  CHECK(driver->read(8) == 0);
  for (u32 key : {4u, 0xbu, 2u, 7u, 0xcu}) driver->write(4, key);
  CHECK(driver->read(8) == 0);
  driver->unlock();
  CHECK(driver->read(8) == 0x80);
  driver->write(4, 0xffff'ffff);
  CHECK(driver->read(8) == 0);
}

TEST_CASE_METHOD(Fixture, "mpt: a reset through the diagnostic register leaves its history", "[devices]") {
  driver->start();
  driver->hard_reset();
  CHECK(driver->read(0) == 0x1000'0000);
  CHECK(driver->read(8) == 0x20);
  CHECK(driver->read(0x34) == 9);
  driver->unlock();
  driver->write(8, 0x80);
  CHECK(driver->read(8) == 0x80);  // history cleared
  driver->write(4, 0);
  driver->start();
  // The bus was reset too: the disk says so.
  const auto a = driver->ask(driver->scsi(5, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0));
  CHECK(a.frame[0x0c] == 2);
  CHECK(board.ram[MptDriver::kSense + 12] == 0x29);
}

TEST_CASE_METHOD(Fixture, "mpt: an IOC told not to boot stays down until an IO unit reset", "[devices]") {
  driver->unlock();
  driver->write(8, 0x200 | 4);
  CHECK(driver->state() == 0);
  driver->write(0, 0x4100'0000);
  CHECK(driver->state() == 1);
}

TEST_CASE_METHOD(Fixture, "mpt: a reset is over only when the last request has come back", "[devices]") {
  for (const bool hard : {false, true}) {
    driver->start();
    fault->hold();
    driver->post(read_block(1));
    if (hard)
      driver->hard_reset();
    else
      driver->write(0, 0x4000'0000);
    CHECK(driver->state() == 0);
    CHECK((driver->read(8) & 4) == (hard ? 4u : 0u));
    driver->post(read_block(2));  // nobody listens
    fault->release();
    CHECK(driver->state() == 1);
    CHECK((driver->read(8) & 4) == 0);
    CHECK_FALSE(driver->next());
  }
}

// --- faults

TEST_CASE_METHOD(Fixture, "mpt: a request or reply frame nowhere leaves the fault state, which a reset ends",
                 "[devices]") {
  driver->start();
  driver->write(0x40, 0x7000'0000);
  CHECK(driver->read(0) == 0x4000'8112);
  driver->write(0, 0x4000'0000);
  driver->post(read_block(1));
  CHECK(driver->read(0) == 0x4000'8112);
  driver->hard_reset();
  CHECK(driver->state() == 1);

  driver->write(0x44, static_cast<u32>(MptDriver::kBar));  // a reply frame in our own registers
  driver->handshake(driver->ioc_init());
  driver->post(MptDriver::message(3, 12));
  CHECK(driver->read(0) == 0x4000'8114);
  driver->hard_reset();
  driver->start();
}

TEST_CASE_METHOD(Fixture, "mpt: queues that overflow leave the fault state", "[devices]") {
  driver->start(256);
  driver->write(0x44, 0);
  CHECK(driver->read(0) == 0x4000'8fff);
  driver->hard_reset();
  driver->start(0);
  // No frames for replies: 255 requests are taken, 256 wait in the queue, one more is too much.
  for (unsigned n = 0; n < 255 + 256; n++)
    driver->post(driver->scsi(9, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0, n));
  CHECK(driver->state() == 2);
  driver->post(driver->scsi(9, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0));
  CHECK(driver->read(0) == 0x4000'8fff);
}

TEST_CASE_METHOD(Fixture, "mpt: without bus mastering the first request is a fault", "[devices]") {
  driver->start();
  board.set(MptDriver::kConfig + 4, 2, 3);
  driver->post(read_block(1));
  CHECK(driver->read(0) == 0x4000'8112);
}

// --- task management

TEST_CASE_METHOD(Fixture, "mpt: an aborted task ends first, then the abort, which counts it", "[devices]") {
  driver->start();
  fault->hold();
  for (u32 n = 1; n <= 3; n++) driver->post(read_block(n));
  driver->begin_handshake(driver->task(1, 5, 2));  // as Linux sends it
  CHECK((driver->read(0) & 0x0800'0000) == 0);
  driver->write(0x30, 0);
  CHECK_FALSE(driver->next());
  fault->release();
  std::vector<MptDriver::Answer> answers;
  while (auto a = driver->next()) answers.push_back(*a);
  REQUIRE(answers.size() == 4);
  const auto at = [&](u32 context) {
    return std::find_if(answers.begin(), answers.end(), [&](auto& a) { return a.context == context; });
  };
  CHECK(at(2)->status() == 0x0048);
  CHECK(at(2)->frame[0x0d] == 0x0c);
  CHECK(at(1)->is_context());
  CHECK(at(3)->is_context());
  CHECK(at(0x55)->status() == 0);
  CHECK(at(0x55)->dword(0x14) == 1);
  CHECK(at(2) < at(0x55));
}

TEST_CASE_METHOD(Fixture, "mpt: a bus reset ends everything, is announced and heard by every target",
                 "[devices]") {
  hba.attach(3, disk());
  auto* const other = fault;
  driver->start();
  auto on = MptDriver::message(7, 12, {{8, 0x77}});
  on[0] = 1;
  driver->ask(on);
  other->hold();
  auto m = read_block(1);
  m[0] = 3;
  driver->post(m);
  driver->post(driver->task(4, 0));
  CHECK_FALSE(driver->next());
  other->release();
  auto a = driver->take();
  CHECK(a.context == 1);
  CHECK(a.status() == 0x0048);
  a = driver->take();
  CHECK(a.context == 0x55);
  CHECK(a.dword(0x14) == 1);
  a = driver->take();
  CHECK(a.context == 0x77);
  CHECK(a.dword(0x14) == 4);  // IOC bus reset
  for (u8 target : {3, 5}) {
    a = driver->ask(driver->scsi(target, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0));
    CHECK(a.frame[0x0c] == 2);
    CHECK(board.ram[MptDriver::kSense + 12] == 0x29);
    CHECK(board.ram[MptDriver::kSense + 13] == 0x02);
  }
}

TEST_CASE_METHOD(Fixture, "mpt: task management without a task, a target or a meaning", "[devices]") {
  driver->start();
  CHECK(driver->ask(driver->task(1, 5, 99)).dword(0x14) == 0);
  CHECK(driver->ask(driver->task(3, 6)).status() == 0x0043);
  CHECK(driver->ask(driver->task(3, 15)).status() == 0x0042);
  auto a = driver->ask(driver->task(8, 5));
  CHECK(a.status() == 0x004a);
  CHECK(a.frame[4] == 4);
  CHECK(driver->ask(driver->task(3, 5)).status() == 0);
  CHECK(driver->ask(driver->task(7, 5, 1)).frame[4] == 0);
  auto unit = driver->task(5, 5);
  unit[0x0d] = 1;
  CHECK(driver->ask(unit).status() == 0x004a);
}

// --- configuration pages

TEST_CASE_METHOD(Fixture, "mpt: the pages that drivers read have the sizes of the manual", "[devices]") {
  driver->start();
  struct Row {
    u8 type, number, dwords;
  };
  // Sizes as Linux's lsi/mpi_cnfg.h declares the structures.
  constexpr Row kPages[] = {{0, 0, 3}, {0, 1, 2},  {0, 2, 8},  {0, 3, 2}, {1, 0, 7}, {1, 1, 4},
                            {1, 2, 3}, {1, 3, 2},  {1, 4, 2},  {1, 5, 3}, {2, 1, 8}, {2, 2, 25},
                            {3, 0, 3}, {3, 1, 4},  {3, 2, 19}, {4, 0, 3}, {4, 1, 4}, {4, 2, 4},
                            {4, 3, 3}, {9, 0, 19}, {9, 1, 65}, {9, 2, 3}, {9, 3, 3}};
  for (const auto& row : kPages) {
    INFO(int{row.type} << " page " << int{row.number});
    const auto a = driver->ask(driver->config(0, row.type, row.number));
    CHECK(a.status() == 0);
    CHECK(a.frame[0x15] == row.dwords);
    CHECK(a.frame[0x16] == row.number);
    CHECK((a.frame[0x17] & 0x0f) == row.type);
    for (u8 action : {1, 5, 6})
      CHECK(driver->page(row.type, row.number, 0, action).size() == 4u * row.dwords);
  }
}

TEST_CASE_METHOD(Fixture, "mpt: page contents: chip, port, own identifier", "[devices]") {
  driver->start();
  auto p = driver->page(9, 0);
  CHECK(std::memcmp(&p[4], "LSI53C1030", 11) == 0);
  p = driver->page(1, 0);
  CHECK(load_le<u32>(&p[0x0c]) == 0x0030'1000);
  p = driver->page(3, 0);
  CHECK(load_le<u32>(&p[4]) == 0xa07f'0807);  // wide, AIP, offset 127, factor 8, QAS, DT, IU
  CHECK((load_le<u32>(&p[8]) & 3) == 3);      // LVD
  p = driver->page(3, 1);
  CHECK(load_le<u32>(&p[4]) == 0x8000'000f);
  p = driver->page(3, 2);
  CHECK(p[0x0c + 4 * 14] == 10);
  CHECK(p[0x0c + 4 * 14 + 1] == 8);
}

TEST_CASE_METHOD(Fixture, "mpt: configuration requests that cannot be served", "[devices]") {
  driver->start();
  const auto status = [&](const MptDriver::Message& m) { return driver->ask(m).status(); };
  CHECK(status(driver->config(0, 5, 0)) == 0x0021);   // no Fibre Channel here
  CHECK(status(driver->config(0, 15, 0)) == 0x0021);  // nor extended pages
  CHECK(status(driver->config(0, 1, 9)) == 0x0022);
  CHECK(status(driver->config(0, 3, 0, 1)) == 0x0022);      // second port
  CHECK(status(driver->config(0, 4, 0, 16)) == 0x0022);     // no such target
  CHECK(status(driver->config(0, 4, 0, 0x100)) == 0x0022);  // second bus
  CHECK(status(driver->config(9, 1, 0)) == 0x0020);
  CHECK(status(driver->config(2, 1, 0)) == 0x0020);        // read-only
  CHECK(status(driver->config(4, 4, 1)) == 0x0025);        // not kept in NVRAM
  CHECK(status(driver->config(2, 1, 1, 0, 4)) == 0x0023);  // nothing but a header
  auto nowhere = driver->config(1, 1, 0);
  store_le<u32>(&nowhere[0x20], 0x7000'0000);
  CHECK(status(nowhere) == 0x0023);
}

TEST_CASE_METHOD(Fixture, "mpt: a transfer agreement asked for is what page 0 shows, within reason",
                 "[devices]") {
  driver->start();
  const auto agree = [&](u32 id, u32 asked) {
    std::memset(data, 0, 16);
    store_le<u32>(data + 4, asked);
    REQUIRE(driver->ask(driver->config(2, 4, 1, id, 16)).status() == 0);
    return load_le<u32>(&driver->page(4, 0, id)[4]);
  };
  CHECK(agree(5, 0x207f'0807) == 0x207f'0807);  // Ultra320
  CHECK(agree(5, 0x20ff'0107) == 0x207f'0807);  // no faster than that
  CHECK(agree(5, 0x207f'0802) == 0x207f'0902);  // without information units: Ultra160
  CHECK(agree(5, 0x007f'0807) == 0x007f'0a00);  // narrow: no DT
  CHECK(agree(5, 0x2000'0807) == 0x2000'0000);  // no offset: asynchronous
  CHECK(agree(6, 0x207f'0807) == 0);            // nobody to agree with
  CHECK(load_le<u32>(&driver->page(4, 0, 5)[8]) == 1);
}

TEST_CASE_METHOD(Fixture, "mpt: NVRAM outlasts a reset, current values do not", "[devices]") {
  driver->start();
  const auto set = [&](u8 action, u32 v) {
    std::memset(data, 0, 16);
    store_le<u32>(data + 8, v);
    REQUIRE(driver->ask(driver->config(action, 1, 1, 0, 16)).status() == 0);
  };
  const auto timeout = [&] { return load_le<u32>(&driver->page(1, 1)[8]); };
  set(4, 11);
  set(2, 22);
  CHECK(timeout() == 22);
  CHECK(load_le<u32>(&driver->page(1, 1, 0, 6)[8]) == 11);
  CHECK(load_le<u32>(&driver->page(1, 1, 0, 5)[8]) == 0);
  driver->hard_reset();
  driver->start();
  CHECK(timeout() == 11);
  CHECK(driver->ask(driver->config(3, 1, 1)).status() == 0);  // factory values
  CHECK(timeout() == 0);
}

TEST_CASE_METHOD(Fixture, "mpt: context replies can be turned off", "[devices]") {
  driver->start();
  std::memset(data, 0, 16);
  data[4] = 0x10;
  driver->ask(driver->config(2, 1, 1, 0, 16));
  CHECK_FALSE(
      driver->ask(driver->scsi(5, {kTestUnitReady, 0, 0, 0, 0, 0}, MptDriver::kNone, 0)).is_context());
}
