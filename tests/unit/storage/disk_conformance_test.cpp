// SCSI disk: reservations, comparisons, sense formats, limits. Expectations from SPC-4 and SBC-3.
#include "storage/scsi/disk_target.h"
#include "storage/stores/memory_store.h"
#include "tests/unit/storage/scsi_fixture.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::storage::scsi;
using namespace ia64::testing;

namespace {

struct Disk : CommandRunner {
  DiskTarget disk;
  explicit Disk(DiskIdentity id = {.serial = "SN0001"})
      : disk(std::make_unique<BlockDevice>(std::make_unique<MemoryStore>(u64{4} << 20)), std::move(id)) {
    target = &disk;
    for (u8 i = 0; i < 3; i++) run_as(i, {0x00});
  }
  void register_key(u8 who, u8 key, u8 old = 0, u8 action = 0) {
    out.assign(24, 0);
    out[7] = old, out[15] = key;
    run_as(who, {0x5f, action, 0, 0, 0, 0, 0, 0, 24, 0});
    out.clear();
  }
  void reserve_out(u8 who, u8 action, u8 type, u8 key, u8 victim = 0) {
    out.assign(24, 0);
    out[7] = key, out[15] = victim;
    run_as(who, {0x5f, action, type, 0, 0, 0, 0, 0, 24, 0});
    out.clear();
  }
};

}  // namespace

