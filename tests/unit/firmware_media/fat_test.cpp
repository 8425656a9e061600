// The FAT driver against volumes made and checked by mkfs.fat, mtools and fsck.fat, and against damaged ones.
#include "base/endian.h"
#include "firmware/media/fat_volume.h"
#include "tests/support/test.h"
#include "tests/unit/firmware_media/memory_medium.h"

using namespace ia64;
using namespace ia64::firmware;
using namespace ia64::firmware::fat;
using namespace ia64::firmware::testing;

namespace {

#define NEED_TOOLS()                                                           \
  if (!have_tool("mkfs.fat") || !have_tool("mcopy") || !have_tool("fsck.fat")) \
  SKIP_TEST("mtools or dosfstools not installed")

i64 fixed_time() {
  return 1'600'000'000;
}  // 2020-09-13 12:26:40

struct Bench {
  explicit Bench(std::vector<u8> image, u32 block = 512)
      : medium(std::move(image), block), volume(Volume::mount(medium, fixed_time)) {}
  EfiStatus write(std::u16string_view path, const std::vector<u8>& data, u64 offset = 0) {
    File f;
    if (const EfiStatus s = volume->create(volume->root(), path, 0, f); efi_error(s)) return s;
    return volume->write(f, offset, data.size(), [&](u64 at, u64 done, u64 n) {
      return write_medium_bytes(medium, at, n, &data[done]);
    });
  }
  std::vector<u8> read(std::u16string_view path) {
    File f;
    REQUIRE(volume->open(volume->root(), path, f) == efi::kSuccess);
    std::vector<u8> out(f->size());
    REQUIRE(volume->read(f, 0, out.size(), [&](u64 at, u64 done, u64 n) {
      return read_medium_bytes(medium, at, n, &out[done]);
    }) == efi::kSuccess);
    return out;
  }
  EfiStatus remove(std::u16string_view path) {
    File f;
    const EfiStatus s = volume->open(volume->root(), path, f);
    return efi_error(s) ? s : volume->remove(f);
  }
  EfiStatus make_directory(std::u16string_view path) {
    File f;
    return volume->create(volume->root(), path, attribute::kDirectory, f);
  }
  std::vector<std::u16string> list(std::u16string_view path) {
    File d;
    REQUIRE(volume->open(volume->root(), path, d) == efi::kSuccess);
    std::vector<std::u16string> names;
    Entry e;
    for (u32 cursor = 0; !efi_error(volume->next_entry(d, cursor, e));) names.push_back(e.name);
    return names;
  }
  MemoryMedium medium;
  std::unique_ptr<Volume> volume;
};

struct Format {
  const char* name;
  const char* command;
  unsigned bits;
};
constexpr Format kFormats[] = {
    {"FAT12", "truncate -s 1440K i && mkfs.fat -F 12 -n LABEL12 i", 12},
    {"FAT16", "truncate -s 20M i && mkfs.fat -F 16 -n LABEL16 i", 16},
    {"FAT32", "truncate -s 40M i && mkfs.fat -F 32 -s 1 -n LABEL32 i", 32},
};

}  // namespace

