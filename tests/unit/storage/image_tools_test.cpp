// ivm image's work: create, convert, commit, check, resize, reserve, extents.
#include <sys/stat.h>

#include <filesystem>

#include "storage/block_device.h"
#include "storage/image_tools.h"
#include "storage/store_registry.h"
#include "tests/support/test.h"
#include "tests/support/temporary_file.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("ivm-tools-" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

void put(const std::string& spec, u64 offset, u8 value) {
  auto store = open_store(spec);
  REQUIRE(store.ok());
  BlockDevice d(std::move(*store));
  std::vector<u8> data(4096, value);
  REQUIRE(d.transfer(BlockOp::Write, offset, data.data(), data.size()) == BlockStatus::Ok);
}

u8 get(const std::string& spec, u64 offset) {
  auto store = open_store(spec);
  REQUIRE(store.ok());
  BlockDevice d(std::move(*store));
  u8 data[512] = {0xff};
  REQUIRE(d.transfer(BlockOp::Read, offset, data, 512) == BlockStatus::Ok);
  return data[0];
}

}  // namespace

TEST_CASE("image tools: a chain of conversions keeps the disk", "[image]") {
  Folder f;
  REQUIRE(create_image({.path = f / "a.img", .size_bytes = u64{16} << 20}).ok());
  put("file:" + (f / "a.img"), 5 << 20, 0x55);
  std::string from = f / "a.img";
  for (const std::string format : {"qcow2", "vhd", "vhd-fixed", "raw"}) {
    const std::string to = f / ("x." + format);
    const auto done = convert_image(from, {.path = to, .format = format}, {});
    if (!done) FAIL(done.error().message);
    CHECK(get("ro:" + spec_of(to), 5 << 20) == 0x55);
    CHECK(get("ro:" + spec_of(to), 9 << 20) == 0);
    const auto problems = check_image(to);
    REQUIRE(problems.ok());
    CHECK(problems->empty());
    CHECK_FALSE(convert_image(from, {.path = to, .format = format}, {}).ok());  // never overwrites
    from = to;
  }
}

TEST_CASE("image tools: committing an overlay moves its changes into the base", "[image]") {
  Folder f;
  const std::string base = f / "base.img", overlay = f / "o.ovl";
  REQUIRE(create_image({.path = base, .size_bytes = 1 << 20}).ok());
  REQUIRE(create_image({.path = overlay, .format = "overlay", .base = base}).ok());
  put("overlay:" + overlay, 8192, 0x77);
  CHECK(get("ro:file:" + base, 8192) == 0);
  const auto written = commit_overlay(overlay);
  REQUIRE(written.ok());
  CHECK(*written == 4096);
  CHECK(get("ro:file:" + base, 8192) == 0x77);
  CHECK(*commit_overlay(overlay) == 0);
}

TEST_CASE("image tools: resizing raw images, reserving space, listing extents", "[image]") {
  Folder f;
  const std::string path = f / "r.img";
  REQUIRE(create_image({.path = path, .size_bytes = 1 << 20, .reserve = true}).ok());
  struct stat st;
  REQUIRE(stat(path.c_str(), &st) == 0);
  CHECK(st.st_blocks * 512 >= 1 << 20);
  if (const auto reserved = describe_image(path); reserved->host_pieces) {  // file systems that say where files lie
    CHECK(*reserved->host_pieces >= 1);
    CHECK(*reserved->host_pieces <= 256);  // of 4 KiB at least
    CHECK(describe_image("file:" + path)->host_pieces == reserved->host_pieces);
  }
  CHECK_FALSE(resize_image(path, 4096, false, false).ok());
  REQUIRE(resize_image(path, 2 << 20, false, false).ok());
  const auto info = describe_image(path);
  REQUIRE(info.ok());
  CHECK(info->size_bytes == 2 << 20);
  CHECK(info->format == "raw");
  u64 sum = 0;
  for (const auto& [at, e] : info->extents) {
    CHECK(at == sum);
    sum += e.size_bytes;
  }
  CHECK(sum == info->size_bytes);
  REQUIRE(resize_image(path, 4096, true, false).ok());
}
