// F3 fselect, F9 merge, mix, sign-extend, pack, swap and logical: bit moves without rounding or flags.
#include "cpu/exec/float_access.h"

namespace ia64::cpu {
namespace {

constexpr u64 kHighHalf = ~u64{0} << 32, kLowHalf = low_mask(32);
constexpr u64 kSingleSigns = bit(63) | bit(31);
constexpr u64 kSingleSignsAndExponents = u64{0xff800000} << 32 | 0xff800000;
constexpr u32 kSign = 1u << 17;

/// f1 = op(f2, f3) -> FpReg, or NaTVal if a source is one.
template <class Op>
inline Next move(Core& core, const Insn& i, Op op) noexcept {
  if (fp_disabled(core, i.r1, i.r2, i.r3)) [[unlikely]]
    return Next::Fault;
  Registers& r = core.regs();
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3);
  r.set_fr(i.r1, fp::any_natval(f2, f3) ? kFpNatVal : op(f2, f3));
  return Next::Continue;
}

/// f1 = canonical integer op(significand of f2, significand of f3).
template <class Op>
inline Next bits(Core& core, const Insn& i, Op op) noexcept {
  return move(core, i, [&](const FpReg& a, const FpReg& b) {
    return fp::make_integer(op(a.significand, b.significand));
  });
}

/// All ones or zeros in the low half, by bit `n` of `v`.
constexpr u64 sign_mask(u64 v, unsigned n) {
  return v >> n & 1 ? kLowHalf : 0;
}

constexpr u64 swapped(u64 a, u64 b) {
  return b << 32 | a >> 32;
}

}  // namespace

Next fselect_f3(Core& core, const Insn& i) noexcept {
  if (fp_disabled(core, i.r1, i.r2, i.r3, i.r4)) [[unlikely]]
    return Next::Fault;
  Registers& r = core.regs();
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3), &f4 = r.fr(i.r4);
  if (f2.is_natval() || f3.is_natval() || f4.is_natval()) return write_natval(core, i);
  r.set_fr(i.r1, fp::make_integer((f3.significand & f2.significand) | (f4.significand & ~f2.significand)));
  return Next::Continue;
}

Next fmerge_s_f9(Core& core, const Insn& i) noexcept {
  return move(core, i, [](const FpReg& a, const FpReg& b) {
    return FpReg{b.significand, (a.sign_exp & kSign) | b.exponent(), 0};
  });
}
Next fmerge_ns_f9(Core& core, const Insn& i) noexcept {
  return move(core, i, [](const FpReg& a, const FpReg& b) {
    return FpReg{b.significand, (~a.sign_exp & kSign) | b.exponent(), 0};
  });
}
Next fmerge_se_f9(Core& core, const Insn& i) noexcept {
  return move(core, i, [](const FpReg& a, const FpReg& b) { return FpReg{b.significand, a.sign_exp, 0}; });
}

Next fmix_lr_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return (a & kHighHalf) | (b & kLowHalf); });
}
Next fmix_r_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return a << 32 | (b & kLowHalf); });
}
Next fmix_l_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return (a & kHighHalf) | b >> 32; });
}
Next fsxt_r_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return sign_mask(a, 31) << 32 | (b & kLowHalf); });
}
Next fsxt_l_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return sign_mask(a, 63) << 32 | b >> 32; });
}
Next fpack_f9(Core& core, const Insn& i) noexcept {
  return move(core, i, [](const FpReg& a, const FpReg& b) {
    return fp::make_integer(fp::join(fp::to_single(a), fp::to_single(b)));
  });
}

Next fswap_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return swapped(a, b); });
}
Next fswap_nl_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return swapped(a, b) ^ bit(63); });
}
Next fswap_nr_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return swapped(a, b) ^ bit(31); });
}

Next fand_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return a & b; });
}
Next fandcm_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return a & ~b; });
}
Next for_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return a | b; });
}
Next fxor_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return a ^ b; });
}

Next fpmerge_s_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return (a & kSingleSigns) | (b & ~kSingleSigns); });
}
Next fpmerge_ns_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i, [](u64 a, u64 b) { return (~a & kSingleSigns) | (b & ~kSingleSigns); });
}
Next fpmerge_se_f9(Core& core, const Insn& i) noexcept {
  return bits(core, i,
              [](u64 a, u64 b) { return (a & kSingleSignsAndExponents) | (b & ~kSingleSignsAndExponents); });
}

}  // namespace ia64::cpu
