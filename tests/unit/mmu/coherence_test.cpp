// The software TLB never lets through what a change of state has forbidden or moved.
#include <random>

#include "cpu/mmu/fetch.h"
#include "cpu/mmu/rse_access.h"
#include "tests/unit/mmu/fixture.h"

namespace ia64::cpu::test {
namespace {
constexpr u64 kVa = 0x7000;

/// A page that has been read, written and fetched, so that every table knows it.
struct WarmFixture : MmuFixture {
  WarmFixture() {
    map(kVa, {.pl = 3, .ppn_address = 0x10000});
    map_code(kVa, {.pl = 3, .ppn_address = 0x10000});
    set_ram8(0x10000, 0xaaaa), set_ram8(0x20000, 0xbbbb);
    warm();
  }
  void warm() {
    REQUIRE(load8(kVa) == Next::Continue);
    REQUIRE(store8(kVa, loaded) == Next::Continue);
    REQUIRE(fetch(kVa) == 0x10000);
    u64 value;
    REQUIRE(rse_load(*core, kVa, value) == Next::Continue);
  }
  /// Physical page fetched from, or ~0.
  u64 fetch(u64 va) {
    FetchPage page;
    return fetch_page(*core, va, page) == Next::Continue ? page.phys : ~u64{0};
  }
  bool all_fault(u64 va) {
    u64 value;
    return load8(va) == Next::Fault && store8(va, 0) == Next::Fault && fetch(va) == ~u64{0} &&
           rse_load(*core, va, value) == Next::Fault;
  }
};
}  // namespace

TEST_CASE("purges of every kind are seen at once") {
  SECTION("ptc.l") {
    WarmFixture f;
    f.tlb().purge_caches({.va = kVa, .rid = 0x100, .ps = 12});
    CHECK(f.all_fault(kVa));
  }
  SECTION("ptc.l of a large range, through another region number") {
    WarmFixture f;
    f.tlb().purge_caches({.va = 4 * MmuFixture::kRegion, .rid = 0x100, .ps = 30});
    CHECK(f.all_fault(kVa));
  }
  SECTION("ptc.e") {
    WarmFixture f;
    f.tlb().purge_all_caches();
    CHECK(f.all_fault(kVa));
  }
  SECTION("ptr") {
    WarmFixture f;
    f.tlb().purge_data_registers({.va = kVa, .rid = 0x100, .ps = 12});
    CHECK(f.load8(kVa) == Next::Fault);
    CHECK(f.fetch(kVa) == 0x10000);
    f.tlb().purge_instruction_registers({.va = kVa, .rid = 0x100, .ps = 12});
    CHECK(f.all_fault(kVa));
  }
  SECTION("replacement by insertions elsewhere") {
    WarmFixture f;
    for (u64 n = 0; n < 5000; n++) f.map(0x1000000 + (n << 12), {}), f.map_code(0x1000000 + (n << 12), {});
    CHECK(f.all_fault(kVa));
  }
  SECTION("a purge elsewhere changes nothing") {
    WarmFixture f;
    f.tlb().purge_caches({.va = kVa, .rid = 0x999, .ps = 12});
    f.tlb().purge_caches({.va = kVa + 0x1000, .rid = 0x100, .ps = 12});
    f.warm();
  }
}

TEST_CASE("insertions replace what was cached") {
  SECTION("itc at the same page") {
    WarmFixture f;
    f.map(kVa, {.ppn_address = 0x20000}), f.map_code(kVa, {.ppn_address = 0x20000});
    CHECK((f.load8(kVa) == Next::Continue && f.loaded == 0xbbbb));
    CHECK(f.fetch(kVa) == 0x20000);
  }
  SECTION("itc of a larger page") {
    WarmFixture f;
    f.map(0, {.ppn_address = 0x200000}, 20);
    f.set_ram8(0x207000, 0xcccc);
    CHECK((f.load8(kVa) == Next::Continue && f.loaded == 0xcccc));
  }
  SECTION("itr over it") {
    WarmFixture f;
    f.tlb().insert_data_register(0, kVa, Pte{.ppn_address = 0x20000}.word(), make_itir(12));
    CHECK((f.load8(kVa) == Next::Continue && f.loaded == 0xbbbb));
  }
  SECTION("a page that became read-only") {
    WarmFixture f;
    f.map(kVa, {.ar = 0, .ppn_address = 0x10000});
    CHECK(f.load8(kVa) == Next::Continue);
    CHECK(f.store8(kVa, 0) == Next::Fault);
  }
}

TEST_CASE("region registers switch address spaces back and forth without losing either") {
  WarmFixture f;
  f.tlb().write_rr(0, MmuFixture::rr(12, 0x555));
  CHECK(f.all_fault(kVa));
  f.map(kVa, {.ppn_address = 0x20000}), f.map_code(kVa, {.ppn_address = 0x20000});
  for (int n = 0; n < 3; n++) {
    CHECK((f.load8(kVa) == Next::Continue && f.loaded == 0xbbbb));
    CHECK(f.fetch(kVa) == 0x20000);
    f.tlb().write_rr(0, MmuFixture::rr(12, 0x100));
    CHECK((f.load8(kVa) == Next::Continue && f.loaded == 0xaaaa));
    CHECK(f.fetch(kVa) == 0x10000);
    f.tlb().write_rr(0, MmuFixture::rr(12, 0x555));
  }
  // A purge while another space is current must reach the cached entries of the purged one.
  f.tlb().purge_caches({.va = kVa, .rid = 0x100, .ps = 12});
  f.tlb().write_rr(0, MmuFixture::rr(12, 0x100));
  CHECK(f.all_fault(kVa));
}

TEST_CASE("more address spaces than there are context keys") {
  MmuFixture f;
  for (int round = 0; round < 2; round++)
    for (u64 rid = 1; rid < 700; rid++) {
      f.tlb().write_rr(0, MmuFixture::rr(12, rid));
      if (round == 0) f.map(kVa, {.ppn_address = rid << 12});
      f.set_ram8(rid << 12, rid);
      REQUIRE(f.load8(kVa) == Next::Continue);
      REQUIRE(f.loaded == rid);
    }
}

TEST_CASE("PSR changes take effect without notice to the MMU") {
  SECTION("cpl") {
    WarmFixture f;
    f.map(kVa, {.pl = 0, .ppn_address = 0x10000});
    CHECK(f.load8(kVa) == Next::Continue);
    f.set_cpl(3);
    CHECK(f.load8(kVa) == Next::Fault);
    CHECK(f.store8(kVa, 0) == Next::Fault);
    f.set_cpl(0);
    CHECK(f.load8(kVa) == Next::Continue);
  }
  SECTION("dt") {
    WarmFixture f;
    f.set_ram8(kVa, 0x1111);
    f.psr_off(psr::kDt);
    CHECK((f.load8(kVa) == Next::Continue && f.loaded == 0x1111));
    f.psr_on(psr::kDt);
    CHECK((f.load8(kVa) == Next::Continue && f.loaded == 0xaaaa));
  }
  SECTION("it") {
    WarmFixture f;
    f.psr_off(psr::kIt);
    CHECK(f.fetch(kVa) == kVa);
    f.psr_on(psr::kIt);
    CHECK(f.fetch(kVa) == 0x10000);
  }
  SECTION("pk and PKR") {
    WarmFixture f;
    f.psr_on(psr::kPk);
    CHECK(f.all_fault(kVa));
    f.tlb().write_pkr(0, 1);  // key 0
    f.warm();
    f.tlb().write_pkr(0, 1 | 2 | 4 | 8);
    CHECK(f.all_fault(kVa));
    f.psr_off(psr::kPk);
    f.warm();
  }
  SECTION("db and DBR") {
    WarmFixture f;
    f.psr_on(psr::kDb);
    f.warm();
    f.r().dbr[6] = kVa + 0x800, f.r().dbr[7] = bit(63) | bit(62) | u64{15} << 56 | (low_mask(56) & ~u64{7});
    f.tlb().debug_registers_changed();
    CHECK(f.load8(kVa) == Next::Continue);
    CHECK(f.load8(kVa) == Next::Continue);
    CHECK(f.faults(f.load8(kVa + 0x800), Vector::Debug));
    CHECK(f.faults(f.store8(kVa + 0x800, 0), Vector::Debug));
    CHECK(f.load8(kVa + 0x808) == Next::Continue);
    u64 value;
    CHECK(f.faults(rse_load(*f.core, kVa + 0x800, value), Vector::Debug));
    f.psr_off(psr::kDb);
    CHECK(f.load8(kVa + 0x800) == Next::Continue);
  }
  SECTION("be") {
    WarmFixture f;
    f.set_ram8(0x10000, 0x0102030405060708);
    f.psr_on(psr::kBe);
    CHECK((f.load8(kVa) == Next::Continue && f.loaded == 0x0807060504030201));
    CHECK(f.store8(kVa, 0x0102030405060708) == Next::Continue);
    CHECK(f.ram8(0x10000) == 0x0807060504030201);
  }
}

TEST_CASE("registers replaced from outside") {
  WarmFixture f;
  f.r().rr[0] = MmuFixture::rr(12, 0x4242);
  f.tlb().registers_replaced();
  CHECK(f.all_fault(kVa));
}

TEST_CASE("stores to pages of cached code reach the listeners, however warm the page was") {
  MmuFixture f;
  std::vector<GuestPhys> dropped;
  f.bus.add_code_listener([&](GuestPhys page) { dropped.push_back(page); });
  f.map(kVa, {.ppn_address = 0x10000});
  u64 rse_value = 0;
  CHECK(f.store8(kVa, 1) == Next::Continue);
  CHECK(rse_store(*f.core, kVa, 1) == Next::Continue);
  const auto mark = [&] {
    dropped.clear();
    f.bus.mark_code(0x10000);
    f.core->watch_code_page(0x10000);
  };
  mark();
  CHECK(f.store8(kVa + 8, 2) == Next::Sync);
  CHECK(f.ram8(0x10008) == 2);
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0] == 0x10000);
  CHECK(f.store8(kVa + 8, 3) == Next::Continue);
  CHECK(dropped.size() == 1);
  mark();
  CHECK(rse_store(*f.core, kVa + 16, 4) == Next::Sync);
  CHECK(dropped.size() == 1);
  CHECK(f.load8(kVa) == Next::Continue);
  mark();
  REQUIRE(f.core->semaphore_address(kVa, 8) == f.ram() + 0x10000);
  CHECK(dropped.size() == 1);
  mark();
  u8 image[16] = {};
  CHECK(f.core->store_bytes(kVa, image, 16, 16) == Next::Sync);
  CHECK(dropped.size() == 1);
  CHECK(rse_load(*f.core, kVa + 16, rse_value) == Next::Continue);
  CHECK(rse_value == 4);
}

