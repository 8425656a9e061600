// Handlers of scalar arithmetic: NaTVal, disabled registers, faults, traps, predicates, xma.
#include "tests/unit/fp/fp_rig.h"

namespace ia64::cpu::test {
namespace {

using namespace fp;

constexpr u64 kTop = u64{1} << 63;
/// 1.5 x 2^60: its square overflows singles and stays a double.
const FpReg kLarge{u64{3} << 62, 0xffff + 60, 0};
const FpReg kLargest{~u64{0} << 40, 0x1007e, 0};  // of the singles
const FpReg kSmallest{kTop, 0xff81, 0};           // normal single

}  // namespace

TEST_CASE("completers choose the precision") {
  FpRig rig;
  const FpReg third{0xaaaaaaaaaaaaaaab, 0xfffd, 0};
  const FpReg one = kFpOne;
  Insn i = rig.insn({{}, third, one});
  i.r2 = 0;
  rig.step(fma_f1, i);
  CHECK(rig.result() == third);
  rig.step(fma_d_f1, i);
  CHECK(rig.result() == number(1.0 / 3));
  rig.step(fma_s_f1, i);
  CHECK(rig.result() == number(1.0f / 3));
  CHECK(rig.flags(0) == kInexact);
}

TEST_CASE("fma, fms and fnma differ in signs") {
  FpRig rig;
  CHECK(rig.eval(fma_d_f1, {number(10), number(3), number(4)}) == number(22));
  CHECK(rig.eval(fms_d_f1, {number(10), number(3), number(4)}) == number(2));
  CHECK(rig.eval(fnma_d_f1, {number(10), number(3), number(4)}) == number(-2));
  CHECK(rig.r.fpsr == kDefaultFpsr);
}

TEST_CASE("f0 as addend makes a multiplication, which keeps the product's zero sign") {
  FpRig rig;
  Insn i = rig.insn({{}, make_zero(true), number(5)});
  rig.step(fma_d_f1, i);
  CHECK(rig.result() == kFpZero);  // -0 + f2 (+0)
  i.r2 = 0;
  rig.step(fma_d_f1, i);
  CHECK(rig.result() == make_zero(true));
}

TEST_CASE("NaTVal propagates without flags, through every position") {
  const Handler handlers[] = {fma_f1,   fms_d_f1, fnma_s_f1, fpma_f1,   fpms_f1,
                              fpnma_f1, xma_l_f2, xma_h_f2,  xma_hu_f2, fselect_f3};
  const FpReg bad{1, 0x1ffff, 0};  // would signal
  for (Handler h : handlers) {
    for (unsigned n = 0; n < 3; n++) {
      FpRig rig;
      FpReg f[3] = {bad, bad, bad};
      f[n] = kFpNatVal;
      CHECK(rig.eval(h, {f[0], f[1], f[2]}) == kFpNatVal);
      CHECK(rig.r.fpsr == kDefaultFpsr);
    }
  }
  const Handler two[] = {fmin_f8,  famax_f8, fpmin_f8,      fpcmp_eq_f8, fmerge_s_f9, fmix_l_f9,
                         fpack_f9, fand_f9,  fpmerge_se_f9, frcpa_f6,    fprcpa_f6};
  for (Handler h : two) {
    FpRig rig;
    CHECK(rig.eval(h, {kFpNatVal, bad}) == kFpNatVal);
    CHECK(rig.eval(h, {bad, kFpNatVal}) == kFpNatVal);
    CHECK(rig.r.fpsr == kDefaultFpsr);
  }
  const Handler one[] = {fcvt_fx_f10, fcvt_fxu_trunc_f10, fpcvt_fx_f10, fcvt_xf_f11};
  for (Handler h : one) {
    FpRig rig;
    CHECK(rig.eval(h, {kFpNatVal}) == kFpNatVal);
  }
}

TEST_CASE("results mark the bank that they are written to") {
  FpRig rig;
  Insn i = rig.insn({number(1), number(2), number(3)});
  rig.step(fma_d_f1, i);
  CHECK((rig.r.psr & (psr::kMfl | psr::kMfh)) == psr::kMfl);
  i.r1 = 40;
  rig.step(fma_d_f1, i);
  CHECK((rig.r.psr & psr::kMfh) == psr::kMfh);
  CHECK(rig.r.fr(40) == number(7));
}

TEST_CASE("disabled banks fault first and name the banks in use") {
  FpRig rig;
  Insn i = rig.insn({number(1), number(2), kFpNatVal});
  rig.r.psr |= psr::kDfl;
  CHECK((rig.faulting(fma_d_f1, i, Vector::DisabledFp) & 0xf) == 1);
  rig.r.psr |= psr::kDfh;
  CHECK((rig.faulting(fma_d_f1, i, Vector::DisabledFp) & 0xf) == 1);
  i.r3 = 127;
  CHECK((rig.faulting(fma_d_f1, i, Vector::DisabledFp) & 0xf) == 3);
  i.r1 = 32, i.r2 = 0, i.r4 = 1;  // f0 and f1 belong to no bank
  CHECK((rig.faulting(fma_d_f1, i, Vector::DisabledFp) & 0xf) == 2);
  rig.r.psr &= ~psr::kDfh;
  rig.step(fma_d_f1, i);
}

TEST_CASE("every handler with register operands checks the banks") {
  const Handler handlers[] = {fma_f1,      fpma_f1,     xma_l_f2,   fselect_f3,  fcmp_eq_f4,   fclass_m_f5,
                              frcpa_f6,    fprcpa_f6,   frsqrta_f7, fprsqrta_f7, fmin_f8,      fpmin_f8,
                              fpcmp_lt_f8, fmerge_s_f9, fpack_f9,   fcvt_fx_f10, fpcvt_fx_f10, fcvt_xf_f11};
  for (Handler h : handlers) {
    FpRig rig;
    rig.r.psr |= psr::kDfl;
    CHECK((rig.faulting(h, rig.insn({}), Vector::DisabledFp) & 0xf) == 1);
  }
}

TEST_CASE("unmasked invalid, denormal and zero-divide exceptions fault and change nothing") {
  FpRig rig;
  rig.unmask(kInvalid);
  CHECK(rig.faulting(fma_d_f1, rig.insn({make_infinity(true), make_infinity(false), number(1)}),
                     Vector::FloatingPointFault) == 1);
  CHECK(rig.faulting(fcvt_fx_f10, rig.insn({make_infinity(true)}), Vector::FloatingPointFault) == 1);
  CHECK(rig.faulting(fcmp_lt_f4, rig.insn({kIndefinite, number(1)}), Vector::FloatingPointFault) == 1);
  rig.unmask(kDenormal);
  CHECK(rig.faulting(fma_d_f1, rig.insn({from_double(1), number(1), number(1)}),
                     Vector::FloatingPointFault) == 2);
  rig.unmask(kZeroDivide);
  CHECK(rig.faulting(frcpa_f6, rig.insn({number(1), kFpZero}), Vector::FloatingPointFault) == 4);
}

TEST_CASE("sf.td disables the traps of its field") {
  FpRig rig;
  rig.unmask(kAllExceptions);
  rig.eval(fma_d_f1, {make_infinity(true), make_infinity(false), number(1)}, 1);  // sf1 has td
  CHECK(rig.flags(1) == kInvalid);
  CHECK(rig.flags(0) == 0);
}

TEST_CASE("an unmasked overflow traps after writing the result with its true exponent") {
  FpRig rig;
  rig.unmask(kOverflow);
  Insn i = rig.insn({{}, kLarge, kLarge});
  i.r2 = 0;
  i.r3 = i.r4 = 3;
  rig.r.fr_phys[3] = FpReg{u64{3} << 62, 0xffff + 100, 0};
  CHECK(rig.trapping(fma_s_f1, i) == 1u << 11);  // exact: 2.25 x 2^200
  CHECK(rig.result() == FpReg{u64{9} << 60, 0xffff + 201, 0});
  CHECK(rig.flags(0) == kOverflow);
}

TEST_CASE("an unmasked inexact result reports whether it was rounded away from zero") {
  FpRig rig;
  rig.unmask(kInexact);
  Insn i = rig.insn({FpReg{kTop, 0xffff - 25, 0}, kFpOne, kFpOne});  // 1 + 2^-25 in singles
  CHECK(rig.trapping(fma_s_f1, i) == 1u << 13);
  CHECK(rig.result() == kFpOne);
  i = rig.insn({FpReg{u64{3} << 62, 0xffff - 24, 0}, kFpOne, kFpOne});  // 1 + 1.5 x 2^-24
  CHECK(rig.trapping(fma_s_f1, i) == (1u << 13 | 1u << 14));
  CHECK(rig.result() == FpReg{kTop | u64{1} << 40, 0xffff, 0});
  i = rig.insn({kLargest, kLargest, kLargest});  // masked overflow to infinity is inexact and larger
  CHECK(rig.trapping(fma_s_f1, i) == (1u << 13 | 1u << 14));
  CHECK(rig.result() == make_infinity(false));
  CHECK(rig.flags(0) == (kOverflow | kInexact));
}

TEST_CASE("an unmasked underflow traps also when exact, a masked one signals only when inexact") {
  FpRig rig;
  Insn i = rig.insn({{}, kSmallest, number(0.5)});
  i.r2 = 0;
  rig.step(fma_s_f1, i);
  CHECK(rig.result() == FpReg{kTop >> 1, 0xff81, 0});
  CHECK(rig.flags(0) == 0);
  rig.unmask(kUnderflow);
  CHECK(rig.trapping(fma_s_f1, i) == 1u << 12);
  CHECK(rig.result() == FpReg{kTop, 0xff80, 0});
}

TEST_CASE("flush to zero") {
  FpRig rig;
  rig.r.fpsr = kDefaultFpsr | 1 << 6;
  Insn i = rig.insn({{}, kSmallest, number(-0.5)});
  i.r2 = 0;
  rig.step(fma_s_f1, i);
  CHECK(rig.result() == make_zero(true));
  CHECK(rig.flags(0) == (kUnderflow | kInexact));
}

TEST_CASE("frcpa and frsqrta write their predicate, also when predicated off") {
  FpRig rig;
  Insn i = rig.insn({number(1), number(3)});
  rig.step(frcpa_f6, i);
  CHECK(rig.r.pr(7));
  CHECK(rig.result() == FpReg{kTop | u64{0x154} << 53, 0xfffd, 0});
  i.qp = 9;  // false
  rig.r.fr_phys[10] = kFpOne;
  rig.step(frcpa_f6, i);
  CHECK_FALSE(rig.r.pr(7));
  CHECK(rig.result() == kFpOne);
  i.qp = 0;
  rig.step(frsqrta_f7, i);
  CHECK(rig.r.pr(7));
  i.qp = 9;
  rig.step(frsqrta_f7, i);
  CHECK_FALSE(rig.r.pr(7));
  i.qp = 0;
  rig.step(frcpa_f6, rig.insn({number(1), kFpZero}));
  CHECK_FALSE(rig.r.pr(7));
  CHECK(rig.result() == make_infinity(false));
  CHECK(rig.flags(0) == kZeroDivide);
}

TEST_CASE("xma equals 128-bit arithmetic") {
  FpRig rig;
  for (u64 a : interesting_values(12)) {
    for (u64 b : interesting_values(12)) {
      for (u64 c : {u64{0}, u64{1}, ~u64{0}, kTop, u64{0x123456789abcdef0}}) {
        const u128 unsigned_sum = u128{a} * b + c;
        const i128 signed_sum =
            static_cast<i128>(static_cast<i64>(a)) * static_cast<i64>(b) + static_cast<i128>(u128{c});
        CHECK(rig.eval_bits(xma_l_f2, {c, a, b}) == static_cast<u64>(unsigned_sum));
        CHECK(rig.eval_bits(xma_hu_f2, {c, a, b}) == static_cast<u64>(unsigned_sum >> 64));
        CHECK(rig.eval_bits(xma_h_f2, {c, a, b}) == static_cast<u64>(signed_sum >> 64));
      }
    }
  }
}

}  // namespace ia64::cpu::test
