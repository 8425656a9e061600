// Which fault a reference gives: TLB misses by PSR.ic, PTA.ve, RR.ve and PSR.dt; order of the checks after a
// hit; register contents.
#include "cpu/mmu/fetch.h"
#include "cpu/mmu/rse_access.h"
#include "cpu/mmu/vhpt.h"
#include "tests/unit/mmu/fixture.h"

namespace ia64::cpu::test {
namespace {
constexpr u64 kVa = 0x123456780;
// Short-format table of 2^15 bytes in each region, at offset 1 GiB.
constexpr u64 kPtaBase = 0x4000'0000;
constexpr u64 short_entry(u64 va, unsigned ps) {
  return (va & ~low_mask(61)) | kPtaBase | (((va & low_mask(61)) >> ps) * 8 & 0x7fff);
}
void enable_walker(MmuFixture& f) {
  f.r().pta = kPtaBase | 15 << 2 | 1;
  for (unsigned n = 0; n < 8; n++) f.tlb().write_rr(n, MmuFixture::rr(12, 0x100 + n, true));
}
}  // namespace

TEST_CASE("a data miss is Alternate, VHPT, Data TLB or Nested TLB") {
  for (const bool ic : {true, false})
    for (const bool pta_ve : {true, false})
      for (const bool rr_ve : {true, false})
        for (const bool table_mapped : {true, false}) {
          INFO("ic " << ic << " pta.ve " << pta_ve << " rr.ve " << rr_ve << " table mapped " << table_mapped);
          MmuFixture f;
          enable_walker(f);
          if (!pta_ve) f.r().pta &= ~u64{1};
          if (!rr_ve) f.tlb().write_rr(0, MmuFixture::rr(12, 0x100, false));
          // Mapped, but the entry has a reserved bit: the search fails.
          if (table_mapped) f.map(short_entry(kVa, 12), {.ppn_address = 0x10000});
          f.set_ram8(0x10000 | (short_entry(kVa, 12) & 0xfff), 3);
          if (!ic) f.psr_off(psr::kIc);
          const Vector expected = !ic                  ? Vector::DataNestedTlb
                                  : !(pta_ve && rr_ve) ? Vector::AlternateDataTlb
                                  : table_mapped       ? Vector::DataTlb
                                                       : Vector::VhptTranslation;
          CHECK(f.faults(f.load8(kVa), expected));
          CHECK(f.fault().isr == isr::kR);
          CHECK(f.fault().ifa == kVa);
          CHECK(f.fault().itir == (12 << 2 | 0x100 << 8));
          const bool walked = expected == Vector::DataTlb || expected == Vector::VhptTranslation;
          CHECK(f.fault().has_iha == walked);
          if (walked) CHECK(f.fault().iha == short_entry(kVa, 12));
        }
}

TEST_CASE("an instruction miss is never nested, and needs PSR.ic, dt and it for the walker") {
  for (const u64 off : {u64{0}, psr::kIc, psr::kDt})
    for (const bool table_mapped : {true, false}) {
      MmuFixture f;
      enable_walker(f);
      if (table_mapped) f.map(short_entry(kVa, 12), {.ppn_address = 0x10000});
      f.set_ram8(0x10000 | (short_entry(kVa, 12) & 0xfff), 3);
      f.psr_off(off);
      const Vector expected = off            ? Vector::AlternateInstructionTlb
                              : table_mapped ? Vector::InstructionTlb
                                             : Vector::VhptTranslation;
      FetchPage page;
      CHECK(f.faults(fetch_page(*f.core, kVa & ~u64{15}, page), expected));
      CHECK(f.fault().isr == isr::kX);
      CHECK(f.fault().ifa == (kVa & ~u64{15}));
    }
}

TEST_CASE("RSE references need PSR.dt and rt for the walker, and say ISR.rs") {
  for (const u64 off : {u64{0}, psr::kDt}) {
    MmuFixture f;
    enable_walker(f);
    f.psr_off(off);
    u64 value;
    CHECK(f.faults(rse_load(*f.core, kVa, value), off ? Vector::AlternateDataTlb : Vector::VhptTranslation));
    CHECK(f.fault().isr == (isr::kR | isr::kRs));
    CHECK(f.faults(rse_store(*f.core, kVa, 0), off ? Vector::AlternateDataTlb : Vector::VhptTranslation));
    CHECK(f.fault().isr == (isr::kW | isr::kRs));
  }
}

TEST_CASE("checks after a hit come in the manual's order") {
  // Each step repairs the condition reported before.
  MmuFixture f;
  const u64 va = 0x7004;  // misaligned for 8 bytes
  f.psr_on(psr::kPk | psr::kDb | psr::kAc);
  f.set_cpl(3);
  f.r().dbr[0] = va, f.r().dbr[1] = u64{3} << 62 | u64{8} << 56 | low_mask(56);
  f.tlb().debug_registers_changed();
  Pte pte{.p = 0, .ma = 7, .a = 0, .d = 0, .pl = 0, .ar = 0, .ppn_address = 0x7000};
  const auto next_fault = [&] {
    f.map(va, pte, 12, 0x55);
    REQUIRE(f.store8(va, 0) == Next::Fault);
    CHECK((f.fault().isr & (isr::kW | isr::kR)) == isr::kW);
    return f.fault().vector;
  };
  CHECK(next_fault() == Vector::PageNotPresent);
  pte.p = 1;
  CHECK(next_fault() == Vector::NatConsumption);
  CHECK(f.fault().isr == (isr::kW | isr::kNatPage));
  pte.ma = 0;
  CHECK(next_fault() == Vector::DataKeyMiss);
  f.tlb().write_pkr(3, 1 | 2 | 0x55 << 8);
  CHECK(next_fault() == Vector::KeyPermission);
  f.tlb().write_pkr(3, 1 | 0x55 << 8);
  CHECK(next_fault() == Vector::DataAccessRights);
  pte.pl = 3, pte.ar = 2;
  CHECK(next_fault() == Vector::DirtyBit);
  pte.d = 1;
  CHECK(next_fault() == Vector::DataAccessBit);
  pte.a = 1;
  CHECK(next_fault() == Vector::Debug);
  f.psr_on(psr::kDd);
  CHECK(next_fault() == Vector::UnalignedReference);
  f.psr_off(psr::kAc);
  f.map(va, pte, 12, 0x55);
  CHECK(f.store8(va, 0x1122334455667788) == Next::Continue);
  CHECK(load_le<u64>(f.ram() + 0x7004) == 0x1122334455667788);
}

TEST_CASE("unsupported references come last") {
  MmuFixture f;
  f.map(0x7000, {.ma = 4, .ppn_address = 0x7000});
  u8 image[16] = {};
  CHECK(f.faults(f.core->load_bytes(0x7000, image, 10, 16), Vector::UnsupportedDataReference));
  CHECK(f.fault().isr == isr::kR);
  CHECK(f.faults(f.core->load_bytes(0x7008, image, 10, 16), Vector::UnalignedReference));
  u128 pair = 0;
  CHECK(f.faults(f.core->load(0x7000, pair), Vector::UnsupportedDataReference));
  CHECK(f.faults(f.core->store(0x7000, pair), Vector::UnsupportedDataReference));
  CHECK(f.core->load_bytes(0x7000, image, 16, 16) == Next::Continue);  // ldfp8 and ldf.fill may
  CHECK(f.core->semaphore_address(0x7000, 8) == nullptr);
  CHECK(f.fault().vector == Vector::UnsupportedDataReference);
  CHECK(f.fault().isr == (isr::kR | isr::kW));
}

TEST_CASE("PSR.da lets a reference pass the accessed and dirty bits once, without remembering") {
  MmuFixture f;
  f.map(0x7000, {.a = 0, .d = 0, .ppn_address = 0x7000});
  f.psr_on(psr::kDa);
  CHECK(f.load8(0x7000) == Next::Continue);
  CHECK(f.store8(0x7000, 5) == Next::Continue);
  f.psr_off(psr::kDa);
  CHECK(f.faults(f.load8(0x7000), Vector::DataAccessBit));
  CHECK(f.faults(f.store8(0x7000, 5), Vector::DirtyBit));
  f.map(0x7000, {.a = 1, .d = 0, .ppn_address = 0x7000});
  CHECK(f.load8(0x7000) == Next::Continue);
  CHECK(f.faults(f.store8(0x7000, 5), Vector::DirtyBit));
}

TEST_CASE("instruction pages: not present, NaT page, access bit with PSR.ia, keys") {
  MmuFixture f;
  FetchPage page;
  const u64 va = 0x7010;
  f.map_code(va, {.p = 0});
  CHECK(f.faults(fetch_page(*f.core, va, page), Vector::PageNotPresent));
  CHECK(f.fault().isr == isr::kX);
  f.map_code(va, {.ma = 7});
  CHECK(f.faults(fetch_page(*f.core, va, page), Vector::NatConsumption));
  CHECK(f.fault().isr == (isr::kX | isr::kNatPage));
  f.map_code(va, {.a = 0, .ppn_address = 0x7000}, 12, 9);
  CHECK(f.faults(fetch_page(*f.core, va, page), Vector::InstructionAccessBit));
  f.psr_on(psr::kIa);
  CHECK(fetch_page(*f.core, va, page) == Next::Continue);
  f.psr_off(psr::kIa);
  CHECK(f.faults(fetch_page(*f.core, va, page), Vector::InstructionAccessBit));
  f.map_code(va, {.ppn_address = 0x7000}, 12, 9);
  f.psr_on(psr::kPk);
  CHECK(f.faults(fetch_page(*f.core, va, page), Vector::InstructionKeyMiss));
  f.tlb().write_pkr(0, 1 | 8 | 9 << 8);
  CHECK(f.faults(fetch_page(*f.core, va, page), Vector::KeyPermission));
  f.tlb().write_pkr(0, 1 | 4 | 2 | 9 << 8);
  CHECK(fetch_page(*f.core, va, page) == Next::Continue);
}

TEST_CASE("protection keys: read and write disables, duplicates, PSR.pk") {
  MmuFixture f;
  f.map(0x7000, {.ppn_address = 0x7000}, 12, 0xabcdef);
  CHECK(f.load8(0x7000) == Next::Continue);
  f.psr_on(psr::kPk);
  CHECK(f.faults(f.load8(0x7000), Vector::DataKeyMiss));
  f.tlb().write_pkr(15, 1 | 4 | u64{0xabcdef} << 8);
  CHECK(f.faults(f.load8(0x7000), Vector::KeyPermission));
  CHECK(f.store8(0x7000, 1) == Next::Continue);
  f.tlb().write_pkr(2, 1 | 2 | u64{0xabcdef} << 8);
  CHECK((f.r().pkr[15] & 1) == 0);
  CHECK(f.load8(0x7000) == Next::Continue);
  CHECK(f.faults(f.store8(0x7000, 1), Vector::KeyPermission));
  f.tlb().write_pkr(2, 2 | u64{0xabcdef} << 8);  // not valid
  CHECK(f.faults(f.load8(0x7000), Vector::DataKeyMiss));
  f.psr_off(psr::kPk);
  CHECK(f.load8(0x7000) == Next::Continue);
}

TEST_CASE(
    "physical addresses beyond the implemented bits are unimplemented, bit 63 is the uncacheable alias") {
  MmuFixture f;
  f.psr_off(psr::kDt);
  f.set_ram8(0x7000, 0x77);
  CHECK((f.load8(0x7000) == Next::Continue && f.loaded == 0x77));
  CHECK((f.load8(bit(63) | 0x7000) == Next::Continue && f.loaded == 0x77));
  for (unsigned n = 50; n < 63; n++) {
    CHECK(f.faults(f.load8(bit(n) | 0x7000), Vector::GeneralException));
    CHECK(f.fault().isr == (isr::kR | 0x30));
  }
  CHECK((f.load8(bit(49)) == Next::Continue && f.loaded == ~u64{0}));  // implemented, but nothing there
  CHECK(f.store8(bit(49), 1) == Next::Continue);
  f.psr_off(psr::kIt);
  FetchPage page;
  CHECK(fetch_page(*f.core, 0x7000, page) == Next::Continue);
  CHECK((page.phys == 0x7000 && page.host == f.ram() + 0x7000 && !page.ed && page.promote_to == 0));
  CHECK(f.faults(fetch_page(*f.core, bit(50), page),
                 Vector::LowerPrivilegeTransfer));  // Unimplemented Instruction Address
  CHECK((f.fault().isr == bit(4) && f.fault().ifa == bit(50)));
}

TEST_CASE("ISR.ed tells of the code page for data faults, never for RSE") {
  MmuFixture f;
  f.core->set_code_ed(true);
  CHECK(f.faults(f.load8(kVa), Vector::AlternateDataTlb));
  CHECK(f.fault().isr == (isr::kR | isr::kEd));
  u64 value;
  CHECK(f.faults(rse_load(*f.core, kVa, value), Vector::AlternateDataTlb));
  CHECK(f.fault().isr == (isr::kR | isr::kRs));
  f.psr_off(psr::kIt);
  CHECK(f.faults(f.load8(kVa), Vector::AlternateDataTlb));
  CHECK(f.fault().isr == isr::kR);
}

TEST_CASE("RSE accesses use RSC.pl and RSC.be and PSR.rt") {
  MmuFixture f;
  f.map(0x7000, {.pl = 0, .ar = 2, .ppn_address = 0x7000});
  f.r().rsc = 3 << 2;
  u64 value = 0;
  for (int twice = 0; twice < 2; twice++) {
    CHECK(f.faults(rse_load(*f.core, 0x7000, value), Vector::DataAccessRights));
    f.r().rsc = 0;
    CHECK(rse_store(*f.core, 0x7000, 0x0102030405060708) == Next::Continue);
    CHECK(f.ram8(0x7000) == 0x0102030405060708);
    f.r().rsc = 1 << 4;
    CHECK(rse_load(*f.core, 0x7000, value) == Next::Continue);
    CHECK(value == 0x0807060504030201);
    CHECK(rse_store(*f.core, 0x7008, 0x0102030405060708) == Next::Continue);
    CHECK(f.ram8(0x7008) == 0x0807060504030201);
    f.r().rsc = 3 << 2;
  }
  f.psr_off(psr::kRt);
  CHECK(rse_load(*f.core, 0x7008, value) == Next::Continue);
  CHECK(value == 0x0807060504030201);
}

}  // namespace ia64::cpu::test
