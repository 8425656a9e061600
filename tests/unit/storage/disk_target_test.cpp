// SCSI disk: each command's data, sense and effect. Expectations from SPC-4 and SBC-3.
#include "storage/scsi/disk_target.h"

#include <cstring>

#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "storage/wrappers/read_only.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::storage::scsi;

namespace {

constexpr u64 kBlocks = 2048;

struct Fixture {
  FaultInjectingStore* fault = nullptr;
  std::unique_ptr<DiskTarget> disk;
  std::vector<u8> in = std::vector<u8>(65536);
  std::vector<u8> out;
  Result last;
  int completions = 0;

  explicit Fixture(bool read_only = false, u64 blocks = kBlocks) {
    auto store = std::make_unique<FaultInjectingStore>(std::make_unique<MemoryStore>(blocks * 512));
    fault = store.get();
    std::unique_ptr<BlockStore> top = std::move(store);
    if (read_only) top = std::make_unique<ReadOnlyStore>(std::move(top));
    disk = std::make_unique<DiskTarget>(std::make_unique<BlockDevice>(std::move(top)),
                                        DiskIdentity{.serial = "SN0001"});
    run({0x00});  // takes the power-on unit attention
  }
  void run(std::initializer_list<int> cdb, u64 lun = 0, size_t in_bytes = 65536) {
    Task t;
    size_t i = 0;
    for (int b : cdb) t.cdb[i++] = static_cast<u8>(b);
    t.lun = lun;
    std::fill(in.begin(), in.end(), u8{0xcc});
    if (!out.empty()) t.data_out = {{out.data(), out.size()}};
    if (in_bytes) t.data_in = {{in.data(), in_bytes}};
    t.done = [this](const Result& r) { last = r, completions++; };
    disk->submit(std::move(t));
  }
  bool good() const { return last.status == Status::Good && !last.overrun; }
  bool sense(SenseKey key, u8 asc, u8 ascq = 0) const {
    return last.status == Status::CheckCondition && last.sense.key == key && last.sense.asc == asc &&
           last.sense.ascq == ascq;
  }
  std::string text(size_t at, size_t n) const {
    return {in.begin() + static_cast<long>(at), in.begin() + static_cast<long>(at + n)};
  }
};

}  // namespace

TEST_CASE("disk: power-on and reset give one unit attention, which INQUIRY leaves alone", "[scsi]") {
  Fixture f;
  CHECK(f.sense(SenseKey::UnitAttention, 0x29, 0x01));
  f.run({0x00});
  CHECK(f.good());
  f.disk->reset(ResetKind::LogicalUnit);
  f.run({0x12, 0, 0, 0, 36, 0});
  CHECK(f.good());
  f.run({0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0});
  CHECK(f.good());
  f.run({0x00});
  CHECK(f.sense(SenseKey::UnitAttention, 0x29, 0x03));
  f.disk->reset(ResetKind::Bus);
  f.run({0x03, 0, 0, 0, 18, 0});
  CHECK(f.good());
  CHECK(f.in[0] == 0x70);
  CHECK(f.in[2] == 6);
  CHECK(f.in[7] == 10);
  CHECK(f.in[12] == 0x29);
  CHECK(f.in[13] == 0x02);
  f.run({0x00});
  CHECK(f.good());
}

TEST_CASE("disk: INQUIRY shows the Integrity VM strings and honours the allocation length", "[scsi]") {
  Fixture f;
  f.run({0x12, 0, 0, 0, 96, 0});
  CHECK(f.last.transferred == 96);
  CHECK(f.in[0] == 0);
  CHECK(f.in[4] == 91);
  CHECK(f.text(8, 24) == "HP      Virtual FileDisk");
  f.run({0x12, 0, 0, 0, 5, 0});
  CHECK(f.last.transferred == 5);
  CHECK(f.in[5] == 0xcc);
  f.run({0x12, 0, 0x80, 0, 96, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x24));
}

