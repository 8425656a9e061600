// Firmware tables read back by independent little parsers, and by iasl when it is installed.
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "firmware/tables/acpi.h"
#include "firmware/tables/aml.h"
#include "firmware/tables/pcdp.h"
#include "firmware/tables/sal_system_table.h"
#include "firmware/tables/smbios.h"
#include "tests/support/test.h"
#include "tests/unit/firmware_tables/test_board.h"

using namespace ia64;
using namespace ia64::firmware;
using namespace ia64::firmware::testing;

namespace {

template <class T>
T at(const std::vector<u8>& v, size_t offset) {
  REQUIRE(offset + sizeof(T) <= v.size());
  return load_le<T>(v.data() + offset);
}

std::string signature(const std::vector<u8>& t) {
  return {t.begin(), t.begin() + 4};
}

/// Reads a table with its length from its own header and checks the checksum.
std::vector<u8> acpi_table(TableRam& ram, GuestPhys address) {
  const auto t = ram.bytes(address, at<u32>(ram.bytes(address, 8), 4));
  CHECK(sum(t, 0, t.size()) == 0);
  return t;
}

std::map<std::string, std::vector<u8>> all_acpi_tables(TableRam& ram, GuestPhys rsdp_address) {
  const auto rsdp = ram.bytes(rsdp_address, 36);
  REQUIRE(std::string(rsdp.begin(), rsdp.begin() + 8) == "RSD PTR ");
  CHECK(sum(rsdp, 0, 20) == 0);
  CHECK(sum(rsdp, 0, 36) == 0);
  CHECK(rsdp[15] == 2);
  std::map<std::string, std::vector<u8>> out;
  const auto xsdt = acpi_table(ram, at<u64>(rsdp, 24));
  out["XSDT"] = xsdt;
  for (size_t i = 36; i < xsdt.size(); i += 8) {
    auto t = acpi_table(ram, at<u64>(xsdt, i));
    out[signature(t)] = t;
  }
  out["DSDT"] = acpi_table(ram, at<u64>(out.at("FACP"), 140));
  return out;
}

}  // namespace

TEST_CASE("ACPI: RSDP leads to every table with correct checksums", "[acpi]") {
  TableRam ram;
  const auto tables = all_acpi_tables(ram, install_acpi(hpvm_board(), ram.bus, ram.allocator()));
  CHECK(tables.count("APIC") == 1);
  CHECK(tables.count("SPCR") == 1);
  const auto& x = tables.at("XSDT");
  CHECK(std::string(x.begin() + 10, x.begin() + 16) == std::string("HP\0\0\0\0", 6));
}

