// LVM2 volumes: a layout written out from the documentation, and one made by the real tools.
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/endian.h"
#include "storage/block_device.h"
#include "storage/lvm/lv_store.h"
#include "storage/lvm/lvm_metadata.h"
#include "storage/store_registry.h"
#include "storage/stores/memory_store.h"
#include "tests/support/test.h"
#include "tests/support/tool.h"
#include "tests/support/temporary_file.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

constexpr const char* kGroup = R"(contents = "Text Format Volume Group"  # a comment with { in it
version = 1
vg0 {
  id = "abc"
  extent_size = 8
  physical_volumes {
    pv0 { id = "AAAAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAAAA"  pe_start = 16 pe_count = 20 }
    pv1 { id = "BBBBBB-BBBB-BBBB-BBBB-BBBB-BBBB-BBBBBB"  pe_start = 16 pe_count = 20 }
  }
  logical_volumes {
    linear { segment_count = 2
      segment1 { start_extent = 0 extent_count = 2 type = "striped" stripe_count = 1 stripes = ["pv0", 3] }
      segment2 { start_extent = 2 extent_count = 1 type = "striped" stripe_count = 1 stripes = ["pv1", 0] }
    }
    striped { segment_count = 1
      segment1 { start_extent = 0 extent_count = 4 type = "striped" stripe_count = 2 stripe_size = 2 stripes = ["pv0", 8, "pv1", 9] }
    }
    mirror { segment_count = 1 segment1 { start_extent = 0 extent_count = 1 type = "mirror" } }
  }
}
)";
const std::vector<std::string> kUuids{std::string(32, 'A'), std::string(32, 'B')};

}  // namespace

TEST_CASE("lvm: the layout of linear and striped volumes is read from the text", "[lvm]") {
  const auto tree = lvm::parse_text(kGroup);
  REQUIRE(tree.ok());
  const auto linear = lvm::find_volume(*tree, "vg0/linear", kUuids);
  REQUIRE(linear.ok());
  CHECK(linear->size_bytes == 3 * 4096);
  CHECK(linear->segments[0].stripes[0].offset_bytes == 16 * 512 + 3 * 4096);
  CHECK(linear->segments[1].stripes[0].volume == 1);
  const auto striped = lvm::find_volume(*tree, "vg0/striped", kUuids);
  REQUIRE(striped.ok());
  CHECK(striped->segments[0].stripe_bytes == 1024);
  CHECK(striped->segments[0].stripes[1].offset_bytes == 16 * 512 + 9 * 4096);
}

TEST_CASE("lvm: what cannot be served is named", "[lvm]") {
  const auto tree = lvm::parse_text(kGroup);
  REQUIRE(tree.ok());
  CHECK(lvm::find_volume(*tree, "vg0/none", kUuids).error().message.find("vg0/striped") != std::string::npos);
  CHECK(lvm::find_volume(*tree, "vg9/x", kUuids).error().message.find("vg0") != std::string::npos);
  CHECK(lvm::find_volume(*tree, "vg0/mirror", kUuids).error().kind == ErrorKind::Unsupported);
  CHECK(lvm::find_volume(*tree, "vg0/striped", {kUuids[0]}).error().message.find("pv1") != std::string::npos);
  CHECK(lvm::parse_text("a = ").error().message.find("line 1") != std::string::npos);
  CHECK_FALSE(lvm::parse_text("a {\nb = \"x").ok());
  std::string deep;
  for (int i = 0; i < 100000; i++) deep += "a{";
  CHECK_FALSE(lvm::parse_text(deep).ok());
}

TEST_CASE("lvm: layouts that reach outside their disks are refused", "[lvm]") {
  const auto refused = [](const char* from, const char* to) {
    std::string text = kGroup;
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, std::strlen(from), to);
    const auto tree = lvm::parse_text(text);
    return tree.ok() && !lvm::find_volume(*tree, "vg0/striped", kUuids).ok() ? 1 : 0;
  };
  CHECK(refused("stripe_size = 2", "stripe_size = 3"));  // the last round would leave the stripes
  CHECK(refused("stripe_size = 2", "stripe_size = 36028797018963968"));
  CHECK(refused("extent_count = 4", "extent_count = 4503599627370497"));
  CHECK(refused("[\"pv0\", 8,", "[\"pv0\", 4503599627370496,"));
  CHECK(refused("pe_start = 16", "pe_start = 36028797018963968"));
}

TEST_CASE("lvm: volumes made by the real tools hold what was written through them", "[lvm]") {
  if (geteuid() != 0 || !has_tool("vgcreate") || !has_tool("losetup")) SKIP_TEST("needs root, lvm2 and loop devices");
  TemporaryFile one(32 << 20), two(32 << 20);
  const auto absolute = [](const std::string& p) { return std::filesystem::absolute(p).string(); };
  std::string a, b;
  const auto loop = [&](const std::string& p, std::string& name) {
    const int rc = run_tool("losetup -f --show " + absolute(p), &name);
    while (!name.empty() && name.back() == '\n') name.pop_back();
    return rc == 0;
  };
  if (!loop(one.path, a) || !loop(two.path, b)) {
    if (!a.empty()) run_tool("losetup -d " + a);
    SKIP_TEST("no loop device to be had");
  }
  const std::string vg = "ivmtest" + std::to_string(getpid());
  const std::string config = " --config 'devices { use_devicesfile=0 filter=[\"a|^" + a + "$|\",\"a|^" + b + "$|\",\"r|.*|\"] } activation { udev_sync=0 udev_rules=0 } global { use_lvmpolld=0 event_activation=0 }' ";
  std::string out, all;
  int rc = 0;
  for (const std::string& c : {"pvcreate -y" + config + a + " " + b, "vgcreate" + config + "-s 1M " + vg + " " + a + " " + b,
                              "lvcreate --driverloaded n -an -Zn -Wn -y" + config + "-L 10M -n lin " + vg,
                              "lvcreate --driverloaded n -an -Zn -Wn -y" + config + "-L 8M -i 2 -I 64k -n str " + vg,
                              "lvextend --driverloaded n" + config + "-L 35M " + vg + "/lin"}) {
    rc |= run_tool(c, &out);
    all += out;
  }
  run_tool("losetup -d " + a);
  run_tool("losetup -d " + b);
  if (rc != 0) SKIP_TEST(("the LVM tools do not work here: " + all).c_str());
  const std::string disks = "lv:" + absolute(one.path) + "," + absolute(two.path) + "#" + vg;
  for (const auto& [name, size] : {std::pair{"/lin", u64{35} << 20}, std::pair{"/str", u64{8} << 20}}) {
    auto opened = open_store(disks + name);
    if (!opened) FAIL(opened.error().message);
    BlockDevice lv(std::move(*opened));
    CHECK(lv.size_bytes() == size);
    std::vector<u8> data(size), back(size);
    for (size_t i = 0; i < data.size(); i += 4) store_le<u32>(&data[i], static_cast<u32>(i * 2654435761u));
    CHECK(lv.transfer(BlockOp::Write, 0, data.data(), size) == BlockStatus::Ok);
    CHECK(lv.transfer(BlockOp::Read, 0, back.data(), size) == BlockStatus::Ok);
    CHECK(back == data);
    CHECK(lv.transfer(BlockOp::Flush, 0, nullptr, 0) == BlockStatus::Ok);
  }
  // Two volumes of one group never overlap: the metadata on both disks must still be there.
  CHECK(open_store(disks + "/lin").ok());
}
