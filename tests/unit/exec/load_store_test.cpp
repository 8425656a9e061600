// Loads and stores: sizes, byte order, NaT bits and UNAT, post-increment, floating-point images, faults.
#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {

constexpr u64 kAt = Rig::kRam + 0x140;

// The bytes 0x81 0x82 ... from kAt on.
void fill(Rig& rig) {
  for (unsigned n = 0; n < 32; n++) rig.poke<u8>(kAt + n, static_cast<u8>(0x81 + n));
}
// The number that `size` of those bytes make, built byte by byte.
u64 number(unsigned size, bool big_endian, unsigned first = 0) {
  u64 v = 0;
  for (unsigned n = 0; n < size; n++) v = v << 8 | (0x81 + first + (big_endian ? n : size - 1 - n));
  return v;
}

struct Sized {
  unsigned size;
  Handler base, by_register, by_immediate;
};
#define SIZED(n, suffix) {n, ld##n##suffix##_m1, ld##n##suffix##_m2, ld##n##suffix##_m3}
#define SIZES(suffix) SIZED(1, suffix), SIZED(2, suffix), SIZED(4, suffix), SIZED(8, suffix)

}  // namespace

TEST_CASE("load: every size and type zero-extends in both byte orders, with every base update", "[exec]") {
  const Sized all[] = {SIZES(),       SIZES(_s),    SIZES(_a),   SIZES(_sa),       SIZES(_bias),
                       SIZES(_c_clr), SIZES(_c_nc), SIZES(_acq), SIZES(_c_clr_acq), SIZED(8, _fill)};
  for (bool big_endian : {false, true}) {
    for (const Sized& s : all) {
      Rig rig;
      fill(rig);
      rig.big_endian(big_endian);
      const auto check = [&](Handler h, u64 base_after) {
        rig.r.set_gr(40, kAt), rig.r.set_gr(7, 0x1230), rig.r.set_gr_nat(33, ~u64{0}, true);
        rig.core.alat().clear();
        rig.step(h, {.imm = 0xffffffffffffff00, .r1 = 33, .r2 = 7, .r3 = 40});
        CHECK(rig.r.gr(33) == number(s.size, big_endian));
        CHECK_FALSE(rig.r.nat(33));
        CHECK(rig.r.gr(40) == base_after);
        CHECK_FALSE(rig.r.nat(40));
      };
      check(s.base, kAt);
      check(s.by_register, kAt + 0x1230);
      check(s.by_immediate, kAt - 0x100);
    }
  }
}

TEST_CASE("load: the increment is read before the target is written", "[exec]") {
  Rig rig;
  fill(rig);
  rig.r.set_gr(40, kAt), rig.r.set_gr(7, 0x10);
  rig.step(ld8_m2, {.r1 = 7, .r2 = 7, .r3 = 40});
  CHECK(rig.r.gr(7) == number(8, false));
  CHECK(rig.r.gr(40) == kAt + 0x10);
}

TEST_CASE("load: a NaT increment makes the base NaT, not the target", "[exec]") {
  Rig rig;
  rig.r.set_gr(40, kAt), rig.r.set_gr_nat(7, 0x10, true);
  rig.step(ld8_m2, {.r1 = 33, .r2 = 7, .r3 = 40});
  CHECK_FALSE(rig.r.nat(33));
  CHECK(rig.r.nat(40));
}

TEST_CASE("load: a NaT base is consumed, except by speculative loads which pass it on", "[exec]") {
  Rig rig;
  rig.r.set_gr_nat(40, kAt, true);
  for (Handler h : {ld1_m1, ld2_acq_m2, ld4_bias_m3, ld8_a_m1, ld8_c_nc_m1, ld8_c_clr_m3, ld8_c_clr_acq_m1, ld8_fill_m1, ld16_m1}) {
    const Fault f = rig.fault(h, {.imm = 8, .r1 = 33, .r2 = 2, .r3 = 40});
    CHECK(f.vector == Vector::NatConsumption);
    CHECK((f.isr & (isr::kR | isr::kW | isr::kNa | 0xff)) == (isr::kR | isr::kRegisterNat));
  }
  for (Handler h : {ld1_s_m3, ld8_s_m3, ld4_sa_m3}) {
    rig.r.set_gr_nat(40, kAt, true), rig.r.set_gr(33, 5);
    rig.step(h, {.imm = 8, .r1 = 33, .r3 = 40});
    CHECK(rig.r.nat(33));
    CHECK(rig.r.nat(40));
    CHECK(rig.r.gr(40) == kAt + 8);
  }
  CHECK(rig.core.alat().empty());
}

