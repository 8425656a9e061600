// The BlockStore contract, run on every store and wrapper.
#include <atomic>
#include <functional>
#include <random>
#include <thread>

#include "storage/block_device.h"
#include "storage/store_registry.h"
#include "storage/stores/file_store.h"
#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "storage/wrappers/read_only.h"
#include "tests/support/test.h"
#include "tests/unit/storage/temporary_file.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

constexpr u64 kSize = 1 << 20;

struct Factory {
  const char* name;
  std::function<std::unique_ptr<BlockStore>(const std::string& path)> make;
};

std::unique_ptr<BlockStore> file_store(const std::string& path) {
  auto store = FileStore::open(path, false);
  REQUIRE(store.ok());
  return std::move(*store);
}

const Factory kWritable[] = {
    {"memory", [](const std::string&) { return std::make_unique<MemoryStore>(kSize); }},
    {"file", file_store},
    {"fault:memory",
     [](const std::string&) {
       return std::make_unique<FaultInjectingStore>(std::make_unique<MemoryStore>(kSize));
     }},
    {"fault:file",
     [](const std::string& path) { return std::make_unique<FaultInjectingStore>(file_store(path)); }},
};
const Factory kReadOnly[] = {
    {"ro:memory",
     [](const std::string&) {
       return std::make_unique<ReadOnlyStore>(std::make_unique<MemoryStore>(kSize));
     }},
    {"ro:file", [](const std::string& path) { return std::move(*open_store("ro:file:" + path)); }},
};

std::vector<u8> pattern(size_t n, unsigned seed) {
  std::mt19937 rng(seed);
  std::vector<u8> out(n);
  for (auto& b : out) b = static_cast<u8>(rng());
  return out;
}

template <size_t N, class Body>
void for_each(const Factory (&factories)[N], Body body) {
  for (const auto& f : factories) {
    INFO(f.name);
    TemporaryFile file(kSize);
    BlockDevice device(f.make(file.path));
    body(device);
  }
}

}  // namespace

TEST_CASE("store contract: what was written is read back, through any split of the list", "[contract]") {
  for_each(kWritable, [](BlockDevice& d) {
    auto data = pattern(64 * 1024, 1);
    CHECK(d.transfer(BlockOp::Write, 4096, data.data(), data.size()) == BlockStatus::Ok);
    std::vector<u8> back(data.size());
    std::atomic<int> done{-1};
    BlockRequest r;
    r.offset_bytes = 4096, r.size_bytes = back.size();
    for (size_t at = 0; at < back.size();) {
      const size_t n = std::min<size_t>(back.size() - at, at % 7 == 0 ? 1 : 37);
      r.iov.push_back({back.data() + at, n});
      at += n;
    }
    r.done = [&](BlockStatus s) { done = static_cast<int>(s), done.notify_one(); };
    d.submit(std::move(r));
    done.wait(-1);
    CHECK(done == static_cast<int>(BlockStatus::Ok));
    CHECK(back == data);
    CHECK(d.transfer(BlockOp::Flush, 0, nullptr, 0) == BlockStatus::Ok);
  });
}

TEST_CASE("store contract: zeroing leaves zeroes and its neighbours alone", "[contract]") {
  for_each(kWritable, [](BlockDevice& d) {
    auto data = pattern(64 * 1024, 2);
    d.transfer(BlockOp::Write, 0, data.data(), data.size());
    CHECK(d.transfer(BlockOp::WriteZeroes, 1024, nullptr, 9 * 512) == BlockStatus::Ok);
    CHECK(d.transfer(BlockOp::Discard, 32 * 1024, nullptr, 4096) == BlockStatus::Ok);
    std::vector<u8> back(32 * 1024);
    d.transfer(BlockOp::Read, 0, back.data(), back.size());
    std::fill_n(data.begin() + 1024, 9 * 512, u8{0});
    CHECK(std::equal(back.begin(), back.end(), data.begin()));
  });
}

TEST_CASE("store contract: ranges are checked, overflow included", "[contract]") {
  for_each(kWritable, [](BlockDevice& d) {
    u8 buffer[1024];
    CHECK(d.size_bytes() == kSize);
    CHECK(d.transfer(BlockOp::Read, kSize - 512, buffer, 512) == BlockStatus::Ok);
    CHECK(d.transfer(BlockOp::Read, kSize - 512, buffer, 1024) == BlockStatus::OutOfRange);
    CHECK(d.transfer(BlockOp::Read, ~u64{511}, buffer, 1024) == BlockStatus::OutOfRange);
    CHECK(d.transfer(BlockOp::Read, 1, buffer, 512) == BlockStatus::OutOfRange);
    CHECK(d.transfer(BlockOp::Write, 0, buffer, 100) == BlockStatus::OutOfRange);
    CHECK(d.transfer(BlockOp::Read, kSize, buffer, 0) == BlockStatus::Ok);
  });
}

TEST_CASE("store contract: many requests in flight all complete once", "[contract]") {
  for_each(kWritable, [](BlockDevice& d) {
    constexpr int kCount = 200;
    std::vector<std::vector<u8>> blocks;
    for (int i = 0; i < kCount; i++) blocks.push_back(pattern(512, 100u + static_cast<unsigned>(i)));
    std::atomic<int> done{0}, bad{0};
    for (int i = 0; i < kCount; i++) {
      BlockRequest r;
      r.op = BlockOp::Write, r.offset_bytes = static_cast<u64>(i) * 512, r.size_bytes = 512,
      r.fua = i % 50 == 0;
      r.iov = {{blocks[static_cast<size_t>(i)].data(), 512}};
      r.done = [&](BlockStatus s) {
        if (s != BlockStatus::Ok) bad++;
        if (++done == kCount) done.notify_one();
      };
      d.submit(std::move(r));
    }
    for (int seen = done; seen != kCount; seen = done) done.wait(seen);
    CHECK(bad == 0);
    u8 back[512];
    for (int i = 0; i < kCount; i += 17) {
      d.transfer(BlockOp::Read, static_cast<u64>(i) * 512, back, 512);
      CHECK(std::equal(back, back + 512, blocks[static_cast<size_t>(i)].begin()));
    }
  });
}

TEST_CASE("store contract: destruction waits for what is in flight", "[contract]") {
  for (const auto& f : kWritable) {
    TemporaryFile file(kSize);
    std::atomic<int> done{0};
    auto data = pattern(4096, 9);
    {
      auto store = f.make(file.path);
      for (int i = 0; i < 20; i++) {
        BlockRequest r;
        r.op = BlockOp::Write, r.size_bytes = 4096, r.iov = {{data.data(), 4096}};
        r.done = [&](BlockStatus) { done++; };
        store->submit(std::move(r));
      }
    }
    CHECK(done == 20);
  }
}

TEST_CASE("store contract: a read-only store refuses every change", "[contract]") {
  for_each(kReadOnly, [](BlockDevice& d) {
    u8 buffer[512] = {1};
    CHECK(d.read_only());
    CHECK(d.transfer(BlockOp::Write, 0, buffer, 512) == BlockStatus::ReadOnly);
    CHECK(d.transfer(BlockOp::WriteZeroes, 0, nullptr, 512) == BlockStatus::ReadOnly);
    CHECK(d.transfer(BlockOp::Discard, 0, nullptr, 512) == BlockStatus::ReadOnly);
    CHECK(d.transfer(BlockOp::Flush, 0, nullptr, 0) == BlockStatus::Ok);
    CHECK(d.transfer(BlockOp::Read, 0, buffer, 512) == BlockStatus::Ok);
    CHECK(buffer[0] == 0);
  });
}
