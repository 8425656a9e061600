// Control and data speculation: deferral seen by loads, checks, the ALAT and everything that removes its entries.
#include "cpu/exec/rotation.h"
#include "cpu/mmu/tlb.h"
#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {

constexpr u64 kAt = Rig::kRam + 0x400;

struct Machine : Rig {
  Machine() {
    r.set_gr(40, kAt);
    for (unsigned n = 0; n < 64; n++) poke<u8>(kAt - 16 + n, static_cast<u8>(n));
  }
  void load_advanced(u8 r1 = 33, Handler h = ld8_a_m1) { step(h, {.r1 = r1, .r3 = 40}); }
  // Whether chk.a of a register still succeeds (.nc leaves the entry).
  bool holds(u8 r1 = 33) { return run(chk_a_nc_m22, {.imm = 0x100, .r1 = r1}) == Next::Continue; }
  bool holds_fr(u8 f1) { return run(chk_a_nc_m23, {.imm = 0x100, .r1 = f1}) == Next::Continue; }
  void store(u64 at, Handler h) {
    r.set_gr(41, at);
    step(h, {.r2 = 0, .r3 = 41});
  }
};

}  // namespace

TEST_CASE("chk.s: branches on NaT or NaTVal from the bundle's address", "[exec]") {
  Machine m;
  const u64 here = m.core.insn_ip({.bundle = 1});
  for (Handler h : {chk_s_m20, chk_s_i20}) {
    m.r.set_gr(33, 0);
    CHECK(m.run(h, {.imm = 0x50, .r2 = 33, .bundle = 1}) == Next::Continue);
    m.r.set_gr_nat(33, 0, true);
    CHECK(m.run(h, {.imm = 0x50, .r2 = 33, .bundle = 1}) == Next::Branch);
    CHECK(m.r.ip == here + 0x50);
  }
  m.r.set_fr(33, kFpOne);
  CHECK(m.run(chk_s_m21, {.imm = 0x50, .r2 = 33}) == Next::Continue);
  m.r.set_fr(33, kFpNatVal);
  CHECK(m.run(chk_s_m21, {.imm = 0xffffffffffffff00, .r2 = 33}) == Next::Branch);
  m.r.psr |= psr::kDfh;
  CHECK(m.fault(chk_s_m21, {.r2 = 33}).vector == Vector::DisabledFp);
}

TEST_CASE("ld.s: PSR.ed defers even what would not fault, and the base still moves", "[exec]") {
  Machine m;
  m.r.psr |= psr::kEd;
  m.step(ld8_s_m3, {.imm = 8, .r1 = 33, .r3 = 40});
  CHECK(m.r.nat(33));
  CHECK(m.r.gr(40) == kAt + 8);
  CHECK_FALSE(m.r.nat(40));
  m.step(ldfd_s_m8, {.imm = 8, .r1 = 33, .r3 = 40});
  CHECK(m.r.fr(33).is_natval());
}

TEST_CASE("ld.s: uncacheable memory defers; ld.sa then leaves no old entry", "[exec]") {
  Machine m;
  m.load_advanced();
  CHECK(m.holds());
  m.r.set_gr(40, kAt | Rig::kUncacheable);
  m.step(ld8_sa_m1, {.r1 = 33, .r3 = 40});
  CHECK(m.r.nat(33));
  CHECK_FALSE(m.holds());
  m.step(ld8_s_m1, {.r1 = 34, .r3 = 40});
  CHECK(m.r.nat(34));
}

TEST_CASE("ld.sa: a NaT base removes the old entry of the target", "[exec]") {
  Machine m;
  m.load_advanced();
  m.r.set_gr_nat(40, kAt, true);
  m.step(ld8_sa_m1, {.r1 = 33, .r3 = 40});
  CHECK_FALSE(m.holds());
}

TEST_CASE("ld.a: uncacheable memory gives zero without an entry, ld.c.nc the value without an entry", "[exec]") {
  Machine m;
  m.load_advanced();
  m.r.set_gr(40, kAt | Rig::kUncacheable);
  m.load_advanced();
  CHECK(m.r.gr(33) == 0);
  CHECK_FALSE(m.r.nat(33));
  CHECK_FALSE(m.holds());
  m.step(ldf8_a_m6, {.r1 = 50, .r3 = 40});
  CHECK(m.r.fr(50) == FpReg{0, 0x1003e, 0});
  m.step(ldfd_a_m6, {.r1 = 50, .r3 = 40});
  CHECK(m.r.fr(50) == kFpZero);
  m.step(ld8_c_nc_m1, {.r1 = 33, .r3 = 40});
  CHECK(m.r.gr(33) == 0x1716151413121110);
  CHECK_FALSE(m.holds());
}