TEST_CASE("disk: VPD pages list, serial, identification, limits", "[scsi]") {
  Fixture f;
  f.run({0x12, 1, 0, 0, 255, 0});
  CHECK(f.text(4, 6) == std::string("\x00\x80\x83\xb0\xb1\xb2", 6));
  f.run({0x12, 1, 0x80, 0, 255, 0});
  CHECK(f.in[1] == 0x80);
  CHECK(f.text(4, 6) == "SN0001");
  f.run({0x12, 1, 0x83, 0, 255, 0});
  CHECK(f.last.transferred == 4u + load_be<u16>(&f.in[2]));
  CHECK(f.text(8, 30) == "HP      Virtual FileDiskSN0001");
  CHECK((f.in[8 + 30 + 4] >> 4) == 3);
  f.run({0x12, 1, 0xb0, 0, 255, 0});
  CHECK(load_be<u16>(&f.in[2]) == 0x3c);
  CHECK(load_be<u64>(&f.in[36]) == kMaxWriteSameBlocks);
  f.run({0x12, 1, 0xb1, 0, 255, 0});
  CHECK(load_be<u16>(&f.in[4]) == 1);
  f.run({0x12, 1, 0xb2, 0, 255, 0});
  CHECK(f.in[5] == 0xe0);
  f.run({0x12, 1, 0xc0, 0, 255, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x24));
}

