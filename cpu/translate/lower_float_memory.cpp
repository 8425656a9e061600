// Lowering of floating-point loads and stores, and of moves between general and floating-point registers.
#include <bit>

#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"
#include "cpu/translate/memory_form.h"

namespace ia64::cpu::ir {

namespace {

using enum Opcode;
using L = Lowering;
enum class Base { Kept, AddRegister, AddImmediate };

template <Opcode kCode, Base kBase>
void load(L& l, const Insn& i) {
  l.check_floats(i, {i.r1}, false);
  const Value va = l.gr(i, i.r3);
  const Value step = kBase == Base::AddRegister ? l.gr(i, i.r2) : kBase == Base::AddImmediate ? l.constant(i.imm) : kNone;
  if (kBase != Base::Kept && i.qp) l.gr(i, i.r3);
  if constexpr (kCode == load_integer) {
    l.to_fr_integer(i, i.r1, {.code = kCode, .a = va});
  } else {
    l.to_fr(i, i.r1, {.code = kCode, .a = va}, {.single = kCode == load_single});
  }
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, step));
}

/// What lies at a host address as the value of a register.
template <Opcode kCode>
Value read(L& l, const Insn& i, Value host, u64 offset) {
  return l.emit({.code = kCode, .a = host, .guard = l.guard(i), .imm = offset, .insn = &i});
}
template <Opcode kCode>
void put(L& l, const Insn& i, unsigned f, Value v) {
  if constexpr (kCode == host_integer) {
    l.to_fr_integer(i, f, {.code = set_integer, .a = v});
  } else {
    l.to_fr(i, f, {.code = float_move, .a = v}, {.single = kCode == host_single});
  }
}

/// A load of one or two registers in steps: everything that may leave comes before the first write. A check reads nothing, since what
/// the ALAT does not have is left to the interpreter; a speculative load leaves what it would defer.
template <Opcode kCode, unsigned kCount, Base kBase, LoadKind kKind>
void load_in_steps(L& l, const Insn& i) {
  constexpr u64 kEach = kCode == host_single ? 4 : 8;
  const unsigned second = kCount == 2 ? i.r2 : i.r1;
  // Where one target rotates and the other does not, rotation decides whether they are an even and an odd register.
  if (i.r1 < 2 || second < 2 || (kCount == 2 && ((i.r1 < 32) != (second < 32) || ((i.r1 ^ second) & 1) == 0))) return l.call(i);
  l.check_floats(i, {i.r1, second}, false);
  const Value va = l.gr(i, i.r3), step = kBase == Base::AddRegister ? l.gr(i, i.r2) : kBase == Base::AddImmediate ? l.constant(i.imm) : kNone;
  const Value q = l.guard(i);
  if constexpr (is_check(kKind)) {
    l.emit({.code = find_advanced, .guard = q, .insn = &i});
  } else {
    const Value host = l.emit({.code = host_address, .a = va, .guard = q, .imm = kEach * kCount, .insn = &i});
    Value v[kCount];
    for (unsigned n = 0; n < kCount; n++) v[n] = read<kCode>(l, i, host, n * kEach);
    if (is_advanced(kKind)) l.emit({.code = enter_advanced, .a = va, .b = host, .guard = q, .imm = kEach * kCount, .insn = &i});
    for (unsigned n = 0; n < kCount; n++) put<kCode>(l, i, n ? second : i.r1, v[n]);
  }
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, step));
}

template <Opcode kCode, Base kBase>
void store(L& l, const Insn& i) {
  const bool integer = kCode == store_integer;
  // A double is stored by the significand of its register, and an integer as what its bits make of it: rare.
  if (l.holds_other(i.r2) || (!integer && l.holds_integer(i.r2))) return l.call(i);
  l.check_floats(i, {i.r2}, false);
  const Value va = l.gr(i, i.r3);
  const Value value = l.fr_to_store(i, i.r2, integer);
  l.emit({.code = kCode, .a = va, .b = value, .guard = l.guard(i), .insn = &i});
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, l.constant(i.imm)));
}

template <Base kBase>
void fill(L& l, const Insn& i) {
  if (l.big_endian()) return l.call(i);
  l.check_floats(i, {i.r1}, false);
  const Value va = l.gr(i, i.r3);
  const Value step = kBase == Base::AddRegister ? l.gr(i, i.r2) : kBase == Base::AddImmediate ? l.constant(i.imm) : kNone;
  l.to_fr_register(i, i.r1, {.code = load_fill, .a = va});
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, step));
}

template <Base kBase>
void spill(L& l, const Insn& i) {
  if (l.big_endian()) return l.call(i);
  l.check_floats(i, {i.r2}, false);
  const Value va = l.gr(i, i.r3);
  l.settle(i, i.r2);
  l.emit({.code = store_spill, .a = va, .guard = l.guard(i), .insn = &i});
  if (kBase != Base::Kept) l.set_gr(i, i.r3, l.binary(add, va, l.constant(i.imm)));
}

/// The bits of a constant as those of a double; denormals are none.
template <Opcode kCode>
bool constant_double(u64 bits, u64& out) {
  if constexpr (kCode == bits_to_double) return out = bits, (bits >> 52 & 0x7ff) != 0 || bits << 1 == 0;
  const float single = std::bit_cast<float>(static_cast<u32>(bits));
  const u32 exponent = static_cast<u32>(bits) >> 23 & 0xff;
  return out = std::bit_cast<u64>(double{single}), exponent != 0 && exponent != 0xff;
}

