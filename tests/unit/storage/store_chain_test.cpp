// Chains of stores: options, NBD against qemu-nbd, delays, periodic faults, sizes.
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "storage/block_device.h"
#include "storage/store_registry.h"
#include "tests/support/test.h"
#include "tests/support/tool.h"
#include "tests/support/temporary_file.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

std::string refusal(const std::string& spec) {
  auto r = open_store(spec);
  REQUIRE_FALSE(r.ok());
  return r.error().message;
}

}  // namespace

TEST_CASE("store chain: every word says what it needs", "[stores]") {
  TemporaryFile file(65536);
  CHECK(refusal("disk:" + file.path).find("not a block device") != std::string::npos);
  CHECK(refusal("null:12").find("size") != std::string::npos);
  CHECK(refusal("null:4Q").find("size") != std::string::npos);
  CHECK(refusal("delay:file:x").find("milliseconds") != std::string::npos);
  CHECK(refusal("fault:write=bad/3:file:" + file.path).find("write=bad/3") != std::string::npos);
  CHECK(refusal("lv:" + file.path + "#vg/lv").find("LVM") != std::string::npos);
  CHECK(refusal("overlay:").find("needs") != std::string::npos);
  CHECK(open_store("ro:short:threads:file:" + file.path).ok());
}

TEST_CASE("store chain: sizes", "[stores]") {
  CHECK(*parse_size("512") == 512);
  CHECK(*parse_size("20G") == u64{20} << 30);
  CHECK_FALSE(parse_size("513").ok());
  CHECK_FALSE(parse_size("99999999999999999999").ok());
  CHECK_FALSE(parse_size("2000000000T").ok());
  BlockDevice d(std::move(*open_store("null:1T")));
  CHECK(d.size_bytes() == u64{1} << 40);
}

TEST_CASE("store chain: periodic faults hit every nth request", "[stores]") {
  TemporaryFile file(65536);
  BlockDevice d(std::move(*open_store("fault:write=nospace/3,flush=io/2:file:" + file.path)));
  u8 buffer[512] = {};
  int failed = 0;
  for (int i = 0; i < 9; i++) failed += d.transfer(BlockOp::Write, 0, buffer, 512) == BlockStatus::NoSpace;
  CHECK(failed == 3);
  CHECK(d.transfer(BlockOp::Flush, 0, nullptr, 0) == BlockStatus::Ok);
  CHECK(d.transfer(BlockOp::Flush, 0, nullptr, 0) == BlockStatus::Io);
}

TEST_CASE("store chain: a file that has grown is seen when asked", "[stores]") {
  TemporaryFile file(65536);
  BlockDevice d(std::move(*open_store("file:" + file.path)));
  CHECK_FALSE(d.refresh_size());
  REQUIRE(truncate(file.path.c_str(), 131072) == 0);
  CHECK(d.size_bytes() == 65536);
  CHECK(d.refresh_size());
  CHECK(d.size_bytes() == 131072);
  u8 buffer[512];
  CHECK(d.transfer(BlockOp::Read, 130560, buffer, 512) == BlockStatus::Ok);
}

TEST_CASE("nbd: a disk of qemu-nbd is read, written, zeroed and flushed", "[stores]") {
  if (!has_tool("qemu-nbd")) SKIP_TEST("qemu-nbd is not installed");
  TemporaryFile file(1 << 20);
  const std::string socket = std::filesystem::absolute(file.path).string() + ".sock";
  const std::string uri = "nbd:nbd+unix:///?socket=" + socket;
  REQUIRE(run_tool("qemu-nbd --fork --persistent --shared=8 -f raw -k " + socket + " --pid-file=" + socket + ".pid " + file.path + " >/dev/null") == 0);
  {
    auto opened = open_store(uri);
    if (!opened) FAIL(opened.error().message);
    BlockDevice d(std::move(*opened));
    CHECK(d.size_bytes() == 1 << 20);
    std::vector<u8> data(70000 / 512 * 512, 0x5a), back(data.size());
    CHECK(d.transfer(BlockOp::Write, 4096, data.data(), data.size()) == BlockStatus::Ok);
    CHECK(d.transfer(BlockOp::WriteZeroes, 8192, nullptr, 4096) == BlockStatus::Ok);
    CHECK(d.transfer(BlockOp::Flush, 0, nullptr, 0) == BlockStatus::Ok);
    CHECK(d.transfer(BlockOp::Read, 4096, back.data(), back.size()) == BlockStatus::Ok);
    std::fill_n(data.begin() + 4096, 4096, u8{0});
    CHECK(back == data);
  }
  run_tool("kill $(cat " + socket + ".pid)");
  for (int i = 0; i < 100 && access((socket + ".pid").c_str(), F_OK) == 0; i++) std::this_thread::yield();
  const auto raw = file.content();
  CHECK(raw[4096] == 0x5a);
  CHECK(raw[8192] == 0);
  unlink(socket.c_str());
  unlink((socket + ".pid").c_str());
  CHECK_FALSE(open_store(uri).ok());
}