TEST_CASE("load: a fault leaves base and target alone", "[exec]") {
  Rig rig;
  rig.r.psr |= psr::kAc;
  rig.r.set_gr(40, kAt + 1), rig.r.set_gr(33, 5);
  CHECK(rig.fault(ld8_m3, {.imm = 8, .r1 = 33, .r3 = 40}).vector == Vector::UnalignedReference);
  CHECK(rig.fault(ld2_c_nc_m3, {.imm = 8, .r1 = 33, .r3 = 40}).vector == Vector::UnalignedReference);
  CHECK(rig.fault(st4_m5, {.imm = 8, .r2 = 33, .r3 = 40}).vector == Vector::UnalignedReference);
  CHECK(rig.fault(ldfd_m8, {.imm = 8, .r1 = 33, .r3 = 40}).vector == Vector::UnalignedReference);
  CHECK(rig.fault(stf_spill_m10, {.imm = 8, .r2 = 33, .r3 = 40}).vector == Vector::UnalignedReference);
}

TEST_CASE("store: every size in both byte orders; the base changes after the value was taken", "[exec]") {
  struct Store {
    unsigned size;
    Handler base, by_immediate;
  };
  const Store all[] = {{1, st1_m4, st1_m5},         {2, st2_m4, st2_m5},         {4, st4_m4, st4_m5},
                       {8, st8_m4, st8_m5},         {1, st1_rel_m4, st1_rel_m5}, {2, st2_rel_m4, st2_rel_m5},
                       {4, st4_rel_m4, st4_rel_m5}, {8, st8_rel_m4, st8_rel_m5}, {8, st8_spill_m4, st8_spill_m5}};
  for (bool big_endian : {false, true}) {
    for (const Store& s : all) {
      Rig rig;
      rig.big_endian(big_endian);
      rig.r.set_gr(40, kAt), rig.r.set_gr(7, 0x0102030405060708);
      rig.step(s.base, {.r2 = 7, .r3 = 40});
      for (unsigned n = 0; n < 16; n++) {  // byte n of memory holds byte number 8-n of the value, or the other way round
        const unsigned expected = n >= s.size ? 0 : big_endian ? 8 - s.size + n + 1 : 8 - n;
        CHECK(rig.peek<u8>(kAt + n) == expected);
      }
      CHECK(rig.r.gr(40) == kAt);
      rig.step(s.by_immediate, {.imm = 0xfffffffffffffff8, .r2 = 40, .r3 = 40});
      CHECK(rig.r.gr(40) == kAt - 8);
      CHECK(rig.peek<u8>(kAt + (big_endian ? s.size - 1 : 0)) == (kAt & 0xff));
    }
  }
}

TEST_CASE("store: NaT of base or value is consumed, but a spill keeps the value's", "[exec]") {
  Rig rig;
  for (Handler h : {st1_m4, st2_m5, st4_rel_m4, st8_m5, st16_m4}) {
    for (int n = 1; n < 4; n++) {
      rig.r.set_gr_nat(40, kAt, n & 1), rig.r.set_gr_nat(7, 1, n & 2);
      const Fault f = rig.fault(h, {.imm = 8, .r2 = 7, .r3 = 40});
      CHECK(f.vector == Vector::NatConsumption);
      CHECK((f.isr & (isr::kR | isr::kW | isr::kNa | 0xff)) == (isr::kW | isr::kRegisterNat));
    }
  }
  rig.r.set_gr_nat(40, kAt, true);
  CHECK(rig.fault(st8_spill_m5, {.imm = 8, .r2 = 7, .r3 = 40}).vector == Vector::NatConsumption);
}

TEST_CASE("spill and fill: bits 8:3 of the address choose the bit of UNAT", "[exec]") {
  Rig rig;
  for (unsigned n = 0; n < 64; n++) {
    const u64 at = Rig::kRam + 0x1000 + 8 * n;
    for (bool nat : {true, false}) {
      rig.r.unat = nat ? 0 : ~u64{0};
      rig.r.set_gr(40, at), rig.r.set_gr_nat(7, 0x1234 + n, nat);
      rig.step(st8_spill_m4, {.r2 = 7, .r3 = 40});
      CHECK(rig.r.unat == (nat ? u64{1} << n : ~(u64{1} << n)));
      rig.step(ld8_fill_m3, {.imm = 8, .r1 = 33, .r3 = 40});
      CHECK(rig.r.gr(33) == 0x1234 + n);
      CHECK(rig.r.nat(33) == nat);
    }
  }
}

