// Integer arithmetic, logic, 32-bit addresses, extension, counts: values and NaT propagation.
#include "tests/unit/exec/exec_rig.h"

using namespace ia64;
using namespace ia64::cpu;
using namespace ia64::cpu::test;

namespace {

struct Row {
  const char* what;
  Handler handler;
  u64 imm, r2, r3, expected;
  u8 pos = 0;
};

// Expected values by hand from the operation sections of the manual.
const Row kRows[] = {
    {"add wraps", add_a1, 0, 0xffffffffffffffff, 2, 1},
    {"add +1", add_1_a1, 1, 5, 7, 13},
    {"sub", sub_a1, 0, 5, 7, 0xfffffffffffffffe},
    {"sub -1", sub_1_a1, 1, 5, 7, 0xfffffffffffffffd},
    {"and", and_a1, 0, 0xff00ff00, 0x0ff00ff0, 0x0f000f00},
    {"andcm", andcm_a1, 0, 0xff00ff00, 0x0ff00ff0, 0xf000f000},
    {"or", or_a1, 0, 0xff00ff00, 0x0ff00ff0, 0xfff0fff0},
    {"xor", xor_a1, 0, 0xff00ff00, 0x0ff00ff0, 0xf0f0f0f0},
    {"shladd 1", shladd_a2, 0, 3, 0x100, 0x106, 1},
    {"shladd 4 loses high bits", shladd_a2, 0, 0xf000000000000001, 0, 0x10, 4},
    {"addp4 region 0", addp4_a1, 0, 0x10, 0x3ffffff0, 0x40000000},
    {"addp4 region from r3 bits 31:30", addp4_a1, 0, 0x10, 0xc0000000, 0x60000000c0000010},
    {"addp4 drops the carry", addp4_a1, 0, 0x80000000, 0x80000000, 0x4000000000000000},
    {"addp4 immediate", addp4_a4, 0xffffffffffffffff, 0, 0x40000000, 0x200000003fffffff},
    {"shladdp4", shladdp4_a2, 0, 0x4000000, 0x80000004, 0x4000000090000004, 2},
    {"sub immediate", sub_a3, 0xffffffffffffff80, 0, 1, 0xffffffffffffff7f},
    {"and immediate", and_a3, 0xfffffffffffffff0, 0, 0x123456789abcdeff, 0x123456789abcdef0},
    {"andcm immediate", andcm_a3, 0x0f, 0, 0x3, 0xc},
    {"or immediate", or_a3, 0xffffffffffffff80, 0, 0x7f, 0xffffffffffffffff},
    {"xor immediate", xor_a3, 0xffffffffffffffff, 0, 0x1234, 0xffffffffffffedcb},
    {"adds", adds_a4, 0xffffffffffffe000, 0, 0x2000, 0},
    {"addl", addl_a5, 0x1fffff, 0, 1, 0x200000},
    {"sxt1", sxt1_i29, 0, 0, 0x1234567890abcd80, 0xffffffffffffff80},
    {"sxt2", sxt2_i29, 0, 0, 0x1234567890ab7fff, 0x7fff},
    {"sxt4", sxt4_i29, 0, 0, 0x12345678f0abcd80, 0xfffffffff0abcd80},
    {"zxt1", zxt1_i29, 0, 0, 0xffffffffffffffff, 0xff},
    {"zxt2", zxt2_i29, 0, 0, 0xffffffffffffffff, 0xffff},
    {"zxt4", zxt4_i29, 0, 0, 0xffffffffffffffff, 0xffffffff},
    {"popcnt", popcnt_i9, 0, 0, 0xf0f0000000000001, 9},
    {"popcnt of ones", popcnt_i9, 0, 0, 0xffffffffffffffff, 64},
    {"clz of zero", clz_i9, 0, 0, 0, 64},
    {"clz", clz_i9, 0, 0, 0x0000000100000000, 31},
    {"clz of a negative", clz_i9, 0, 0, 0x8000000000000000, 0},
    {"mpy4 ignores high halves", mpy4_i2, 0, 0xdeadbeefffffffff, 0x12345678ffffffff, 0xfffffffe00000001},
    {"mpyshl4 high of r2 by low of r3", mpyshl4_i2, 0, 0x0000000500000009, 0x0000000900000007, 0x2300000000},
    {"mpyshl4 keeps the low half of the product", mpyshl4_i2, 0, 0xffffffff00000000, 0xffffffff, 0x0000000100000000},
};

}  // namespace

