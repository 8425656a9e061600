// Lowering of speculation checks, line prefetch, semaphores and fences.
#include "cpu/arch/registers.h"
#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"
#include "cpu/translate/memory_form.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;
enum class Base { Kept, AddRegister, AddImmediate };

/// Where gr() says that the register is no NaT, the check has succeeded; otherwise the interpreter does it.
void check_speculative(L& l, const Insn& i) { l.gr(i, i.r2); }

/// r0, f0 and f1 never have an entry.
template <Opcode kCode, unsigned kFirst>
void check_advanced(L& l, const Insn& i) {
  if (i.r1 < kFirst) return l.call(i);
  const unsigned exit = l.add_exit(i, l.insn_ip(i) + i.imm, 0, l.mode());
  const Value failed = l.emit({.code = kCode, .guard = l.guard(i), .imm = l.packed_gr(i.r1), .insn = &i});
  l.emit({.code = exit_if, .a = failed, .imm = exit, .insn = &i});
}

/// A plain prefetch does nothing but change its base register.
template <Base kBase, bool kFault>
void prefetch(L& l, const Insn& i) {
  if (kBase == Base::Kept && !kFault) return;
  const Value va = l.gr(i, i.r3);
  const Value by = kBase == Base::AddRegister ? l.gr(i, i.r2) : l.constant(i.imm);
  if (kFault) l.emit({.code = touch, .a = va, .guard = l.guard(i), .insn = &i});
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, by));
}

u64 form(L& l, const Insn& i) {
  return MemoryForm{.target = Location::unpack(l.packed_gr(i.r1)), .kind = LoadKind::Plain, .swap = l.big_endian()}.pack();
}

/// An operation that is skipped yields anything: set_gr() chooses. What it chooses from must have been read before, since reading
/// may leave the block.
Value read_target(L& l, const Insn& i) { return i.qp ? l.gr(i, i.r1) : kNone; }

template <Opcode kCode>
void exchange(L& l, const Insn& i) {
  const Value va = l.gr(i, i.r3), wanted = l.gr(i, i.r2);
  read_target(l, i);
  l.set_gr(i, i.r1, l.emit({.code = kCode, .a = va, .b = wanted, .guard = l.guard(i), .imm = form(l, i), .insn = &i}));
}
template <Opcode kCode>
void compare_exchange(L& l, const Insn& i) {
  const Value va = l.gr(i, i.r3), wanted = l.gr(i, i.r2), expected = l.get({File::Application, ar::kCcv});
  const Value q = l.guard(i);
  read_target(l, i);
  l.set_gr(i, i.r1, l.emit({.code = kCode, .a = va, .b = wanted, .c = expected, .guard = q, .imm = form(l, i), .insn = &i}));
}
/// The host adds in its own byte order only.
template <Opcode kCode>
void fetch_add(L& l, const Insn& i) {
  if (l.big_endian()) return l.call(i);
  const Value va = l.gr(i, i.r3), by = l.constant(i.imm);
  read_target(l, i);
  l.set_gr(i, i.r1, l.emit({.code = kCode, .a = va, .b = by, .guard = l.guard(i), .imm = form(l, i), .insn = &i}));
}

void full_fence(L& l, const Insn& i) { l.emit({.code = fence, .guard = l.guard(i), .insn = &i}); }

}  // namespace

#define SEMAPHORES(size, bits) \
  t[&xchg##size##_m16] = exchange<exchange##bits>; \
  t[&cmpxchg##size##_acq_m16] = t[&cmpxchg##size##_rel_m16] = compare_exchange<compare_exchange##bits>;

void add_semaphore_rules(LowerTable& t) {
  SEMAPHORES(1, 8)
  SEMAPHORES(2, 16)
  SEMAPHORES(4, 32)
  SEMAPHORES(8, 64)
  t[&fetchadd4_acq_m17] = t[&fetchadd4_rel_m17] = fetch_add<fetch_add32>;
  t[&fetchadd8_acq_m17] = t[&fetchadd8_rel_m17] = fetch_add<fetch_add64>;
  t[&mf_m24] = t[&mf_a_m24] = full_fence;
  t[&fwb_m24] = [](L&, const Insn&) {};
}

void add_speculation_rules(LowerTable& t) {
  add_speculative_load_rules(t);
  t[&chk_s_m20] = t[&chk_s_i20] = check_speculative;
  t[&chk_a_nc_m22] = t[&chk_a_clr_m22] = check_advanced<advanced_check, 1>;
  t[&chk_a_nc_m23] = t[&chk_a_clr_m23] = check_advanced<advanced_check_fp, 2>;
  t[&lfetch_m13] = t[&lfetch_excl_m13] = prefetch<Base::Kept, false>;
  t[&lfetch_m14] = t[&lfetch_excl_m14] = prefetch<Base::AddRegister, false>;
  t[&lfetch_m15] = t[&lfetch_excl_m15] = prefetch<Base::AddImmediate, false>;
  t[&lfetch_fault_m13] = t[&lfetch_fault_excl_m13] = prefetch<Base::Kept, true>;
  t[&lfetch_fault_m14] = t[&lfetch_fault_excl_m14] = prefetch<Base::AddRegister, true>;
  t[&lfetch_fault_m15] = t[&lfetch_fault_excl_m15] = prefetch<Base::AddImmediate, true>;
}

}  // namespace ia64::cpu::ir
