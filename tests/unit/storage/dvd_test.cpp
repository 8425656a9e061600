// DVD drive: what MMC-5 says of each command, tray, locks, and the console's EJ and IN.
#include "storage/scsi/dvd_drive.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "storage/stores/memory_store.h"
#include "tests/unit/storage/scsi_fixture.h"

using namespace ia64;
using namespace ia64::storage;
using namespace ia64::storage::scsi;
using namespace ia64::testing;

namespace {

std::unique_ptr<BlockDevice> disc(u64 sectors, u8 fill = 0) {
  std::vector<u8> bytes(sectors * 2048);
  for (u64 i = 0; i < sectors; i++) bytes[i * 2048] = static_cast<u8>(fill + i);
  return std::make_unique<BlockDevice>(std::make_unique<MemoryStore>(std::move(bytes)), 2048);
}

struct Drive : CommandRunner {
  DvdTarget dvd;
  explicit Drive(std::unique_ptr<BlockDevice> d) : dvd(std::move(d), {.product = "Virtual FileDVD", .device_type = kTypeDvd}) {
    target = &dvd;
    run({0x00});  // takes the power-on attention
  }
};

/// A directory with ISO files that goes away with the test.
struct IsoFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("ivm-iso-" + std::to_string(getpid()));
  IsoFolder() { std::filesystem::create_directories(path); }
  ~IsoFolder() { std::filesystem::remove_all(path); }
  std::string add(const std::string& name, char fill, unsigned mode = 0644) {
    const auto file = (path / name).string();
    std::ofstream(file) << std::string(4096, fill);
    chmod(file.c_str(), mode);
    return file;
  }
};

}  // namespace

TEST_CASE("dvd: INQUIRY says removable CD-ROM type", "[dvd]") {
  Drive d(disc(100));
  d.run({0x12, 0, 0, 0, 96, 0});
  CHECK(d.in[0] == 5);
  CHECK(d.in[1] == 0x80);
  CHECK(d.text(8, 24) == "HP      Virtual FileDVD ");
  d.run({0x12, 1, 0, 0, 255, 0});
  CHECK(d.last.transferred == 7);
  CHECK(d.in[0] == 5);
}

