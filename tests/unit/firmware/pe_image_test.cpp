// PE32+ and ELF loading, images made by hand and hostile ones.
#include <cstring>
#include <random>

#include "base/endian.h"
#include "firmware/loader/elf_kernel.h"
#include "firmware/loader/pe_image.h"
#include "firmware/loader/pe_symbols.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::firmware;

namespace {

/// One section at RVA 0x1000 (file offset 0x400): a DIR64 pointer at 0x1008, a movl bundle at 0x1020, entry
/// descriptor 0x1010; relocations at RVA 0x2000.
std::vector<u8> small_image() {
  std::vector<u8> f(0x800);
  auto put16 = [&](size_t at, u16 v) { store_le(&f[at], v); };
  auto put32 = [&](size_t at, u32 v) { store_le(&f[at], v); };
  auto put64 = [&](size_t at, u64 v) { store_le(&f[at], v); };
  put16(0, 0x5a4d), put32(0x3c, 0x80), put32(0x80, 0x4550);
  put16(0x84, 0x200), put16(0x86, 2), put16(0x94, 240);  // machine, sections, optional header size
  const size_t o = 0x98;
  put16(o, 0x20b), put32(o + 16, 0x1010), put64(o + 24, 0x40'0000);
  put32(o + 56, 0x3000), put32(o + 60, 0x400), put16(o + 68, 10), put32(o + 108, 16);
  put32(o + 112 + 40, 0x2000), put32(o + 112 + 44, 16);  // base relocation directory
  const size_t s = o + 240;
  put32(s + 8, 0x100), put32(s + 12, 0x1000), put32(s + 16, 0x200), put32(s + 20, 0x400);
  put32(s + 40 + 8, 16), put32(s + 40 + 12, 0x2000), put32(s + 40 + 16, 0x200), put32(s + 40 + 20, 0x600);
  put64(0x408, 0x40'1020);
  put64(0x410, 0x40'1020), put64(0x418, 0x40'2000);
  // { .mlx nop.m 0 ; movl r14 = 0x401008 }, as the assembler encodes it
  put64(0x420, 0x0000'4001'0000'0005), put64(0x428, 0x6080'0081'c000'0000);
  put32(0x600, 0x1000), put32(0x604, 16);
  put16(0x608, 10 << 12 | 8), put16(0x60a, 9 << 12 | 0x20), put16(0x60c, 10 << 12 | 0x10), put16(0x60e, 0);
  return f;
}

/// The value of a movl, taken apart the slow way: one bit at a time by bundle bit number.
u64 movl_value(const u8* bundle) {
  const auto bit_at = [&](unsigned n) { return u64{bundle[n / 8]} >> (n % 8) & 1; };
  u64 v = 0;
  for (unsigned i = 0; i < 7; i++) v |= bit_at(87 + 13 + i) << i;
  for (unsigned i = 0; i < 9; i++) v |= bit_at(87 + 27 + i) << (7 + i);
  for (unsigned i = 0; i < 5; i++) v |= bit_at(87 + 22 + i) << (16 + i);
  v |= bit_at(87 + 21) << 21;
  for (unsigned i = 0; i < 41; i++) v |= bit_at(46 + i) << (22 + i);
  return v | bit_at(87 + 36) << 63;
}

}  // namespace

TEST_CASE("an image is laid out and relocated, pointers and movl alike") {
  EfiStatus s;
  const auto file = small_image();
  const auto image = PeImage::parse(file, s);
  REQUIRE(s == efi::kSuccess);
  CHECK(image.kind() == ImageKind::Application);
  CHECK(image.size_bytes() == 0x3000);
  CHECK(image.entry() == 0x1010);
  const auto here = image.relocated(0x40'0000);
  CHECK(load_le<u64>(&here[0x1008]) == 0x40'1020);
  const u64 before = movl_value(&here[0x1020]);
  const u64 delta = 0x1234'5678'0000;
  const auto there = image.relocated(0x40'0000 + delta);
  REQUIRE(there.size() == 0x3000);
  CHECK(load_le<u64>(&there[0x1008]) == 0x40'1020 + delta);
  CHECK(load_le<u64>(&there[0x1010]) == 0x40'1020 + delta);
  CHECK(load_le<u64>(&there[0x1018]) == 0x40'2000);
  CHECK(movl_value(&there[0x1020]) == before + delta);
  // Nothing else of the bundle changes: subtracting gives the original back.
  auto back = there;
  relocate_movl(&back[0x1020], u64{0} - delta);
  CHECK(std::equal(&back[0x1020], &back[0x1030], &here[0x1020]));
}

TEST_CASE("movl relocation equals the assembler's encoding") {
  // ia64-linux-gnu-as: { .mlx nop.m 0 ; movl r14 = X } for X = 0x401008, and for X = 0x8123456789abcdef
  const u64 from[] = {0x0000400100000005, 0x60800081c0000000},
            to[] = {0x6789800100000005, 0x6e6d76f1c0012345};
  u8 bundle[16];
  store_le(&bundle[0], from[0]), store_le(&bundle[8], from[1]);
  CHECK(movl_value(bundle) == 0x401008);
  relocate_movl(bundle, 0x8123456789abcdef - 0x401008);
  CHECK(load_le<u64>(&bundle[0]) == to[0]);
  CHECK(load_le<u64>(&bundle[8]) == to[1]);
}

TEST_CASE("images for other machines, subsystems and formats are refused as such") {
  const auto status_of = [](std::vector<u8> f) {
    EfiStatus s;
    (void)PeImage::parse(f, s);
    return s;
  };
  auto f = small_image();
  store_le(&f[0x84], u16{0x8664});
  CHECK(status_of(f) == efi::kUnsupported);
  f = small_image();
  store_le(&f[0x98 + 68], u16{3});
  CHECK(status_of(f) == efi::kUnsupported);
  f = small_image();
  store_le(&f[0x98], u16{0x10b});
  CHECK(status_of(f) == efi::kUnsupported);
  CHECK(status_of({}) == efi::kUnsupported);
  f = small_image();
  store_le(&f[0x98 + 16], u32{0x2ff8});
  CHECK(status_of(f) == efi::kLoadError);
  f = small_image();
  store_le(&f[0x98 + 240 + 12], u32{0xffff'f000});
  CHECK(status_of(f) == efi::kLoadError);
  f = small_image();
  store_le(&f[0x98 + 56], u32{0xffff'ffff});
  CHECK(status_of(f) == efi::kLoadError);
}

TEST_CASE("a relocation outside of the image makes it unloadable") {
  auto f = small_image();
  store_le(&f[0x600], u32{0x2fff'f000});
  EfiStatus s;
  const auto image = PeImage::parse(f, s);
  REQUIRE(s == efi::kSuccess);
  CHECK(image.relocated(0).empty());
}

TEST_CASE("mutated images never make the loader misbehave") {
  std::mt19937 random(4);
  const auto good = small_image();
  for (int round = 0; round < 20000; round++) {
    auto f = good;
    for (int n = random() % 8 + 1; n; n--)
      f[random() % (random() % 2 ? 0x260 : f.size())] = static_cast<u8>(random() % 3 ? random() : 0xff);
    if (random() % 4 == 0) f.resize(random() % f.size());
    EfiStatus s;
    const auto image = PeImage::parse(f, s);
    if (s == efi::kSuccess && image.size_bytes() < (1 << 20)) (void)image.relocated(random());
  }
}

TEST_CASE("an ELF kernel's segments and entry are found; others are named for what they are") {
  std::vector<u8> f(0x200);
  std::copy_n("\177ELF\2\1\1", 7, f.begin());
  store_le(&f[16], u16{2}), store_le(&f[18], u16{50});
  store_le(&f[24], u64{0x400'0010}), store_le(&f[32], u64{64}), store_le(&f[54], u16{56}),
      store_le(&f[56], u16{1});
  store_le(&f[64], u32{1}), store_le(&f[72], u64{0x100}), store_le(&f[80], u64{0xa000'0001'0000'0000}),
      store_le(&f[88], u64{0x400'0000}), store_le(&f[96], u64{0x80}), store_le(&f[104], u64{0x100});
  auto k = ElfKernel::parse(f);
  REQUIRE(k);
  CHECK(k->entry() == 0x400'0010);
  REQUIRE(k->segments().size() == 1);
  CHECK(k->segments()[0].memory_bytes == 0x100);
  store_le(&f[24], u64{0xa000'0001'0000'0020});
  CHECK(ElfKernel::parse(f)->entry() == 0x400'0020);
  auto bad = f;
  store_le(&bad[18], u16{62});
  CHECK(!ElfKernel::parse(bad));
  bad = f;
  store_le(&bad[96], u64{0x1000});
  CHECK(!ElfKernel::parse(bad));
  bad = f;
  store_le(&bad[24], u64{0x99});
  CHECK(!ElfKernel::parse(bad));
  for (size_t n = 0; n < f.size(); n++) (void)ElfKernel::parse({f.data(), n});
}

TEST_CASE("the boot parameter block has Linux's layout") {
  LinuxBootParameters p;
  p.command_line = 1, p.efi_system_table = 2, p.efi_memory_map = 3, p.memory_map_bytes = 4,
  p.descriptor_bytes = 5;
  p.fpswa = 7, p.initrd_start = 8, p.initrd_bytes = 9;
  const auto b = p.bytes();
  CHECK(load_le<u64>(&b[0]) == 1);
  CHECK(load_le<u64>(&b[32]) == 5);
  CHECK(load_le<u32>(&b[40]) == 1);
  CHECK(load_le<u16>(&b[44]) == 80);
  CHECK(load_le<u16>(&b[46]) == 25);
  CHECK(load_le<u64>(&b[56]) == 7);
  CHECK(load_le<u64>(&b[64]) == 8);
  CHECK(load_le<u64>(&b[72]) == 9);
}

TEST_CASE("PE symbols: short and long names of sections; damaged tables end early", "[pe]") {
  std::vector<u8> f = small_image();
  const u32 table = static_cast<u32>(f.size());
  store_le(&f[0x84 + 8], table), store_le(&f[0x84 + 12], u32{5});
  f.resize(table + 5 * 18);
  const auto entry = [&](unsigned n, u32 value, u16 section, u8 storage, u8 auxiliary) {
    u8* const at = &f[table + n * 18];
    store_le(at + 8, value), store_le(at + 12, section);
    at[16] = storage, at[17] = auxiliary;
  };
  std::memcpy(&f[table], "efi_main", 8), entry(0, 0x20, 1, 2, 0);
  std::memcpy(&f[table + 18], ".text", 5), entry(1, 0, 1, 3, 1);  // the section, with an auxiliary record behind it
  store_le(&f[table + 3 * 18 + 4], u32{4}), entry(3, 0x8, 1, 3, 0);
  std::memcpy(&f[table + 4 * 18], "extern", 6), entry(4, 0, 0, 2, 0);  // undefined
  const std::string strings("\x1a\0\0\0a_name_beyond_eight\0", 24);
  f.insert(f.end(), strings.begin(), strings.end());
  const auto symbols = pe_symbols(f);
  REQUIRE(symbols.size() == 2);
  CHECK(symbols[0].name == "efi_main");
  CHECK(symbols[0].rva == 0x1020);
  CHECK(symbols[1].name == "a_name_beyond_eight");
  CHECK(symbols[1].rva == 0x1008);
  CHECK(pe_symbols(small_image()).empty());
  std::mt19937 random(3);
  for (int n = 0; n < 5000; n++) {
    auto bad = f;
    for (int k = 0; k < 4; k++) bad[random() % bad.size()] = static_cast<u8>(random());
    if (n % 4 == 0) bad.resize(random() % bad.size());
    (void)pe_symbols(bad);
  }
}
