// Lowering of ordinary integer loads and stores. Checked, advanced, speculative and acquiring forms call their handlers.
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;
enum class Base { Kept, AddRegister, AddImmediate };

template <Opcode kCode, Base kBase>
void load(L& l, const Insn& i) {
  if (l.big_endian()) return l.call(i);
  const Value va = l.gr(i, i.r3);
  const Value step = kBase == Base::AddRegister ? l.gr(i, i.r2) : kBase == Base::AddImmediate ? l.constant(i.imm) : kNone;
  const Value q = l.guard(i);
  const Value old = q == kNone ? kNone : l.gr(i, i.r1);
  const Value v = l.emit({.code = kCode, .a = va, .b = old, .guard = q, .imm = l.packed_gr(i.r1), .insn = &i});
  l.set_loaded(i.r1, v);
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, step));
}

template <Opcode kCode, Base kBase>
void store(L& l, const Insn& i) {
  if (l.big_endian()) return l.call(i);
  const Value va = l.gr(i, i.r3), value = l.gr(i, i.r2);
  l.emit({.code = kCode, .a = va, .b = value, .guard = l.guard(i), .insn = &i});
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, l.constant(i.imm)));
}

}  // namespace

#define LOADS(size, code) \
  t[&ld##size##_m1] = t[&ld##size##_bias_m1] = load<code, Base::Kept>; \
  t[&ld##size##_m2] = t[&ld##size##_bias_m2] = load<code, Base::AddRegister>; \
  t[&ld##size##_m3] = t[&ld##size##_bias_m3] = load<code, Base::AddImmediate>;
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
}

}  // namespace ia64::cpu::ir
