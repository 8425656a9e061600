// Writes to a store that are taken back.
#include "storage/wrappers/undo.h"

#include <cstring>

#include "storage/request_pieces.h"
#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::storage;

namespace {

constexpr u64 kBytes = 1 << 20;

struct Rig {
  UndoJournal journal;
  UndoStore store;
  explicit Rig(std::unique_ptr<BlockStore> below = std::make_unique<MemoryStore>(kBytes)) : store(std::move(below), journal) {}

  BlockStatus write(u64 offset, std::vector<u8> bytes) {
    return submit_and_wait(store, {.op = BlockOp::Write, .offset_bytes = offset, .size_bytes = bytes.size(), .iov = {{bytes.data(), bytes.size()}}, .done = {}});
  }
  BlockStatus zero(BlockOp op, u64 offset, u64 size) { return submit_and_wait(store, {.op = op, .offset_bytes = offset, .size_bytes = size, .iov = {}, .done = {}}); }
  std::vector<u8> content() {
    std::vector<u8> out(kBytes);
    REQUIRE(submit_and_wait(store, {.op = BlockOp::Read, .size_bytes = kBytes, .iov = {{out.data(), kBytes}}, .done = {}}) == BlockStatus::Ok);
    return out;
  }
};

}  // namespace

TEST_CASE("undo: writes, zeroes and discards are taken back, the last first", "[undo]") {
  Rig rig;
  REQUIRE(rig.write(0, std::vector<u8>(8192, 1)) == BlockStatus::Ok);
  CHECK(rig.journal.take().empty());  // nobody wants it yet
  const auto first = rig.content();
  rig.journal.keep(true);
  REQUIRE(rig.write(4096, std::vector<u8>(1024, 2)) == BlockStatus::Ok);
  REQUIRE(rig.write(4608, std::vector<u8>(1024, 3)) == BlockStatus::Ok);
  const auto entries = rig.journal.take();
  CHECK(entries.size() == 2);
  const auto second = rig.content();
  CHECK(second != first);
  REQUIRE(rig.zero(BlockOp::WriteZeroes, 0, 4096) == BlockStatus::Ok);
  REQUIRE(rig.write(kBytes - 512, std::vector<u8>(512, 4)) == BlockStatus::Ok);
  (void)rig.zero(BlockOp::Discard, 4096, 4096);
  CHECK(UndoJournal::put_back(rig.journal.take()) == BlockStatus::Ok);
  CHECK(rig.content() == second);
  CHECK(UndoJournal::put_back(entries) == BlockStatus::Ok);
  CHECK(rig.content() == first);
  CHECK(rig.journal.complete());
  CHECK(rig.journal.take().empty());  // what is put back is not kept
}

TEST_CASE("undo: a request too large to be kept is done all the same, and said", "[undo]") {
  constexpr u64 kMuch = UndoJournal::kMostBytes + 512;
  Rig rig(std::make_unique<MemoryStore>(kMuch));
  rig.journal.keep(true);
  REQUIRE(rig.write(0, std::vector<u8>(512, 1)) == BlockStatus::Ok);
  CHECK(rig.zero(BlockOp::WriteZeroes, 0, kMuch) == BlockStatus::Ok);
  CHECK_FALSE(rig.journal.complete());
  CHECK(rig.journal.take().empty());
  rig.journal.keep(true);
  CHECK(rig.journal.complete());
}

TEST_CASE("undo: where the store cannot be read the write is done all the same, and said", "[undo]") {
  auto faulty = std::make_unique<FaultInjectingStore>(std::make_unique<MemoryStore>(kBytes));
  FaultInjectingStore& faults = *faulty;
  Rig rig(std::move(faulty));
  rig.journal.keep(true);
  faults.add({.op = BlockOp::Read});
  CHECK(rig.write(512, std::vector<u8>(512, 7)) == BlockStatus::Ok);
  CHECK(rig.content()[512] == 7);
  CHECK_FALSE(rig.journal.complete());
}