TEST_CASE("disk: capacity, both forms", "[scsi]") {
  Fixture f;
  f.run({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(load_be<u32>(&f.in[0]) == kBlocks - 1);
  CHECK(load_be<u32>(&f.in[4]) == 512);
  f.run({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0});
  CHECK(f.last.transferred == 32);
  CHECK(load_be<u64>(&f.in[0]) == kBlocks - 1);
  CHECK(load_be<u32>(&f.in[8]) == 512);
  f.run({0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 32, 0, 0});
  CHECK(f.last.transferred == 24);
  CHECK(load_be<u64>(&f.in[8]) == 5);
  CHECK(load_be<u32>(&f.in[16]) == kBlocks - 5);
  f.run({0x9e, 0x13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x24));
}

TEST_CASE("disk: every READ and WRITE form moves data to the same place", "[scsi]") {
  Fixture f;
  const std::vector<std::vector<int>> writes = {
      {0x0a, 0, 0, 7, 2, 0},
      {0x2a, 0, 0, 0, 0, 7, 0, 0, 2, 0},
      {0xaa, 0, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0},
      {0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0},
      {0x2e, 0, 0, 0, 0, 7, 0, 0, 2, 0},
      {0x2a, 8, 0, 0, 0, 7, 0, 0, 2, 0},
  };
  u8 fill = 1;
  for (const auto& w : writes) {
    f.out.assign(1024, fill);
    Task t;
    std::copy(w.begin(), w.end(), t.cdb.begin());
    t.data_out = {{f.out.data(), 1000}, {f.out.data() + 1000, 24}};
    t.done = [&](const Result& r) { f.last = r; };
    f.disk->submit(std::move(t));
    CHECK(f.good());
    CHECK(f.last.transferred == 1024);
    f.out.clear();
    for (auto cdb : {std::vector<int>{0x08, 0, 0, 8, 1, 0},
                     {0x28, 0, 0, 0, 0, 8, 0, 0, 1, 0},
                     {0xa8, 0, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0},
                     {0x88, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0}}) {
      Task r;
      std::copy(cdb.begin(), cdb.end(), r.cdb.begin());
      std::fill(f.in.begin(), f.in.end(), u8{0});
      r.data_in = {{f.in.data(), 2048}};
      r.done = [&](const Result& x) { f.last = x; };
      f.disk->submit(std::move(r));
      CHECK(f.last.transferred == 512);
      CHECK(f.in[511] == fill);
      CHECK(f.in[512] == 0);
    }
    fill++;
  }
}

TEST_CASE("disk: READ(6) length 0 means 256 blocks, longer forms move nothing", "[scsi]") {
  Fixture f;
  Task t;
  t.cdb[0] = 0x08;
  std::vector<u8> big(256 * 512 + 512);
  t.data_in = {{big.data(), big.size()}};
  t.done = [&](const Result& r) { f.last = r; };
  f.disk->submit(std::move(t));
  CHECK(f.last.transferred == 256 * 512);
  f.run({0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(f.good());
  CHECK(f.last.transferred == 0);
}

TEST_CASE("disk: addresses past the end, overflow and short buffers are refused", "[scsi]") {
  Fixture f;
  f.run({0x28, 0, 0, 0, 0x07, 0xff, 0, 0, 2, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x21));
  f.run({0x88, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1, 0, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x21));
  f.run({0x35, 0, 0, 0, 0x08, 0x01, 0, 0, 0, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x21));
  f.run({0x28, 0, 0, 0, 0, 0, 0, 0, 4, 0}, 0, 1024);
  CHECK(f.last.overrun);
  CHECK(f.in[0] == 0xcc);
  f.run({0x28, 0x20, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x24));
}

TEST_CASE("disk: host errors become sense data with the block address", "[scsi]") {
  Fixture f;
  f.fault->add({.op = BlockOp::Read, .status = BlockStatus::Io});
  f.run({0x28, 0, 0, 0, 0, 9, 0, 0, 1, 0});
  CHECK(f.sense(SenseKey::MediumError, 0x11));
  CHECK(f.last.sense.encode()[0] == 0xf0);
  CHECK(f.last.sense.encode()[6] == 9);
  f.out.assign(512, 1);
  f.fault->add({.op = BlockOp::Write, .status = BlockStatus::NoSpace});
  f.run({0x2a, 0, 0, 0, 0, 9, 0, 0, 1, 0});
  CHECK(f.sense(SenseKey::DataProtect, 0x27, 0x07));
  f.fault->add({.op = BlockOp::Flush, .status = BlockStatus::Io});
  f.run({0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(f.sense(SenseKey::MediumError, 0x0c));
}

TEST_CASE("disk: MODE SENSE headers, pages and page control", "[scsi]") {
  Fixture f;
  f.run({0x1a, 0, 0x3f, 0, 255, 0});
  CHECK(f.last.transferred == 4u + 8 + 12 + 16 + 24 + 24 + 20 + 12 + 12 + 12);
  CHECK(f.in[0] == f.last.transferred - 1);
  CHECK(f.in[2] == 0x10);
  CHECK(f.in[3] == 8);
  CHECK(load_be<u32>(&f.in[4]) == kBlocks);
  CHECK(load_be<u32>(&f.in[8]) == 512);
  f.run({0x5a, 0x08, 0x08, 0, 0, 0, 0, 0, 255, 0});
  CHECK(f.last.transferred == 8u + 20);
  CHECK(load_be<u16>(&f.in[0]) == 26);
  CHECK(f.in[8] == 0x08);
  CHECK(f.in[9] == 18);
  CHECK(f.in[10] == 0x04);
  f.run({0x1a, 0x08, 0x48, 0, 255, 0});
  CHECK(f.in[6] == 0x04);
  f.run({0x1a, 0x08, 0xc8, 0, 255, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x39));
  f.run({0x1a, 0x08, 0x1d, 0, 255, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x24));
  Fixture ro(true);
  ro.run({0x1a, 0x08, 0x08, 0, 4, 0});
  CHECK(ro.in[2] == 0x90);
}

TEST_CASE("disk: MODE SELECT switches the write cache and nothing else", "[scsi]") {
  Fixture f;
  f.out.assign(24, 0);
  f.out[4] = 0x08, f.out[5] = 18;
  f.run({0x15, 0x10, 0, 0, 24, 0});
  CHECK(f.good());
  f.run({0x1a, 0x08, 0x08, 0, 255, 0});
  CHECK(f.in[6] == 0);
  f.out[7] = 1;
  f.run({0x15, 0x10, 0, 0, 24, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x26));
  f.run({0x15, 0x10, 0, 0, 25, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x1a));
  f.run({0x15, 0x11, 0, 0, 24, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x24));
  f.disk->reset(ResetKind::Bus);
  f.run({0x00});
  f.run({0x1a, 0x08, 0x08, 0, 255, 0});
  CHECK(f.in[6] == 4);
}

TEST_CASE("disk: WRITE SAME fills, zeroes and respects its limit", "[scsi]") {
  Fixture f;
  f.out.assign(512, 0x5e);
  f.run({0x41, 0, 0, 0, 0, 10, 0, 1, 0, 0});  // 256 blocks: more than one pattern buffer
  CHECK(f.good());
  f.out.clear();
  f.run({0x28, 0, 0, 0, 1, 9, 0, 0, 2, 0});
  CHECK(f.in[0] == 0x5e);
  CHECK(f.in[512] == 0);
  f.run({0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 2, 0, 0});
  CHECK(f.good());
  f.run({0x28, 0, 0, 0, 0, 11, 0, 0, 2, 0});
  CHECK(f.in[0] == 0);
  CHECK(f.in[512] == 0x5e);
  f.run({0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x24));
}

TEST_CASE("disk: UNMAP checks every descriptor before it acts", "[scsi]") {
  Fixture f;
  f.out.assign(512, 1);
  f.run({0x2a, 0, 0, 0, 0, 5, 0, 0, 1, 0});
  f.out.assign(40, 0);
  f.out[1] = 38, f.out[3] = 32;
  f.out[15] = 5, f.out[19] = 1;
  store_be<u64>(&f.out[24], kBlocks), f.out[35] = 1;
  f.run({0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0});
  CHECK(f.sense(SenseKey::IllegalRequest, 0x21));
  auto list = f.out;
  f.out.clear();
  f.run({0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0});
  CHECK(f.in[0] == 1);
  f.out = list;
  store_be<u64>(&f.out[24], 6);
  f.run({0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0});
  CHECK(f.good());
  f.out.clear();
  f.run({0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0});
  CHECK(f.in[0] == 0);
}

TEST_CASE("disk: START STOP UNIT, and what a stopped disk answers", "[scsi]") {
  Fixture f;
  f.run({0x1b, 0, 0, 0, 0, 0});
  CHECK(f.good());
  f.run({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(f.sense(SenseKey::NotReady, 0x04, 0x02));
  f.run({0x1b, 0, 0, 0, 1, 0});
  f.run({0x00});
  CHECK(f.good());
}

TEST_CASE("disk: write-protected, unknown opcodes, other units", "[scsi]") {
  Fixture ro(true);
  ro.out.assign(512, 1);
  ro.run({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(ro.sense(SenseKey::DataProtect, 0x27));
  ro.run({0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(ro.sense(SenseKey::DataProtect, 0x27));
  Fixture f;
  for (int op : {0x04, 0x0b, 0x4d, 0xa3, 0xc0, 0xff, 0x7f}) {
    f.run({op});
    CHECK(f.sense(SenseKey::IllegalRequest, 0x20));
  }
  f.run({0x12, 0, 0, 0, 36, 0}, 3);
  CHECK(f.good());
  CHECK(f.in[0] == 0x7f);
  f.run({0x00}, 3);
  CHECK(f.sense(SenseKey::IllegalRequest, 0x25));
  f.run({0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, 3);
  CHECK(f.last.transferred == 16);
  CHECK(load_be<u32>(&f.in[0]) == 8);
}

TEST_CASE("disk: reservations, removal prevention, diagnostics and VERIFY succeed", "[scsi]") {
  Fixture f;
  for (auto cdb : {std::initializer_list<int>{0x16, 0, 0, 0, 0, 0},
                   {0x17, 0, 0, 0, 0, 0},
                   {0x1e, 0, 0, 0, 1, 0},
                   {0x1d, 4, 0, 0, 0, 0},
                   {0x2f, 0, 0, 0, 0, 0, 0, 0, 8, 0},
                   {0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                   {0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}) {
    f.run(cdb);
    CHECK(f.good());
  }
}

TEST_CASE("disk: random commands always complete exactly once", "[scsi]") {
  Fixture f;
  u32 seed = 12345;
  auto next = [&] { return static_cast<u8>((seed = seed * 1664525 + 1013904223) >> 24); };
  f.out.assign(4096, 0);
  for (int i = 0; i < 20000; i++) {
    Task t;
    for (auto& b : t.cdb) b = next() & next();
    t.cdb[0] = next();
    for (auto& b : f.out) b = next() & next() & next();
    t.data_out = {{f.out.data(), next() * 16u}};
    t.data_in = {{f.in.data(), next() * 256u}};
    f.completions = 0;
    t.done = [&](const Result&) { f.completions++; };
    f.disk->submit(std::move(t));
    REQUIRE(f.completions == 1);
  }
}
