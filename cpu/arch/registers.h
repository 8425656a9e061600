// The architected registers of one IA-64 processor, as plain data with the accessors that every engine uses.
// Layout is chosen for generated code: fixed offsets, stacked registers in a linear buffer, no modulo on access.
#pragma once

#include <array>

#include "base/bits.h"
#include "cpu/arch/psr.h"

namespace ia64::cpu {

/// A floating-point register in register format. @source SDM vol. 1, 5.1
struct alignas(16) FpReg {
  u64 significand = 0;  ///< explicit integer bit in bit 63
  u32 sign_exp = 0;     ///< sign in bit 17, biased exponent (bias 0xffff) in bits 16:0
  u32 pad = 0;

  constexpr bool sign() const { return (sign_exp >> 17) & 1; }
  constexpr u32 exponent() const { return sign_exp & 0x1ffff; }
  constexpr bool is_natval() const { return sign_exp == 0x1fffe && significand == 0; }
  constexpr bool operator==(const FpReg& o) const { return significand == o.significand && sign_exp == o.sign_exp; }
};
inline constexpr u32 kFpIntegerExponent = 0x1003e;  ///< exponent of a register holding an integer significand
inline constexpr FpReg kFpNatVal{0, 0x1fffe, 0};
inline constexpr FpReg kFpZero{0, 0, 0};
inline constexpr FpReg kFpOne{u64{1} << 63, 0xffff, 0};

/// Current frame marker, unpacked: a byte for each field, in the order of the packed form and in one aligned word, so that
/// generated code packs and unpacks all of them at once. @source SDM vol. 2, 6.2 (vol. 1, 3.1.7)
struct alignas(8) Cfm {
  u8 sof = 0;      ///< size of frame, 0..96
  u8 sol = 0;      ///< size of locals, 0..sof
  u8 sor = 0;      ///< size of rotating region in registers (a multiple of 8), 0..sof
  u8 rrb_gr = 0;   ///< 0..95
  u8 rrb_fr = 0;   ///< 0..95
  u8 rrb_pr = 0;   ///< 0..47

  constexpr u64 pack() const {
    return u64{sof} | u64{sol} << 7 | u64{sor} / 8 << 14 | u64{rrb_gr} << 18 | u64{rrb_fr} << 25 | u64{rrb_pr} << 32;
  }
  static constexpr Cfm unpack(u64 v) {
    return {static_cast<u8>(field(v, 0, 7)),  static_cast<u8>(field(v, 7, 7)),  static_cast<u8>(field(v, 14, 4) * 8),
            static_cast<u8>(field(v, 18, 7)), static_cast<u8>(field(v, 25, 7)), static_cast<u8>(field(v, 32, 6))};
  }
  constexpr bool operator==(const Cfm&) const = default;
};

/// Application register numbers. @source SDM vol. 1, 3.1.8
namespace ar {
enum : u8 {
  kKr0 = 0, kRsc = 16, kBsp = 17, kBspstore = 18, kRnat = 19, kFcr = 21, kEflag = 24, kCsd = 25, kSsd = 26, kCflg = 27,
  kFsr = 28, kFir = 29, kFdr = 30, kCcv = 32, kUnat = 36, kFpsr = 40, kItc = 44, kRuc = 45, kPfs = 64, kLc = 65, kEc = 66,
};
}
/// Control register numbers. @source SDM vol. 2, 3.3.4
namespace cr {
enum : u8 {
  kDcr = 0, kItm = 1, kIva = 2, kPta = 8, kIpsr = 16, kIsr = 17, kIip = 19, kIfa = 20, kItir = 21, kIipa = 22, kIfs = 23,
  kIim = 24, kIha = 25, kIib0 = 26, kIib1 = 27, kLid = 64, kIvr = 65, kTpr = 66, kEoi = 67, kIrr0 = 68, kItv = 72,
  kPmv = 73, kCmcv = 74, kLrr0 = 80, kLrr1 = 81,
};
}

inline constexpr unsigned kStackedRegisters = 96;  ///< physical stacked registers of the model (RSE_INFO)

/// The register file. Plain data: a snapshot is one copy. Only the thread that runs the CPU touches it.
struct Registers {
  // --- general registers -------------------------------------------------------------------------------------
  u64 gr_static[32] = {};      ///< r0..r31 of the current bank; r0 is always 0
  u8 gr_static_nat[32] = {};   ///< 0 or 1
  u64 gr_banked[16] = {};      ///< r16..r31 of the bank that PSR.bn does not select
  u8 gr_banked_nat[16] = {};

  /// Stacked registers: a linear window. r32 of the current frame is stack_gr[bof]; older frames lie below it.
  /// rse/ keeps `bof` away from both ends and moves the live part when needed.
  static constexpr unsigned kStackSlots = 4096;
  alignas(64) u64 stack_gr[kStackSlots] = {};
  u8 stack_nat[kStackSlots] = {};
  u32 bof = kStackSlots / 2;

