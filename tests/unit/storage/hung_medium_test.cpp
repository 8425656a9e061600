// Stores over a medium that hangs: whoever asks goes on, and everything comes to its end when the medium does.
#include <future>
#include <vector>

#include "storage/block_device.h"
#include "storage/store_registry.h"
#include "tests/support/test.h"
#include "tests/support/held_file.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

constexpr u64 kMiB = 1024 * 1024;

/// A request of a test, and how it ended.
struct Asked {
  explicit Asked(u64 size_bytes) : data(size_bytes, 0x5a) {}
  std::vector<u8> data;
  std::promise<BlockStatus> ended;
  std::future<BlockStatus> end = ended.get_future();

  void submit(BlockDevice& device, BlockOp op, u64 offset) {
    BlockRequest request{.op = op, .offset_bytes = offset, .size_bytes = data.size(), .iov = {}, .done = [this](BlockStatus s) { ended.set_value(s); }};
    if (op == BlockOp::Read || op == BlockOp::Write) request.iov = {{data.data(), data.size()}};
    device.submit(std::move(request));
  }
  bool pending() const { return end.wait_for(std::chrono::seconds(0)) == std::future_status::timeout; }
};

}  // namespace

// Writes of one request at a time were once made by whoever asked wherever the file system could not be asked whether it would wait: a
// hung medium then held a virtual processor.
TEST_CASE("file store: a medium that hangs does not hold whoever asks", "[storage]") {
  const auto medium = HeldFile::mount(8 * kMiB);
  if (!medium) SKIP_TEST("cannot mount FUSE file systems here");
  for (const std::string words : {"file:", "threads:file:", "direct:file:", "overlay:file:"}) {
    auto opened = open_store(words + medium->path());
    REQUIRE(opened.ok());
    BlockDevice device(std::move(*opened));
    Asked warm(4096);
    warm.submit(device, BlockOp::Write, 0);
    REQUIRE(warm.end.get() == BlockStatus::Ok);
    if (words == "overlay:file:") warm.data.clear();  // its writes do not reach the medium: only reads can hang

    medium->hold();
    Asked small(4096), large(kMiB), read(4096), flush(0), zero(4096);
    auto asker = std::async(std::launch::async, [&] {
      small.submit(device, BlockOp::Write, 4096);
      read.submit(device, BlockOp::Read, 6 * kMiB);
      large.submit(device, BlockOp::Write, kMiB);
      flush.submit(device, BlockOp::Flush, 0);
      zero.submit(device, BlockOp::WriteZeroes, 4 * kMiB);
    });
    INFO(words);
    CHECK(asker.wait_for(std::chrono::seconds(30)) == std::future_status::ready);  // else the asker is held
    medium->wait_for_held(1);
    if (warm.data.size()) CHECK((small.pending() && large.pending()));
    CHECK(read.pending());
    medium->release();
    for (Asked* a : {&small, &large, &read, &flush, &zero}) CHECK(a->end.get() == BlockStatus::Ok);
  }
}
