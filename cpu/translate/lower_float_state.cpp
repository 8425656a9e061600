// Floating-point registers as values: which form they are in, what is known about them, and handlers that want them settled.
#include <cstring>

#include "cpu/arch/float_file.h"
#include "cpu/arch/registers.h"
#include "cpu/decode/op_info.h"
#include "cpu/exec/handlers.h"
#include "cpu/translate/float_sequence.h"
#include "cpu/translate/lowering.h"

namespace ia64::cpu::ir {

namespace {

constexpr u64 kOneBits = u64{0x3ff} << 52;

/// Calls `f` for each floating-point register that the instruction names.
template <class F>
bool each_float_register(const Insn& i, F f) {
  const char* const text = op_info(i.op).text;
  const std::pair<const char*, u8> operands[] = {{"%f1", i.r1}, {"%f2", i.r2}, {"%f3", i.r3}, {"%f4", i.r4}};
  bool any = false;
  for (const auto& [name, n] : operands)
    if (std::strstr(text, name)) any = true, f(n);
  return any;
}

/// Whether the handler reads or replaces flags of the FPSR.
bool sees_flags(const Insn& i) {
  const Handler h = i.handler;
  if (h == &fsetc_f12 || h == &fclrf_f13 || h == &fchkf_f14) return true;
  const bool moves_ar = h == &mov_i26 || h == &mov_i27 || h == &mov_i28 || h == &mov_m29 || h == &mov_m30 || h == &mov_m31;
  return moves_ar && i.r3 == ar::kFpsr;
}

}  // namespace

void Lowering::check_floats(const Insn& i, std::initializer_list<unsigned> registers, bool arithmetic) {
  u8 wanted = arithmetic ? kNearest | kActive : kActive;
  for (unsigned f : registers)
    if (f >= 2) wanted |= f < 32 ? kLowEnabled : kHighEnabled;
  wanted &= static_cast<u8>(~float_checked_);
  if (!wanted) return;
  emit({.code = Opcode::float_check, .imm = wanted, .insn = &i});
  float_checked_ |= wanted;
}

Value Lowering::fr_to_store(const Insn& i, unsigned f, bool integer) {
  const FloatState& s = float_[f];
  if (f < 2 || s.value != kNone || s.integer != kNone || guard(i) == kNone) return integer ? fr_integer(i, f) : fr(i, f);
  return emit({.code = integer ? Opcode::get_integer : Opcode::get_double, .guard = guard(i), .imm = f, .insn = &i});
}

Value Lowering::fr(const Insn& i, unsigned f) {
  FloatState& s = float_[f];
  if (s.value != kNone) return s.value;
  if (f < 2) return s.value = emit({.code = Opcode::float_const, .imm = f ? kOneBits : 0});
  s.value = emit({.code = Opcode::get_double, .imm = f, .insn = &i});
  s.form = FloatFile::kDouble, s.integer = s.natural = kNone, s.other = s.single = false;
  return s.value;
}

Value Lowering::fr_integer(const Insn& i, unsigned f) {
  FloatState& s = float_[f];
  if (s.integer != kNone) return s.integer;
  if (f < 2) return s.integer = constant(f ? u64{1} << 63 : 0);
  if (s.value != kNone) return unary(Opcode::significand, s.value);
  s.integer = emit({.code = Opcode::get_integer, .imm = f, .insn = &i});
  return s.integer;
}

FloatTarget Lowering::target(const Insn& i, unsigned f, FloatTarget how, u8 form) {
  const u8 bank = f < 32 ? 1 : 2;
  how.reg = static_cast<u8>(f), how.form_known = float_[f].form == form, how.marked = float_marked_ & bank;
  if (!i.qp) float_marked_ |= bank;
  return how;
}

Value Lowering::to_fr(const Insn& i, unsigned f, Op op, FloatTarget how) {
  how = target(i, f, how, FloatFile::kDouble);
  op.guard = guard(i), op.imm = how.pack(), op.insn = &i;
  const Value v = emit(op);
  FloatState& s = float_[f];
  const bool form_kept = s.form == FloatFile::kDouble;
  s = {};
  if (!i.qp) s.value = v, s.single = how.single;
  if (!i.qp || form_kept) s.form = FloatFile::kDouble;
  return v;
}

Value Lowering::to_fr_integer(const Insn& i, unsigned f, Op op, FloatTarget how) {
  how = target(i, f, how, FloatFile::kInteger);
  op.guard = guard(i), op.imm = how.pack(), op.insn = &i;
  const Value v = emit(op);
  FloatState& s = float_[f];
  const bool form_kept = s.form == FloatFile::kInteger;
  s = {};
  if (!i.qp) s.integer = op.code == Opcode::set_integer ? op.a : v;
  if (!i.qp || form_kept) s.form = FloatFile::kInteger;
  return v;
}

void Lowering::copy_fr(const Insn& i, unsigned to, unsigned from) {
  const FloatTarget how = target(i, to, {}, 0xfe);
  emit({.code = Opcode::copy_float, .guard = guard(i), .imm = how.pack() | u64{from} << 16, .insn = &i});
  const bool other = float_[from].other;
  float_[to] = {};
  float_[to].other = other && !i.qp;
}

void Lowering::settle(const Insn& i, unsigned f) {
  if (f < 2 || float_[f].form == FloatFile::kRegister) return;
  emit({.code = Opcode::settle_float, .imm = f, .insn = &i});
  float_[f].form = FloatFile::kRegister;
}

void Lowering::to_fr_register(const Insn& i, unsigned f, Op op) {
  const FloatTarget how = target(i, f, {}, FloatFile::kRegister);
  op.guard = guard(i), op.imm = how.pack(), op.insn = &i;
  emit(op);
  const bool form_kept = float_[f].form == FloatFile::kRegister;
  float_[f] = {};
  if (!i.qp || form_kept) float_[f].form = FloatFile::kRegister;
}

void Lowering::to_fr_natural(const Insn& i, unsigned f, Value n) {
  const FloatTarget how = target(i, f, {}, FloatFile::kNatural);
  emit({.code = Opcode::set_natural, .a = n, .guard = guard(i), .imm = how.pack(), .insn = &i});
  float_[f] = {};
  if (!i.qp) float_[f].natural = n, float_[f].form = FloatFile::kNatural, float_[f].other = true;
}

/// The result first, since nothing may leave behind it; then what the steps leave, which others of the sequence do not touch.
void Lowering::do_sequence(const Insn& i, std::shared_ptr<const FloatSequence> found) {
  const FloatSequence& s = *found;
  using Kind = FloatSequence::Kind;
  const u64 number = unit_.sequences.size();
  unit_.sequences.push_back(std::move(found));
  check_floats(i, {i.r1, s.dividend, s.divisor}, s.kind != Kind::Natural);
  const auto operand = [&](unsigned f) {
    if (s.kind != Kind::Natural) return fr(i, f);
    return float_[f].natural != kNone ? float_[f].natural : emit({.code = Opcode::get_natural, .imm = f, .insn = &i});
  };
  const Value a = operand(s.dividend), b = s.kind == Kind::Root ? a : operand(s.divisor);
  Op op{.code = Opcode::float_quotient, .a = a, .b = b, .imm = number, .insn = &i};
  if (s.kind == Kind::Natural) op.code = Opcode::natural_quotient;
  if (s.kind == Kind::Root) op.code = Opcode::float_root, op.b = kNone;
  const Value result = emit(op);
  for (const Insn* other : s.others) lower(*other);
  emit({.code = Opcode::defer_steps, .a = a, .b = b, .imm = number, .insn = &i});
  for (u8 f : s.left) float_[f] = {}, float_[f].other = true;
  if (s.kind == Kind::Natural) {
    to_fr_integer(i, s.last->r1, {.code = Opcode::set_integer, .a = result});
  } else {
    to_fr(i, s.last->r1, {.code = Opcode::float_move, .a = result}, {.single = s.kind == Kind::Single});
  }
  set_pr(i.p2, constant(1));
  next_ = s.last + 1;
}

void Lowering::wide_float(const Insn& i) {
  settle_operands(i);
  const FloatTarget how = target(i, i.r1, {}, 0xfe);
  emit({.code = Opcode::wide_float, .guard = guard(i), .imm = how.pack(), .insn = &i});
  // A result in double precision is left as a double when all goes well.
  const bool as_double = i.x == 0 && (i.handler == &fma_d_f1 || i.handler == &fms_d_f1 || i.handler == &fnma_d_f1);
  float_[i.r1] = {};
  float_[i.r1].form = as_double ? 0xff : u8{FloatFile::kRegister}, float_[i.r1].other = !as_double;
}

/// A handler finds its registers in register format, and leaves its target there.
void Lowering::settle_operands(const Insn& i) {
  if (!native_float_) return;
  each_float_register(i, [&](unsigned f) { settle(i, f); });
  if (sees_flags(i)) emit({.code = Opcode::merge_flags, .insn = &i});
}

/// Handlers of floating-point instructions touch nothing but the registers they name; of others nothing is known.
void Lowering::after_float_call(const Insn& i) {
  const bool names_floats = each_float_register(i, [](unsigned) {});
  const bool arithmetic = names_floats && op_info(i.op).unit == cpu::Unit::F;
  if (!names_floats) float_checked_ &= kActive, float_marked_ = 0;
  for (FloatState& s : float_) {
    s.value = s.integer = s.natural = kNone;
    if (!names_floats) s.form = 0xff, s.single = s.other = false;
  }
  if (op_info(i.op).flags & op_flag::kWritesF1) float_[i.r1].other = arithmetic, float_[i.r1].single = false;
  if (op_info(i.op).flags & op_flag::kWritesF2) float_[i.r2].other = arithmetic, float_[i.r2].single = false;
}

}  // namespace ia64::cpu::ir