TEST_CASE("ld16 and st16: r register at the lower address, CSD at the higher, each in the current byte order", "[exec]") {
  for (bool big_endian : {false, true}) {
    for (Handler load : {ld16_m1, ld16_acq_m1}) {
      Rig rig;
      fill(rig);
      rig.big_endian(big_endian);
      rig.r.set_gr(40, kAt);
      rig.step(load, {.r1 = 33, .r3 = 40});
      CHECK(rig.r.gr(33) == number(8, big_endian));
      CHECK(rig.r.csd == number(8, big_endian, 8));
      rig.r.set_gr(40, kAt + 0x20);
      rig.step(load == ld16_m1 ? st16_m4 : st16_rel_m4, {.r2 = 33, .r3 = 40});
      CHECK(rig.peek<u64>(kAt + 0x20) == rig.peek<u64>(kAt));
      CHECK(rig.peek<u64>(kAt + 0x28) == rig.peek<u64>(kAt + 8));
    }
  }
  Rig rig;
  rig.r.set_gr(40, kAt + 8);
  CHECK(rig.fault(ld16_m1, {.r1 = 33, .r3 = 40}).vector == Vector::UnalignedReference);
  CHECK(rig.fault(st16_m4, {.r2 = 33, .r3 = 40}).vector == Vector::UnalignedReference);
}

namespace {

// Memory images (little-endian numbers) of some values in each format, and the register they make.
struct FpRow {
  Handler loads[3], stores[2];
  unsigned size;
  u64 low, high;
  FpReg value;
};
#define FP(name) {name##_m6, name##_m7, name##_m8}
const FpRow kFpRows[] = {
    {FP(ldfs), {stfs_m9, stfs_m10}, 4, 0xbfc00000, 0, {0xc000000000000000, 0x2ffff, 0}},
    {FP(ldfs), {stfs_m9, stfs_m10}, 4, 0x00000001, 0, {0x0000010000000000, 0xff81, 0}},
    {FP(ldfs), {stfs_m9, stfs_m10}, 4, 0x7f800001, 0, {0x8000010000000000, 0x1ffff, 0}},
    {FP(ldfd), {stfd_m9, stfd_m10}, 8, 0x3ff8000000000000, 0, {0xc000000000000000, 0xffff, 0}},
    {FP(ldfd), {stfd_m9, stfd_m10}, 8, 0xfff0000000000000, 0, {0x8000000000000000, 0x3ffff, 0}},
    {FP(ldf8), {stf8_m9, stf8_m10}, 8, 0x8123456789abcdef, 0, {0x8123456789abcdef, 0x1003e, 0}},
    {FP(ldfe), {stfe_m9, stfe_m10}, 10, 0xc000000000000001, 0xbfff, {0xc000000000000001, 0x2ffff, 0}},
    {FP(ldfe), {stfe_m9, stfe_m10}, 10, 0x8000000000000000, 0x7fff, {0x8000000000000000, 0x1ffff, 0}},
    {FP(ldf_fill), {stf_spill_m9, stf_spill_m10}, 16, 0x0123456789abcdef, 0x2abcd, {0x0123456789abcdef, 0x2abcd, 0}},
    {FP(ldf_fill), {stf_spill_m9, stf_spill_m10}, 16, 0, 0x1fffe, kFpNatVal},
};

std::vector<u8> image(const FpRow& row, bool big_endian) {
  std::vector<u8> bytes;
  for (unsigned n = 0; n < row.size; n++) bytes.push_back(static_cast<u8>((n < 8 ? row.low >> (8 * n) : row.high >> (8 * (n - 8)))));
  return big_endian ? std::vector<u8>(bytes.rbegin(), bytes.rend()) : bytes;
}

}  // namespace

