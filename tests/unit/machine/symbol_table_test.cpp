// Symbols: look-up by address and name, files that hold them.
#include "machine/debugger/symbol_files.h"

#include <filesystem>
#include <fstream>
#include <random>

#include "base/endian.h"
#include "machine/debugger/symbol_table.h"
#include "tests/support/test.h"

using namespace ia64;
using namespace ia64::machine::debugger;

namespace {

std::string find(const SymbolTable& t, u64 address) { return t.name_of(address); }

/// Symbols of a hand-made ELF file: one section of symbols, one of names.
struct ElfBuilder {
  std::vector<u8> bytes = std::vector<u8>(64);
  std::string names = std::string(1, '\0');
  std::vector<u8> symbols = std::vector<u8>(24);

  void symbol(const std::string& name, u64 value, u64 size, u8 info, u16 section) {
    const size_t at = symbols.size();
    symbols.resize(at + 24);
    store_le(&symbols[at], static_cast<u32>(names.size()));
    symbols[at + 4] = info;
    store_le(&symbols[at + 6], section);
    store_le(&symbols[at + 8], value);
    store_le(&symbols[at + 16], size);
    names += name + '\0';
  }
  std::vector<u8> build() {
    std::vector<u8> out = bytes;
    const u8 ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    std::copy(std::begin(ident), std::end(ident), out.begin());
    store_le(&out[18], u16{50});
    const u64 symbols_at = out.size();
    out.insert(out.end(), symbols.begin(), symbols.end());
    const u64 names_at = out.size();
    out.insert(out.end(), names.begin(), names.end());
    const u64 headers_at = out.size();
    out.resize(headers_at + 3 * 64);
    section(out, headers_at + 64, 2, symbols_at, symbols.size(), 2);
    section(out, headers_at + 128, 3, names_at, names.size(), 0);
    store_le(&out[40], headers_at);
    store_le(&out[58], u16{64});
    store_le(&out[60], u16{3});
    return out;
  }
  static void section(std::vector<u8>& out, u64 at, u32 type, u64 offset, u64 size, u32 link) {
    store_le(&out[at + 4], type);
    store_le(&out[at + 24], offset);
    store_le(&out[at + 32], size);
    store_le(&out[at + 40], link);
  }
};

}  // namespace

TEST_CASE("symbols: the nearest below an address, within its module", "[symbols]") {
  SymbolTable t;
  t.add("kernel", {{0x2000, 0x100, "second", true}, {0x1000, 0x100, "first", true}, {0x3000, 0, "end", true}});
  CHECK(find(t, 0x1000) == "first");
  CHECK(find(t, 0x1fff) == "first+0xfff");
  CHECK(find(t, 0x2010) == "second+0x10");
  CHECK(find(t, 0x3000) == "end");
  CHECK(find(t, 0x3001).empty());
  CHECK(find(t, 0xfff).empty());
  t.add("program", {{0x2800, 0x10, "main", true}});
  CHECK(find(t, 0x2808) == "main+0x8");
  CHECK(find(t, 0x2811) == "second+0x811");
  t.remove("program");
  CHECK(find(t, 0x2808) == "second+0x808");
}

TEST_CASE("symbols: of several names at an address a global one is shown, those of the assembler never", "[symbols]") {
  SymbolTable t;
  t.add("m", {{0x10, 0, ".L5", false}, {0x10, 0, "local", false}, {0x10, 0, "global", true}, {0x20, 0, "$d", false}});
  CHECK(find(t, 0x10) == "global");
  CHECK(t.address_of("local") == 0x10);
  CHECK_FALSE(t.address_of(".L5"));
  CHECK(t.names("", 10) == std::vector<std::string>{"global", "local"});
  CHECK(t.names("gl", 10) == std::vector<std::string>{"global"});
  t.add("m", {});
  CHECK(t.empty());
}

TEST_CASE("symbols: System.map lines; undefined and absolute names are left out", "[symbols]") {
  auto s = map_symbols("a000000100000000 T _stext\na000000100000020 t helper\n0000000000000005 A absolute\n                 U printk\n\n");
  REQUIRE(s);
  REQUIRE(s->size() == 2);
  CHECK((*s)[0].address == 0xa000000100000000);
  CHECK((*s)[0].preferred);
  CHECK((*s)[1].name == "helper");
  CHECK_FALSE((*s)[1].preferred);
  CHECK(map_symbols("")->empty());
  const auto bad = map_symbols("a000000100000000 T _stext\nhello\n");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message.find("line 2") != std::string::npos);
}

TEST_CASE("symbols: an ELF symbol table; sections, files, undefined and absolute names are left out", "[symbols]") {
  ElfBuilder elf;
  elf.symbol("start", 0x4000, 0x40, 0x12, 1);   // global function
  elf.symbol("data", 0x8000, 8, 0x01, 2);       // local object
  elf.symbol("", 0x4000, 0, 0x03, 1);           // section
  elf.symbol("a.c", 0, 0, 0x04, 0xfff1);        // file
  elf.symbol("printk", 0, 0, 0x10, 0);          // undefined
  elf.symbol("constant", 7, 0, 0x10, 0xfff1);   // absolute
  const auto s = elf_symbols(elf.build());
  REQUIRE(s);
  REQUIRE(s->size() == 2);
  CHECK((*s)[0].name == "start");
  CHECK((*s)[0].preferred);
  CHECK((*s)[0].size_bytes == 0x40);
  CHECK((*s)[1].name == "data");
  CHECK_FALSE((*s)[1].preferred);
}

TEST_CASE("symbols: damaged ELF files are refused or give fewer names, never more", "[symbols]") {
  ElfBuilder elf;
  elf.symbol("start", 0x4000, 0x40, 0x12, 1);
  const std::vector<u8> good = elf.build();
  CHECK_FALSE(elf_symbols({}));
  std::mt19937 random(7);
  for (int n = 0; n < 20000; n++) {
    std::vector<u8> bad = good;
    for (int k = 0; k < 3; k++) bad[random() % bad.size()] = static_cast<u8>(random());
    if (n % 3 == 0) bad.resize(random() % bad.size());
    (void)elf_symbols(bad);
  }
  auto other = good;
  store_le(&other[18], u16{62});
  CHECK(elf_symbols(other).error().message == "its ELF data is not for IA-64");
}

TEST_CASE("symbols: --symbols takes FILE@EFI-NAME", "[symbols]") {
  const auto folder = std::filesystem::temp_directory_path() / "ivm_symbols_test";
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "a.map").string();
  std::ofstream(path) << "0000000000001000 T efi_main\n";
  const auto twin = read_symbol_file(path + "@bootia64.efi");
  REQUIRE(twin);
  CHECK(twin->efi_name == "BOOTIA64.EFI");
  CHECK(twin->path == path);
  CHECK(read_symbol_file(path)->efi_name.empty());
  CHECK(read_symbol_file((folder / "none").string()).error().message.find("symbol file") == 0);
  std::filesystem::remove_all(folder);
}
