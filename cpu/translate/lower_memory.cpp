// Lowering of integer loads and stores in all their types, spill and fill. Accesses of sixteen bytes call their handlers.
#include "cpu/arch/registers.h"
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"
#include "cpu/translate/memory_form.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;
enum class Base { Kept, AddRegister, AddImmediate };

/// The value added to the base register afterwards, read before the target is written; kNone when it is kept.
template <Base kBase>
Value step(L& l, const Insn& i) {
  return kBase == Base::AddRegister ? l.gr(i, i.r2) : kBase == Base::AddImmediate ? l.constant(i.imm) : kNone;
}

MemoryForm form(L& l, const Insn& i, LoadKind kind) {
  return {Location::unpack(l.packed_gr(i.r1)), kind, l.big_endian()};
}

template <Opcode kCode, Base kBase, LoadKind kKind>
void load(L& l, const Insn& i) {
  const Value va = l.gr(i, i.r3), by = step<kBase>(l, i), q = l.guard(i);
  const Value old = q == kNone && !is_check(kKind) ? kNone : l.gr(i, i.r1);
  const Value v = l.emit({.code = kCode, .a = va, .b = old, .guard = q, .imm = form(l, i, kKind).pack(), .insn = &i});
  l.set_loaded(i.r1, v);
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, by));
}

template <Base kBase>
void fill(L& l, const Insn& i) {
  const Value va = l.gr(i, i.r3), q = l.guard(i), old = q == kNone ? kNone : l.gr(i, i.r1);
  const Value unat = l.get({File::Application, ar::kUnat});
  const u64 how = form(l, i, LoadKind::Fill).pack();
  const Value by = step<kBase>(l, i);
  const Value v = l.emit({.code = fill64, .a = va, .b = old, .c = unat, .guard = q, .imm = how, .insn = &i});
  l.set_loaded(i.r1, v);
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, by));
}

template <Opcode kCode, Base kBase>
void store(L& l, const Insn& i) {
  const Value va = l.gr(i, i.r3), value = l.gr(i, i.r2);
  const u64 how = MemoryForm{.target = {}, .kind = LoadKind::Plain, .swap = l.big_endian()}.pack();
  l.emit({.code = kCode, .a = va, .b = value, .guard = l.guard(i), .imm = how, .insn = &i});
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, l.constant(i.imm)));
}

/// The source is no NaT, so the bit of UNAT that the address selects becomes 0.
template <Base kBase>
void spill(L& l, const Insn& i) {
  const Location where{File::Application, ar::kUnat};
  const Value va = l.gr(i, i.r3), old = l.get(where), q = l.guard(i);
  store<store64, Base::Kept>(l, i);
  const Value number = l.binary(and_, l.unary(shr_imm, va, 3), l.constant(63));
  Value unat = l.binary(andn, old, l.binary(shl, l.constant(1), number));
  if (q != kNone) unat = l.select(q, unat, old);
  l.set(where, unat);
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, l.constant(i.imm)));
}

}  // namespace

#define LOADS_OF_KIND(name, code, kind) \
  t[&name##_m1] = load<code, Base::Kept, LoadKind::kind>; \
  t[&name##_m2] = load<code, Base::AddRegister, LoadKind::kind>; \
  t[&name##_m3] = load<code, Base::AddImmediate, LoadKind::kind>;
#define LOADS(size, code) \
  LOADS_OF_KIND(ld##size, code, Plain) \
  LOADS_OF_KIND(ld##size##_bias, code, Plain) \
  LOADS_OF_KIND(ld##size##_acq, code, Acquire)
// The acquiring check always reads again.
#define SPECULATIVE_LOADS(size, code) \
  LOADS_OF_KIND(ld##size##_s, code, Speculative) \
  LOADS_OF_KIND(ld##size##_a, code, Advanced) \
  LOADS_OF_KIND(ld##size##_sa, code, SpeculativeAdvanced) \
  LOADS_OF_KIND(ld##size##_c_clr, code, CheckClear) \
  LOADS_OF_KIND(ld##size##_c_nc, code, CheckKeep) \
  LOADS_OF_KIND(ld##size##_c_clr_acq, code, Acquire)
// Host stores are ordered enough for the release forms.
#define STORES(size, code) \
  t[&st##size##_m4] = t[&st##size##_rel_m4] = store<code, Base::Kept>; \
  t[&st##size##_m5] = t[&st##size##_rel_m5] = store<code, Base::AddImmediate>;

void add_memory_rules(LowerTable& t) {
  LOADS(1, load8)
  LOADS(2, load16)
  LOADS(4, load32)
  LOADS(8, load64)
  STORES(1, store8)
  STORES(2, store16)
  STORES(4, store32)
  STORES(8, store64)
  t[&ld8_fill_m1] = fill<Base::Kept>, t[&ld8_fill_m2] = fill<Base::AddRegister>, t[&ld8_fill_m3] = fill<Base::AddImmediate>;
  t[&st8_spill_m4] = spill<Base::Kept>, t[&st8_spill_m5] = spill<Base::AddImmediate>;
}

void add_speculative_load_rules(LowerTable& t) {
  SPECULATIVE_LOADS(1, load8)
  SPECULATIVE_LOADS(2, load16)
  SPECULATIVE_LOADS(4, load32)
  SPECULATIVE_LOADS(8, load64)
}

}  // namespace ia64::cpu::ir