TEST_CASE("ACPI: FADT revision 3 describes the memory-mapped PM block", "[acpi]") {
  TableRam ram;
  const auto tables = all_acpi_tables(ram, install_acpi(hpvm_board(), ram.bus, ram.allocator()));
  const auto& f = tables.at("FACP");
  REQUIRE(f.size() == 244);
  CHECK(f[8] == 3);
  CHECK(at<u16>(f, 46) == 81);  // SCI_INT
  CHECK(at<u32>(f, 48) == 0);   // SMI_CMD
  CHECK(f[88] == 4);            // PM1_EVT_LEN
  CHECK(f[89] == 2);
  CHECK(f[91] == 4);
  CHECK((at<u32>(f, 112) & (1 << 4)) == 0);  // fixed power button
  CHECK((at<u32>(f, 112) & (1 << 8)) != 0);  // 32-bit timer
  CHECK(f[148] == 0);                        // X_PM1a_EVT_BLK in system memory
  CHECK(f[149] == 32);
  CHECK(at<u64>(f, 152) == 0xff5c'1008);
  CHECK(f[173] == 16);
  CHECK(at<u64>(f, 176) == 0xff5c'100c);  // X_PM1a_CNT_BLK
  CHECK(f[209] == 32);
  CHECK(at<u64>(f, 212) == 0xff5c'1004);  // X_PM_TMR_BLK
  const auto facs = ram.bytes(at<u64>(f, 132), 64);
  CHECK(signature(facs) == "FACS");
  CHECK(at<u64>(f, 132) % 64 == 0);
  CHECK(at<u32>(facs, 4) == 64);
}

TEST_CASE("ACPI: MADT lists local SAPICs and the I/O SAPIC", "[acpi]") {
  const auto m = build_madt(hpvm_board());
  CHECK(at<u32>(m, 36) == 0xfee0'0000);
  CHECK(at<u32>(m, 40) == 0);
  size_t cpus = 0, sapics = 0, i = 44;
  for (; i < m.size(); i += m[i + 1]) {
    REQUIRE(m[i + 1] >= 12);
    if (m[i] == 7) {
      CHECK(m[i + 3] == cpus);
      CHECK(m[i + 4] == 0);
      CHECK(at<u32>(m, i + 8) == 1);
      cpus++;
    } else if (m[i] == 6) {
      CHECK(at<u32>(m, i + 4) == 16);
      CHECK(at<u64>(m, i + 8) == 0xfec0'0000);
      sapics++;
    }
  }
  CHECK(i == m.size());
  CHECK(cpus == 2);
  CHECK(sapics == 1);
}

TEST_CASE("ACPI: SPCR names the console UART", "[acpi]") {
  const auto s = build_spcr(hpvm_board());
  REQUIRE(s.size() == 80);
  CHECK(at<u64>(s, 44) == 0xff5e'0000);
  CHECK(at<u32>(s, 54) == 80);
  CHECK(s[58] == 7);
  CHECK(at<u16>(s, 64) == 0xffff);
}

TEST_CASE("AML: identifiers and package lengths follow the specification's examples", "[acpi]") {
  // ACPI 19.3.4: EISAID("PNP0A03") is 0x030AD041, stored little-endian after DWordPrefix.
  CHECK(aml::eisa_id("PNP0A03") == aml::Term{0x0c, 0x41, 0xd0, 0x0a, 0x03});
  CHECK(aml::name("_UID", aml::integer(1)) == aml::Term{0x08, '_', 'U', 'I', 'D', 0x0a, 0x01});
  const auto small = aml::scope("\\_SB", aml::Term(10, 0xa3));
  CHECK(small[1] == 16);  // itself, \_SB_ and ten Noops
  const auto large = aml::scope("\\_SB", aml::Term(0x3f - 5, 0xa3));
  CHECK(large[1] == (0x40 | ((0x3f + 2) & 0xf)));
  CHECK(large[2] == (0x3f + 2) >> 4);
}

TEST_CASE("AML: iasl disassembles the DSDT and compiles the result without error", "[acpi]") {
  if (std::system("command -v iasl >/dev/null 2>&1") != 0) SKIP_TEST("iasl (acpica-tools) is not installed");
  char folder[] = "/tmp/ivm-dsdt-XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  const std::string base = folder;
  const auto put = [&](const char* name, const std::vector<u8>& t) {
    std::ofstream(base + "/" + name, std::ios::binary)
        .write(reinterpret_cast<const char*>(t.data()), static_cast<std::streamsize>(t.size()));
  };
  const auto board = hpvm_board();
  put("dsdt.aml", build_dsdt(board));
  put("apic.aml", build_madt(board));
  put("facp.aml", build_fadt(board, 0x1000, 0x2000));
  put("spcr.aml", build_spcr(board));
  const auto run = [&](const std::string& arguments) {
    return std::system(("cd " + base + " && iasl " + arguments + " > out.txt 2>&1").c_str());
  };
  const auto text_of = [&](const char* name) {
    std::ostringstream s;
    s << std::ifstream(base + "/" + name).rdbuf();
    return s.str();
  };
  CHECK(run("-d dsdt.aml") == 0);
  CHECK(text_of("out.txt").find("rror") == std::string::npos);
  const std::string dsl = text_of("dsdt.dsl");
  CHECK(dsl.find("Device (PC07)") != std::string::npos);
  CHECK(dsl.find("EisaId (\"PNP0501\")") != std::string::npos);
  CHECK(dsl.find("SparseTranslation") != std::string::npos);
  CHECK(dsl.find("0x00000FFFFC000000") != std::string::npos);
  CHECK(run("dsdt.dsl") == 0);
  INFO(text_of("out.txt"));
  CHECK(text_of("out.txt").find(" 0 Errors") != std::string::npos);
  for (const char* name : {"apic.aml", "facp.aml", "spcr.aml"}) {
    CHECK(run(std::string("-d ") + name) == 0);
    INFO(text_of("out.txt"));
    CHECK(text_of("out.txt").find("rror") == std::string::npos);
  }
  std::filesystem::remove_all(base);
}

TEST_CASE("SMBIOS: entry point and structure chain are consistent", "[smbios]") {
  TableRam ram;
  const auto entry = ram.bytes(install_smbios(hpvm_board(), ram.bus, ram.allocator()), 31);
  CHECK(sum(entry, 0, 31) == 0);
  CHECK(sum(entry, 16, 15) == 0);
  const auto table = ram.bytes(at<u32>(entry, 0x18), at<u16>(entry, 0x16));
  std::map<u8, unsigned> seen;
  std::map<u16, unsigned> handles;
  size_t i = 0;
  unsigned count = 0;
  std::vector<std::string> system_strings;
  while (i < table.size()) {
    const u8 type = table[i];
    CHECK(++handles[at<u16>(table, i + 2)] == 1);
    size_t s = i + table[i + 1];
    while (table.at(s) || table.at(s + 1)) {
      if (type == 1 && (s == i + table[i + 1] || table[s - 1] == 0))
        system_strings.push_back(reinterpret_cast<const char*>(&table[s]));
      s++;
    }
    seen[type]++, count++;
    if (type == 1) CHECK(table[i + 8] == 0xab);
    if (type == 4) CHECK(table[i + 6] == 0x82);
    i = s + 2;
  }
  CHECK(i == table.size());
  CHECK(count == at<u16>(entry, 0x1c));
  for (u8 type : {0, 1, 2, 3, 16, 32, 127}) CHECK(seen[type] == 1);
  CHECK(seen[4] == 2);
  CHECK(seen[7] == 3);
  CHECK(seen[17] == 1);
  CHECK(seen[19] == 2);
  CHECK(system_strings.at(0) == "hp");
  CHECK(system_strings.at(1) == "server Integrity Virtual Machine");
}

TEST_CASE("PCDP: the first UART is the primary console", "[pcdp]") {
  const auto t = build_pcdp(hpvm_board());
  REQUIRE(t.size() == 40 + 48);
  CHECK(sum(t, 0, t.size()) == 0);
  CHECK(t[8] == 3);
  CHECK(at<u32>(t, 36) == 1);
  CHECK(t[40] == 0);
  CHECK(at<u64>(t, 48) == 115200);
  CHECK(at<u64>(t, 60) == 0xff5e'0000);
  CHECK(at<u32>(t, 72) == 80);
  CHECK(at<u32>(t, 76) == 1'843'200);
  CHECK(t[81] == (2 | 4 | 0x40));
}

TEST_CASE("SAL system table: entry point, PAL code and wake vector", "[sal]") {
  TableRam ram;
  const GuestPhys where = install_sal_system_table(
      {0x3f10'0000, 0x3f20'0000, 0x3f30'0000, {0x3f10'0000, 0x4'0000}}, ram.bus, ram.allocator());
  const auto head = ram.bytes(where, 96);
  CHECK(signature(head) == "SST_");
  const auto t = ram.bytes(where, at<u32>(head, 4));
  CHECK(sum(t, 0, t.size()) == 0);
  CHECK(t[9] == 3);
  CHECK(t[8] == 0x20);
  const std::map<u8, size_t> sizes{{0, 48}, {1, 32}, {2, 16}, {3, 32}, {4, 16}, {5, 16}};
  size_t i = 96;
  unsigned entries = 0;
  for (; i < t.size(); i += sizes.at(t[i]), entries++) {
    if (t[i] == 0) {
      CHECK(at<u64>(t, i + 8) == 0x3f10'0000);
      CHECK(at<u64>(t, i + 16) == 0x3f20'0000);
      CHECK(at<u64>(t, i + 24) == 0x3f30'0000);
    }
    if (t[i] == 5) CHECK(at<u64>(t, i + 8) == 0xff);
  }
  CHECK(i == t.size());
  CHECK(entries == at<u16>(t, 10));
}
