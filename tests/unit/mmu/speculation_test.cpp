// Deferral of speculative loads: the complete table of conditions, and what advanced loads do to special
// memory.
#include "tests/unit/mmu/fixture.h"

namespace ia64::cpu::test {
namespace {

constexpr u64 kVa = 0x7000;

/// One exception condition: how to cause it, which DCR bit defers it, and the fault when nothing does.
/// SDM vol. 2, table 5-4 and 3.3.4.1: dm 8, dp 9, dk 10, dx 11, dr 12, da 13, dd 14.
struct Condition {
  const char* name;
  int dcr_bit;  // -1: none
  enum Rule { ByDcr, Always, ByRecoveryModel } rule;
  Vector vector;
  void (*cause)(MmuFixture&);
  u64 va;
};
const Condition kConditions[] = {
    {"unimplemented address", -1, Condition::Always, Vector::GeneralException,
     [](MmuFixture& f) { f.psr_off(psr::kDt); }, bit(55) | kVa},
    {"alternate data TLB", 8, Condition::ByDcr, Vector::AlternateDataTlb, [](MmuFixture&) {}, kVa},
    {"VHPT data", 8, Condition::ByDcr, Vector::VhptTranslation,
     [](MmuFixture& f) {
       f.r().pta = 0x4000'0000 | 15 << 2 | 1;
       f.tlb().write_rr(0, MmuFixture::rr(12, 0x100, true));
     },
     kVa},
    {"data TLB", 8, Condition::ByDcr, Vector::DataTlb,
     [](MmuFixture& f) {
       f.r().pta = 0x4000'0000 | 15 << 2 | 1;
       f.tlb().write_rr(0, MmuFixture::rr(12, 0x100, true));
       f.map(0x4000'0000, {.ma = 4, .ppn_address = 0x10000}, 16);
     },
     kVa},
    {"page not present", 9, Condition::ByDcr, Vector::PageNotPresent,
     [](MmuFixture& f) { f.map(kVa, {.p = 0}); }, kVa},
    {"NaT page", -1, Condition::Always, Vector::NatConsumption,
     [](MmuFixture& f) { f.map(kVa, {.ma = 7, .ppn_address = kVa}); }, kVa},
    {"key miss", 10, Condition::ByDcr, Vector::DataKeyMiss,
     [](MmuFixture& f) { f.psr_on(psr::kPk), f.map(kVa, {.ppn_address = kVa}, 12, 5); }, kVa},
    {"key permission", 11, Condition::ByDcr, Vector::KeyPermission,
     [](MmuFixture& f) {
       f.psr_on(psr::kPk), f.map(kVa, {.ppn_address = kVa}, 12, 5);
       f.tlb().write_pkr(0, 1 | 4 | 5 << 8);
     },
     kVa},
    {"access rights", 12, Condition::ByDcr, Vector::DataAccessRights,
     [](MmuFixture& f) { f.set_cpl(2), f.map(kVa, {.pl = 1, .ar = 0, .ppn_address = kVa}); }, kVa},
    {"access bit", 13, Condition::ByDcr, Vector::DataAccessBit,
     [](MmuFixture& f) { f.map(kVa, {.a = 0, .ppn_address = kVa}); }, kVa},
    {"debug", 14, Condition::ByDcr, Vector::Debug,
     [](MmuFixture& f) {
       f.psr_on(psr::kDb), f.map(kVa, {.ppn_address = kVa});
       f.r().dbr[2] = kVa, f.r().dbr[3] = bit(63) | u64{1} << 56 | low_mask(56);
       f.tlb().debug_registers_changed();
     },
     kVa},
    {"unaligned", -1, Condition::ByRecoveryModel, Vector::UnalignedReference,
     [](MmuFixture& f) { f.psr_on(psr::kAc), f.map(kVa, {.ppn_address = kVa}); }, kVa + 1},
};

struct Result {
  Next next;
  bool deferred;
};
Result load_s(MmuFixture& f, u64 va, unsigned size = 8, unsigned align = 8) {
  u8 image[16];
  bool deferred = false;
  const Next next = f.core->load_speculative(va, image, size, align, deferred);
  return {next, deferred};
}

}  // namespace

TEST_CASE("deferral truth table: every condition by PSR.ic, it, ITLB.ed, PSR.ed and every DCR bit") {
  for (const Condition& c : kConditions)
    for (unsigned mode = 0; mode < 16; mode++)
      for (unsigned dcr = 0; dcr < 8; dcr++) {  // 0: none set; 1..7: all but the bit under test; etc.
        const bool ic = mode & 1, it = mode & 2, code_ed = mode & 4, psr_ed = mode & 8;
        MmuFixture f;
        c.cause(f);
        f.r().dcr = dcr == 7 ? 0 : bit(8 + dcr);
        f.core->set_code_ed(code_ed);
        f.r().psr = (f.r().psr & ~(psr::kIc | psr::kIt)) | (ic ? psr::kIc : 0) | (it ? psr::kIt : 0) |
                    (psr_ed ? psr::kEd : 0);
        const bool own_bit = c.dcr_bit >= 0 && (f.r().dcr >> c.dcr_bit & 1);
        const bool deferred = psr_ed || !ic || c.rule == Condition::Always ||
                              (it && code_ed && (c.rule == Condition::ByRecoveryModel || own_bit));
        INFO(c.name << " ic " << ic << " it " << it << " itlb.ed " << code_ed << " psr.ed " << psr_ed
                    << " dcr " << f.r().dcr);
        const Result result = load_s(f, c.va);
        CHECK(result.deferred == deferred);
        CHECK((result.next == Next::Fault) == !deferred);
        if (result.next != Next::Fault) continue;
        CHECK(f.fault().vector == c.vector);
        CHECK((f.fault().isr & (isr::kSp | isr::kR | isr::kW)) == (isr::kSp | isr::kR));
        CHECK(((f.fault().isr & isr::kEd) != 0) == (it && code_ed));
      }
}

TEST_CASE("a deferred condition does not hide a lower one that is not deferred") {
  MmuFixture f;
  f.set_cpl(2);
  f.map(kVa, {.a = 0, .pl = 1, .ar = 0, .ppn_address = kVa});  // rights and access bit
  f.core->set_code_ed(true);
  f.r().dcr = bit(12);
  CHECK(load_s(f, kVa).next == Next::Fault);
  CHECK(f.fault().vector == Vector::DataAccessBit);
  f.r().dcr = bit(13);
  CHECK(load_s(f, kVa).next == Next::Fault);
  CHECK(f.fault().vector == Vector::DataAccessRights);
  f.r().dcr = bit(12) | bit(13);
  CHECK(load_s(f, kVa).deferred);
}

TEST_CASE("a speculative load that works reads memory") {
  MmuFixture f;
  f.map(kVa, {.ppn_address = 0x9000});
  f.set_ram8(0x9008, 0x1234);
  u64 value = 0;
  bool deferred = true;
  CHECK(f.core->load_speculative(kVa + 8, &value, 8, 8, deferred) == Next::Continue);
  CHECK((value == 0x1234 && !deferred));
  f.psr_on(psr::kEd);  // whether it could work or not
  CHECK(load_s(f, kVa + 8).deferred);
}

TEST_CASE("uncacheable memory is never read ahead of the program") {
  for (const u64 ma : {4, 5}) {
    MmuFixture f;
    f.map(kVa, {.ma = ma, .ppn_address = MmuFixture::kDevice});
    CHECK(load_s(f, kVa).deferred);
    CHECK(load_s(f, kVa, 10, 16).deferred);
    u64 value = 7;
    bool deferred = true;
    const u8* host = nullptr;
    CHECK(f.core->load_advanced(kVa, &value, 8, 8, false, deferred, host) == Next::Continue);
    CHECK((value == 0 && !deferred && host == nullptr));
    CHECK(f.core->load_advanced(kVa, &value, 8, 8, true, deferred, host) == Next::Continue);
    CHECK((deferred && host == nullptr));
    CHECK(f.device.reads == 0);
  }
}

TEST_CASE("an advanced load gives the host address for the ALAT, or its fault") {
  MmuFixture f;
  f.map(kVa, {.ppn_address = 0x9000});
  f.set_ram8(0x9010, 99);
  u64 value = 0;
  bool deferred = true;
  const u8* host = nullptr;
  CHECK(f.core->load_advanced(kVa + 0x10, &value, 8, 8, false, deferred, host) == Next::Continue);
  CHECK((value == 99 && !deferred && host == f.bus.host_ptr(0x9010, false)));
  CHECK(
      f.faults(f.core->load_advanced(0x1000, &value, 8, 8, false, deferred, host), Vector::AlternateDataTlb));
  CHECK((f.fault().isr & isr::kSp) == 0);
  CHECK(host == nullptr);
  f.map(kVa, {.ma = 7});
  CHECK(f.faults(f.core->load_advanced(kVa, &value, 8, 8, false, deferred, host), Vector::NatConsumption));
}

}  // namespace ia64::cpu::test