TEST_CASE("floating-point loads and stores: images of every format in both byte orders, with base updates", "[exec]") {
  for (bool big_endian : {false, true}) {
    for (const FpRow& row : kFpRows) {
      Rig rig;
      rig.big_endian(big_endian);
      const std::vector<u8> bytes = image(row, big_endian);
      std::copy(bytes.begin(), bytes.end(), rig.ram + (kAt - Rig::kRam));
      const u64 after[] = {kAt, kAt + 0x30, kAt - 0x10};
      for (int form = 0; form < 3; form++) {
        rig.r.set_gr(40, kAt), rig.r.set_gr(7, 0x30), rig.r.set_fr(50, kFpOne);
        rig.step(row.loads[form], {.imm = 0xfffffffffffffff0, .r1 = 50, .r2 = 7, .r3 = 40});
        CHECK(rig.r.fr(50) == row.value);
        CHECK(rig.r.gr(40) == after[form]);
      }
      for (int form = 0; form < 2; form++) {
        const u64 to = kAt + 0x40;
        for (unsigned n = 0; n < 16; n++) rig.poke<u8>(to + n, 0xee);
        rig.r.set_gr(40, to);
        rig.step(row.stores[form], {.imm = 0x10, .r2 = 50, .r3 = 40});
        CHECK(std::equal(bytes.begin(), bytes.end(), rig.ram + (to - Rig::kRam)));
        if (row.size < 16) CHECK(rig.peek<u8>(to + row.size) == 0xee);
        CHECK(rig.r.gr(40) == to + (form ? 0x10 : 0));
      }
    }
  }
}

TEST_CASE("floating-point pairs: lower address to f1, higher to f2; the base moves by the size of the pair", "[exec]") {
  for (bool big_endian : {false, true}) {
    Rig rig;
    rig.big_endian(big_endian);
    const auto poke4 = [&](u64 at, u32 v) { rig.poke<u32>(at, big_endian ? byte_swap(v) : v); };
    const auto poke8 = [&](u64 at, u64 v) { rig.poke<u64>(at, big_endian ? byte_swap(v) : v); };
    const FpReg one{0x8000000000000000, 0xffff, 0}, two{0x8000000000000000, 0x10000, 0};
    const auto check = [&](Handler base, Handler update, u64 size, const FpReg& first, const FpReg& second) {
      for (Handler h : {base, update}) {
        rig.r.set_gr(40, kAt);
        rig.step(h, {.imm = size, .r1 = 50, .r2 = 61, .r3 = 40});
        CHECK(rig.r.fr(50) == first);
        CHECK(rig.r.fr(61) == second);
        CHECK(rig.r.gr(40) == kAt + (h == update ? size : 0));
      }
    };
    poke4(kAt, 0x3f800000), poke4(kAt + 4, 0x40000000);
    check(ldfps_m11, ldfps_m12, 8, one, two);
    check(ldfps_s_m11, ldfps_s_m12, 8, one, two);
    poke8(kAt, 0x3ff0000000000000), poke8(kAt + 8, 0x4000000000000000);
    check(ldfpd_m11, ldfpd_m12, 16, one, two);
    rig.core.alat().clear();
    check(ldfpd_c_nc_m11, ldfpd_c_nc_m12, 16, one, two);
    check(ldfp8_m11, ldfp8_m12, 16, {0x3ff0000000000000, 0x1003e, 0}, {0x4000000000000000, 0x1003e, 0});
  }
}

TEST_CASE("floating-point pairs: the physical registers must be one even, one odd", "[exec]") {
  Rig rig;
  rig.r.set_gr(40, kAt);
  CHECK(rig.fault(ldfpd_m11, {.r1 = 50, .r2 = 60, .r3 = 40}).vector == Vector::GeneralException);
  CHECK(rig.fault(ldfpd_m11, {.r1 = 3, .r2 = 5, .r3 = 40}).vector == Vector::GeneralException);
  rig.step(ldfpd_m11, {.r1 = 3, .r2 = 40, .r3 = 40});
  rig.r.cfm.rrb_fr = 1;  // f40 is physical 41 now
  CHECK(rig.fault(ldfpd_m11, {.r1 = 3, .r2 = 40, .r3 = 40}).vector == Vector::GeneralException);
  rig.step(ldfpd_m11, {.r1 = 4, .r2 = 40, .r3 = 40});
  rig.step(ldfpd_m11, {.r1 = 50, .r2 = 51, .r3 = 40});
}

TEST_CASE("floating-point loads: a NaT base gives NaTVal when speculative, a fault otherwise", "[exec]") {
  Rig rig;
  for (Handler h : {ldfs_s_m8, ldfd_sa_m8, ldfe_s_m8, ldf8_sa_m8}) {
    rig.r.set_gr_nat(40, kAt, true), rig.r.set_fr(50, kFpOne);
    rig.step(h, {.imm = 16, .r1 = 50, .r3 = 40});
    CHECK(rig.r.fr(50).is_natval());
    CHECK(rig.r.nat(40));
    CHECK(rig.r.gr(40) == kAt + 16);
  }
  rig.r.set_gr_nat(40, kAt, true);
  rig.step(ldfp8_s_m12, {.imm = 16, .r1 = 50, .r2 = 51, .r3 = 40});
  CHECK(rig.r.fr(50).is_natval());
  CHECK(rig.r.fr(51).is_natval());
  for (Handler h : {ldfs_m6, ldfd_a_m6, ldfe_c_nc_m6, ldf_fill_m6, ldfps_m11})
    CHECK(rig.fault(h, {.r1 = 50, .r2 = 51, .r3 = 40}).vector == Vector::NatConsumption);
}

