// Handlers of pairs of singles: host float arithmetic as reference, lanes of faults and traps.
#include <cmath>
#include <random>

#include "tests/unit/fp/fp_rig.h"

namespace ia64::cpu::test {
namespace {

using namespace fp;

float random_float(std::mt19937& random) {
  return std::ldexp(static_cast<float>(static_cast<i32>(random())), static_cast<int>(random() % 60) - 60);
}

}  // namespace

TEST_CASE("parallel multiply-add equals the host's fused operation in both lanes") {
  std::mt19937 random(7);
  FpRig rig;
  for (int n = 0; n < 20'000; n++) {
    float v[6];
    for (float& f : v) f = random_float(random);
    const u64 f2 = pair(v[0], v[1]), f3 = pair(v[2], v[3]), f4 = pair(v[4], v[5]);
    CHECK(rig.eval_bits(fpma_f1, {f2, f3, f4}) ==
          pair(std::fma(v[2], v[4], v[0]), std::fma(v[3], v[5], v[1])));
    CHECK(rig.eval_bits(fpms_f1, {f2, f3, f4}) ==
          pair(std::fma(v[2], v[4], -v[0]), std::fma(v[3], v[5], -v[1])));
    CHECK(rig.eval_bits(fpnma_f1, {f2, f3, f4}) ==
          pair(std::fma(-v[2], v[4], v[0]), std::fma(-v[3], v[5], v[1])));
  }
}

TEST_CASE("parallel operations ignore pc and wre and round denormal singles") {
  FpRig rig;
  rig.r.fpsr = kDefaultFpsr | 1 << 7;  // wre
  Insn i = rig.insn({{}, from_integer(pair(0x1p-100f, 3)), from_integer(pair(0x1.8p-47f, 0x1p127f))});
  i.r2 = 0;
  rig.step(fpma_f1, i);
  CHECK(rig.result().significand == pair(0x1.8p-147f, INFINITY));
  CHECK(rig.flags(0) == (kOverflow | kInexact));
}

TEST_CASE("parallel NaNs") {
  FpRig rig;
  const u64 nan = 0x7fc0000100000000, signaling = 0xff80000100000000;
  CHECK(rig.eval_bits(fpma_f1, {0, nan, 0}) >> 32 == 0x7fc00001);
  CHECK(rig.eval_bits(fpma_f1, {0, signaling, 0}) >> 32 == 0xffc00001);
  CHECK(rig.flags(0) == kInvalid);
  CHECK(rig.eval_bits(fpma_f1, {0, pair(0, INFINITY), pair(0, 0)}) == 0x00000000ffc00000);
}

TEST_CASE("parallel compares make masks") {
  FpRig rig;
  const u64 a = pair(1, NAN), b = pair(2, 2);
  CHECK(rig.eval_bits(fpcmp_lt_f8, {a, b}) == 0xffffffff00000000);
  CHECK(rig.eval_bits(fpcmp_le_f8, {b, a}) == 0);
  CHECK(rig.flags(0) == kInvalid);
  FpRig quiet;
  CHECK(quiet.eval_bits(fpcmp_eq_f8, {b, b}) == ~u64{0});
  CHECK(quiet.eval_bits(fpcmp_neq_f8, {a, b}) == ~u64{0});
  CHECK(quiet.eval_bits(fpcmp_unord_f8, {a, b}) == 0x00000000ffffffff);
  CHECK(quiet.eval_bits(fpcmp_ord_f8, {a, b}) == 0xffffffff00000000);
  CHECK(quiet.flags(0) == 0);
  CHECK(rig.eval_bits(fpcmp_nlt_f8, {a, b}) == 0x00000000ffffffff);
  CHECK(rig.eval_bits(fpcmp_nle_f8, {b, a}) == ~u64{0});
}

TEST_CASE("parallel minimum and maximum") {
  FpRig rig;
  const u64 a = pair(1, -4), b = pair(-2, 3);
  CHECK(rig.eval_bits(fpmin_f8, {a, b}) == pair(-2, -4));
  CHECK(rig.eval_bits(fpmax_f8, {a, b}) == pair(1, 3));
  CHECK(rig.eval_bits(fpamin_f8, {a, b}) == pair(1, 3));
  CHECK(rig.eval_bits(fpamax_f8, {a, b}) == pair(-2, -4));
}

TEST_CASE("faults name their lane") {
  FpRig rig;
  rig.unmask(kInvalid | kZeroDivide);
  const FpReg zero = from_integer(0);
  CHECK(rig.faulting(fprcpa_f6, rig.insn({from_integer(pair(1, 0)), zero}), Vector::FloatingPointFault) ==
        0x14);
  CHECK(rig.faulting(fprcpa_f6, rig.insn({from_integer(pair(0, 1)), zero}), Vector::FloatingPointFault) ==
        0x41);
  CHECK(rig.faulting(fpcmp_lt_f8, rig.insn({from_integer(pair(0, NAN)), zero}), Vector::FloatingPointFault) ==
        0x10);
}

TEST_CASE("traps name their lane and keep the low exponent bits") {
  FpRig rig;
  rig.unmask(kOverflow);
  Insn i = rig.insn({{}, from_integer(pair(0x1.8p100f, 1)), from_integer(pair(0x1p100f, 1))});
  i.r2 = 0;
  CHECK(rig.trapping(fpma_f1, i) == 1u << 11);
  CHECK(rig.result().significand ==
        (u64{(327 & 0xff) << 23 | 0x400000} << 32 | 0x3f800000));  // biased 200 + 127
  i = rig.insn({{}, from_integer(pair(1, 0x1.8p100f)), from_integer(pair(1, 0x1p100f))});
  i.r2 = 0;
  CHECK(rig.trapping(fpma_f1, i) == 1u << 7);
  rig.unmask(kInexact);
  const FpReg tiny = from_integer(pair(0x1.8p-24f, 0x1p-25f)), one = from_integer(pair(1, 1));
  CHECK(rig.trapping(fpma_f1, rig.insn({tiny, one, one})) == (3u << 13 | 1u << 9));
}

TEST_CASE("parallel approximations set the predicate when both lanes may be refined") {
  FpRig rig;
  const FpReg ones = from_integer(pair(1, 1));
  rig.step(fprcpa_f6, rig.insn({ones, from_integer(pair(1, 2))}));
  CHECK(rig.r.pr(7));
  // 2 x (1 + 1020/1024) / 4 and a quarter of it, as singles
  CHECK(rig.result().significand == pair(0.998046875f, 0.4990234375f));
  rig.step(fprcpa_f6, rig.insn({ones, from_integer(pair(1, 0))}));
  CHECK_FALSE(rig.r.pr(7));
  CHECK(static_cast<u32>(rig.result().significand) == 0x7f800000);
  rig.step(fprsqrta_f7, rig.insn({ones, from_integer(pair(1, 4))}));
  CHECK(rig.r.pr(7));
  CHECK(rig.result().significand == pair(0.998046875f, 0.4990234375f));
  rig.step(fprsqrta_f7, rig.insn({ones, from_integer(pair(-1, 4))}));
  CHECK_FALSE(rig.r.pr(7));
  CHECK(rig.result().significand >> 32 == 0xffc00000);
}

}  // namespace ia64::cpu::test
