// Virtio SCSI end to end: a driver, a disk in memory, hostile rings. Expectations from VIRTIO 1.1.
#include "devices/virtio/virtio_scsi.h"

#include <random>

#include "storage/scsi/disk_target.h"
#include "storage/store_registry.h"
#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "tests/unit/devices/fake_driver.h"
#include "tests/support/temporary_file.h"

using namespace ia64;
using namespace ia64::devices;
using namespace ia64::devices::virtio;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

constexpr u64 kVersion1 = u64{1} << 32, kIndirect = 1u << 28, kEventIdx = 1u << 29, kHotplug = 2, kChange = 4;
constexpr u64 kRequestAt = 0x10'0000, kResponseAt = 0x11'0000, kDataAt = 0x20'0000;

struct Fixture {
  Board board;
  FakeClock clock;
  VirtioScsi hba;
  FaultInjectingStore* fault = nullptr;
  std::unique_ptr<Driver> driver;
  DriverRing control{board, 0x1'0000, 64}, events{board, 0x2'0000, 64}, requests{board, 0x3'0000, 64};
  unsigned slot = 0;

  explicit Fixture(bool deferred = false)
      : hba({.request_queues = 1, .deferral = deferred ? &clock : nullptr}, board.intx, board.memory) {
    board.host.plug(1, 2, hba);
    hba.attach(5, disk());
    driver = std::make_unique<Driver>(board);
  }
  std::unique_ptr<scsi::ScsiTarget> disk() {
    auto store = std::make_unique<FaultInjectingStore>(std::make_unique<MemoryStore>(u64{1} << 20));
    fault = store.get();
    return std::make_unique<scsi::DiskTarget>(std::make_unique<BlockDevice>(std::move(store)),
                                              scsi::DiskIdentity{.serial = "X"});
  }
  void start(u64 features = kVersion1, bool msix = false) {
    driver->status(0);
    REQUIRE(driver->status() == 0);
    driver->status(1);
    driver->status(3);
    driver->accept(features);
    driver->status(11);
    REQUIRE(driver->status() == 11);
    if (msix) driver->enable_msix(4);
    board.set(driver->common + 16, 2, msix ? 0 : 0xffff);
    driver->setup_queue(0, control, msix ? 1 : 0xffff);
    driver->setup_queue(1, events, msix ? 2 : 0xffff);
    driver->setup_queue(2, requests, msix ? 3 : 0xffff);
    driver->status(15);
  }
  void restart_rings() {
    for (auto* r : {&control, &events, &requests}) {
      std::memset(&board.ram[r->desc], 0, 0x4000);
      r->next_desc = r->seen = 0;
    }
  }
  /// Queues a command; the response will be at the returned address.
  u64 queue_command(u8 target, u16 lun, std::initializer_list<int> cdb, u32 out_bytes, u32 in_bytes,
                    u64 tag = 1) {
    const u64 at = kRequestAt + 0x100 * slot, response = kResponseAt + 0x100 * slot;
    slot = (slot + 1) % 64;
    u8 head[51] = {1, target, static_cast<u8>(0x40 | (lun >> 8)), static_cast<u8>(lun)};
    store_le<u64>(head + 8, tag);
    size_t i = 19;
    for (int b : cdb) head[i++] = static_cast<u8>(b);
    std::memcpy(&board.ram[at], head, sizeof head);
    std::memset(&board.ram[response], 0xaa, 108);
    std::vector<DriverRing::Piece> pieces = {{at, 51, false}};
    if (out_bytes) pieces.push_back({kDataAt, out_bytes, false});
    pieces.push_back({response, 108, true});
    if (in_bytes) pieces.push_back({kDataAt, in_bytes, true});
    requests.add(pieces);
    return response;
  }
  u64 command(u8 target, u16 lun, std::initializer_list<int> cdb, u32 out_bytes, u32 in_bytes) {
    const u64 response = queue_command(target, lun, cdb, out_bytes, in_bytes);
    driver->kick(2);
    return response;
  }
  u8 response_of(u64 at) { return board.ram[at + 11]; }
  u8 status_of(u64 at) { return board.ram[at + 10]; }
  u32 residual_of(u64 at) { return load_le<u32>(&board.ram[at + 4]); }
  /// Runs a task management function; the answer is where the returned address points.
  u64 manage(u32 subtype, u8 target, u16 lun, u64 tag = 0) {
    const u64 at = 0x12'0000, answer = 0x12'1000;
    u8 head[24] = {};
    store_le<u32>(head + 4, subtype);
    head[8] = 1, head[9] = target, head[10] = static_cast<u8>(0x40 | (lun >> 8)),
    head[11] = static_cast<u8>(lun);
    store_le<u64>(head + 16, tag);
    std::memcpy(&board.ram[at], head, sizeof head);
    board.ram[answer] = 0xaa;
    control.add({{at, 24, false}, {answer, 1, true}});
    driver->kick(0);
    return answer;
  }
};

/// Notifications are served by the clock.
struct Deferred : Fixture {
  Deferred() : Fixture(true) {}
};

}  // namespace