TEST_CASE("dvd: capacity and reading in sectors of 2048 bytes", "[dvd]") {
  Drive d(disc(100, 3));
  d.run({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(load_be<u32>(&d.in[0]) == 99);
  CHECK(load_be<u32>(&d.in[4]) == 2048);
  d.run({0x28, 0, 0, 0, 0, 7, 0, 0, 2, 0});
  CHECK(d.last.transferred == 4096);
  CHECK(d.in[0] == 10);
  CHECK(d.in[2048] == 11);
  d.run({0xa8, 0, 0, 0, 0, 99, 0, 0, 0, 2, 0, 0});
  CHECK(d.sense(5, 0x21));
  d.run({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(d.sense(5, 0x20));
}

TEST_CASE("dvd: an empty drive is not ready, open or closed", "[dvd]") {
  Drive d(nullptr);
  d.run({0x00});
  CHECK(d.sense(2, 0x3a, 1));
  d.run({0x1b, 0, 0, 0, 2, 0});
  d.run({0x00});
  CHECK(d.sense(2, 0x3a, 2));
  d.run({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(d.sense(2, 0x3a, 2));
  d.run({0x46, 0, 0, 0, 0, 0, 0, 0, 255, 0});
  CHECK(load_be<u16>(&d.in[6]) == 0);
}

TEST_CASE("dvd: a new disc gives an attention and an event, once", "[dvd]") {
  Drive d(nullptr);
  d.dvd.insert(disc(10));
  d.run({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0});
  CHECK(d.in[1] == 6);
  CHECK(d.in[2] == 4);
  CHECK(d.in[4] == 2);
  CHECK(d.in[5] == 2);
  d.run({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0});
  CHECK(d.in[4] == 0);
  d.run({0x00});
  CHECK(d.sense(6, 0x28, 0));
  d.run({0x00});
  CHECK(d.good());
  d.dvd.remove();
  d.run({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0});
  CHECK(d.in[4] == 3);
  CHECK(d.in[5] == 0);
  d.run({0x00});
  CHECK(d.sense(2, 0x3a, 1));
  d.run({0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8, 0});
  CHECK(d.sense(5, 0x24));
}

TEST_CASE("dvd: PREVENT keeps the guest's own eject out, a reset lifts it", "[dvd]") {
  Drive d(disc(10));
  d.run({0x1e, 0, 0, 0, 1, 0});
  CHECK(d.dvd.locked());
  d.run({0x1b, 0, 0, 0, 2, 0});
  CHECK(d.sense(5, 0x53, 2));
  d.run({0x5a, 8, 0x2a, 0, 0, 0, 0, 0, 64, 0});
  CHECK((d.in[8 + 6] & 0x0b) == 0x0b);
  d.dvd.reset(ResetKind::Bus);
  CHECK_FALSE(d.dvd.locked());
  d.run({0x00});
  d.run({0x1b, 0, 0, 0, 2, 0});
  CHECK(d.good());
  CHECK(d.dvd.tray_open());
  d.run({0x1b, 0, 0, 0, 3, 0});
  d.run({0x28, 0, 0, 0, 0, 1, 0, 0, 1, 0});
  CHECK(d.good());
  CHECK(d.in[0] == 1);
}

TEST_CASE("dvd: tables of contents", "[dvd]") {
  Drive d(disc(300));
  d.run({0x43, 0, 0, 0, 0, 0, 0, 0, 64, 0});
  CHECK(load_be<u16>(&d.in[0]) == 18);
  CHECK(d.in[5] == 0x14);
  CHECK(d.in[14] == 0xaa);
  CHECK(load_be<u32>(&d.in[16]) == 300);
  d.run({0x43, 2, 0, 0, 0, 0, 0xaa, 0, 64, 0});
  CHECK(load_be<u16>(&d.in[0]) == 10);
  CHECK(d.in[9] == 0);   // 300 + 150 frames are 6 seconds
  CHECK(d.in[10] == 6);
  CHECK(d.in[11] == 0);
  d.run({0x43, 0, 1, 0, 0, 0, 0, 0, 64, 0});
  CHECK(load_be<u16>(&d.in[0]) == 10);
  d.run({0x43, 0, 0, 0, 0, 0, 5, 0, 64, 0});
  CHECK(d.sense(5, 0x24));
}

TEST_CASE("dvd: configuration follows the disc", "[dvd]") {
  Drive d(disc(300));
  d.run({0x46, 0, 0, 0, 0, 0, 0, 2, 0, 0});
  CHECK(load_be<u16>(&d.in[6]) == 0x08);
  CHECK(load_be<u32>(&d.in[0]) + 4 == d.last.transferred);
  d.run({0x46, 2, 0, 0x1e, 0, 0, 0, 2, 0, 0});
  CHECK(d.last.transferred == 16);
  CHECK((d.in[10] & 1) == 1);
  d.run({0x51, 0, 0, 0, 0, 0, 0, 0, 34, 0});
  CHECK(d.in[2] == 0x0e);
  d.run({0x52, 1, 0, 0, 0, 1, 0, 0, 36, 0});
  CHECK(load_be<u32>(&d.in[24]) == 300);
}

TEST_CASE("dvd: READ CD gives user data, and headers when asked", "[dvd]") {
  Drive d(disc(300));
  d.run({0xbe, 0, 0, 0, 0, 4, 0, 0, 1, 0x10, 0, 0});
  CHECK(d.last.transferred == 2048);
  CHECK(d.in[0] == 4);
  d.run({0xbe, 0x08, 0, 0, 0, 4, 0, 0, 2, 0xb0, 0, 0});
  CHECK(d.last.transferred == 2 * (12u + 4 + 2048));
  CHECK(d.in[12] == 0x00);
  CHECK(d.in[13] == 0x02);
  CHECK(d.in[14] == 0x04);
  CHECK(d.in[15] == 1);
  CHECK(d.in[16] == 4);
  d.run({0xbe, 0x04, 0, 0, 0, 4, 0, 0, 1, 0x10, 0, 0});  // audio
  CHECK(d.sense(5, 0x64));
}

TEST_CASE("dvd drive: EJ empties it, IN chooses from its directory, a restart restores the original", "[dvd]") {
  IsoFolder folder;
  const auto first = folder.add("a.iso", 'a');
  folder.add("b.iso", 'b');
  folder.add("open.iso", 'x', 0666);
  auto opened = DvdDrive::open("file", first, {});
  REQUIRE(opened.ok());
  auto& drive = **opened;
  CHECK(drive.choices() == std::vector<std::string>{"a.iso", "b.iso"});
  CHECK_FALSE(drive.insert_choice("open.iso").ok());
  CHECK_FALSE(drive.insert_choice("../a.iso").ok());
  drive.eject();
  CHECK_FALSE(drive.has_disc());
  CHECK(drive.current() == "null:" + folder.path.string());
  REQUIRE(drive.insert_choice("b.iso").ok());
  CHECK(drive.current() == "file:" + (folder.path / "b.iso").string());
  REQUIRE(drive.revert().ok());
  CHECK(drive.current() == drive.original());
  CHECK(drive.has_disc());
}

TEST_CASE("dvd drive: an empty drive on a directory is filled from it; two drives share an image", "[dvd]") {
  IsoFolder folder;
  folder.add("a.iso", 'a');
  auto one = DvdDrive::open("null", folder.path.string(), {});
  auto two = DvdDrive::open("null", folder.path.string(), {});
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  CHECK_FALSE((*one)->has_disc());
  CHECK((*one)->insert_choice("a.iso").ok());
  CHECK((*two)->insert_choice("a.iso").ok());
  REQUIRE((*one)->revert().ok());
  CHECK((*one)->has_disc());  // only a FileDVD reverts
  CHECK_FALSE(DvdDrive::open("lv", "x", {}).ok());
  CHECK_FALSE(DvdDrive::open("file", "/no/such.iso", {}).ok());
}