TEST_CASE("FAT: files written by mtools read back, long names included", "[fat]") {
  NEED_TOOLS();
  for (const Format& f : kFormats) {
    INFO(f.name);
    TemporaryFolder t;
    t.store("big", pattern(300'000, 1));
    REQUIRE(t.run(std::string(f.command) +
                  " && mmd -i i ::/EFI ::/EFI/BOOT && mcopy -i i big ::/EFI/BOOT/BOOTIA64.EFI && "
                  "mcopy -i i big '::/A rather long file name.data' && mcopy -i i big ::/lower.txt") == 0);
    Bench b(t.load("i"));
    REQUIRE(b.volume);
    CHECK(b.volume->bits() == f.bits);
    CHECK(b.read(u"\\EFI\\BOOT\\BOOTIA64.EFI") == pattern(300'000, 1));
    CHECK(b.read(u"efi\\boot\\bootia64.efi").size() == 300'000);
    CHECK(b.read(u"\\a RATHER long file name.data") == pattern(300'000, 1));
    CHECK(b.list(u"\\") ==
          std::vector<std::u16string>{u"EFI", u"A rather long file name.data", u"lower.txt"});
    File sub, back;
    REQUIRE(b.volume->open(b.volume->root(), u"EFI\\BOOT", sub) == efi::kSuccess);
    CHECK(b.volume->open(sub, u"..\\..\\lower.txt", back) == efi::kSuccess);
    CHECK(b.volume->open(sub, u"..\\..\\..\\lower.txt", back) == efi::kSuccess);
    CHECK(b.volume->open(sub, u"nothing", back) == efi::kNotFound);
    CHECK(b.volume->open(sub, u"BOOTIA64.EFI\\x", back) == efi::kNotFound);
    std::u16string label;
    CHECK(b.volume->label(label) == efi::kSuccess);
    CHECK(label.substr(0, 5) == u"LABEL");
    CHECK_FALSE(b.medium.escaped);
  }
}

TEST_CASE("FAT: what we write, mtools reads and fsck finds clean", "[fat]") {
  NEED_TOOLS();
  for (const Format& f : kFormats) {
    INFO(f.name);
    TemporaryFolder t;
    REQUIRE(t.run(f.command) == 0);
    Bench b(t.load("i"));
    REQUIRE(b.volume);
    u64 free_before = 0, free_after = 0;
    REQUIRE(b.volume->free_bytes(free_before) == efi::kSuccess);
    REQUIRE(b.make_directory(u"\\Some Directory") == efi::kSuccess);
    const auto data = pattern(100'003, 7);
    REQUIRE(b.write(u"\\Some Directory\\Mixed Case Name.bin", data) == efi::kSuccess);
    REQUIRE(b.write(u"\\SHORT.BIN", data) == efi::kSuccess);
    REQUIRE(b.write(u"\\lower.bin", data) == efi::kSuccess);
    for (int i = 0; i < 60; i++)
      REQUIRE(b.write(u"\\Some Directory\\file number " + std::u16string(1, char16_t(u'A' + i % 26)) +
                          std::u16string(1, char16_t(u'0' + i / 26)),
                      {1, 2, 3}) == efi::kSuccess);
    // Overwrite the middle, append, truncate, leave a gap.
    REQUIRE(b.write(u"\\SHORT.BIN", pattern(5000, 9), 50'000) == efi::kSuccess);
    REQUIRE(b.write(u"\\SHORT.BIN", pattern(777, 10), 100'003) == efi::kSuccess);
    REQUIRE(b.write(u"\\gap", {0xff}, 20'000) == efi::kSuccess);
    File lower;
    REQUIRE(b.volume->open(b.volume->root(), u"lower.bin", lower) == efi::kSuccess);
    REQUIRE(b.volume->resize(lower, 1000) == efi::kSuccess);
    // Rename, move, delete.
    REQUIRE(b.volume->rename(lower, u"Renamed File") == efi::kSuccess);
    REQUIRE(b.volume->rename(lower, u"\\Some Directory\\moved") == efi::kSuccess);
    REQUIRE(b.write(u"\\deleted", data) == efi::kSuccess);
    REQUIRE(b.remove(u"\\deleted") == efi::kSuccess);
    CHECK(b.remove(u"\\Some Directory") == efi::kAccessDenied);
    REQUIRE(b.volume->set_label(u"newlabel") == efi::kSuccess);
    CHECK_FALSE(b.medium.escaped);

    t.store("i", b.medium.bytes);
    const int fsck = t.run("fsck.fat -n -v i");
    INFO(t.output());
    CHECK(fsck == 0);
    REQUIRE(t.run("mcopy -n -i i '::/Some Directory/Mixed Case Name.bin' a && mcopy -n -i i ::/SHORT.BIN b "
                  "&& mcopy -n -i i ::/gap c && "
                  "mcopy -n -i i '::/Some Directory/moved' d && mdir -i i ::/deleted || true") == 0);
    CHECK(t.load("a") == data);
    auto expected = data;
    const auto middle = pattern(5000, 9), tail = pattern(777, 10);
    std::copy(middle.begin(), middle.end(), expected.begin() + 50'000);
    expected.insert(expected.end(), tail.begin(), tail.end());
    CHECK(t.load("b") == expected);
    auto gap = std::vector<u8>(20'001);
    gap.back() = 0xff;
    CHECK(t.load("c") == gap);
    CHECK(t.load("d") == std::vector<u8>(data.begin(), data.begin() + 1000));
    REQUIRE(t.run("mdir -i i ::") == 0);
    CHECK(t.output().find("2020-09-13") != std::string::npos);
    CHECK(t.output().find("NEWLABEL") != std::string::npos);

    // Everything deleted again: the space is back.
    for (const auto& name : b.list(u"\\Some Directory"))
      if (name[0] != u'.') REQUIRE(b.remove(u"\\Some Directory\\" + name) == efi::kSuccess);
    for (const auto& name : b.list(u"\\")) REQUIRE(b.remove(u"\\" + name) == efi::kSuccess);
    REQUIRE(b.volume->free_bytes(free_after) == efi::kSuccess);
    CHECK(free_after == free_before);
    t.store("i", b.medium.bytes);
    CHECK(t.run("fsck.fat -n i") == 0);
  }
}

TEST_CASE("FAT: a full volume refuses and stays consistent", "[fat]") {
  NEED_TOOLS();
  TemporaryFolder t;
  REQUIRE(t.run(kFormats[0].command) == 0);
  Bench b(t.load("i"));
  CHECK(b.write(u"\\huge", std::vector<u8>(3'000'000)) == efi::kVolumeFull);
  CHECK(b.write(u"\\fits", pattern(1'300'000, 3)) == efi::kSuccess);
  CHECK(b.write(u"\\too much", pattern(300'000, 3)) == efi::kVolumeFull);
  for (int i = 0; i < 400; i++)
    if (efi_error(b.write(u"\\N" + std::u16string{char16_t(u'A' + i / 26), char16_t(u'A' + i % 26)}, {})))
      break;
  t.store("i", b.medium.bytes);
  const int fsck = t.run("fsck.fat -n -v i");
  INFO(t.output());
  CHECK(fsck == 0);
  CHECK(b.read(u"\\fits") == pattern(1'300'000, 3));
}

TEST_CASE("FAT: renaming refuses loops and collisions, write protection holds", "[fat]") {
  NEED_TOOLS();
  TemporaryFolder t;
  REQUIRE(t.run(kFormats[1].command) == 0);
  Bench b(t.load("i"));
  REQUIRE(b.make_directory(u"\\a") == efi::kSuccess);
  REQUIRE(b.make_directory(u"\\a\\b") == efi::kSuccess);
  REQUIRE(b.write(u"\\file", {1}) == efi::kSuccess);
  File a, f;
  REQUIRE(b.volume->open(b.volume->root(), u"a", a) == efi::kSuccess);
  REQUIRE(b.volume->open(b.volume->root(), u"file", f) == efi::kSuccess);
  CHECK(b.volume->rename(a, u"\\a\\b\\c") == efi::kAccessDenied);
  CHECK(b.volume->rename(f, u"\\a") == efi::kAccessDenied);
  CHECK(b.volume->rename(f, u"\\bad*name") == efi::kInvalidParameter);
  CHECK(b.volume->rename(f, u"FILE") == efi::kSuccess);  // only the case changes
  File b_directory;
  REQUIRE(b.volume->open(b.volume->root(), u"a\\b", b_directory) == efi::kSuccess);
  CHECK(b.volume->rename(b_directory, u"\\top") == efi::kSuccess);
  File up;
  CHECK(b.volume->open(b_directory, u"..\\FILE", up) == efi::kSuccess);
  t.store("i", b.medium.bytes);
  CHECK(t.run("fsck.fat -n i") == 0);
  b.medium.locked = true;
  CHECK(b.write(u"\\x", {1}) == efi::kWriteProtected);
  CHECK(b.remove(u"\\FILE") == efi::kWriteProtected);
  CHECK_FALSE(b.medium.escaped);
}

TEST_CASE("FAT: volumes on media with 2048-byte blocks work", "[fat]") {
  NEED_TOOLS();
  TemporaryFolder t;
  REQUIRE(t.run(kFormats[1].command) == 0);
  Bench b(t.load("i"), 2048);
  REQUIRE(b.write(u"\\x\u00e9y", pattern(12'345, 2)) == efi::kSuccess);
  CHECK(b.read(u"\\x\u00e9y") == pattern(12'345, 2));
  t.store("i", b.medium.bytes);
  CHECK(t.run("fsck.fat -n i") == 0);
}

TEST_CASE("FAT: 8.3 names and checksums match the specification", "[fat]") {
  ShortName n;
  u8 flags = 0;
  CHECK(to_short_name(u"BOOTIA64.EFI", n, flags));
  CHECK(std::string(n.begin(), n.end()) == "BOOTIA64EFI");
  CHECK(flags == 0);
  CHECK(to_short_name(u"readme.TXT", n, flags));
  CHECK(flags == 0x08);
  CHECK_FALSE(to_short_name(u"Mixed.txt", n, flags));
  CHECK_FALSE(to_short_name(u"a.b.c", n, flags));
  CHECK_FALSE(to_short_name(u".profile", n, flags));
  const ShortName alias = make_alias(u"The quick brown.fox", 12);
  CHECK(std::string(alias.begin(), alias.end()) == "THEQU~12FOX");
  // Hand-computed: rotate right, add, over "A          ".
  u8 sum = 0;
  for (const char c : std::string("A          "))
    sum = static_cast<u8>(((sum & 1) ? 0x80 : 0) + (sum >> 1) + c);
  CHECK(checksum(ShortName{'A', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '}) == sum);
}

TEST_CASE("FAT: random damage never leaves the medium, crashes or loops", "[fat]") {
  NEED_TOOLS();
  for (const Format& f : kFormats) {
    if (f.bits == 32) continue;  // same code with a larger image; the small ones cover it quickly
    TemporaryFolder t;
    t.store("big", pattern(100'000, 1));
    REQUIRE(t.run(std::string(f.bits == 16 ? "truncate -s 5M i && mkfs.fat -F 16 -s 1 i" : f.command) +
                  " && mmd -i i ::/d && mcopy -i i big '::/d/a long name here' && mcopy -i i big ::/x") == 0);
    const auto image = t.load("i");
    u32 seed = 42;
    const auto next = [&seed] { return seed = seed * 1664525 + 1013904223, seed >> 8; };
    for (int round = 0; round < 150; round++) {
      auto bad = image;
      for (int i = 0; i < 12; i++) {
        // Mostly in boot sector, tables and directories: the first 60 KiB.
        const size_t at = round % 3 == 0 ? next() % 64 : next() % 60'000;
        bad[at] = static_cast<u8>(next() % 3 ? next() : 0xff);
      }
      Bench b(std::move(bad));
      if (!b.volume) continue;
      File file;
      for (const auto* path : {u"\\d\\a long name here", u"\\x", u"\\d\\..\\d\\x"})
        if (!efi_error(b.volume->open(b.volume->root(), path, file)) && !file->is_directory()) {
          std::vector<u8> out(std::min<u32>(file->size(), 200'000));
          (void)b.volume->read(file, 0, out.size(), [&](u64 at, u64 done, u64 n) {
            return read_medium_bytes(b.medium, at, n, &out[done]);
          });
        }
      u64 space = 0;
      (void)b.volume->free_bytes(space);
      (void)b.write(u"\\d\\new file", pattern(5000, 1));
      (void)b.make_directory(u"\\d\\sub");
      (void)b.remove(u"\\x");
      (void)b.remove(u"\\d");
      std::u16string label;
      (void)b.volume->label(label);
      CHECK_FALSE(b.medium.escaped);
    }
  }
}

TEST_CASE("FAT: circular chains end", "[fat]") {
  NEED_TOOLS();
  TemporaryFolder t;
  t.store("big", pattern(100'000, 1));
  REQUIRE(
      t.run("truncate -s 20M i && mkfs.fat -F 16 -s 4 -R 1 i && mmd -i i ::/d && mcopy -i i big ::/d/f") ==
      0);
  auto image = t.load("i");
  // Directory d is cluster 2: let it point at itself in both tables.
  const u32 reserved = load_le<u16>(&image[14]), table = load_le<u16>(&image[22]);
  for (u32 copy = 0; copy < 2; copy++) store_le(&image[(reserved + copy * table) * 512 + 4], u16{2});
  Bench b(image);
  REQUIRE(b.volume);
  File f;
  CHECK(b.volume->open(b.volume->root(), u"\\d\\missing", f) == efi::kNotFound);
  CHECK(efi_error(b.remove(u"\\d")));
  CHECK(b.volume->open(b.volume->root(), u"\\d\\f", f) == efi::kSuccess);
}

TEST_CASE("FAT: time stamps convert both ways", "[fat]") {
  const Stamp s{(40 << 9) | (9 << 5) | 13, (12 << 11) | (26 << 5) | 20};  // 2020-09-13 12:26:40
  const EfiTime t = fat::to_efi_time(s);
  CHECK(t.year == 2020);
  CHECK(t.month == 9);
  CHECK(t.day == 13);
  CHECK(t.minute == 26);
  CHECK(t.second == 40);
  CHECK(to_stamp(t).date == s.date);
  CHECK(to_stamp(t).time == s.time);
  CHECK(fat::to_efi_time({0, 0}).month == 1);
}