TEST_CASE("chk.a: hits after ld.a, .clr forgets, r0 and f0 and f1 never hit", "[exec]") {
  Machine m;
  m.load_advanced();
  CHECK(m.r.gr(33) == 0x1716151413121110);
  const u64 here = m.core.insn_ip({});
  CHECK(m.run(chk_a_nc_m22, {.imm = 0x70, .r1 = 33}) == Next::Continue);
  CHECK(m.run(chk_a_clr_m22, {.imm = 0x70, .r1 = 33}) == Next::Continue);
  CHECK(m.run(chk_a_clr_m22, {.imm = 0x70, .r1 = 33}) == Next::Branch);
  CHECK(m.r.ip == here + 0x70);
  CHECK_FALSE(m.holds(0));
  CHECK_FALSE(m.holds_fr(0));
  CHECK_FALSE(m.holds_fr(1));
}

TEST_CASE("ld.c: keeps the register on a hit, loads again on a miss", "[exec]") {
  Machine m;
  struct Row {
    Handler handler;
    bool entry_after_hit, entry_after_miss, reads_on_hit;
  };
  const Row rows[] = {{ld8_c_clr_m3, false, false, false}, {ld8_c_nc_m3, true, true, false}, {ld8_c_clr_acq_m3, false, false, true}};
  for (const Row& row : rows) {
    m.r.set_gr(40, kAt), m.core.alat().clear();
    m.load_advanced();
    m.r.set_gr(33, 0x5555);  // not what memory holds: a hit leaves it
    m.step(row.handler, {.imm = 8, .r1 = 33, .r3 = 40});
    CHECK(m.r.gr(33) == (row.reads_on_hit ? 0x1716151413121110 : 0x5555));
    CHECK(m.r.gr(40) == kAt + 8);
    CHECK(m.holds() == row.entry_after_hit);
    m.r.set_gr(40, kAt), m.core.alat().clear();
    m.step(row.handler, {.imm = 8, .r1 = 33, .r3 = 40});
    CHECK(m.r.gr(33) == 0x1716151413121110);
    CHECK(m.r.gr(40) == kAt + 8);
    CHECK(m.holds() == row.entry_after_miss);
  }
}

TEST_CASE("ld.c: floating-point forms", "[exec]") {
  Machine m;
  m.poke<u64>(kAt, 0x3ff0000000000000), m.poke<u64>(kAt + 8, 0x4000000000000000);
  m.step(ldfd_a_m6, {.r1 = 50, .r3 = 40});
  CHECK(m.r.fr(50) == kFpOne);
  m.r.set_fr(50, kFpZero);
  m.step(ldfd_c_nc_m6, {.r1 = 50, .r3 = 40});
  CHECK(m.r.fr(50) == kFpZero);
  m.step(ldfd_c_clr_m6, {.r1 = 50, .r3 = 40});
  CHECK(m.r.fr(50) == kFpZero);
  m.step(ldfd_c_clr_m6, {.r1 = 50, .r3 = 40});
  CHECK(m.r.fr(50) == kFpOne);
  m.step(ldfpd_a_m11, {.r1 = 50, .r2 = 51, .r3 = 40});
  CHECK(m.holds_fr(50));
  CHECK_FALSE(m.holds_fr(51));
  m.store(kAt + 15, st1_m4);  // the last byte of the pair
  CHECK_FALSE(m.holds_fr(50));
}

TEST_CASE("ALAT: general and floating-point registers of one number are different, the last load counts", "[exec]") {
  Machine m;
  m.load_advanced(33);
  CHECK_FALSE(m.holds_fr(33));
  m.step(ldfd_a_m6, {.r1 = 34, .r3 = 40});
  CHECK_FALSE(m.holds(34));
  m.r.set_gr(40, kAt + 0x20);
  m.load_advanced(33);
  CHECK(m.core.alat().count() == 2);
  m.store(kAt, st8_m4);
  CHECK(m.holds(33));
  CHECK_FALSE(m.holds_fr(34));
}

TEST_CASE("ALAT: every overlap of a load and a store, by width and distance", "[exec]") {
  struct Load {
    Handler handler;
    int size;
  };
  struct Store {
    Handler handler;
    int size;
  };
  const Load loads[] = {{ld1_a_m1, 1}, {ld2_a_m1, 2}, {ld4_a_m1, 4}, {ld8_a_m1, 8}};
  const Store stores[] = {{st1_m4, 1},      {st2_m4, 2},   {st4_m4, 4},    {st8_m4, 8},        {st16_m4, 16},
                          {st8_rel_m4, 8}, {stfs_m9, 4}, {stfe_m9, 10}, {stf_spill_m9, 16}, {st8_spill_m4, 8}};
  Machine m;
  for (const Load& l : loads) {
    for (int load_offset = 0; load_offset < 16; load_offset += l.size) {
      for (const Store& s : stores) {
        const int align = s.size == 10 ? 16 : s.size;
        for (int store_offset = -16; store_offset < 32; store_offset += align) {
          m.r.set_gr(40, kAt + load_offset);
          m.load_advanced(33, l.handler);
          m.store(kAt + store_offset, s.handler);
          bool shares_a_byte = false;
          for (int b = 0; b < l.size; b++) {
            const int at = load_offset + b - store_offset;
            shares_a_byte |= at >= 0 && at < s.size;
          }
          if (m.holds() == shares_a_byte) FAIL("load " << l.size << "@" << load_offset << " store " << s.size << "@" << store_offset);
        }
      }
    }
  }
}