  // --- floating point, predicates, branches --------------------------------------------------------------------
  FpReg fr_phys[128] = {};  ///< physical numbering: f32.. rotate through rrb_fr; [0] and [1] hold +0.0 and +1.0
  u8 pr_phys[64] = {};      ///< 0 or 1, physical numbering; [0] is always 1
  u64 br[8] = {};

  // --- frame and control ---------------------------------------------------------------------------------------
  u64 ip = 0;       ///< bundle address; the slot is PSR.ri (kept in `slot` while running)
  u8 slot = 0;
  Cfm cfm;
  u64 psr = 0;      ///< without ri, which lives in `slot`

  // --- application registers that need no special rule (rse, itc and ec have their own fields) -------------------
  u64 kr[8] = {};
  u64 rsc = 0, bspstore = 0, rnat = 0;  ///< AR.BSP is derived: bspstore grown by the dirty partition
  u64 fcr = 0, eflag = 0, csd = 0, ssd = 0, cflg = 0, fsr = 0, fir = 0, fdr = 0;
  u64 ccv = 0, unat = 0, fpsr = 0, pfs = 0, lc = 0;
  u8 ec = 0;  ///< 6 bits

  // --- RSE partitions, in registers (lazy mode) ------------------------------------------------------------------
  i32 rse_dirty = 0;    ///< registers below bof not yet in memory; may be negative only while a frame is incomplete
  i32 rse_clean = 0;    ///< registers below the dirty ones whose values equal the backing store
  bool rse_cfle = false;  ///< current frame load enable: mandatory fills of the current frame are still to do

  // --- control registers -------------------------------------------------------------------------------------------
  u64 dcr = 0, itm = 0, iva = 0, pta = 0, ipsr = 0, isr = 0, iip = 0, ifa = 0, itir = 0, iipa = 0, ifs = 0, iim = 0,
      iha = 0, iib0 = 0, iib1 = 0;
  u64 lid = 0, tpr = 0, itv = 0, pmv = 0, cmcv = 0, lrr0 = 0, lrr1 = 0;

  u64 rr[8] = {};
  u64 pkr[16] = {};
  u64 ibr[8] = {}, dbr[8] = {};
  u64 pmc[32] = {}, pmd[64] = {};

  // --- register access, with rotation ------------------------------------------------------------------------------
  /// Index into stack_gr/stack_nat of stacked register `r`. @param r 32..127
  unsigned stack_index(unsigned r) const {
    unsigned k = r - 32;
    if (k < cfm.sor) {
      k += cfm.rrb_gr;
      if (k >= cfm.sor) k -= cfm.sor;
    }
    return bof + k;
  }
  u64 gr(unsigned r) const { return r < 32 ? gr_static[r] : stack_gr[stack_index(r)]; }
  bool nat(unsigned r) const { return r < 32 ? gr_static_nat[r] : stack_nat[stack_index(r)]; }
  /// Writes a general register and clears its NaT. `r` must not be 0 and must lie in the frame (checked before).
  void set_gr(unsigned r, u64 v) {
    if (r < 32) {
      gr_static[r] = v, gr_static_nat[r] = 0;
    } else {
      const unsigned i = stack_index(r);
      stack_gr[i] = v, stack_nat[i] = 0;
    }
  }
  void set_gr_nat(unsigned r, u64 v, bool nat) {
    if (r < 32) {
      gr_static[r] = v, gr_static_nat[r] = nat;
    } else {
      const unsigned i = stack_index(r);
      stack_gr[i] = v, stack_nat[i] = nat;
    }
  }

  unsigned fr_index(unsigned f) const {
    if (f < 32) return f;
    unsigned k = f - 32 + cfm.rrb_fr;
    if (k >= 96) k -= 96;
    return 32 + k;
  }
  const FpReg& fr(unsigned f) const { return fr_phys[fr_index(f)]; }
  /// Writes a floating-point register and PSR.mfl/mfh. `f` must not be 0 or 1.
  void set_fr(unsigned f, const FpReg& v) {
    fr_phys[fr_index(f)] = v;
    psr |= f < 32 ? psr::kMfl : psr::kMfh;
  }

  unsigned pr_index(unsigned p) const {
    if (p < 16) return p;
    unsigned k = p - 16 + cfm.rrb_pr;
    if (k >= 48) k -= 48;
    return 16 + k;
  }
  bool pr(unsigned p) const { return pr_phys[pr_index(p)]; }
  /// Writes a predicate; writes to p0 are dropped.
  void set_pr(unsigned p, bool v) {
    if (p) pr_phys[pr_index(p)] = v;
  }
  /// All predicates as instructions name them now: bit n is pr(n), rotation applied. `mov r1 = pr` ignores rotation.
  u64 pr_all() const {
    u64 v = 0;
    for (unsigned p = 0; p < 64; p++) v |= u64{pr(p)} << p;
    return v;
  }

  unsigned cpl() const { return static_cast<unsigned>(field(psr, psr::kCplPos, 2)); }
};

}  // namespace ia64::cpu
