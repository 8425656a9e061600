// Lowering of moves between general registers and application registers or predicates.
#include "cpu/arch/registers.h"
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;

constexpr u64 kPfsReserved = low_mask(14) << 38 | low_mask(4) << 58;
constexpr u64 kRscReserved = ~(low_mask(5) | low_mask(14) << 16);
constexpr u64 kRscMode = 3;

Location application(unsigned n) {
  return n == ar::kLc ? Location{File::LoopCount} : Location{File::Application, static_cast<u8>(n)};
}

/// Registers that either unit can name and that hold what is written to them. The rest is the handlers' business.
bool is_plain(unsigned n, bool integer_unit) {
  if (integer_unit) return n == ar::kPfs || n == ar::kLc || n == ar::kEc;
  switch (n) {
    case ar::kRsc:
    case ar::kBspstore:
    case ar::kRnat:
    case ar::kCsd:
    case ar::kSsd:
    case ar::kCcv:
    case ar::kUnat: return true;
    default: return n < 8;
  }
}

/// BSPSTORE and RNAT are out of reach unless the RSE is in enforced lazy mode.
void need_lazy_rse(L& l, const Insn& i) {
  if (i.r3 == ar::kBspstore || i.r3 == ar::kRnat)
    l.leave_if(i, l.binary(and_, l.get(application(ar::kRsc)), l.constant(kRscMode)));
}

template <bool kIntegerUnit>
void move_from(L& l, const Insn& i) {
  if (!is_plain(i.r3, kIntegerUnit)) return l.call(i);
  need_lazy_rse(l, i);
  l.set_gr(i, i.r1, l.get(application(i.r3)));
}

/// Bits that must be 0 in a value moved to register `n`.
u64 reserved(unsigned n) {
  return n == ar::kPfs ? kPfsReserved : n == ar::kRsc ? kRscReserved : 0;
}
/// Bits of the value that register `n` keeps.
u64 kept(unsigned n) {
  switch (n) {
    case ar::kEc: return 63;
    case ar::kRnat: return low_mask(63);
    case ar::kBspstore: return ~u64{7};
    default: return ~u64{0};
  }
}

void move_to(L& l, const Insn& i, Value v) {
  need_lazy_rse(l, i);
  if (const u64 bits = reserved(i.r3)) l.leave_if(i, l.binary(and_, v, l.constant(bits)));
  if (const u64 bits = kept(i.r3); bits != ~u64{0}) v = l.binary(and_, v, l.constant(bits));
  if (i.qp) v = l.select(l.pr(i.qp), v, l.get(application(i.r3)));
  l.set(application(i.r3), v);
}

/// Less privileged programs must not write kernel registers, and RSC's privilege level is limited for them.
bool moves_plainly(const L& l, const Insn& i, bool integer_unit) {
  if (!is_plain(i.r3, integer_unit)) return false;
  return (i.r3 >= 8 && i.r3 != ar::kRsc) || l.cpl() == 0;
}

template <bool kIntegerUnit>
void move_register_to(L& l, const Insn& i) {
  if (!moves_plainly(l, i, kIntegerUnit)) return l.call(i);
  move_to(l, i, l.gr(i, i.r2));
}

template <bool kIntegerUnit>
void move_immediate_to(L& l, const Insn& i) {
  if (!moves_plainly(l, i, kIntegerUnit) || (i.imm & reserved(i.r3))) return l.call(i);
  move_to(l, i, l.constant(i.imm));
}

void from_predicates(L& l, const Insn& i) {
  l.set_gr(i, i.r1, l.emit({.code = gather_predicates}));
}

constexpr u64 kStatic = 1, kRotating = 2;

void spread(L& l, Value v, Value guard, u64 which) {
  l.emit({.code = spread_predicates, .a = v, .guard = guard, .imm = which});
  l.forget_predicates();
}

/// A few static predicates are moved one by one; otherwise all of them at once.
void to_predicates(L& l, const Insn& i) {
  const u64 mask = i.imm & 0xfffe;
  if (mask != 0xfffe && __builtin_popcountll(mask) > 6) return l.call(i);
  const Value v = l.gr(i, i.r2), guard = l.guard(i);
  u64 which = i.imm & bit(16) ? kRotating : 0;
  if (mask == 0xfffe) which |= kStatic;
  for (unsigned p = 1; p < 16 && !(which & kStatic); p++) {
    if (!(mask >> p & 1)) continue;
    const Value one = l.unary(test_bit, v, p);
    l.set_pr(p, guard == kNone ? one : l.select(guard, one, l.pr(p)));
  }
  if (which) spread(l, v, guard, which);
}
void to_rotating_predicates(L& l, const Insn& i) { spread(l, l.constant(i.imm), l.guard(i), kRotating); }

}  // namespace

void add_move_rules(LowerTable& t) {
  t[&mov_i28] = move_from<true>, t[&mov_m31] = move_from<false>;
  t[&mov_i26] = move_register_to<true>, t[&mov_m29] = move_register_to<false>;
  t[&mov_i27] = move_immediate_to<true>, t[&mov_m30] = move_immediate_to<false>;
  t[&mov_pr_i25] = from_predicates, t[&mov_i23] = to_predicates, t[&mov_i24] = to_rotating_predicates;
}

}  // namespace ia64::cpu::ir
