// Writes numbered records through a store and says which a flush has made durable; or checks them afterwards.
//   flush_writer write STORE SEED    prints "ACK n" once records up to n must survive; runs until killed
//   flush_writer verify STORE SEED N exit status 0 when the first N records of that seed are what they must be
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>

#include "storage/block_device.h"
#include "storage/store_registry.h"

using namespace ia64;
using namespace ia64::storage;

namespace {

struct Record {
  u64 number, block;
  std::vector<u8> data;
};

/// The sequence of records is a function of the seed.
class Records {
 public:
  Records(u64 seed, u64 blocks) : random_(seed), blocks_(blocks) {}
  Record next() {
    Record r{++number_, random_() % (blocks_ - 8), {}};
    r.data.resize(512 * (1 + random_() % 8));
    for (auto& b : r.data) b = static_cast<u8>(random_());
    return r;
  }

 private:
  std::mt19937_64 random_;
  const u64 blocks_;
  u64 number_ = 0;
};

int write(BlockDevice& device, u64 seed) {
  Records records(seed, device.block_count());
  std::mt19937 pace(static_cast<unsigned>(seed));
  for (;;) {
    Record r = records.next();
    if (device.transfer(BlockOp::Write, r.block * 512, r.data.data(), r.data.size()) != BlockStatus::Ok) return 3;
    if (pace() % 8) continue;
    if (device.transfer(BlockOp::Flush, 0, nullptr, 0) != BlockStatus::Ok) return 3;
    std::printf("ACK %llu\n", static_cast<unsigned long long>(r.number));
    std::fflush(stdout);
  }
}

// Later records, flushed or not, may have replaced parts of earlier ones: such blocks may hold either.
int verify(BlockDevice& device, u64 seed, u64 count) {
  constexpr u64 kMayFollow = 4096;  // no writer gets further than this past its last flush
  Records records(seed, device.block_count());
  std::map<u64, std::vector<std::vector<u8>>> allowed;
  for (u64 n = 0; n < count + kMayFollow; n++) {
    const Record r = records.next();
    for (u64 i = 0; i < r.data.size() / 512; i++) {
      auto& list = allowed[r.block + i];
      if (r.number <= count) list.clear();
      if (r.number > count && list.empty()) continue;  // never acknowledged: anything goes
      list.emplace_back(r.data.begin() + static_cast<long>(i * 512), r.data.begin() + static_cast<long>(i * 512 + 512));
    }
  }
  u64 wrong = 0;
  for (const auto& [block, list] : allowed) {
    if (list.empty()) continue;
    u8 found[512];
    if (device.transfer(BlockOp::Read, block * 512, found, 512) != BlockStatus::Ok) return 3;
    bool ok = false;
    for (const auto& v : list) ok = ok || !std::memcmp(found, v.data(), 512);
    wrong += !ok;
  }
  if (wrong) std::printf("%llu blocks lost of what was flushed\n", static_cast<unsigned long long>(wrong));
  return wrong ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  auto store = open_store(argv[2]);
  if (!store) return std::fprintf(stderr, "%s\n", store.error().message.c_str()), 2;
  BlockDevice device(std::move(*store));
  const u64 seed = std::strtoull(argv[3], nullptr, 10);
  return std::strcmp(argv[1], "write") == 0 ? write(device, seed) : verify(device, seed, std::strtoull(argv[4], nullptr, 10));
}
