// Handlers of compares, classes, conversions, bit moves and status fields.
#include "tests/unit/fp/fp_rig.h"

namespace ia64::cpu::test {
namespace {

using namespace fp;

constexpr u64 kA = 0x8123456789abcdef, kB = 0x7edcba9876543210;

bool predicates(FpRig& rig, bool first, bool second) {
  return rig.r.pr(6) == first && rig.r.pr(7) == second;
}

}  // namespace

TEST_CASE("fcmp sets both predicates") {
  FpRig rig;
  rig.step(fcmp_lt_f4, rig.insn({number(1), number(2)}));
  CHECK(predicates(rig, true, false));
  rig.step(fcmp_lt_f4, rig.insn({number(2), number(2)}));
  CHECK(predicates(rig, false, true));
  rig.step(fcmp_le_f4, rig.insn({number(2), number(2)}));
  CHECK(predicates(rig, true, false));
  rig.step(fcmp_eq_f4, rig.insn({kFpZero, make_zero(true)}));
  CHECK(predicates(rig, true, false));
  rig.step(fcmp_unord_f4, rig.insn({kIndefinite, number(2)}));
  CHECK(predicates(rig, true, false));
  CHECK(rig.flags(0) == 0);
}

TEST_CASE("fcmp of NaTVal clears both predicates and signals nothing") {
  FpRig rig;
  rig.r.set_pr(6, true), rig.r.set_pr(7, true);
  rig.step(fcmp_lt_f4, rig.insn({kFpNatVal, kIndefinite}));
  CHECK(predicates(rig, false, false));
  CHECK(rig.r.fpsr == kDefaultFpsr);
}

TEST_CASE("unconditional compares clear both predicates when predicated off") {
  for (Handler h : {fcmp_eq_unc_f4, fcmp_lt_unc_f4, fcmp_le_unc_f4, fcmp_unord_unc_f4, fclass_m_unc_f5}) {
    FpRig rig;
    Insn i = rig.insn({number(1), number(1)});
    i.qp = 9;
    rig.r.set_pr(6, true), rig.r.set_pr(7, true);
    rig.r.psr |= psr::kDfl;  // does not matter then
    rig.step(h, i);
    CHECK(predicates(rig, false, false));
  }
  FpRig rig;
  rig.step(fcmp_eq_unc_f4, rig.insn({number(1), number(1)}));
  CHECK(predicates(rig, true, false));
}

TEST_CASE("fclass of NaTVal clears both predicates unless it was asked for") {
  FpRig rig;
  Insn i = rig.insn({kFpNatVal});
  i.imm = 0xff;
  rig.step(fclass_m_f5, i);
  CHECK(predicates(rig, false, false));
  i.imm = 0x100;
  rig.step(fclass_m_f5, i);
  CHECK(predicates(rig, true, false));
  i = rig.insn({number(-1)});
  i.imm = 0x11;  // positive normal
  rig.step(fclass_m_f5, i);
  CHECK(predicates(rig, false, true));
}

TEST_CASE("conversions") {
  FpRig rig;
  CHECK(rig.eval(fcvt_fx_f10, {number(-2.5)}) == make_integer(-u64{2}));
  CHECK(rig.flags(0) == kInexact);
  CHECK(rig.eval(fcvt_fx_trunc_f10, {number(-2.75)}) == make_integer(-u64{2}));
  CHECK(rig.eval(fcvt_fxu_f10, {number(1.8446744073709550e19)}) == make_integer(18446744073709549568u));
  CHECK(rig.eval(fcvt_fxu_trunc_f10, {number(-0.75)}) == make_integer(0));
  CHECK(rig.flags(0) == kInexact);
  CHECK(rig.eval(fcvt_fxu_trunc_f10, {number(-1)}) == make_integer(u64{1} << 63));
  CHECK(rig.flags(0) == (kInexact | kInvalid));
  CHECK(rig.eval(fcvt_xf_f11, {from_integer(-u64{3})}) == number(-3));
  CHECK(rig.eval(fcvt_xf_f11, {FpReg{3, 0x3ffff, 0}}) == number(3));
  CHECK(rig.eval_bits(fpcvt_fx_f10, {pair(-1.5f, 2.5f)}) == 0xfffffffe00000002);
  CHECK(rig.eval_bits(fpcvt_fxu_trunc_f10, {pair(4294967040.f, -1.f)}) == 0xffffff0080000000);
}

TEST_CASE("merges") {
  FpRig rig;
  const FpReg a{kA, 0x30005, 0}, b{kB, 0x00007, 0};
  CHECK(rig.eval(fmerge_s_f9, {a, b}) == FpReg{kB, 0x20007, 0});
  CHECK(rig.eval(fmerge_ns_f9, {a, b}) == FpReg{kB, 0x00007, 0});
  CHECK(rig.eval(fmerge_ns_f9, {b, b}) == FpReg{kB, 0x20007, 0});
  CHECK(rig.eval(fmerge_se_f9, {a, b}) == FpReg{kB, 0x30005, 0});
  CHECK(rig.eval_bits(fpmerge_s_f9, {kA, kB}) == 0xfedcba98f6543210);
  CHECK(rig.eval_bits(fpmerge_ns_f9, {kA, kB}) == 0x7edcba9876543210);
  CHECK(rig.eval_bits(fpmerge_se_f9, {kA, kB}) == 0x815cba9889d43210);
}

TEST_CASE("mixes, swaps, sign extensions and logical operations") {
  FpRig rig;
  CHECK(rig.eval_bits(fmix_lr_f9, {kA, kB}) == 0x8123456776543210);
  CHECK(rig.eval_bits(fmix_r_f9, {kA, kB}) == 0x89abcdef76543210);
  CHECK(rig.eval_bits(fmix_l_f9, {kA, kB}) == 0x812345677edcba98);
  CHECK(rig.eval_bits(fsxt_r_f9, {kA, kB}) == 0xffffffff76543210);
  CHECK(rig.eval_bits(fsxt_l_f9, {kA, kB}) == 0xffffffff7edcba98);
  CHECK(rig.eval_bits(fsxt_l_f9, {kB, kA}) == 0x0000000081234567);
  CHECK(rig.eval_bits(fswap_f9, {kA, kB}) == 0x7654321081234567);
  CHECK(rig.eval_bits(fswap_nl_f9, {kA, kB}) == 0xf654321081234567);
  CHECK(rig.eval_bits(fswap_nr_f9, {kA, kB}) == 0x7654321001234567);
  CHECK(rig.eval_bits(fand_f9, {kA, kB}) == (kA & kB));
  CHECK(rig.eval_bits(fandcm_f9, {kA, kB}) == (kA & ~kB));
  CHECK(rig.eval_bits(for_f9, {kA, kB}) == (kA | kB));
  CHECK(rig.eval_bits(fxor_f9, {kA, kB}) == (kA ^ kB));
  CHECK(rig.eval_bits(fselect_f3, {0xff00ff00ff00ff00, kA, kB}) ==
        0x81dc45988954cd10);  // f2 selects from f3, f4
  CHECK(rig.eval(fpack_f9, {number(1), number(-2)}) == make_integer(pair(1, -2)));
}

TEST_CASE("fsetc writes controls from those of sf0 and refuses reserved ones") {
  FpRig rig;
  Insn i = rig.insn({}, 2);
  i.imm = 0x7f | 0x42 << 7;  // keep all of sf0, set td and wre
  rig.step(fsetc_f12, i);
  CHECK(Fpsr(rig.r.fpsr).controls(2) == 0x4e);
  CHECK(Fpsr(rig.r.fpsr).controls(0) == 0x0c);
  i.imm = 0x04 << 7;  // pc = 1
  CHECK(rig.faulting(fsetc_f12, i, Vector::GeneralException) == isr::kReservedRegisterField);
  i.x = 0;
  i.imm = 0x40 << 7;  // td of the main field
  CHECK(rig.faulting(fsetc_f12, i, Vector::GeneralException) == isr::kReservedRegisterField);
}

TEST_CASE("fclrf and fchkf") {
  FpRig rig;
  Insn i = rig.insn({}, 2);
  i.imm = 0x40;
  CHECK(rig.run(fchkf_f14, i) == Next::Continue);
  rig.r.fpsr = Fpsr(rig.r.fpsr).with_flags(2, kInexact);
  CHECK(rig.run(fchkf_f14, i) == Next::Branch);  // sf0 does not have it
  CHECK(rig.r.ip == rig.core.insn_ip(i) + 0x40);
  rig.r.fpsr = Fpsr(rig.r.fpsr).with_flags(0, kInexact);
  CHECK(rig.run(fchkf_f14, i) == Next::Continue);
  rig.r.fpsr &= ~u64{kInexact};  // now its trap is enabled
  CHECK(rig.run(fchkf_f14, i) == Next::Branch);
  rig.step(fclrf_f13, i);
  CHECK(rig.flags(2) == 0);
  CHECK(rig.flags(0) == kInexact);
}

}  // namespace ia64::cpu::test
