// The BlockStore contract, run on every store and wrapper.
#include <atomic>
#include <functional>
#include <random>
#include <thread>

#include "storage/block_device.h"
#include "storage/formats/qcow2_image.h"
#include "storage/formats/vhd_image.h"
#include "storage/store_registry.h"
#include "storage/stores/file_store.h"
#include "storage/stores/memory_store.h"
#include "storage/wrappers/fault_injecting.h"
#include "storage/wrappers/read_only.h"
#include "tests/support/test.h"
#include "tests/support/temporary_file.h"

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
  auto store = FileStore::open(path, {});
  REQUIRE(store.ok());
  return std::move(*store);
}

/// A store by specification, `%` standing for the path of a fresh raw file.
std::unique_ptr<BlockStore> by_spec(std::string spec, const std::string& path) {
  if (const auto at = spec.find('%'); at != std::string::npos) spec.replace(at, 1, path);
  auto store = open_store(spec);
  INFO(spec);
  REQUIRE(store.ok());
  return std::move(*store);
}

template <class Create>
std::unique_ptr<BlockStore> new_image(const std::string& path, const char* kind, Create create) {
  unlink(path.c_str());
  REQUIRE(create().ok());
  return by_spec(std::string(kind) + ":%", path);
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
    {"threads", [](const std::string& path) { return by_spec("threads:file:%", path); }},
    {"direct", [](const std::string& path) { return by_spec("direct:file:%", path); }},
    {"direct:threads", [](const std::string& path) { return by_spec("direct:threads:file:%", path); }},
    {"short", [](const std::string& path) { return by_spec("short:file:%", path); }},
    {"delay", [](const std::string& path) { return by_spec("delay:1:file:%", path); }},
    {"overlay", [](const std::string& path) { return by_spec("overlay:file:%", path); }},
    {"overlay:overlay", [](const std::string& path) { return by_spec("overlay:overlay:file:%", path); }},
    {"qcow2",
     [](const std::string& path) {
       return new_image(path, "qcow2", [&] { return Qcow2Image::create(path, kSize, "", ""); });
     }},
    {"vhd",
     [](const std::string& path) { return new_image(path, "vhd", [&] { return VhdImage::create(path, kSize, false); }); }},
    {"vhd fixed",
     [](const std::string& path) { return new_image(path, "vhd", [&] { return VhdImage::create(path, kSize, true); }); }},
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
    const u64 size = d.size_bytes();
    CHECK(size >= kSize);  // a VHD is as large as its geometry
    CHECK(size < kSize + 64 * 1024);
    CHECK(d.transfer(BlockOp::Read, size - 512, buffer, 512) == BlockStatus::Ok);
    CHECK(d.transfer(BlockOp::Read, size - 512, buffer, 1024) == BlockStatus::OutOfRange);
    CHECK(d.transfer(BlockOp::Read, ~u64{511}, buffer, 1024) == BlockStatus::OutOfRange);
    CHECK(d.transfer(BlockOp::Read, 1, buffer, 512) == BlockStatus::OutOfRange);
    CHECK(d.transfer(BlockOp::Write, 0, buffer, 100) == BlockStatus::OutOfRange);
    CHECK(d.transfer(BlockOp::Read, size, buffer, 0) == BlockStatus::Ok);
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

TEST_CASE("store contract: random writes, zeroes and discards agree with a copy in memory", "[contract]") {
  for_each(kWritable, [](BlockDevice& d) {
    std::mt19937 rng(4711);
    const u64 blocks = kSize / 512;
    std::vector<u8> model(kSize);
    std::vector<bool> unknown(blocks);  // discarded: old data or zeroes
    for (int i = 0; i < 300; i++) {
      const u64 at = rng() % blocks, n = std::min<u64>(1 + rng() % (rng() % 4 ? 16 : 300), blocks - at);
      const unsigned what = rng() % 8;
      if (what < 5) {
        auto data = pattern(n * 512, static_cast<unsigned>(i));
        REQUIRE(d.transfer(BlockOp::Write, at * 512, data.data(), data.size()) == BlockStatus::Ok);
        std::copy(data.begin(), data.end(), model.begin() + static_cast<long>(at * 512));
        std::fill_n(unknown.begin() + static_cast<long>(at), n, false);
      } else if (what == 5) {
        REQUIRE(d.transfer(BlockOp::WriteZeroes, at * 512, nullptr, n * 512) == BlockStatus::Ok);
        std::fill_n(model.begin() + static_cast<long>(at * 512), n * 512, u8{0});
        std::fill_n(unknown.begin() + static_cast<long>(at), n, false);
      } else if (what == 6) {
        REQUIRE(d.transfer(BlockOp::Discard, at * 512, nullptr, n * 512) == BlockStatus::Ok);
        std::fill_n(unknown.begin() + static_cast<long>(at), n, true);
      } else {
        REQUIRE(d.transfer(BlockOp::Flush, 0, nullptr, 0) == BlockStatus::Ok);
      }
    }
    std::vector<u8> back(kSize);
    REQUIRE(d.transfer(BlockOp::Read, 0, back.data(), back.size()) == BlockStatus::Ok);
    u64 wrong = 0;
    for (u64 b = 0; b < blocks; b++)
      wrong += !unknown[b] && !std::equal(&back[b * 512], &back[b * 512] + 512, &model[b * 512]);
    CHECK(wrong == 0);
  });
}

TEST_CASE("store contract: extents tile the medium", "[contract]") {
  for_each(kWritable, [](BlockDevice& d) {
    auto data = pattern(8192, 5);
    d.transfer(BlockOp::Write, 65536 * 3, data.data(), data.size());
    u64 at = 0, steps = 0;
    for (; at < d.size_bytes() && steps < 1000; steps++) {
      const auto e = d.extent_at(at);
      REQUIRE(e.size_bytes > 0);
      if (at <= 65536 * 3 && at + e.size_bytes > 65536 * 3) CHECK(e.mapped);
      at += e.size_bytes;
    }
    CHECK(at == d.size_bytes());
  });
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
