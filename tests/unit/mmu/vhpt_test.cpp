// VHPT: hash functions against the manual's formula, walks of both formats in both byte orders, and when the
// walker gives up.
#include <map>
#include <random>

#include "base/endian.h"
#include "cpu/mmu/fetch.h"
#include "cpu/mmu/vhpt.h"
#include "tests/unit/mmu/fixture.h"

namespace ia64::cpu::test {
namespace {

constexpr u64 kVa = 0x6000'0000'1234'5678;  // region 3
constexpr u64 kTablePhys = 0x100000;

/// Walker on, the first 64 KiB of the table mapped to kTablePhys (long format) or the one page of kVa's entry
/// (short).
struct VhptFixture : MmuFixture {
  explicit VhptFixture(bool long_format, bool big_endian = false)
      : long_format(long_format), big_endian(big_endian) {
    r().pta =
        (long_format ? u64{5} << 61 | bit(8) : 0) | 0x2'0000'0000 | u64{long_format ? 16u : 40u} << 2 | 1;
    r().dcr = u64{big_endian} << 1;
    for (unsigned n = 0; n < 8; n++) tlb().write_rr(n, rr(14, 0x100 + n, true));
    const u64 entry = mmu::vhpt_address(*core, kVa);
    if (long_format) {
      map(u64{5} << 61 | 0x2'0000'0000, {.ppn_address = kTablePhys}, 16);
    } else {
      map(entry, {.ppn_address = kTablePhys}, 12);
    }
    entry_phys = kTablePhys + (entry & (long_format ? 0xffff : 0xfff));
  }
  void put(u64 at, u64 v) { big_endian ? store_be<u64>(ram() + at, v) : store_le<u64>(ram() + at, v); }
  void fill(u64 pte, u64 itir = make_itir(14, 0x321)) {
    put(entry_phys, pte);
    if (!long_format) return;
    put(entry_phys + 8, itir);
    put(entry_phys + 16, mmu::vhpt_tag(*core, kVa));
  }
  bool long_format, big_endian;
  u64 entry_phys;
};

}  // namespace

TEST_CASE("short-format thash is the manual's linear table") {
  MmuFixture f;
  f.r().pta = 0x1fff'ffff'0000'8000 | 21 << 2;  // 2 MiB: base bits below the size are dropped
  f.tlb().write_rr(3, MmuFixture::rr(14, 5));
  // VPN of kVa in its region: 0x12345678 >> 14 = 0x48d1; entry 0x48d1 * 8 = 0x24688.
  CHECK(mmu::vhpt_address(*f.core, kVa) == (0x6000'0000'0000'0000 | 0x1fff'ffff'0000'0000 | 0x24688));
  // A VPN that fills more than the table wraps: region offset all ones.
  CHECK(mmu::vhpt_address(*f.core, 0x7fff'ffff'ffff'ffff) ==
        (0x6000'0000'0000'0000 | 0x1fff'ffff'0000'0000 | 0x1f'fff8));
  f.r().pta = 52 << 2 | 1;  // as Linux: 16 KiB pages, a table of 2^52 bytes at the region's end
  f.r().pta |= (bit(61) - bit(52)) & ~low_mask(15);
  CHECK(mmu::vhpt_address(*f.core, 0x6000'0000'0000'4000) ==
        (0x6000'0000'0000'0000 | (bit(61) - bit(52)) | 8));
}

TEST_CASE("long-format index and tag together identify a translation in the smallest table") {
  MmuFixture f;
  f.r().pta = u64{5} << 61 | 15 << 2 | bit(8);
  std::mt19937_64 random(4);
  std::map<std::pair<u64, u64>, std::pair<u64, u64>> seen;
  for (int n = 0; n < 200000; n++) {
    const u64 rid = random() % 3 ? random() % 16 : random() & 0xffffff;
    const u64 offset = (random() % 3 ? random() % 4096 : random() & low_mask(47)) << 14;
    f.r().rr[3] = MmuFixture::rr(14, rid);
    const u64 va = u64{3} << 61 | offset, address = mmu::vhpt_address(*f.core, va),
              tag = mmu::vhpt_tag(*f.core, va);
    REQUIRE(address >> 15 == (u64{5} << 61) >> 15);
    REQUIRE(address % 32 == 0);
    REQUIRE((tag >> 63) == 0);
    const auto [it, fresh] = seen.try_emplace({address, tag}, rid, offset);
    if (!fresh) REQUIRE(it->second == std::pair{rid, offset});
  }
}

TEST_CASE("the walker finds entries of both formats in both byte orders") {
  for (const bool long_format : {false, true})
    for (const bool big_endian : {false, true})
      for (const bool instruction : {false, true}) {
        INFO("long " << long_format << " big-endian " << big_endian << " instruction " << instruction);
        VhptFixture f(long_format, big_endian);
        f.fill(Pte{.ppn_address = 0x8000}.word());
        f.set_ram8(0x8000 + (kVa & 0x3fff & ~7), 0xfeed);
        if (instruction) {
          FetchPage page;
          REQUIRE(fetch_page(*f.core, kVa & ~u64{15}, page) == Next::Continue);
          CHECK(page.phys == 0x8000 + (kVa & 0x3000));
        } else {
          REQUIRE(f.load8(kVa & ~u64{7}) == Next::Continue);
          CHECK(f.loaded == 0xfeed);
        }
        const TlbEntry* e = instruction ? f.tlb().find_instruction(kVa) : f.tlb().find_data(kVa);
        REQUIRE(e);
        CHECK(e->ps == 14);
        CHECK(e->rid == 0x103);
        CHECK(e->key == (long_format ? 0x321 : 0x103));
        CHECK_FALSE((instruction ? f.tlb().find_data(kVa) : f.tlb().find_instruction(kVa)) != nullptr);
      }
}

TEST_CASE("a long-format entry may have another page size than the region prefers") {
  VhptFixture f(true);
  f.fill(Pte{.ppn_address = 0x400000}.word(), make_itir(22, 1));
  REQUIRE(f.load8(kVa & ~u64{7}) == Next::Continue);
  CHECK(f.tlb().find_data(kVa)->physical(kVa) == (0x400000 | (kVa & 0x3fffff)));
}

TEST_CASE("a not-present entry is inserted and gives Page Not Present") {
  for (const bool long_format : {false, true}) {
    VhptFixture f(long_format);
    f.fill(~u64{1});  // every software bit set
    CHECK(f.faults(f.load8(kVa & ~u64{7}), Vector::PageNotPresent));
    REQUIRE(f.tlb().find_data(kVa));
    f.fill(Pte{.ppn_address = 0x8000}.word());
    CHECK(f.faults(f.load8(kVa & ~u64{7}), Vector::PageNotPresent));  // until software purges it
    f.tlb().purge_caches({.va = kVa, .rid = 0x103, .ps = 14});
    CHECK(f.load8(kVa & ~u64{7}) == Next::Continue);
  }
}

TEST_CASE("reserved contents and tags that do not match are plain misses") {
  for (const bool long_format : {false, true}) {
    VhptFixture f(long_format);
    for (const u64 bad : {bit(1), bit(50), bit(51), u64{1} << 2, u64{3} << 2}) {
      f.fill(Pte{.ppn_address = 0x8000}.word() | bad);
      CHECK(f.faults(f.load8(kVa & ~u64{7}), Vector::DataTlb));
      CHECK(f.fault().iha == mmu::vhpt_address(*f.core, kVa));
    }
    if (!long_format) continue;
    for (const u64 bad : {make_itir(15), make_itir(0), make_itir(14) | 1, make_itir(14) | bit(32)}) {
      f.fill(Pte{.ppn_address = 0x8000}.word(), bad);
      CHECK(f.faults(f.load8(kVa & ~u64{7}), Vector::DataTlb));
    }
    for (const unsigned n : {0u, 5u, 38u, 39u, 62u, 63u}) {  // 63: the invalid bit
      f.fill(Pte{.ppn_address = 0x8000}.word());
      f.put(f.entry_phys + 16, mmu::vhpt_tag(*f.core, kVa) ^ bit(n));
      CHECK(f.faults(f.load8(kVa & ~u64{7}), Vector::DataTlb));
    }
  }
}

TEST_CASE(
    "the walker gives up where reading the entry would fault, and only a missing mapping is a VHPT fault") {
  VhptFixture f(false);
  const u64 entry = mmu::vhpt_address(*f.core, kVa);
  f.fill(Pte{.ppn_address = 0x8000}.word());
  const auto vector_with = [&](Pte pte, u64 key = 0) {
    pte.ppn_address = kTablePhys;
    f.map(entry, pte, 12, key);
    f.tlb().purge_caches({.va = kVa, .rid = 0x103, .ps = 14});
    return f.load8(kVa & ~u64{7}) == Next::Fault ? f.fault().vector : Vector{0xffff};
  };
  const auto fine = Vector{0xffff};
  CHECK(vector_with({}) == fine);
  CHECK(vector_with({.p = 0}) == Vector::DataTlb);
  CHECK(vector_with({.ma = 7}) == Vector::DataTlb);
  CHECK(vector_with({.ma = 4}) == Vector::DataTlb);
  CHECK(vector_with({.a = 0}) == Vector::DataTlb);
  CHECK(vector_with({.d = 0, .ar = 0}) == fine);
  CHECK(vector_with({.pl = 3, .ar = 7}) == fine);  // level 0 may read an AR 7 page
  f.set_cpl(3);
  CHECK(vector_with({.pl = 0, .ar = 0}) ==
        Vector::DataAccessRights);  // the walker reads at level 0; the page then refuses
  f.set_cpl(0);
  f.psr_on(psr::kPk);
  CHECK(vector_with({}, 0x42) == Vector::DataTlb);
  f.tlb().write_pkr(0, 1 | 0x42 << 8);
  CHECK(vector_with({}, 0x42) == Vector::DataKeyMiss);  // the page itself has key 0x103
  f.psr_off(psr::kPk);
  f.tlb().purge_caches({.va = entry, .rid = 0x103, .ps = 12});
  f.tlb().purge_caches({.va = kVa, .rid = 0x103, .ps = 14});
  CHECK(f.faults(f.load8(kVa & ~u64{7}), Vector::VhptTranslation));
  CHECK(f.fault().iha == entry);
  CHECK(f.fault().ifa == (kVa & ~u64{7}));
}

TEST_CASE("with PSR.ic = 0 data references still walk, and fail as nested") {
  VhptFixture f(false);
  f.psr_off(psr::kIc);
  f.fill(Pte{.ppn_address = 0x8000}.word());
  CHECK(f.load8(kVa & ~u64{7}) == Next::Continue);
  f.tlb().purge_caches({.va = kVa, .rid = 0x103, .ps = 14});
  f.fill(bit(1) | 1);
  CHECK(f.faults(f.load8(kVa & ~u64{7}), Vector::DataNestedTlb));
}

TEST_CASE("look-up without side effects can walk") {
  VhptFixture f(true);
  f.fill(Pte{.ppn_address = 0x8000}.word());
  u64 phys = 0;
  CHECK_FALSE(mmu::find_physical(*f.core, kVa, false, true, false, phys));
  CHECK((mmu::find_physical(*f.core, kVa, false, true, true, phys) && phys == 0x8000 + (kVa & 0x3fff)));
  CHECK_FALSE(f.tlb().find_data(kVa));
}

}  // namespace ia64::cpu::test