template <Opcode kCode>
void to_float(L& l, const Insn& i) {
  l.check_floats(i, {i.r1}, false);
  const Value bits = l.gr(i, i.r2);
  if (u64 k; l.constant_value(bits, k) && constant_double<kCode>(k, k)) {
    l.to_fr(i, i.r1, {.code = float_move, .a = l.emit({.code = float_const, .imm = k})}, {.single = kCode == bits_to_single});
    return;
  }
  l.to_fr(i, i.r1, {.code = kCode, .a = bits}, {.single = kCode == bits_to_single});
}
/// A power of two, where it is known and a double.
void to_exponent(L& l, const Insn& i) {
  constexpr u64 kFirst = 0xffff - 1022, kLast = 0xffff + 1023;
  l.check_floats(i, {i.r1}, false);
  const Value bits = l.gr(i, i.r2);
  u64 k;
  if (!l.constant_value(bits, k) || (k & 0x1ffff) - kFirst > kLast - kFirst) return l.call(i);
  const u64 power = (k >> 17 & 1) << 63 | ((k & 0x1ffff) - 0xfc00) << 52;
  l.to_fr(i, i.r1, {.code = float_move, .a = l.emit({.code = float_const, .imm = power})});
}
void to_significand(L& l, const Insn& i) {
  l.check_floats(i, {i.r1}, false);
  l.to_fr_integer(i, i.r1, {.code = set_integer, .a = l.gr(i, i.r2)});
}

template <Opcode kCode>
void from_float(L& l, const Insn& i) {
  if (l.holds_other(i.r2) || l.holds_integer(i.r2)) return l.call(i);
  l.check_floats(i, {i.r2}, false);
  l.set_gr(i, i.r1, l.unary(kCode, l.fr(i, i.r2)));
}
void from_significand(L& l, const Insn& i) {
  l.check_floats(i, {i.r2}, false);
  l.set_gr(i, i.r1, l.fr_integer(i, i.r2));
}

}  // namespace

void add_float_move_rules(LowerTable& t) {
  t[&setf_d_m18] = to_float<bits_to_double>, t[&setf_s_m18] = to_float<bits_to_single>, t[&setf_sig_m18] = to_significand;
  t[&setf_exp_m18] = to_exponent;
  t[&getf_d_m19] = from_float<double_bits>, t[&getf_s_m19] = from_float<single_bits>, t[&getf_sig_m19] = from_significand;
}

// A speculative load of what the software TLB knows is a plain one.
#define LOADS_AT_ONCE(name, code) \
  t[&name##_m6] = load<code, Base::Kept>; \
  t[&name##_m7] = load<code, Base::AddRegister>; \
  t[&name##_m8] = load<code, Base::AddImmediate>;
#define LOADS_IN_STEPS(name, code, kind) \
  t[&name##_m6] = load_in_steps<code, 1, Base::Kept, LoadKind::kind>; \
  t[&name##_m7] = load_in_steps<code, 1, Base::AddRegister, LoadKind::kind>; \
  t[&name##_m8] = load_in_steps<code, 1, Base::AddImmediate, LoadKind::kind>;
#define LOADS(name, code, in_steps) \
  LOADS_AT_ONCE(name, code) \
  LOADS_AT_ONCE(name##_s, code) \
  LOADS_IN_STEPS(name##_a, in_steps, Advanced) \
  LOADS_IN_STEPS(name##_sa, in_steps, SpeculativeAdvanced) \
  LOADS_IN_STEPS(name##_c_clr, in_steps, CheckClear) \
  LOADS_IN_STEPS(name##_c_nc, in_steps, CheckKeep)
#define PAIRS_OF_KIND(name, code, kind) \
  t[&name##_m11] = load_in_steps<code, 2, Base::Kept, LoadKind::kind>; \
  t[&name##_m12] = load_in_steps<code, 2, Base::AddImmediate, LoadKind::kind>;
#define PAIRS(name, code) \
  PAIRS_OF_KIND(name, code, Plain) \
  PAIRS_OF_KIND(name##_s, code, Speculative) \
  PAIRS_OF_KIND(name##_a, code, Advanced) \
  PAIRS_OF_KIND(name##_sa, code, SpeculativeAdvanced) \
  PAIRS_OF_KIND(name##_c_clr, code, CheckClear) \
  PAIRS_OF_KIND(name##_c_nc, code, CheckKeep)
#define STORES(name, code) \
  t[&name##_m9] = store<code, Base::Kept>; \
  t[&name##_m10] = store<code, Base::AddImmediate>;

void add_float_memory_rules(LowerTable& t) {
  LOADS(ldfd, load_double, host_double)
  LOADS(ldfs, load_single, host_single)
  LOADS(ldf8, load_integer, host_integer)
  PAIRS(ldfpd, host_double)
  PAIRS(ldfps, host_single)
  PAIRS(ldfp8, host_integer)
  STORES(stfd, store_double)
  STORES(stfs, store_single)
  STORES(stf8, store_integer)
  t[&ldf_fill_m6] = fill<Base::Kept>, t[&ldf_fill_m7] = fill<Base::AddRegister>, t[&ldf_fill_m8] = fill<Base::AddImmediate>;
  t[&stf_spill_m9] = spill<Base::Kept>, t[&stf_spill_m10] = spill<Base::AddImmediate>;
}

}  // namespace ia64::cpu::ir
