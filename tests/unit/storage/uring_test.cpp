// The ring of a file store: more work than it has room for, work from completions, endings.
#include "storage/stores/uring.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/errands.h"
#include "storage/block_device.h"
#include "storage/stores/file_store.h"
#include "tests/support/test.h"
#include "tests/support/temporary_file.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

constexpr u64 kBlock = 4096;

/// A file whose blocks are filled with their number.
struct NumberedFile {
  explicit NumberedFile(u64 blocks) : file(blocks * kBlock), fd(open(file.path.c_str(), O_RDWR | O_CLOEXEC)) {
    REQUIRE(fd >= 0);
    std::vector<u32> block(kBlock / 4);
    for (u64 n = 0; n < blocks; n++) {
      std::fill(block.begin(), block.end(), static_cast<u32>(n));
      REQUIRE(pwrite(fd, block.data(), kBlock, static_cast<off_t>(n * kBlock)) == static_cast<ssize_t>(kBlock));
    }
  }
  ~NumberedFile() { close(fd); }

  TemporaryFile file;
  int fd;
};

/// Such a file behind a file store.
struct NumberedDisk : NumberedFile {
  explicit NumberedDisk(u64 blocks) : NumberedFile(blocks), device(opened(file.path)) {}

  static std::unique_ptr<BlockStore> opened(const std::string& path) {
    auto store = FileStore::open(path, {});
    REQUIRE(store.ok());
    return std::move(*store);
  }

  BlockDevice device;
};

/// Errands of a processor that is the test.
class Posted : public Errands {
 public:
  bool post(Errand errand) override { return errands.push_back(std::move(errand)), true; }
  void carry_out(bool here) {
    for (auto& errand : std::exchange(errands, {})) errand(here);
  }
  std::vector<Errand> errands;
};

struct Read {
  std::vector<u32> data = std::vector<u32>(kBlock / 4, 0xffff'ffff);
  iovec iov{data.data(), kBlock};
  int result = -1;
  bool right(u64 block) const {
    return result == static_cast<int>(kBlock) && data == std::vector<u32>(kBlock / 4, static_cast<u32>(block));
  }
};

std::vector<u32> numbers(u64 first_block, u64 blocks) {
  std::vector<u32> out;
  for (u64 n = 0; n < blocks; n++) out.insert(out.end(), kBlock / 4, static_cast<u32>(first_block + n));
  return out;
}

}  // namespace

TEST_CASE("uring: several threads ask for more than it has room for, and all of it is done", "[storage]") {
  constexpr u64 kThreads = 4, kEach = 600;
  NumberedFile file(kThreads * kEach);
  auto ring = Uring::create();
  if (!ring) SKIP_TEST("no io_uring here");
  std::vector<Read> reads(kThreads * kEach);
  std::vector<std::thread> threads;
  for (u64 t = 0; t < kThreads; t++)
    threads.emplace_back([&, t] {
      for (u64 n = t * kEach; n < (t + 1) * kEach; n++)
        ring->read(file.fd, n * kBlock, &reads[n].iov, 1, [&reads, n](int result) { reads[n].result = result; });
    });
  for (auto& t : threads) t.join();
  ring.reset();  // waits
  u64 right = 0;
  for (u64 n = 0; n < reads.size(); n++) right += reads[n].right(n);
  CHECK(right == reads.size());
}

TEST_CASE("uring: completions ask for more, and the end waits for all of it", "[storage]") {
  constexpr u64 kBlocks = 500;
  NumberedFile file(kBlocks);
  auto ring = Uring::create();
  if (!ring) SKIP_TEST("no io_uring here");
  std::vector<Read> reads(kBlocks);
  std::promise<void> all_asked;
  std::function<void(u64)> ask = [&](u64 n) {
    ring->read(file.fd, n * kBlock, &reads[n].iov, 1, [&, n](int result) {
      reads[n].result = result;
      if (n + 4 < kBlocks) ask(n + 4);
      if (n + 5 == kBlocks) all_asked.set_value();
    });
  };
  for (u64 n = 0; n < 4; n++) ask(n);
  all_asked.get_future().wait();
  ring.reset();
  u64 right = 0;
  for (u64 n = 0; n < kBlocks; n++) right += reads[n].right(n);
  CHECK(right == kBlocks);
}

TEST_CASE("uring: errors of the host come back as their numbers", "[storage]") {
  NumberedFile file(1);
  auto ring = Uring::create();
  if (!ring) SKIP_TEST("no io_uring here");
  Read bad_file, past_end;
  ring->read(-1, 0, &bad_file.iov, 1, [&](int result) { bad_file.result = result; });
  ring->read(file.fd, kBlock, &past_end.iov, 1, [&](int result) { past_end.result = result; });
  ring.reset();
  CHECK(bad_file.result == -EBADF);
  CHECK(past_end.result == 0);
}