TEST_CASE("disk: RESERVE keeps others out until RELEASE or reset", "[scsi]") {
  Disk d;
  d.run_as(1, {0x16, 0, 0, 0, 0, 0});
  CHECK(d.good());
  d.run({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.conflict());
  d.run({0x00});
  CHECK(d.conflict());
  d.run({0x12, 0, 0, 0, 36, 0});
  CHECK(d.good());
  d.run({0x17, 0, 0, 0, 0, 0});  // not the holder: good, and without effect
  CHECK(d.good());
  d.run({0x16, 0, 0, 0, 0, 0});
  CHECK(d.conflict());
  d.run_as(1, {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.good());
  d.disk.reset(ResetKind::Bus);
  d.run({0x00});
  CHECK(d.sense(6, 0x29, 2));
  d.run({0x00});
  CHECK(d.good());
}

TEST_CASE("disk: a write-exclusive persistent reservation lets others read only", "[scsi]") {
  Disk d;
  d.register_key(1, 0x11);
  d.reserve_out(1, 1, 1, 0x11);
  CHECK(d.good());
  d.run({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.good());
  d.out.assign(512, 7);
  d.run({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.conflict());
  d.run_as(1, {0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.good());
  d.out.clear();
  d.run({0x5e, 1, 0, 0, 0, 0, 0, 0, 64, 0});
  CHECK(d.last.transferred == 24);
  CHECK(d.in[15] == 0x11);
  CHECK(d.in[21] == 1);
}

TEST_CASE("disk: preempting takes the reservation and tells the victim", "[scsi]") {
  Disk d;
  d.register_key(1, 0x11);
  d.register_key(2, 0x22);
  d.reserve_out(1, 1, 3, 0x11);
  d.run_as(2, {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.conflict());
  d.reserve_out(2, 4, 3, 0x22, 0x11);
  CHECK(d.good());
  d.run_as(1, {0x00});
  CHECK(d.sense(6, 0x2a, 5));
  d.run_as(1, {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.conflict());
  d.run({0x5e, 0, 0, 0, 0, 0, 0, 0, 64, 0});
  CHECK(load_be<u32>(&d.in[4]) == 8);
  CHECK(d.in[15] == 0x22);
  d.register_key(0, 5, 9);  // a key that is not registered
  CHECK(d.conflict());
}

TEST_CASE("disk: COMPARE AND WRITE writes on equality and reports the offset otherwise", "[scsi]") {
  Disk d;
  d.out.assign(1024, 0);
  std::fill_n(d.out.begin() + 512, 512, u8{9});
  d.run({0x89, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0});
  CHECK(d.good());
  d.out[3] = 1;
  d.run({0x89, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0});
  CHECK(d.sense(14, 0x1d));
  CHECK(d.last.sense.information == 3);
  d.out.clear();
  d.run({0x28, 0, 0, 0, 0, 4, 0, 0, 3, 0});
  CHECK(d.in[0] == 9);
  CHECK(d.in[1024] == 0);
  d.run({0x89, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 129, 0, 0});
  CHECK(d.sense(5, 0x24));
}

TEST_CASE("disk: VERIFY compares data when asked to", "[scsi]") {
  Disk d;
  d.out.assign(1024, 0);
  d.run({0x2f, 0x02, 0, 0, 0, 0, 0, 0, 2, 0});
  CHECK(d.good());
  d.out[700] = 1;
  d.run({0x2f, 0x02, 0, 0, 0, 0, 0, 0, 2, 0});
  CHECK(d.sense(14, 0x1d));
  CHECK(d.last.sense.information == 700);
  d.out.resize(512);
  d.run({0x2f, 0x06, 0, 0, 0, 0, 0, 0, 8, 0});  // one block for all
  CHECK(d.good());
  d.run({0x2f, 0x04, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.sense(5, 0x24));
}

TEST_CASE("disk: D_SENSE switches to descriptor format and others hear of it", "[scsi]") {
  Disk d;
  d.run({0x1a, 0x08, 0x0a, 0, 255, 0});
  d.out.assign(d.in.begin(), d.in.begin() + 16);
  d.out[0] = 0, d.out[6] |= 0x04;
  d.run({0x15, 0x10, 0, 0, 16, 0});
  CHECK(d.good());
  d.out.clear();
  d.run_as(1, {0x00});
  CHECK(d.sense(6, 0x2a, 1));
  d.run({0x28, 0, 0, 0xff, 0xff, 0xff, 0, 0, 1, 0});
  const auto bytes = d.last.sense_bytes();
  CHECK(bytes.size() == 8);
  CHECK(bytes.data()[0] == 0x72);
  CHECK(bytes.data()[1] == 5);
  CHECK(bytes.data()[2] == 0x21);
}

TEST_CASE("disk: software write protection refuses writes until it is lifted", "[scsi]") {
  Disk d;
  d.run({0x1a, 0x08, 0x0a, 0, 255, 0});
  d.out.assign(d.in.begin(), d.in.begin() + 16);
  d.out[0] = d.out[2] = 0, d.out[8] |= 0x08;
  d.run({0x15, 0x10, 0, 0, 16, 0});
  CHECK(d.good());
  d.run({0x1a, 0x08, 0x0a, 0, 255, 0});
  CHECK((d.in[2] & 0x80));
  d.out.assign(512, 1);
  d.run({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.sense(7, 0x27, 2));
}

TEST_CASE("disk: a transfer above the announced maximum is refused", "[scsi]") {
  Disk d({.serial = "S", .max_transfer_bytes = 1 << 20});
  d.run({0x12, 1, 0xb0, 0, 255, 0});
  CHECK(load_be<u32>(&d.in[8]) == 2048);
  d.run({0x28, 0, 0, 0, 0, 0, 0, 8, 0, 0}, 1 << 20);
  CHECK(d.good());
  d.run({0x28, 0, 0, 0, 0, 0, 0, 8, 1, 0}, 1 << 20);
  CHECK(d.sense(5, 0x24));
}

TEST_CASE("disk: sense is kept for a controller that does not deliver it", "[scsi]") {
  Disk d;
  Task t;
  t.cdb[0] = 0xff;
  t.autosense = false;
  t.done = [](const Result&) {};
  d.disk.submit(std::move(t));
  d.run({0x03, 0, 0, 0, 18, 0});
  CHECK(d.in[2] == 5);
  CHECK(d.in[12] == 0x20);
  d.run({0x03, 0, 0, 0, 18, 0});
  CHECK(d.in[2] == 0);
}

TEST_CASE("disk: on a parallel bus INQUIRY announces wide, synchronous and double-clocked transfers", "[scsi]") {
  Disk d({.serial = "S", .parallel_bus = true});
  d.run({0x12, 0, 0, 0, 96, 0});
  CHECK((d.in[7] & 0x30) == 0x30);
  CHECK((d.in[56] & 0x0c) == 0x0c);
  d.out.assign(16, 0x5a);
  d.run({0x3b, 0x0a, 0, 0, 0, 0, 0, 0, 16, 0});
  CHECK(d.good());
  d.out.clear();
  d.run({0x3c, 0x0a, 0, 0, 0, 0, 0, 0, 16, 0});
  CHECK(d.in[15] == 0x5a);
}
