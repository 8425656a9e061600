// Partition tables made by sgdisk and by hand, whole and damaged.
#include "firmware/media/partitions.h"
#include "base/endian.h"
#include "tests/support/test.h"
#include "tests/unit/firmware_media/memory_medium.h"

using namespace ia64;
using namespace ia64::firmware;
using namespace ia64::firmware::testing;

namespace {

std::vector<u8> gpt_image(TemporaryFolder& t) {
  REQUIRE(t.run("truncate -s 16M g && sgdisk -n 1:2048:+4M -t 1:EF00 -u "
                "1:11111111-2222-3333-4444-555555555555 -n 3:0:+2M -t 3:8300 g") == 0);
  return t.load("g");
}

void put_mbr_entry(std::vector<u8>& image, size_t sector, unsigned n, u8 type, u32 first, u32 count) {
  u8* e = &image[sector * 512 + 446 + n * 16];
  e[4] = type;
  store_le(e + 8, first), store_le(e + 12, count);
  store_le(&image[sector * 512 + 510], u16{0xaa55});
}

}  // namespace

TEST_CASE("partitions: CRC-32 has the standard check value", "[partitions]") {
  const std::string text = "123456789";
  CHECK(gpt_crc32({reinterpret_cast<const u8*>(text.data()), text.size()}) == 0xcbf43926);
}

TEST_CASE("partitions: a table by sgdisk is read, also from its backup", "[partitions]") {
  if (!have_tool("sgdisk")) SKIP_TEST("sgdisk is not installed");
  TemporaryFolder t;
  auto image = gpt_image(t);
  const auto check = [](const std::vector<u8>& bytes) {
    MemoryMedium m(bytes);
    const auto p = find_partitions(m);
    REQUIRE(p.size() == 2);
    CHECK(p[0].number == 1);
    CHECK(p[0].first == 2048);
    CHECK(p[0].count == 8192);
    CHECK(p[0].type == guid::kEfiSystemPartition);
    CHECK(to_text(p[0].unique) == "11111111-2222-3333-4444-555555555555");
    CHECK(p[1].number == 3);
    CHECK(p[1].count == 4096);
    CHECK_FALSE(m.escaped);
  };
  check(image);
  auto header_damaged = image;
  header_damaged[512 + 40] ^= 1;
  check(header_damaged);
  auto entries_damaged = image;
  entries_damaged[1024 + 60] ^= 1;
  check(entries_damaged);
  auto no_backup = image;
  std::fill(no_backup.end() - 512, no_backup.end(), 0);
  check(no_backup);
  std::fill_n(no_backup.begin() + 512, 512, 0);
  MemoryMedium none(no_backup);
  CHECK(find_partitions(none).empty());
}

TEST_CASE("partitions: primary and logical MBR partitions", "[partitions]") {
  std::vector<u8> image(4 << 20);
  store_le(&image[440], u32{0x12345678});
  put_mbr_entry(image, 0, 0, 0xef, 64, 1000);
  put_mbr_entry(image, 0, 1, 0x05, 2000, 4000);
  put_mbr_entry(image, 0, 3, 0x83, 7000, 100);
  put_mbr_entry(image, 2000, 0, 0x06, 10, 500);
  put_mbr_entry(image, 2000, 1, 0x05, 1000, 600);
  put_mbr_entry(image, 3000, 0, 0x83, 20, 300);
  MemoryMedium m(image);
  const auto p = find_partitions(m);
  REQUIRE(p.size() == 4);
  CHECK(p[0].mbr_type == 0xef);
  CHECK(p[0].signature == 0x12345678);
  CHECK(p[1].number == 4);
  CHECK(p[2].number == 5);
  CHECK(p[2].first == 2010);
  CHECK(p[3].number == 6);
  CHECK(p[3].first == 3020);
}

TEST_CASE("partitions: loops and ranges outside the disk are left out", "[partitions]") {
  std::vector<u8> image(1 << 20);
  put_mbr_entry(image, 0, 0, 0x06, 10, 0xffffffff);
  put_mbr_entry(image, 0, 1, 0x0f, 100, 1000);
  put_mbr_entry(image, 100, 1, 0x05, 50, 10);
  put_mbr_entry(image, 150, 1, 0x05, 50, 10);  // itself
  MemoryMedium m(image);
  CHECK(find_partitions(m).empty());
  CHECK(m.reads < 10);
}

TEST_CASE("partitions: a FAT boot sector is no partition table", "[partitions]") {
  if (!have_tool("mkfs.fat")) SKIP_TEST("mkfs.fat is not installed");
  TemporaryFolder t;
  REQUIRE(t.run("truncate -s 1440K i && mkfs.fat -F 12 i") == 0);
  MemoryMedium m(t.load("i"));
  CHECK(find_partitions(m).empty());
}

TEST_CASE("partitions: El Torito boot images become partitions", "[partitions]") {
  std::vector<u8> image(2048 * 100);
  u8* record = &image[17 * 2048];
  std::memcpy(record + 1, "CD001\1EL TORITO SPECIFICATION", 29);
  store_le(record + 0x47, u32{20});
  u8* catalog = &image[20 * 2048];
  catalog[0] = 1, catalog[1] = 0xef, catalog[30] = 0x55, catalog[31] = 0xaa;
  store_le(catalog + 28, static_cast<u16>(0 - (0xef01 + 0xaa55)));
  catalog[32] = 0x88;
  store_le(catalog + 38, u16{40});  // 512-byte sectors
  store_le(catalog + 40, u32{30});
  MemoryMedium m(image, 2048);
  const auto p = find_partitions(m);
  REQUIRE(p.size() == 1);
  CHECK(p[0].kind == Partition::Kind::ElTorito);
  CHECK(p[0].first == 30);
  CHECK(p[0].count == 10);
  m.bytes[20 * 2048 + 5] ^= 1;  // the checksum no longer fits
  CHECK(find_partitions(m).empty());
}

TEST_CASE("partitions: random damage stays inside the disk", "[partitions]") {
  if (!have_tool("sgdisk")) SKIP_TEST("sgdisk is not installed");
  TemporaryFolder t;
  const auto image = gpt_image(t);
  u32 seed = 7;
  const auto next = [&seed] { return seed = seed * 1664525 + 1013904223, seed >> 8; };
  for (int round = 0; round < 40; round++) {
    auto bad = image;
    for (int i = 0; i < 6; i++) bad[next() % 1100] = static_cast<u8>(next());
    // Make the header's checksum fit again, so that its fields are looked at.
    const u32 size = std::min<u32>(load_le<u32>(&bad[512 + 12]), 512);
    store_le(&bad[512 + 16], u32{0});
    store_le(&bad[512 + 16], gpt_crc32({&bad[512], size}));
    MemoryMedium m(std::move(bad));
    for (const auto& p : find_partitions(m)) CHECK(p.first + p.count <= m.block_count());
    CHECK_FALSE(m.escaped);
  }
}