TEST_CASE_METHOD(Deferred, "virtio-scsi: with deferral a notification touches memory when the clock moves, not within the access",
                 "[devices]") {
  start();
  const u64 r = command(5, 0, {0x12, 0, 0, 0, 96, 0}, 0, 128);
  command(5, 0, {0x12, 0, 0, 0, 96, 0}, 0, 128);
  CHECK_FALSE(requests.more());
  CHECK(board.ram[r] == 0xaa);
  CHECK(clock.timers.size() == 1);
  clock.advance_to(0);
  CHECK(requests.used_index() == 2);
  CHECK(response_of(r) == 0);
  const u64 answer = manage(1, 5, 0);
  CHECK(board.ram[answer] == 0xaa);
  clock.advance_to(0);
  CHECK(board.ram[answer] == 0);
}

TEST_CASE_METHOD(Deferred, "virtio-scsi: a reset between notification and service leaves the rings alone", "[devices]") {
  start();
  const u64 r = command(5, 0, {0x12, 0, 0, 0, 96, 0}, 0, 128);
  driver->status(0);
  clock.advance_to(0);
  CHECK(board.ram[r] == 0xaa);
  CHECK_FALSE(requests.more());
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: identity, features and configuration", "[devices]") {
  CHECK(board.get(Driver::kConfig, 4) == 0x1048'1af4);
  CHECK(board.get(Driver::kConfig + 8, 1) == 1);
  CHECK(driver->offered() == (kVersion1 | kIndirect | kEventIdx | kHotplug | kChange));
  CHECK(board.get(driver->common + 18, 2) == 3);
  CHECK(board.get(driver->device + 0, 4) == 1);
  CHECK(board.get(driver->device + 8, 4) == 2048);
  CHECK(board.get(driver->device + 20, 4) == 96);
  CHECK(board.get(driver->device + 24, 4) == 32);
  CHECK(board.get(driver->device + 28, 2) == 0);
  CHECK(board.get(driver->device + 30, 2) == 127);
  CHECK(board.get(driver->device + 32, 4) == 0);
  CHECK(driver->multiplier == 4);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: features are accepted only when offered and with VERSION_1",
                 "[devices]") {
  driver->status(3);
  driver->accept(kIndirect);
  driver->status(11);
  CHECK(driver->status() == 3);
  driver->accept(kVersion1 | 1);
  driver->status(11);
  CHECK(driver->status() == 3);
  driver->accept(kVersion1);
  driver->status(11);
  CHECK(driver->status() == 11);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: INQUIRY through the ring, interrupt through INTx and ISR",
                 "[devices]") {
  start();
  const u64 r = command(5, 0, {0x12, 0, 0, 0, 96, 0}, 0, 128);
  REQUIRE(requests.more());
  const auto [head, written] = requests.take();
  CHECK(head == 0);
  CHECK(written == 108 + 96);
  CHECK(response_of(r) == 0);
  CHECK(status_of(r) == 0);
  CHECK(residual_of(r) == 32);
  CHECK(std::memcmp(&board.ram[kDataAt + 8], "HP      Virtual FileDisk", 24) == 0);
  CHECK(board.intx.level);
  CHECK(board.get(driver->isr, 1) == 1);
  CHECK_FALSE(board.intx.level);
  CHECK(board.get(driver->isr, 1) == 0);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: absent targets, other units, no power-on attention", "[devices]") {
  start();
  u64 r = command(6, 0, {0x12, 0, 0, 0, 36, 0}, 0, 36);
  CHECK(response_of(r) == 3);
  r = command(200, 0, {0x00}, 0, 0);
  CHECK(response_of(r) == 3);
  r = command(5, 0, {0x00}, 0, 0);
  CHECK(response_of(r) == 0);
  CHECK(status_of(r) == 0);
  r = command(5, 1, {0x00}, 0, 0);
  CHECK(status_of(r) == 2);
  CHECK(load_le<u32>(&board.ram[r]) == 18);
  CHECK(board.ram[r + 12 + 12] == 0x25);
  r = command(5, 0, {0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0}, 0, 64);
  CHECK(load_be<u32>(&board.ram[kDataAt]) == 8);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: write, flush, read back; short buffers overrun", "[devices]") {
  start(kVersion1 | kEventIdx | kIndirect);
  std::mt19937 rng(3);
  std::vector<u8> data(8192);
  for (auto& b : data) b = static_cast<u8>(rng());
  std::memcpy(&board.ram[kDataAt], data.data(), data.size());
  u64 r = command(5, 0, {0x2a, 8, 0, 0, 0, 100, 0, 0, 16, 0}, 8192, 0);
  CHECK(response_of(r) == 0);
  CHECK(status_of(r) == 0);
  CHECK(residual_of(r) == 0);
  r = command(5, 0, {0x35}, 0, 0);
  CHECK(status_of(r) == 0);
  std::memset(&board.ram[kDataAt], 0, 8192);
  r = command(5, 0, {0x28, 0, 0, 0, 0, 100, 0, 0, 16, 0}, 0, 8192);
  CHECK(std::memcmp(&board.ram[kDataAt], data.data(), 8192) == 0);
  r = command(5, 0, {0x28, 0, 0, 0, 0, 100, 0, 0, 16, 0}, 0, 4096);
  CHECK(response_of(r) == 1);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: disk errors arrive as sense data", "[devices]") {
  start();
  fault->add({.op = BlockOp::Read, .status = BlockStatus::Io});
  const u64 r = command(5, 0, {0x28, 0, 0, 0, 0, 1, 0, 0, 1, 0}, 0, 512);
  CHECK(response_of(r) == 0);
  CHECK(status_of(r) == 2);
  CHECK(board.ram[r + 12 + 2] == 3);
  CHECK(board.ram[r + 12 + 12] == 0x11);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: DMA drops translated code", "[devices]") {
  start();
  std::vector<GuestPhys> dropped;
  board.memory.add_code_listener([&](GuestPhys p) { dropped.push_back(p); });
  board.memory.mark_code(kDataAt);
  command(5, 0, {0x28, 0, 0, 0, 0, 1, 0, 0, 1, 0}, 0, 512);
  CHECK(dropped == std::vector<GuestPhys>{kDataAt});
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: MSI-X vectors per queue", "[devices]") {
  start(kVersion1, true);
  command(5, 0, {0x00}, 0, 0);
  manage(6, 5, 0);
  REQUIRE(board.interrupts.messages.size() == 2);
  CHECK(board.interrupts.messages[0].vector == 0x43);
  CHECK(board.interrupts.messages[1].vector == 0x41);
  CHECK_FALSE(board.intx.level);
  board.set(driver->common + 22, 2, 2);
  board.set(driver->common + 26, 2, 4);  // past the table
  CHECK(board.get(driver->common + 26, 2) == 0xffff);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: event index suppresses interrupts and notifications", "[devices]") {
  start(kVersion1 | kEventIdx, true);
  board.set(requests.avail + 4 + 2 * 64, 2, 2);  // used_event: after the third
  for (int i = 0; i < 3; i++) {
    command(5, 0, {0x00}, 0, 0);
    CHECK(board.interrupts.messages.size() == (i == 2 ? 1u : 0u));
  }
  CHECK(board.get(requests.used + 4 + 8 * 64, 2) == 3);  // avail_event: tell me of the fourth
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: indirect chains", "[devices]") {
  start(kVersion1 | kIndirect);
  const u64 table = 0x30'0000;
  u8 head[51] = {1, 5, 0x40};
  head[19] = 0x12, head[23] = 36;
  std::memcpy(&board.ram[kRequestAt], head, 51);
  const auto put = [&](unsigned i, u64 phys, u32 bytes, u16 flags) {
    board.set(table + 16 * i, 8, phys), board.set(table + 16 * i + 8, 4, bytes);
    board.set(table + 16 * i + 12, 2, flags), board.set(table + 16 * i + 14, 2, i + 1);
  };
  put(0, kRequestAt, 20, 1);
  put(1, kRequestAt + 20, 31, 1);  // the head in two pieces
  put(2, kResponseAt, 8, 3);
  put(3, kResponseAt + 8, 100, 3);
  put(4, kDataAt, 36, 2);
  requests.put_desc(7, table, 5 * 16, 4, 0);
  requests.publish(7);
  driver->kick(2);
  REQUIRE(requests.more());
  CHECK(requests.take() == std::pair<u32, u32>{7, 144});
  CHECK(board.ram[kDataAt + 4] == 91);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: many requests in flight complete in the store's order", "[devices]") {
  start();
  fault->hold();
  for (int i = 0; i < 10; i++) queue_command(5, 0, {0x28, 0, 0, 0, 0, i, 0, 0, 1, 0}, 0, 512);
  driver->kick(2);
  CHECK(fault->held() == 10);
  CHECK_FALSE(requests.more());
  fault->release();
  CHECK(requests.used_index() == 10);
  CHECK(requests.take().first == 27);  // the last one first: three descriptors each
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: abort waits for the task, then both answers say so", "[devices]") {
  start();
  fault->hold();
  const u64 r = queue_command(5, 0, {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 0, 512, 77);
  driver->kick(2);
  u64 t = manage(6, 5, 0, 77);  // QUERY TASK
  CHECK(board.ram[t] == 10);
  t = manage(6, 5, 0, 78);
  CHECK(board.ram[t] == 0);
  t = manage(0, 5, 0, 77);  // ABORT TASK
  CHECK(board.ram[t] == 0xaa);
  fault->release();
  CHECK(response_of(r) == 2);
  CHECK(board.ram[t] == 0);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: a unit reset ends its tasks and leaves a unit attention",
                 "[devices]") {
  start();
  fault->hold();
  const u64 r = command(5, 0, {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 0, 512);
  const u64 t = manage(5, 5, 0);
  fault->release();
  CHECK(response_of(r) == 4);
  CHECK(board.ram[t] == 0);
  const u64 after = command(5, 0, {0x00}, 0, 0);
  CHECK(status_of(after) == 2);
  CHECK(board.ram[after + 12 + 12] == 0x29);
  CHECK(board.ram[after + 12 + 13] == 0x03);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: task management refusals and notification queries", "[devices]") {
  start();
  u64 t = manage(5, 9, 0);
  CHECK(board.ram[t] == 3);
  t = manage(5, 5, 2);
  CHECK(board.ram[t] == 12);
  t = manage(2, 5, 0);
  CHECK(board.ram[t] == 11);
  t = manage(99, 5, 0);
  CHECK(board.ram[t] == 11);
  t = manage(4, 5, 3);  // nexus reset covers every unit
  CHECK(board.ram[t] == 0);
  const u64 at = 0x12'2000, answer = 0x12'3000;
  store_le<u32>(&board.ram[at], 1);
  board.ram[at + 4] = 1, board.ram[at + 5] = 5;
  std::memset(&board.ram[answer], 0xaa, 5);
  control.add({{at, 16, false}, {answer, 5, true}});
  driver->kick(0);
  CHECK(load_le<u32>(&board.ram[answer]) == 0);
  CHECK(board.ram[answer + 4] == 0);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: a driver's reset ends when the last request has come back",
                 "[devices]") {
  start();
  fault->hold();
  const u64 r = command(5, 0, {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 0, 512);
  driver->status(0);
  CHECK(driver->status() != 0);
  driver->status(1);  // ignored meanwhile
  fault->release();
  CHECK(driver->status() == 0);
  CHECK_FALSE(requests.more());
  CHECK(response_of(r) == 0xaa);
  restart_rings();
  start();
  const u64 again = command(5, 0, {0x00}, 0, 0);
  CHECK(response_of(again) == 0);
}

TEST_CASE("virtio-scsi: an adapter that goes away finishes its requests in silence", "[devices]") {
  struct Outer {
    Board board;
    FakeLine line;
  } o;
  auto hba = std::make_unique<VirtioScsi>(VirtioScsi::Config{}, o.line, o.board.memory);
  auto store = std::make_unique<FaultInjectingStore>(std::make_unique<MemoryStore>(u64{1} << 20));
  auto* fault = store.get();
  hba->attach(0, std::make_unique<scsi::DiskTarget>(std::make_unique<BlockDevice>(std::move(store)),
                                                    scsi::DiskIdentity{}));
  o.board.host.plug(1, 2, *hba);
  Driver driver(o.board);
  DriverRing requests(o.board, 0x3'0000, 64);
  driver.accept(kVersion1);
  driver.status(11);
  driver.setup_queue(2, requests);
  driver.status(15);
  fault->hold();
  o.board.ram[kRequestAt] = 1, o.board.ram[kRequestAt + 19] = 0x35;
  requests.add({{kRequestAt, 51, false}, {kResponseAt, 108, true}});
  driver.kick(2);
  CHECK(fault->held() == 1);
  hba.reset();
  CHECK_FALSE(o.line.level);
  CHECK(requests.used_index() == 0);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: hot plug reports events, missed ones are flagged", "[devices]") {
  start(kVersion1 | kHotplug);
  events.add({{0x13'0000, 16, true}});
  driver->kick(1);
  hba.attach(9, disk());
  REQUIRE(events.more());
  CHECK(load_le<u32>(&board.ram[0x13'0000]) == 1);
  CHECK(board.ram[0x13'0005] == 9);
  CHECK(load_le<u16>(&board.ram[0x13'0006]) == 0);  // unit 0, which drivers read as a 16-bit number
  CHECK(load_le<u32>(&board.ram[0x13'000c]) == 1);
  CHECK(hba.detach(9) != nullptr);  // no buffer left: missed
  CHECK(hba.detach(9) == nullptr);
  events.add({{0x13'0000, 16, true}});
  driver->kick(1);
  CHECK(load_le<u32>(&board.ram[0x13'0000]) == 0x8000'0000);
  CHECK(response_of(command(9, 0, {0x00}, 0, 0)) == 3);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: a changed parameter is an event with its sense code", "[devices]") {
  start(kVersion1 | kHotplug | kChange);
  hba.attach(9, disk());  // no buffer: missed
  for (const u64 at : {0x13'0000, 0x13'0010, 0x13'0020}) events.add({{at, 16, true}});
  driver->kick(1);  // the first says that one was missed
  hba.target_changed(9, 0x2a09);
  CHECK(load_le<u32>(&board.ram[0x13'0010]) == 3);  // VIRTIO 1.1 5.6.6.3: VIRTIO_SCSI_T_PARAM_CHANGE
  CHECK(board.ram[0x13'0015] == 9);
  CHECK(load_le<u32>(&board.ram[0x13'001c]) == 0x092a);  // the code in the lowest byte, then the qualifier
  hba.target_changed(10, 0x2a09);  // nobody is there
  CHECK(load_le<u32>(&board.ram[0x13'0020]) == 0);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: the configuration access capability reaches the same registers",
                 "[devices]") {
  board.set(Driver::kConfig + driver->pci_cfg + 4, 1, 0);
  board.set(Driver::kConfig + driver->pci_cfg + 8, 4, 18);
  board.set(Driver::kConfig + driver->pci_cfg + 12, 4, 2);
  CHECK(board.get(Driver::kConfig + driver->pci_cfg + 16, 2) == 3);
}

TEST_CASE_METHOD(Fixture, "virtio-scsi: a file behind it, many requests in flight on several threads",
                 "[devices]") {
  TemporaryFile file(u64{4} << 20);
  auto opened = open_store("file:" + file.path);
  REQUIRE(opened.ok());
  hba.attach(7, std::make_unique<scsi::DiskTarget>(std::make_unique<BlockDevice>(std::move(*opened)),
                                                   scsi::DiskIdentity{.serial = "F"}));
  start(kVersion1, true);
  constexpr u32 kBytes = 16384;
  constexpr int kInFlight = 16;
  size_t expected = 0;
  for (int round = 0; round < 8; round++) {
    for (const bool write : {true, false}) {
      for (int i = 0; i < kInFlight; i++) {
        const u64 data = kDataAt + static_cast<u64>(i) * kBytes;
        std::memset(&board.ram[data], write ? 1 + round * 16 + i : 0, kBytes);
        const u64 at = kRequestAt + 0x100u * static_cast<u64>(i),
                  response = kResponseAt + 0x100u * static_cast<u64>(i);
        u8 head[51] = {1, 7, 0x40};
        head[19] = write ? 0x2a : 0x28;
        store_be<u32>(head + 21, static_cast<u32>(i) * (kBytes / 512));
        head[27] = kBytes / 512;
        std::memcpy(&board.ram[at], head, sizeof head);
        std::vector<DriverRing::Piece> pieces = {{at, 51, false}, {response, 108, true}};
        pieces.insert(pieces.begin() + (write ? 1 : 2), {data, kBytes, !write});
        requests.add(pieces);
      }
      driver->kick(2);
      board.interrupts.wait_for(expected += kInFlight);
      for (int i = 0; i < kInFlight; i++) {
        requests.take();
        CHECK(response_of(kResponseAt + 0x100u * static_cast<u64>(i)) == 0);
        CHECK(status_of(kResponseAt + 0x100u * static_cast<u64>(i)) == 0);
        const u64 data = kDataAt + static_cast<u64>(i) * kBytes;
        CHECK(board.ram[data] == static_cast<u8>(1 + round * 16 + i));
        CHECK(board.ram[data + kBytes - 1] == static_cast<u8>(1 + round * 16 + i));
      }
      REQUIRE_FALSE(requests.more());
    }
  }
  CHECK(file.content()[kBytes] == 1 + 7 * 16 + 1);
}

TEST_CASE("virtio-scsi: every kind of broken ring needs a reset, and a reset cures it", "[devices]") {
  struct Row {
    const char* what;
    std::function<void(Fixture&)> damage;
  };
  const auto chain = [](Fixture& f, std::vector<DriverRing::Piece> p) { f.requests.add(p); };
  const Row rows[] = {
      {"head out of range", [](Fixture& f) { f.requests.publish(64); }},
      {"available index too far ahead", [](Fixture& f) { f.board.set(f.requests.avail + 2, 2, 1000); }},
      {"loop", [](Fixture& f) { f.requests.put_desc(0, kDataAt, 16, 1, 0), f.requests.publish(0); }},
      {"next out of range",
       [](Fixture& f) { f.requests.put_desc(0, kDataAt, 16, 1, 9999), f.requests.publish(0); }},
      {"wild address",
       [&](Fixture& f) {
         chain(f, {{0xffff'ffff'ffff'fff0, 51, false}, {kResponseAt, 108, true}});
       }},
      {"device memory as data",
       [&](Fixture& f) {
         chain(f, {{0xf000'0000, 51, false}, {kResponseAt, 108, true}});
       }},
      {"past the end of RAM",
       [&](Fixture& f) {
         chain(f, {{kRequestAt, 51, false}, {(4 << 20) - 50, 108, true}});
       }},
      {"no response",
       [&](Fixture& f) {
         chain(f, {{kRequestAt, 51, false}});
       }},
      {"short response",
       [&](Fixture& f) {
         chain(f, {{kRequestAt, 51, false}, {kResponseAt, 107, true}});
       }},
      {"short head",
       [&](Fixture& f) {
         chain(f, {{kRequestAt, 50, false}, {kResponseAt, 108, true}});
       }},
      {"readable after writable",
       [&](Fixture& f) {
         chain(f, {{kResponseAt, 108, true}, {kRequestAt, 51, false}});
       }},
      {"indirect not negotiated",
       [](Fixture& f) { f.requests.put_desc(0, kDataAt, 16, 4, 0), f.requests.publish(0); }},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    Fixture f;
    f.start();
    row.damage(f);
    f.driver->kick(2);
    CHECK((f.driver->status() & 0x40) != 0);
    CHECK(f.board.intx.level);
    CHECK(f.board.get(f.driver->isr, 1) == 2);
    f.driver->kick(2);
    f.restart_rings();
    f.start();
    CHECK(f.response_of(f.command(5, 0, {0x00}, 0, 0)) == 0);
  }
}

TEST_CASE("virtio-scsi: broken indirect tables and queue addresses need a reset", "[devices]") {
  const std::pair<u32, u16> rows[] = {{15, 4}, {0, 4}, {16, 5}, {0x8000'0000, 4}};
  for (const auto& [bytes, flags] : rows) {
    Fixture f;
    f.start(kVersion1 | kIndirect);
    f.requests.put_desc(0, kDataAt, bytes, flags, 1);
    f.requests.publish(0);
    f.driver->kick(2);
    CHECK((f.driver->status() & 0x40) != 0);
  }
  Fixture nested;
  nested.start(kVersion1 | kIndirect);
  nested.board.set(kDataAt, 8, kDataAt), nested.board.set(kDataAt + 8, 4, 16),
      nested.board.set(kDataAt + 12, 2, 4);
  nested.requests.put_desc(0, kDataAt, 16, 4, 0);
  nested.requests.publish(0);
  nested.driver->kick(2);
  CHECK((nested.driver->status() & 0x40) != 0);
  for (u64 at : {u64{0x8}, u64{0xfee0'0000}, ~u64{15}}) {
    Fixture f;
    f.requests.desc = at;
    f.start();
    f.driver->kick(2);
    CHECK((f.driver->status() & 0x40) != 0);
  }
}

TEST_CASE("virtio-scsi: random rings never do harm", "[devices]") {
  std::mt19937_64 rng(20);
  for (int round = 0; round < 300; round++) {
    Fixture f;
    f.start(kVersion1 | (rng() & (kIndirect | kEventIdx)));
    for (unsigned i = 0; i < 64; i++) {
      const u64 phys = rng() % 8 ? (rng() % (4 << 20)) : rng();
      f.requests.put_desc(static_cast<u16>(i), phys, static_cast<u32>(rng() % 4 ? rng() % 256 : rng()),
                          static_cast<u16>(rng() % 8), static_cast<u16>(rng() % 66));
    }
    for (u64 at = 0x10'0000; at < 0x10'1000; at++) f.board.ram[at] = static_cast<u8>(rng() & rng() & rng());
    for (int i = 0; i < 30; i++) {
      f.requests.publish(static_cast<u16>(rng() % 64));
      f.driver->kick(static_cast<unsigned>(rng() % 3));
    }
    f.driver->status(0);
    CHECK(f.driver->status() == 0);
  }
}