TEST_CASE("random accesses with random changes equal a translation looked up afresh") {
  constexpr unsigned kSeed = 77;
  INFO("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  MmuFixture f;
  for (u64 page = 0; page < 256; page++) f.set_ram8(page << 12, page);
  for (int step = 0; step < 200000; step++) {
    const u64 va = (random() % 64 << 12) + (random() % 2) * MmuFixture::kRegion;
    switch (random() % 16) {
      case 0:
        f.map(va,
              {.d = random() % 2,
               .pl = random() % 4,
               .ar = random() % 8,
               .ppn_address = (random() % 256) << 12},
              random() % 4 ? 12 : 14);
        break;
      case 1:
        f.tlb().purge_caches(
            {.va = va, .rid = static_cast<u32>(0x100 + random() % 3), .ps = random() % 8 ? u8{12} : u8{20}});
        break;
      case 2:
        f.tlb().write_rr(static_cast<unsigned>(va >> 61), MmuFixture::rr(12, 0x100 + random() % 3));
        break;
      case 3: f.set_cpl(random() % 4); break;
      default: break;
    }
    const TlbEntry* e = f.tlb().find_data(va);
    const u8 rights = e ? page_rights(e->access_rights(), e->privilege(), f.r().cpl()) : 0;
    const Next read = f.load8(va);
    REQUIRE((read == Next::Continue) == ((rights & kRightRead) != 0));
    if (read == Next::Continue) REQUIRE(f.loaded == e->physical(va) >> 12);
    const Next write = f.store8(va, e ? e->physical(va) >> 12 : 0);
    REQUIRE((write == Next::Continue) == ((rights & kRightWrite) != 0 && e->dirty()));
  }
}

}  // namespace ia64::cpu::test