TEST_CASE("floating-point stores: NaTVal is consumed by all but the spill", "[exec]") {
  Rig rig;
  rig.r.set_gr(40, kAt), rig.r.set_fr(50, kFpNatVal);
  for (Handler h : {stfs_m9, stfd_m10, stf8_m9, stfe_m10}) {
    const Fault f = rig.fault(h, {.r2 = 50, .r3 = 40});
    CHECK(f.vector == Vector::NatConsumption);
    CHECK((f.isr & (isr::kR | isr::kW)) == isr::kW);
  }
  rig.step(stf_spill_m9, {.r2 = 50, .r3 = 40});
}

TEST_CASE("floating-point memory: disabled registers come before NaT, with the access in ISR", "[exec]") {
  Rig rig;
  rig.r.set_gr_nat(40, kAt, true);
  rig.r.psr |= psr::kDfh;
  const auto isr_of = [&](Handler h, const Insn& i) {
    const Fault f = rig.fault(h, i);
    CHECK(f.vector == Vector::DisabledFp);
    return f.isr & (isr::kR | isr::kW | isr::kSp | 3);
  };
  CHECK(isr_of(ldfd_m6, {.r1 = 50, .r3 = 40}) == (isr::kR | 2));
  CHECK(isr_of(ldfd_s_m6, {.r1 = 50, .r3 = 40}) == (isr::kR | isr::kSp | 2));
  CHECK(isr_of(stfd_m9, {.r2 = 50, .r3 = 40}) == (isr::kW | 2));
  CHECK(isr_of(ldfpd_m11, {.r1 = 6, .r2 = 51, .r3 = 40}) == (isr::kR | 2));
  rig.r.psr |= psr::kDfl;
  CHECK(isr_of(ldfpd_m11, {.r1 = 6, .r2 = 51, .r3 = 40}) == (isr::kR | 3));
}

TEST_CASE("floating-point loads mark the half they write", "[exec]") {
  Rig rig;
  rig.r.set_gr(40, kAt);
  rig.step(ldfd_m6, {.r1 = 6, .r3 = 40});
  CHECK((rig.r.psr & (psr::kMfl | psr::kMfh)) == psr::kMfl);
  rig.step(ldfpd_m11, {.r1 = 60, .r2 = 61, .r3 = 40});
  CHECK((rig.r.psr & (psr::kMfl | psr::kMfh)) == (psr::kMfl | psr::kMfh));
}

TEST_CASE("lfetch: increments like a load, consumes NaT only in the faulting form", "[exec]") {
  Rig rig;
  const Handler quiet[] = {lfetch_m13, lfetch_excl_m13, lfetch_m14, lfetch_excl_m14, lfetch_m15, lfetch_excl_m15};
  for (Handler h : quiet) {
    for (bool nat : {false, true}) {
      const u64 nowhere = 0x00fffffffffff000;
      rig.r.set_gr_nat(40, nowhere, nat), rig.r.set_gr(7, 0x20);
      rig.step(h, {.imm = 0xffffffffffffffc0, .r2 = 7, .r3 = 40});
      const u64 moved = h == lfetch_m14 || h == lfetch_excl_m14 ? 0x20 : h == lfetch_m15 || h == lfetch_excl_m15 ? -0x40 : 0;
      CHECK(rig.r.gr(40) == nowhere + moved);
      CHECK(rig.r.nat(40) == nat);
    }
  }
  for (Handler h : {lfetch_fault_m13, lfetch_fault_excl_m14, lfetch_fault_m15}) {
    rig.r.set_gr(40, kAt), rig.r.set_gr(7, 0x20);
    rig.step(h, {.imm = 0x20, .r2 = 7, .r3 = 40});
    CHECK(rig.r.gr(40) == kAt + (h == lfetch_fault_m13 ? 0 : 0x20));
    rig.r.set_gr_nat(40, kAt, true);
    const Fault f = rig.fault(h, {.imm = 0x20, .r2 = 7, .r3 = 40});
    CHECK(f.vector == Vector::NatConsumption);
    CHECK((f.isr & (isr::kNa | 0xff)) == (isr::kNa | isr::kRegisterNat | isr::kLfetch));
  }
}