TEST_CASE("ALAT: stores elsewhere in another page leave an entry, even at the same offset", "[exec]") {
  Machine m;
  m.load_advanced();
  m.store(kAt + 0x1000, st8_m4);
  CHECK(m.holds());
  m.store(kAt | Rig::kUncacheable, st8_m4);  // the same memory by its other name
  CHECK_FALSE(m.holds());
}

TEST_CASE("ALAT: virtual aliases of one physical page are one, equal offsets of different pages are not", "[exec]") {
  Machine m;
  constexpr u64 kReadWrite = 1 | 1 << 5 | 1 << 6 | 2 << 9;  // present, accessed, dirty, read and write at level 0
  m.core.tlb().write_rr(0, 0x10 << 8 | 12 << 2);
  const auto map = [&](u64 va, u64 phys) { m.core.tlb().insert_data(va, kReadWrite | phys, 12 << 2); };
  map(0x5000, Rig::kRam), map(0x7000, Rig::kRam), map(0x9000, Rig::kRam + 0x1000);
  m.core.set_psr(m.r.psr | psr::kDt);
  for (const auto& [store_at, survives] : {std::pair<u64, bool>{0x9400, true}, {0x73f8, true}, {0x7400, false}, {0x5400, false}}) {
    m.r.set_gr(40, 0x5400);
    m.load_advanced();
    CHECK(m.core.alat().count() == 1);
    m.store(store_at, st8_m4);
    CHECK(m.holds() == survives);
  }
  m.load_advanced();
  m.core.set_psr(m.r.psr & ~psr::kDt);
  m.store(Rig::kRam + 0x404, st4_m4);  // and its physical address
  CHECK_FALSE(m.holds());
}

TEST_CASE("ALAT: a store that faults removes nothing", "[exec]") {
  Machine m;
  m.load_advanced();
  m.r.psr |= psr::kAc;
  m.r.set_gr(41, kAt + 1);
  CHECK(m.fault(st8_m4, {.r2 = 0, .r3 = 41}).vector == Vector::UnalignedReference);
  CHECK(m.holds());
}

TEST_CASE("ALAT: semaphores remove what they write; acquire forms everything", "[exec]") {
  Machine m;
  m.r.set_gr(41, kAt), m.r.set_gr(42, kAt + 8), m.r.set_gr(7, 1);
  m.load_advanced();
  m.r.ccv = 0;
  m.step(cmpxchg8_rel_m16, {.r1 = 34, .r2 = 7, .r3 = 41});  // not equal: memory is unchanged
  CHECK(m.holds());
  m.step(fetchadd8_rel_m17, {.imm = 1, .r1 = 34, .r3 = 42});
  CHECK(m.holds());
  m.r.ccv = m.peek<u64>(kAt);
  m.step(cmpxchg8_rel_m16, {.r1 = 34, .r2 = 7, .r3 = 41});
  CHECK_FALSE(m.holds());
  m.load_advanced();
  m.r.ccv = m.peek<u64>(kAt + 8);
  m.step(cmp8xchg16_rel_m16, {.r1 = 34, .r2 = 7, .r3 = 42});  // compares the upper half, writes both
  CHECK_FALSE(m.holds());
  m.load_advanced();
  m.step(xchg8_m16, {.r1 = 34, .r2 = 7, .r3 = 41});
  CHECK_FALSE(m.holds());
}

TEST_CASE("ALAT: after an acquire or fence, stores of other processors cannot be missed", "[exec]") {
  Machine m;
  m.r.set_gr(42, kAt + 0x80), m.r.set_gr(7, 1);
  struct Row {
    Handler handler;
    Insn insn;
  };
  const Row rows[] = {{ld4_acq_m1, {.r1 = 34, .r3 = 42}}, {xchg8_m16, {.r1 = 34, .r2 = 7, .r3 = 42}},
                      {fetchadd4_acq_m17, {.imm = 1, .r1 = 34, .r3 = 42}}, {mf_m24, {}},
                      {ld16_acq_m1, {.r1 = 34, .r3 = 42}}, {ld8_c_clr_acq_m1, {.r1 = 34, .r3 = 42}}};
  for (const Row& row : rows) {
    m.load_advanced();
    m.poke<u64>(kAt, m.peek<u64>(kAt) + 1);  // as another processor or a device would
    m.step(row.handler, row.insn);
    m.step(ld8_c_clr_m1, {.r1 = 33, .r3 = 40});
    CHECK(m.r.gr(33) == m.peek<u64>(kAt));
  }
}