TEST_CASE("integer: results as the manual defines them", "[exec]") {
  Rig rig;
  for (const Row& row : kRows) {
    INFO(row.what);
    rig.r.set_gr(2, row.r2), rig.r.set_gr(40, row.r3);
    rig.step(row.handler, {.imm = row.imm, .r1 = 50, .r2 = 2, .r3 = 40, .pos = row.pos});
    CHECK(rig.r.gr(50) == row.expected);
    CHECK_FALSE(rig.r.nat(50));
  }
}

TEST_CASE("integer: a NaT source makes the target NaT, and a clean result clears it", "[exec]") {
  const Handler two[] = {add_a1,   add_1_a1,    sub_a1,   sub_1_a1, addp4_a1,   and_a1,   andcm_a1,     or_a1,    xor_a1,
                         shladd_a2, shladdp4_a2, mpy4_i2, mpyshl4_i2, shl_i7, shr_i5, shr_u_i5, shrp_i10, dep_i15, padd4_a9,
                         pcmp1_eq_a9, pshladd2_a10, pmpyshr2_u_i1, mix1_l_i2, pack2_uss_i2, unpack4_h_i2, pshr2_i5, pshl4_i7};
  const Handler from_r3[] = {sub_a3,   and_a3,   andcm_a3, or_a3,  xor_a3,     adds_a4,    addp4_a4, addl_a5,  sxt4_i29,
                             zxt1_i29, popcnt_i9, clz_i9,  extr_i11, extr_u_i11, dep_i14, pshr4_u_i6, czx1_l_i29, czx2_r_i29};
  const Handler from_r2[] = {dep_z_i12, pshl2_i8, mux1_i3, mux2_i4};
  Rig rig;
  const auto target_nat = [&](Handler h, bool nat2, bool nat3) {
    rig.r.set_gr_nat(2, 6, nat2), rig.r.set_gr_nat(3, 9, nat3), rig.r.set_gr_nat(33, 1, !(nat2 || nat3));
    rig.step(h, {.r1 = 33, .r2 = 2, .r3 = 3, .pos = 1, .len = 4});
    return rig.r.nat(33);
  };
  for (int n = 0; n < 4; n++) {
    const bool nat2 = n & 1, nat3 = n & 2;
    for (Handler h : two) CHECK(target_nat(h, nat2, nat3) == (nat2 || nat3));
    for (Handler h : from_r3) CHECK(target_nat(h, nat2, nat3) == nat3);
    for (Handler h : from_r2) CHECK(target_nat(h, nat2, nat3) == nat2);
    CHECK_FALSE(target_nat(movl_x2, nat2, nat3));
    CHECK_FALSE(target_nat(dep_z_i13, nat2, nat3));
  }
}

TEST_CASE("integer: targets may be their own sources, in static and rotated registers", "[exec]") {
  Rig rig;
  rig.r.cfm = {.sof = 16, .sol = 16, .sor = 8, .rrb_gr = 3};
  rig.r.set_gr(32, 7);
  rig.step(add_a1, {.r1 = 32, .r2 = 32, .r3 = 32});
  CHECK(rig.r.gr(32) == 14);
  CHECK(rig.r.stack_gr[rig.r.bof + 3] == 14);
  rig.step(movl_x2, {.imm = 0x123456789abcdef0, .r1 = 31});
  CHECK(rig.r.gr(31) == 0x123456789abcdef0);
}
