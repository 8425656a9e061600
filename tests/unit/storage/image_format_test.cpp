// qcow2, VHD and overlay images, against qemu-img where it is installed.
#include <sys/stat.h>

#include <filesystem>
#include <random>

#include "storage/block_device.h"
#include "storage/formats/overlay_image.h"
#include "storage/formats/qcow2_image.h"
#include "storage/formats/unit_store.h"
#include "storage/formats/vhd_image.h"
#include "storage/store_registry.h"
#include "tests/support/test.h"
#include "tests/support/tool.h"
#include "tests/support/temporary_file.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::testing;

namespace {

constexpr u64 kSize = u64{8} << 20;

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("ivm-images-" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

std::unique_ptr<BlockDevice> open_device(const std::string& spec) {
  auto store = open_store(spec);
  if (!store) FAIL(store.error().message);
  return std::make_unique<BlockDevice>(std::move(*store));
}

/// Writes the same random pieces to a device and to a raw file.
void scribble(BlockDevice& device, BlockDevice& raw, unsigned seed, int count) {
  std::mt19937 rng(seed);
  for (int i = 0; i < count; i++) {
    std::vector<u8> data(512 * (1 + rng() % 100));
    for (auto& b : data) b = static_cast<u8>(rng());
    const u64 at = rng() % (kSize / 512 - 100) * 512;
    REQUIRE(device.transfer(BlockOp::Write, at, data.data(), data.size()) == BlockStatus::Ok);
    REQUIRE(raw.transfer(BlockOp::Write, at, data.data(), data.size()) == BlockStatus::Ok);
  }
}

std::vector<u8> content(BlockDevice& d) {
  std::vector<u8> out(kSize);
  REQUIRE(d.transfer(BlockOp::Read, 0, out.data(), out.size()) == BlockStatus::Ok);
  return out;
}

int qemu_img(const std::string& arguments) {
  std::string out;
  const int status = run_tool("qemu-img " + arguments, &out);
  INFO(out);
  CHECK(status == 0);
  return status;
}

}  // namespace

TEST_CASE("qcow2: what we write, qemu-img finds sound and equal", "[formats]") {
  if (!has_tool("qemu-img")) SKIP_TEST("qemu-img is not installed");
  Folder f;
  TemporaryFile raw(kSize);
  REQUIRE(Qcow2Image::create(f / "a.qcow2", kSize, "", "").ok());
  {
    auto image = open_device("qcow2:" + (f / "a.qcow2")), copy = open_device("file:" + raw.path);
    scribble(*image, *copy, 1, 40);
    CHECK(image->transfer(BlockOp::WriteZeroes, 65536, nullptr, 4 * 65536) == BlockStatus::Ok);
    CHECK(copy->transfer(BlockOp::WriteZeroes, 65536, nullptr, 4 * 65536) == BlockStatus::Ok);
    image->transfer(BlockOp::Flush, 0, nullptr, 0);
    scribble(*image, *copy, 2, 40);  // takes freed clusters again
  }
  qemu_img("check -f qcow2 " + (f / "a.qcow2"));
  qemu_img("compare -f qcow2 -F raw " + (f / "a.qcow2") + " " + raw.path);
}

TEST_CASE("qcow2: images of qemu-img, both versions, small clusters, compressed, are read and written", "[formats]") {
  if (!has_tool("qemu-img")) SKIP_TEST("qemu-img is not installed");
  Folder f;
  TemporaryFile raw(kSize);
  {
    auto copy = open_device("file:" + raw.path);
    TemporaryFile other(kSize);
    auto scratch = open_device("file:" + other.path);
    scribble(*scratch, *copy, 3, 30);
  }
  for (const std::string options : {"-o compat=0.10", "-o compat=1.1", "-o cluster_size=512", "-o cluster_size=2M", "-c"}) {
    INFO(options);
    const std::string path = f / "b.qcow2";
    std::filesystem::remove(path);
    qemu_img("convert -f raw -O qcow2 " + options + " " + raw.path + " " + path);
    TemporaryFile model(kSize);
    std::filesystem::copy_file(raw.path, model.path, std::filesystem::copy_options::overwrite_existing);
    {
      auto image = open_device("qcow2:" + path), copy = open_device("file:" + model.path);
      CHECK(content(*image) == content(*copy));
      scribble(*image, *copy, 4, 20);
    }
    qemu_img("compare -f qcow2 -F raw " + path + " " + model.path);
    std::string out;
    const int status = run_tool("qemu-img check -f qcow2 " + path, &out);
    INFO(out);
    CHECK((status == 0 || status == 3));  // 3: leaked clusters (parts of compressed ones), no errors
  }
}

TEST_CASE("qcow2: a backing file shows through and stays unchanged", "[formats]") {
  if (!has_tool("qemu-img")) SKIP_TEST("qemu-img is not installed");
  Folder f;
  const std::string base = f / "base.img", top = f / "top.qcow2";
  { std::FILE* file = std::fopen(base.c_str(), "wb"); std::fclose(file); }
  REQUIRE(truncate(base.c_str(), static_cast<off_t>(kSize)) == 0);
  TemporaryFile raw(kSize);
  {
    auto b = open_device("file:" + base), copy = open_device("file:" + raw.path);
    scribble(*b, *copy, 5, 20);
  }
  qemu_img("create -f qcow2 -b base.img -F raw " + top);
  const auto before = content(*open_device("ro:file:" + base));
  {
    auto image = open_device("qcow2:" + top), copy = open_device("file:" + raw.path);
    CHECK(content(*image) == before);
    scribble(*image, *copy, 6, 20);
    CHECK(image->transfer(BlockOp::WriteZeroes, 0, nullptr, 65536 * 3) == BlockStatus::Ok);
    copy->transfer(BlockOp::WriteZeroes, 0, nullptr, 65536 * 3);
  }
  qemu_img("check -f qcow2 " + top);
  qemu_img("compare -f qcow2 -F raw " + top + " " + raw.path);
  CHECK(content(*open_device("ro:file:" + base)) == before);
}

TEST_CASE("qcow2: our own check finds wrong counts, and growing keeps the contents", "[formats]") {
  Folder f;
  const std::string path = f / "c.qcow2";
  REQUIRE(Qcow2Image::create(path, kSize, "", "").ok());
  TemporaryFile raw(kSize);
  {
    auto image = open_device("qcow2:" + path), copy = open_device("file:" + raw.path);
    scribble(*image, *copy, 7, 10);
  }
  {
    auto image = Qcow2Image::open(path, false, nullptr);
    REQUIRE(image.ok());
    const auto report = (*image)->check();
    REQUIRE(report.ok());
    CHECK(report->errors.empty());
    CHECK(report->leaked == 0);
    REQUIRE((*image)->grow(u64{20} << 30).ok());
    CHECK_FALSE((*image)->grow(512).ok());
  }
  CHECK(content(*open_device("ro:qcow2:" + path)) == content(*open_device("ro:file:" + raw.path)));
  if (has_tool("qemu-img")) qemu_img("check -f qcow2 " + path);
  auto image = open_device("ro:qcow2:" + path);
  CHECK(image->size_bytes() == u64{20} << 30);
}

TEST_CASE("VHD: dynamic and fixed images agree with qemu-img both ways", "[formats]") {
  if (!has_tool("qemu-img")) SKIP_TEST("qemu-img is not installed");
  Folder f;
  for (const bool fixed : {false, true}) {
    TemporaryFile raw(kSize);
    const std::string ours = f / (fixed ? "f.vhd" : "d.vhd");
    REQUIRE(VhdImage::create(ours, kSize, fixed).ok());
    {
      auto image = open_device("vhd:" + ours), copy = open_device("file:" + raw.path);
      scribble(*image, *copy, 8, 20);
    }
    const u64 size = open_device("ro:vhd:" + ours)->size_bytes();
    REQUIRE(truncate(raw.path.c_str(), static_cast<off_t>(size)) == 0);
    qemu_img("compare -f vpc -F raw " + ours + " " + raw.path);
    const std::string theirs = f / "t.vhd";
    qemu_img(std::string("convert -f raw -O vpc -o subformat=") + (fixed ? "fixed " : "dynamic ") + raw.path + " " + theirs);
    {
      auto image = open_device("vhd:" + theirs), copy = open_device("file:" + raw.path);
      CHECK(content(*image) == content(*copy));
      scribble(*image, *copy, 9, 20);
    }
    qemu_img("compare -f vpc -F raw " + theirs + " " + raw.path);
  }
}

TEST_CASE("VHD: a crash that leaves no footer behind is survived", "[formats]") {
  Folder f;
  const std::string path = f / "crash.vhd";
  REQUIRE(VhdImage::create(path, kSize, false).ok());
  { open_device("vhd:" + path); }
  struct stat st;
  REQUIRE(stat(path.c_str(), &st) == 0);
  REQUIRE(truncate(path.c_str(), st.st_size - 512) == 0);
  CHECK(open_store("vhd:" + path).ok());
}

TEST_CASE("overlay: changes stay in the overlay file, the base is shared and unchanged", "[formats]") {
  Folder f;
  TemporaryFile base(kSize), model(kSize);
  const std::string one = f / "one.ovl";
  REQUIRE(OverlayImage::create(one, "file:" + base.path, kSize).ok());
  CHECK_FALSE(OverlayImage::create(one, "file:" + base.path, kSize).ok());
  {
    auto overlay = open_device("overlay:" + one), copy = open_device("file:" + model.path);
    auto other = open_device("overlay:file:" + base.path);  // a second guest over the same base
    scribble(*overlay, *copy, 10, 20);
    CHECK(content(*other) == std::vector<u8>(kSize));
  }
  CHECK(content(*open_device("ro:overlay:" + one)) == content(*open_device("ro:file:" + model.path)));
  CHECK(content(*open_device("ro:file:" + base.path)) == std::vector<u8>(kSize));
  REQUIRE(truncate(base.path.c_str(), 4096) == 0);
  CHECK_FALSE(open_store("overlay:" + one).ok());
}

TEST_CASE("image formats: damaged and foreign headers are refused in one line", "[formats]") {
  Folder f;
  TemporaryFile junk(65536);
  for (const std::string kind : {"qcow2", "vhd", "overlay"}) {
    const auto r = open_store(kind + ":" + junk.path);
    REQUIRE_FALSE(r.ok());
    CHECK(r.error().message.find('\n') == std::string::npos);
    CHECK(r.error().message.find(junk.path) != std::string::npos);
  }
  REQUIRE(Qcow2Image::create(f / "self.qcow2", kSize, "self.qcow2", "qcow2").ok());
  // Found by the image fuzzer: the name of a backing file went into the message as it was.
  REQUIRE(Qcow2Image::create(f / "odd.qcow2", kSize, "no\nsuch\nfile", "raw").ok());
  const auto odd = open_store("qcow2:" + (f / "odd.qcow2"));
  REQUIRE_FALSE(odd.ok());
  CHECK(odd.error().message.find('\n') == std::string::npos);
  CHECK_FALSE(open_store("qcow2:" + (f / "self.qcow2")).ok());  // backs itself: nesting ends it
  CHECK(image_format(f / "self.qcow2") == "qcow2");
  CHECK(image_format(junk.path) == "raw");
}