TEST_CASE("ALAT: rotation, frames and banks rename registers, entries stay with the physical ones", "[exec]") {
  Machine m;
  m.r.cfm = {.sof = 20, .sol = 16, .sor = 16};
  m.r.set_gr(18, kAt);
  m.step(ld8_a_m1, {.r1 = 34, .r3 = 18});
  rotate_down(m.r);
  CHECK(m.holds(35));
  CHECK_FALSE(m.holds(34));
  m.r.cfm.rrb_gr = 0;
  m.r.bof += 16;  // as a call does
  CHECK_FALSE(m.holds(34));
  m.r.bof -= 16;
  CHECK(m.holds(34));
  m.step(ldfd_a_m6, {.r1 = 40, .r3 = 18});
  m.r.cfm.rrb_fr = static_cast<u8>(m.r.cfm.rrb_fr - 1);
  CHECK_FALSE(m.holds_fr(40));
  CHECK(m.holds_fr(41));
  m.step(ld8_a_m1, {.r1 = 17, .r3 = 18});
  CHECK(m.holds(17));
  m.r.psr ^= psr::kBn;
  CHECK_FALSE(m.holds(17));
  m.r.psr ^= psr::kBn;
  CHECK(m.holds(17));
}

TEST_CASE("ALAT: invala forgets all, invala.e one register", "[exec]") {
  Machine m;
  m.load_advanced(33), m.load_advanced(34);
  m.step(ldfd_a_m6, {.r1 = 33, .r3 = 40});
  m.step(invala_e_m26, {.r1 = 33});
  CHECK_FALSE(m.holds(33));
  CHECK(m.holds(34));
  CHECK(m.holds_fr(33));
  m.step(invala_e_m27, {.r1 = 33});
  CHECK_FALSE(m.holds_fr(33));
  CHECK(m.holds(34));
  m.step(invala_m24, {});
  CHECK_FALSE(m.holds(34));
  CHECK(m.core.alat().empty());
}

TEST_CASE("ALAT: holds 32 entries and then replaces one at a time", "[exec]") {
  Machine m;
  for (u8 r1 = 50; r1 < 82; r1++) m.load_advanced(r1);
  CHECK(m.core.alat().count() == 32);
  for (u8 r1 = 50; r1 < 82; r1++) CHECK(m.holds(r1));
  m.load_advanced(90);
  CHECK(m.holds(90));
  CHECK(m.core.alat().count() == 32);
}

TEST_CASE("ALAT: ranges of memory that are invalidated", "[exec]") {
  Alat alat;
  const auto at = [](u64 address) { return reinterpret_cast<const void*>(address); };
  alat.insert(33, 0x1000, at(0x1000), 8);
  alat.insert(34, 0x2000, at(0x2000), 4);
  alat.insert(35, 0xffff, at(0xffff), 1);
  alat.invalidate_range(at(0x1008), 0xff8);
  CHECK(alat.count() == 3);
  alat.invalidate_range(at(0x1007), 0xff9);
  CHECK(alat.count() == 2);
  alat.invalidate_range(at(0), 0x2001);
  CHECK_FALSE(alat.hit(34));
  CHECK(alat.hit(35));
  alat.invalidate_range(at(0xffff), ~u64{0});
  CHECK(alat.empty());
}

TEST_CASE("ALAT: memory need not lie at multiples of a page of the host", "[exec]") {
  Alat alat;
  alat.insert(33, 0x1010, reinterpret_cast<const void*>(0x7af8), 8);
  CHECK(alat.may_overlap(0x5014, 4));
  CHECK_FALSE(alat.may_overlap(0x5af8, 4));
}

TEST_CASE("ALAT: only stores to a granule with entries may overlap", "[exec]") {
  Alat alat;
  const auto at = [](u64 address) { return reinterpret_cast<const void*>(address); };
  alat.insert(33, 0x7010, at(0x7010), 8);
  CHECK(alat.may_overlap(0x1018, 8));
  CHECK(alat.may_overlap(0x100c, 8));
  CHECK_FALSE(alat.may_overlap(0x1020, 8));
  CHECK_FALSE(alat.may_overlap(0x1008, 8));
  alat.insert(33, 0x7020, at(0x7020), 8);
  CHECK_FALSE(alat.may_overlap(0x1018, 8));
  alat.insert(33, 0x701c, at(0x701c), 8);  // in two granules
  CHECK(alat.empty());
  CHECK_FALSE(alat.may_overlap(0x1020, 8));
}
