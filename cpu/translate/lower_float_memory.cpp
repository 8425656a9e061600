// Lowering of floating-point loads and stores, and of moves between general and floating-point registers.
#include <bit>

#include "cpu/exec/handlers.h"
#include "cpu/translate/lowering.h"

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

template <Opcode kCode, Base kBase>
void store(L& l, const Insn& i) {
  const bool integer = kCode == store_integer;
  // A double is stored by the significand of its register, and an integer as what its bits make of it: rare.
  if (l.holds_other(i.r2) || (!integer && l.holds_integer(i.r2))) return l.call(i);
  l.check_floats(i, {i.r2}, false);
  const Value va = l.gr(i, i.r3);
  const Value value = integer ? l.fr_integer(i, i.r2) : l.fr(i, i.r2);
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

#define LOADS(name, code) \
  t[&name##_m6] = load<code, Base::Kept>; \
  t[&name##_m7] = load<code, Base::AddRegister>; \
  t[&name##_m8] = load<code, Base::AddImmediate>;
#define STORES(name, code) \
  t[&name##_m9] = store<code, Base::Kept>; \
  t[&name##_m10] = store<code, Base::AddImmediate>;

void add_float_memory_rules(LowerTable& t) {
  LOADS(ldfd, load_double)
  LOADS(ldfs, load_single)
  LOADS(ldf8, load_integer)
  STORES(stfd, store_double)
  STORES(stfs, store_single)
  STORES(stf8, store_integer)
  t[&ldf_fill_m6] = fill<Base::Kept>, t[&ldf_fill_m7] = fill<Base::AddRegister>, t[&ldf_fill_m8] = fill<Base::AddImmediate>;
  t[&stf_spill_m9] = spill<Base::Kept>, t[&stf_spill_m10] = spill<Base::AddImmediate>;
}

}  // namespace ia64::cpu::ir
