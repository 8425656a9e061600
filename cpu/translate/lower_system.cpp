// Lowering of system instructions that end a block only so that the engine may look up, and of moves of PSR and control registers: the
// translation goes on behind them in a mode that is known beforehand.
#include "cpu/arch/psr.h"
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

using L = Lowering;

/// PSR bits that neither the engine's way of running nor the software TLB depends on; be and ic are part of Mode.
constexpr u64 kSimpleBits = psr::kBe | psr::kUp | psr::kAc | psr::kMfl | psr::kMfh | psr::kIc | psr::kI | psr::kDfl | psr::kDfh |
                            psr::kSp | psr::kPp | psr::kDi | psr::kSi;

/// What is written takes effect at once, so serialization has nothing to do. The block ends all the same, and the next one
/// looks for interrupts.
void serialize(L&, const Insn&) {}

void same_mode(L& l, const Insn& i) { l.call_to_end(i, l.mode()); }

/// cover leaves an empty frame; clrrrb clears the rename bases.
void no_rotation(L& l, const Insn& i) {
  Mode after = l.mode();
  if (i.handler == &clrrrb_pr_b8 && after.rotated) return l.call(i);  // the other bases may be zero or not
  if (i.handler == &cover_b8) after = after.called();
  after.rotated = false;
  l.call_to_end(i, after);
}

/// ssm, rsm, sum and rum with bits whose meaning for the mode is known. PSR.up is the program's only while PSR.sp is 0.
template <bool kOn, bool kUser>
void mask(L& l, const Insn& i) {
  if (i.imm & ~kSimpleBits) return l.call(i);
  Mode after = l.mode();
  if (i.imm & psr::kBe) after.big_endian = kOn;
  if (i.imm & psr::kIc) after.ic = kOn;
  const bool may = kUser ? (i.imm & ~(psr::kUserMask & ~psr::kUp)) == 0 : l.cpl() == 0;
  if (!may || (i.qp && !(after == l.mode()))) return l.call_to_end(i, after);
  l.emit({.code = kOn ? Opcode::set_psr : Opcode::clear_psr, .guard = l.guard(i), .imm = i.imm, .insn = &i});
  l.finish_behind(i, after);
}

/// mov r1 = psr, psr.um
template <u64 kBits>
void read_psr(L& l, const Insn& i) {
  if (kBits != psr::kUserMask && l.cpl() != 0) return l.call(i);
  l.set_gr(i, i.r1, l.emit({.code = Opcode::read_psr, .imm = kBits, .insn = &i}));
}

/// Control registers that nothing but moves and interruptions writes. Those of interruptions are out of reach while PSR.ic is 1.
bool is_readable(const L& l, unsigned n) {
  switch (n) {
    case cr::kDcr:
    case cr::kIva:
    case cr::kPta:
    case cr::kLid:
    case cr::kTpr: return true;
    case cr::kIpsr:
    case cr::kIsr:
    case cr::kIip:
    case cr::kIfa:
    case cr::kItir:
    case cr::kIipa:
    case cr::kIfs:
    case cr::kIim:
    case cr::kIha: return !l.mode().ic;
    default: return false;
  }
}

void read_control(L& l, const Insn& i) {
  if (l.cpl() != 0 || !is_readable(l, i.r3)) return l.call(i);
  l.set_gr(i, i.r1, l.get({File::Control, static_cast<u8>(i.r3)}));
}

constexpr u64 kIfsReserved = low_mask(25) << 38;

/// Those that interruption handlers set before they return, and that mean nothing to anybody until then.
void write_control(L& l, const Insn& i) {
  const bool plain = i.r3 == cr::kIpsr || i.r3 == cr::kIip || i.r3 == cr::kIfs || i.r3 == cr::kIfa;
  if (l.cpl() != 0 || l.mode().ic || !plain) return same_mode(l, i);
  const Location where{File::Control, static_cast<u8>(i.r3)};
  Value v = l.gr(i, i.r2);
  if (const u64 bits = i.r3 == cr::kIpsr ? ~psr::kDefined : i.r3 == cr::kIfs ? kIfsReserved : 0)
    l.leave_if(i, l.binary(Opcode::and_, v, l.constant(bits)));
  if (i.qp) v = l.select(l.pr(i.qp), v, l.get(where));
  l.set(where, v);
  l.finish_behind(i, l.mode());
}

}  // namespace

// Not here, because they change what the fetch key stands for or more of PSR: itc.i, itr, ptc, ptr, mov to rr, pkr, ibr and psr.l,
// epc, rfi. They find the next block by a look-up.
void add_system_rules(LowerTable& t) {
  t[&srlz_d_m24] = t[&srlz_i_m24] = t[&sync_i_m24] = serialize;
  t[&ssm_m44] = mask<true, false>, t[&sum_m44] = mask<true, true>;
  t[&rsm_m44] = mask<false, false>, t[&rum_m44] = mask<false, true>;
  t[&mov_psr_m36] = read_psr<psr::kLowWord | psr::kMc | psr::kIt>, t[&mov_psr_um_m36] = read_psr<psr::kUserMask>;
  t[&mov_m33] = read_control, t[&mov_m32] = write_control;
  t[&cover_b8] = t[&clrrrb_b8] = t[&clrrrb_pr_b8] = no_rotation;
  t[&bsw_0_b8] = t[&bsw_1_b8] = t[&loadrs_m25] = t[&itc_d_m41] = same_mode;
}

}  // namespace ia64::cpu::ir
