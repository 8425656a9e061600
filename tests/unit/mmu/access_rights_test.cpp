// Page access rights: the manual's table, cell by cell, against the function and against real accesses.
#include <string>

#include "cpu/mmu/fetch.h"
#include "tests/unit/mmu/fixture.h"

namespace ia64::cpu::test {
namespace {

// SDM vol. 2, table 4-2. Rows: AR, then TLB.pl 3..0; columns: privilege level 3, 2, 1, 0. XPn counts as X.
const char* const kTable[8][4][4] = {
    {{"R", "R", "R", "R"}, {"", "R", "R", "R"}, {"", "", "R", "R"}, {"", "", "", "R"}},
    {{"RX", "RX", "RX", "RX"}, {"", "RX", "RX", "RX"}, {"", "", "RX", "RX"}, {"", "", "", "RX"}},
    {{"RW", "RW", "RW", "RW"}, {"", "RW", "RW", "RW"}, {"", "", "RW", "RW"}, {"", "", "", "RW"}},
    {{"RWX", "RWX", "RWX", "RWX"}, {"", "RWX", "RWX", "RWX"}, {"", "", "RWX", "RWX"}, {"", "", "", "RWX"}},
    {{"R", "RW", "RW", "RW"}, {"", "R", "RW", "RW"}, {"", "", "R", "RW"}, {"", "", "", "RW"}},
    {{"RX", "RX", "RX", "RWX"}, {"", "RX", "RX", "RWX"}, {"", "", "RX", "RWX"}, {"", "", "", "RWX"}},
    {{"RWX", "RW", "RW", "RW"}, {"", "RWX", "RW", "RW"}, {"", "", "RWX", "RW"}, {"", "", "", "RW"}},
    {{"X", "X", "X", "RX"}, {"X", "X", "X", "RX"}, {"X", "X", "X", "RX"}, {"X", "X", "X", "RX"}},
};

bool has(const char* rights, char right) {
  return std::string(rights).find(right) != std::string::npos;
}

}  // namespace

TEST_CASE("page rights follow the manual's table") {
  for (unsigned ar = 0; ar < 8; ar++)
    for (unsigned pl = 0; pl < 4; pl++)
      for (unsigned cpl = 0; cpl < 4; cpl++) {
        INFO("ar " << ar << " pl " << pl << " cpl " << cpl);
        const char* expected = kTable[ar][3 - pl][3 - cpl];
        const u8 rights = page_rights(ar, pl, cpl);
        CHECK(bool(rights & kRightRead) == has(expected, 'R'));
        CHECK(bool(rights & kRightWrite) == has(expected, 'W'));
        CHECK(bool(rights & kRightExecute) == has(expected, 'X'));
      }
}

TEST_CASE("loads, stores and fetches are refused with the right vector and ISR") {
  MmuFixture f;
  const u64 va = 0x4000;
  for (unsigned ar = 0; ar < 8; ar++)
    for (unsigned pl = 0; pl < 4; pl++)
      for (unsigned cpl = 0; cpl < 4; cpl++) {
        INFO("ar " << ar << " pl " << pl << " cpl " << cpl);
        f.map(va, {.pl = pl, .ar = ar, .ppn_address = 0x4000});
        f.map_code(va, {.pl = pl, .ar = ar, .ppn_address = 0x4000});
        f.set_cpl(cpl);
        const char* rights = kTable[ar][3 - pl][3 - cpl];
        for (int twice = 0; twice < 2; twice++) {  // the second time from the software TLB
          const Next read = f.load8(va);
          CHECK((read == Next::Continue) == has(rights, 'R'));
          if (read == Next::Fault) {
            CHECK(f.fault().vector == Vector::DataAccessRights);
            CHECK(f.fault().isr == isr::kR);
            CHECK(f.fault().ifa == va);
          }
          const Next write = f.store8(va, 1);
          CHECK((write == Next::Continue) == has(rights, 'W'));
          if (write == Next::Fault)
            CHECK((f.fault().vector == Vector::DataAccessRights && f.fault().isr == isr::kW));
          FetchPage page;
          const Next fetch = fetch_page(*f.core, va, page);
          CHECK((fetch == Next::Continue) == has(rights, 'X'));
          if (fetch == Next::Fault)
            CHECK((f.fault().vector == Vector::InstructionAccessRights && f.fault().isr == isr::kX));
          else
            CHECK(page.promote_to == (ar == 7 ? pl : 3));
        }
      }
}

}  // namespace ia64::cpu::test
