// The TLB instructions themselves: checks in order, ISR codes, results.
#include "cpu/exec/handlers.h"
#include "cpu/mmu/vhpt.h"
#include "tests/unit/mmu/fixture.h"

namespace ia64::cpu::test {
namespace {

constexpr u64 kVa = 0x7000;

/// r10 = r1 of the instruction, r11 = r2, r12 = r3.
struct HandlerFixture : MmuFixture {
  explicit HandlerFixture(const CpuModel& model = kMontecito) : MmuFixture(model) {}
  Next run(Handler handler, u64 r2, u64 r3, u64 imm = 0) {
    Insn i;
    i.r1 = 10, i.r2 = 11, i.r3 = 12, i.imm = imm;
    r().set_gr_nat(11, r2, nat2), r().set_gr_nat(12, r3, nat3), r().set_gr_nat(10, 0x5a5a, false);
    return handler(*core, i);
  }
  u64 result() { return r().gr(10); }
  bool general(Next next, u64 code) { return faults(next, Vector::GeneralException) && fault().isr == code; }
  bool nat2 = false, nat3 = false;
};

}  // namespace

TEST_CASE("itc and itr: illegal with PSR.ic, privileged, NaT, reserved, then done") {
  struct Case {
    Handler handler;
    bool instruction, reg;
  };
  for (const Case c : {Case{itc_i_m41, true, false}, Case{itc_d_m41, false, false},
                       Case{itr_i_m42, true, true}, Case{itr_d_m42, false, true}}) {
    HandlerFixture f;
    f.r().ifa = kVa + 0x123, f.r().itir = make_itir(14, 0x77);
    const u64 good = Pte{.ppn_address = 0x10000}.word();
    f.set_cpl(1), f.nat2 = true;
    CHECK(f.general(f.run(c.handler, good | bit(1), 64), isr::kIllegalOperation));
    f.psr_off(psr::kIc);
    CHECK(f.general(f.run(c.handler, good | bit(1), 64), isr::kPrivilegedOperation));
    f.set_cpl(0);
    CHECK(f.faults(f.run(c.handler, good | bit(1), 64), Vector::NatConsumption));
    CHECK(f.fault().isr == isr::kRegisterNat);
    f.nat2 = false;
    CHECK(f.general(f.run(c.handler, good | bit(1), 3), isr::kReservedRegisterField));
    if (c.reg) {
      CHECK(f.general(f.run(c.handler, good, 64), isr::kReservedRegisterField));
      f.nat3 = true;
      CHECK(f.faults(f.run(c.handler, good, 3), Vector::NatConsumption));
      f.nat3 = false;
    }
    CHECK(f.tlb().translations().empty());
    CHECK(f.run(c.handler, good, 0xffff'ff03) == Next::Sync);  // only the low 8 bits name the register
    const auto all = f.tlb().translations();
    REQUIRE(all.size() == 1);
    using Kind = TranslationInfo::Kind;
    CHECK(all[0].kind ==
          (c.reg ? (c.instruction ? Kind::Itr : Kind::Dtr) : (c.instruction ? Kind::Itc : Kind::Dtc)));
    if (c.reg) CHECK(all[0].index == 3);
    CHECK((all[0].entry.va == 0x4000 && all[0].entry.ps == 14 && all[0].entry.key == 0x77 &&
           all[0].entry.rid == 0x100));
    f.r().itir = make_itir(15);
    CHECK(f.general(f.run(c.handler, 0, 3), isr::kReservedRegisterField));
  }
}

TEST_CASE("ptc and ptr check privilege and NaT and purge by RID and size") {
  for (const Handler handler : {ptc_l_m45, ptc_g_m45, ptc_ga_m45, ptr_d_m45, ptr_i_m45}) {
    HandlerFixture f;
    f.map(kVa, {}, 14), f.map_code(kVa, {}, 14);
    f.set_cpl(3), f.nat2 = true;
    CHECK(f.general(f.run(handler, 12 << 2, kVa), isr::kPrivilegedOperation));
    f.set_cpl(0);
    CHECK(f.faults(f.run(handler, 12 << 2, kVa), Vector::NatConsumption));
    f.nat2 = false, f.nat3 = true;
    CHECK(f.faults(f.run(handler, 12 << 2, kVa), Vector::NatConsumption));
    f.nat3 = false;
    CHECK(f.tlb().translations().size() == 2);
    CHECK(f.run(handler, 12 << 2, kVa + MmuFixture::kRegion) == Next::Sync);  // RID of region 1
    CHECK(f.tlb().translations().size() == 2);
    CHECK(f.run(handler, 12 << 2, kVa) == Next::Sync);
    CHECK((f.tlb().find_data(kVa) == nullptr) == (handler != ptr_i_m45));
    CHECK((f.tlb().find_instruction(kVa) == nullptr) == (handler != ptr_d_m45));
  }
  HandlerFixture f;
  f.map(kVa, {}), f.map_code(kVa, {});
  f.tlb().insert_data_register(0, 0x100000, Pte{}.word(), make_itir(12));
  f.set_cpl(1);
  CHECK(f.general(f.run(ptc_e_m47, 0, 0), isr::kPrivilegedOperation));
  f.set_cpl(0);
  CHECK(f.run(ptc_e_m47, 0, 0) == Next::Sync);
  CHECK(f.tlb().translations().size() == 1);
}

TEST_CASE("probe answers by rights and keys at the less privileged level") {
  HandlerFixture f;
  f.map(kVa, {.a = 0, .d = 0, .pl = 2, .ar = 4, .ppn_address = kVa}, 12,
        6);  // level 2: R; 1 and 0: RW; 3: nothing
  for (unsigned cpl = 0; cpl < 4; cpl++)
    for (unsigned level = 0; level < 4; level++) {
      INFO("cpl " << cpl << " level " << level);
      f.set_cpl(cpl);
      const unsigned effective = std::max(cpl, level);
      for (int dt = 0; dt < 2; dt++) {  // PSR.dt = 0 makes no difference
        dt ? f.psr_on(psr::kDt) : f.psr_off(psr::kDt);
        CHECK(f.run(probe_r_m38, level | ~u64{3}, kVa) == Next::Continue);
        CHECK(f.result() == (effective <= 2));
        CHECK(f.run(probe_w_m38, level, kVa) == Next::Continue);
        CHECK(f.result() == (effective < 2));
        CHECK(f.run(probe_r_m39, 0, kVa, level) == Next::Continue);
        CHECK(f.result() == (effective <= 2));
        CHECK(f.run(probe_w_m39, 0, kVa, level) == Next::Continue);
        CHECK(f.result() == (effective < 2));
      }
    }
  f.set_cpl(0);
  f.psr_on(psr::kPk | psr::kDt);
  CHECK(f.faults(f.run(probe_r_m39, 0, kVa, 3), Vector::DataKeyMiss));  // before rights
  CHECK(f.fault().isr == (isr::kR | isr::kNa | isr::kProbe));
  f.tlb().write_pkr(0, 1 | 2 | 6 << 8);
  CHECK((f.run(probe_r_m39, 0, kVa, 0) == Next::Continue && f.result() == 1));
  CHECK((f.run(probe_w_m39, 0, kVa, 0) == Next::Continue && f.result() == 0));
}

TEST_CASE("probe faults: NaT, misses, not present, NaT page") {
  HandlerFixture f;
  f.nat3 = true;
  CHECK(f.faults(f.run(probe_w_m39, 0, kVa), Vector::NatConsumption));
  CHECK(f.fault().isr == (isr::kW | isr::kNa | isr::kRegisterNat | isr::kProbe));
  f.nat3 = false, f.nat2 = true;
  CHECK(f.faults(f.run(probe_r_m38, 0, kVa), Vector::NatConsumption));
  f.nat2 = false;
  CHECK(f.faults(f.run(probe_r_m39, 0, kVa), Vector::AlternateDataTlb));
  CHECK(f.fault().isr == (isr::kR | isr::kNa | isr::kProbe));
  f.psr_off(psr::kIc);
  CHECK(f.faults(f.run(probe_r_m39, 0, kVa), Vector::DataNestedTlb));
  f.psr_on(psr::kIc);
  f.map(kVa, {.p = 0});
  CHECK(f.faults(f.run(probe_w_m39, 0, kVa), Vector::PageNotPresent));
  f.map(kVa, {.ma = 7, .ar = 0});
  CHECK(f.faults(f.run(probe_w_m39, 0, kVa), Vector::NatConsumption));
  CHECK(f.fault().isr == (isr::kW | isr::kNa | isr::kNatPage | isr::kProbe));
}

TEST_CASE("probe.fault raises what the access would, and is a physical reference with PSR.dt = 0") {
  HandlerFixture f;
  f.map(kVa, {.a = 0, .d = 0, .pl = 1, .ar = 4, .ppn_address = kVa});
  const u64 na = isr::kNa | isr::kProbeFault;
  CHECK(f.faults(f.run(probe_r_fault_m40, 0, kVa, 2), Vector::DataAccessRights));
  CHECK(f.fault().isr == (isr::kR | na));
  CHECK(f.faults(f.run(probe_w_fault_m40, 0, kVa, 1), Vector::DataAccessRights));
  CHECK(f.fault().isr == (isr::kW | na));
  CHECK(f.faults(f.run(probe_w_fault_m40, 0, kVa, 0), Vector::DirtyBit));
  CHECK(f.faults(f.run(probe_r_fault_m40, 0, kVa, 0), Vector::DataAccessBit));
  f.map(kVa, {.a = 1, .d = 0, .pl = 1, .ar = 4, .ppn_address = kVa});
  CHECK(f.run(probe_r_fault_m40, 0, kVa, 1) == Next::Continue);
  CHECK(f.faults(f.run(probe_rw_fault_m40, 0, kVa, 0), Vector::DirtyBit));
  CHECK(f.fault().isr == (isr::kR | isr::kW | na));
  f.psr_off(psr::kDt);
  CHECK(f.run(probe_rw_fault_m40, 0, 0xdead0000, 3) == Next::Continue);
  CHECK(f.general(f.run(probe_rw_fault_m40, 0, bit(55), 3),
                  isr::kR | isr::kW | na | isr::kUnimplementedDataAddress));
}

TEST_CASE("tpa gives the physical address, with PSR.dt or without") {
  HandlerFixture f;
  f.map(kVa, {.a = 0, .pl = 0, .ar = 7, .ppn_address = 0x10000}, 12, 9);
  f.psr_on(psr::kPk);
  for (int dt = 0; dt < 2; dt++) {
    CHECK((f.run(tpa_m46, 0, kVa + 0x321) == Next::Continue && f.result() == 0x10321));
    CHECK(f.faults(f.run(tpa_m46, 0, 0x9000), Vector::AlternateDataTlb));
    CHECK(f.fault().isr == (isr::kNa | isr::kTpa));
    f.psr_off(psr::kDt);
  }
  f.map(kVa, {.p = 0});
  CHECK(f.faults(f.run(tpa_m46, 0, kVa), Vector::PageNotPresent));
  f.map(kVa, {.ma = 7});
  CHECK(f.faults(f.run(tpa_m46, 0, kVa), Vector::NatConsumption));
  f.nat3 = true;
  CHECK(f.faults(f.run(tpa_m46, 0, kVa), Vector::NatConsumption));
  CHECK(f.fault().isr == (isr::kNa | isr::kRegisterNat));
  f.set_cpl(1);
  CHECK(f.general(f.run(tpa_m46, 0, kVa), isr::kNa | isr::kPrivilegedOperation));
}

TEST_CASE("tak gives the key or 1, never a miss") {
  HandlerFixture f;
  f.map(kVa, {.ma = 7}, 12, 0xabcdef);
  CHECK((f.run(tak_m46, 0, kVa) == Next::Continue && f.result() == 0xabcdef00));
  CHECK((f.run(tak_m46, 0, 0x9000) == Next::Continue && f.result() == 1));
  f.map(kVa, {.p = 0}, 12, 5);
  CHECK((f.run(tak_m46, 0, kVa) == Next::Continue && f.result() == 1));
  f.psr_off(psr::kIc | psr::kDt);
  CHECK((f.run(tak_m46, 0, 0x9000) == Next::Continue && f.result() == 1));
  f.nat3 = true;
  CHECK(f.faults(f.run(tak_m46, 0, kVa), Vector::NatConsumption));
  CHECK(f.fault().isr == (isr::kNa | isr::kRegisterNat | isr::kTak));
  f.set_cpl(3);
  CHECK(f.general(f.run(tak_m46, 0, kVa), isr::kNa | isr::kTak | isr::kPrivilegedOperation));
}

TEST_CASE("thash and ttag pass NaT on and need no privilege") {
  HandlerFixture f;
  f.set_cpl(3);
  f.r().pta = 0x4000'0000 | 20 << 2;
  CHECK((f.run(thash_m46, 0, kVa) == Next::Continue && f.result() == 0x4000'0000 + 7 * 8));
  CHECK((f.run(ttag_m46, 0, kVa) == Next::Continue && f.result() >> 63 == 0));
  f.nat3 = true;
  CHECK((f.run(thash_m46, 0, kVa) == Next::Continue && f.r().nat(10)));
  CHECK((f.run(ttag_m46, 0, kVa) == Next::Continue && f.r().nat(10)));
}

TEST_CASE("a model with fewer virtual address bits refuses the others") {
  static constexpr CpuModel kSmall = [] {
    CpuModel m = kMontecito;
    m.virtual_address_msb = 50;
    return m;
  }();
  HandlerFixture f(kSmall);
  f.set_ram8(0x10000, 77);
  const u64 lowest_negative = low_mask(61) & ~low_mask(50),
            bad = bit(51);  // sign extensions of bit 50 are implemented
  f.map(lowest_negative, {.ppn_address = 0x10000});
  CHECK((f.load8(lowest_negative) == Next::Continue && f.loaded == 77));
  CHECK(f.general(f.load8(bad), isr::kR | isr::kUnimplementedDataAddress));
  CHECK(f.general(f.load8(bit(50)), isr::kR | isr::kUnimplementedDataAddress));
  CHECK(f.general(f.run(tpa_m46, 0, bad), isr::kNa | isr::kTpa | isr::kUnimplementedDataAddress));
  CHECK((f.run(tak_m46, 0, bad) == Next::Continue && f.result() == 1));
  CHECK((f.run(probe_r_m39, 0, bad) == Next::Continue && f.result() == 0));
  CHECK(f.general(f.run(probe_r_fault_m40, 0, bad),
                  isr::kR | isr::kNa | isr::kProbeFault | isr::kUnimplementedDataAddress));
  CHECK((f.run(thash_m46, 0, bad) == Next::Continue && f.r().nat(10)));
  CHECK((f.run(ttag_m46, 0, bad) == Next::Continue && f.r().nat(10)));
  CHECK(f.general(f.run(ptc_l_m45, 12 << 2, bad), isr::kUnimplementedDataAddress));
  f.psr_off(psr::kIc);
  f.r().ifa = bad, f.r().itir = make_itir(12);
  CHECK(f.general(f.run(itc_d_m41, Pte{}.word(), 0), isr::kUnimplementedDataAddress));
}

TEST_CASE("fc checks rights as a read, except at level 0, and drops cached code") {
  for (const Handler handler : {fc_m28, fc_i_m28}) {
    HandlerFixture f;
    int dropped = 0;
    f.bus.add_code_listener([&](GuestPhys) { dropped++; });
    f.bus.mark_code(0x10000);
    f.map(kVa, {.a = 0, .pl = 0, .ar = 0, .ppn_address = 0x10000}, 12, 5);
    f.psr_on(psr::kPk);
    CHECK(f.run(handler, 0, kVa) == Next::Sync);
    CHECK(dropped == 1);
    f.set_cpl(1);
    CHECK(f.faults(f.run(handler, 0, kVa), Vector::DataAccessRights));
    CHECK(f.fault().isr == (isr::kR | isr::kNa | isr::kFc));
    CHECK(f.faults(f.run(handler, 0, 0x9000), Vector::AlternateDataTlb));
    f.nat3 = true;
    CHECK(f.faults(f.run(handler, 0, kVa), Vector::NatConsumption));
    CHECK(f.fault().isr == (isr::kR | isr::kNa | isr::kRegisterNat | isr::kFc));
  }
}

TEST_CASE("mov rr: privilege, NaT, reserved bits and page sizes") {
  HandlerFixture f;
  const u64 r3 = 3 * MmuFixture::kRegion + 0x123;
  CHECK(f.run(mov_rr_m42, MmuFixture::rr(16, 0xffffff, true), r3) == Next::Sync);
  CHECK(f.r().rr[3] == MmuFixture::rr(16, 0xffffff, true));
  CHECK((f.run(mov_rr_m43, 0, r3) == Next::Continue && f.result() == MmuFixture::rr(16, 0xffffff, true)));
  for (const u64 bad : {bit(1), bit(32), bit(63)})
    CHECK(f.general(f.run(mov_rr_m42, MmuFixture::rr(16, 1) | bad, r3), isr::kReservedRegisterField));
  for (const unsigned ps : {0u, 11u, 15u, 17u, 31u, 33u, 63u})
    CHECK(f.general(f.run(mov_rr_m42, MmuFixture::rr(ps, 1), r3), isr::kReservedRegisterField));
  f.nat2 = true;
  CHECK(f.faults(f.run(mov_rr_m42, MmuFixture::rr(16, 1), r3), Vector::NatConsumption));
  f.set_cpl(2);
  CHECK(f.general(f.run(mov_rr_m42, MmuFixture::rr(16, 1), r3), isr::kPrivilegedOperation));
  CHECK(f.general(f.run(mov_rr_m43, 0, r3), isr::kPrivilegedOperation));
}

TEST_CASE("mov pkr: number, reserved bits, duplicates") {
  HandlerFixture f;
  CHECK(f.run(mov_pkr_m42, 0xabcdef0f, 0x10f) == Next::Sync);
  CHECK((f.run(mov_pkr_m43, 0, 15) == Next::Continue && f.result() == 0xabcdef0f));
  CHECK(f.run(mov_pkr_m42, 0xabcdef01, 2) == Next::Sync);
  CHECK((f.run(mov_pkr_m43, 0, 15) == Next::Continue && f.result() == 0xabcdef0e));
  CHECK(f.general(f.run(mov_pkr_m42, 1, 16), isr::kReservedRegisterField));
  CHECK(f.general(f.run(mov_pkr_m43, 0, 16), isr::kReservedRegisterField));
  for (const u64 bad : {bit(4), bit(7), bit(32), bit(63)})
    CHECK(f.general(f.run(mov_pkr_m42, bad, 0), isr::kReservedRegisterField));
  f.set_cpl(1);
  CHECK(f.general(f.run(mov_pkr_m42, 1, 0), isr::kPrivilegedOperation));
}

}  // namespace ia64::cpu::test