// Large reads take turns between the caller and the ring, small ones come from the host's cache when it has them.
TEST_CASE("file store: every way of reading gives the same bytes", "[storage]") {
  constexpr u64 kBlocks = 1024;
  NumberedDisk disk(kBlocks);
  BlockDevice& device = disk.device;
  for (const u64 blocks : {1, 4, 5, 256, 257, 1024})
    for (const bool cached : {true, false})
      for (u64 round = 0; round < 70; round += blocks > 5 ? 1 : 35) {  // past the point where a read goes the long way
        const u64 first = round % (kBlocks - blocks + 1);
        if (!cached) {
          fdatasync(disk.fd);
          posix_fadvise(disk.fd, 0, 0, POSIX_FADV_DONTNEED);
        }
        std::vector<u32> data(blocks * kBlock / 4);
        const auto status = device.transfer(BlockOp::Read, first * kBlock, data.data(), blocks * kBlock);
        INFO(blocks << " blocks from " << first << (cached ? ", cached" : ""));
        REQUIRE(status == BlockStatus::Ok);
        REQUIRE(data == numbers(first, blocks));
      }
}

TEST_CASE("file store: reads while others are in flight give their own bytes", "[storage]") {
  constexpr u64 kBlocks = 512, kEach = 64, kRequests = 300;
  NumberedFile file(kBlocks);
  auto opened = FileStore::open(file.file.path, {});
  REQUIRE(opened.ok());
  std::atomic<u64> right{0}, ended{0};
  {
    BlockDevice device(std::move(*opened));
    for (u64 n = 0; n < kRequests; n++) {
      const u64 first = n * 7 % (kBlocks - kEach);
      auto data = std::make_shared<std::vector<u32>>(kEach * kBlock / 4);
      device.submit({.op = BlockOp::Read,
                     .offset_bytes = first * kBlock,
                     .size_bytes = kEach * kBlock,
                     .iov = {{data->data(), kEach * kBlock}},
                     .done = [&, data, first](BlockStatus status) {
                       right += status == BlockStatus::Ok && *data == numbers(first, kEach);
                       ended++;
                     }});
    }
  }
  CHECK(ended == kRequests);
  CHECK(right == kRequests);
}

TEST_CASE("file store: every way of writing puts the same bytes, in the order asked for", "[storage]") {
  constexpr u64 kBlocks = 1024;
  NumberedDisk disk(kBlocks);
  BlockDevice& device = disk.device;
  enum class Way : u8 { Alone, FlushInFlight, Errand, ErrandElsewhere };
  u64 number = 1'000'000;  // every write has content of its own
  u64 errands = 0;
  for (const u64 blocks : {1, 4, 5, 256, 257})
    for (const Way way : {Way::Alone, Way::FlushInFlight, Way::Errand, Way::ErrandElsewhere})
      for (u64 round = 0; round < 70; round += blocks > 5 ? 7 : 1) {  // past the point where a write goes the long way
        const u64 first = round * 3 % (kBlocks - blocks + 1);
        std::promise<BlockStatus> flushed, written;
        if (way == Way::FlushInFlight) device.submit({.op = BlockOp::Flush, .iov = {}, .done = [&](BlockStatus status) { flushed.set_value(status); }});
        auto data = numbers(number, blocks);
        Posted posted;
        {
          const Errands::Scope scope(way == Way::Errand || way == Way::ErrandElsewhere ? &posted : nullptr);
          device.submit({.op = BlockOp::Write, .offset_bytes = first * kBlock, .size_bytes = blocks * kBlock, .iov = {{data.data(), blocks * kBlock}},
                         .done = [&](BlockStatus status) { written.set_value(status); }});
        }
        errands += posted.errands.size();
        posted.carry_out(way == Way::Errand);
        INFO(blocks << " blocks from " << first << ", way " << static_cast<int>(way));
        REQUIRE(written.get_future().get() == BlockStatus::Ok);
        if (way == Way::FlushInFlight) REQUIRE(flushed.get_future().get() == BlockStatus::Ok);
        std::vector<u32> found(blocks * kBlock / 4);
        REQUIRE(pread(disk.fd, found.data(), blocks * kBlock, static_cast<off_t>(first * kBlock)) == static_cast<ssize_t>(blocks * kBlock));
        REQUIRE(found == data);
        number += blocks;
      }
  CHECK(errands > 100);  // those that are larger than 1 MiB are none, nor is one now and then
}

TEST_CASE("file store: a write that the host refuses in part tells so, and what it took stays", "[storage]") {
  constexpr u64 kBlocks = 16;
  NumberedDisk disk(kBlocks);
  BlockDevice& device = disk.device;
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 6 * kBlock;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const auto data = numbers(77, 4);
  const auto status = device.transfer(BlockOp::Write, 4 * kBlock, const_cast<u32*>(data.data()), 4 * kBlock);
  const auto beyond = device.transfer(BlockOp::Write, 8 * kBlock, const_cast<u32*>(data.data()), 4 * kBlock);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, handler);
  CHECK(status == BlockStatus::NoSpace);
  CHECK(beyond == BlockStatus::NoSpace);
  std::vector<u32> found(8 * kBlock / 4);
  REQUIRE(pread(disk.fd, found.data(), 8 * kBlock, 4 * kBlock) == static_cast<ssize_t>(8 * kBlock));
  CHECK(std::equal(data.begin(), data.begin() + 2 * kBlock / 4, found.begin()));
  CHECK(std::equal(found.begin() + 2 * kBlock / 4, found.end(), numbers(6, 6).begin()));
}
