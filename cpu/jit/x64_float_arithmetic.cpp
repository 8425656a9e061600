// Emission of floating-point arithmetic, comparisons and conversions. Whatever is not plain leaves before the instruction, so
// that the interpreter finds the flags and faults. Until then the host may have set flags in MXCSR; of these only Inexact
// counts, and every operation that makes the host set it is inexact for the guest too (wre is 0, traps are disabled).
#include "base/bits.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::FloatTarget;
using ir::Opcode;

namespace {

constexpr u64 kSignBit = bit(63);
constexpr u32 kExponentOfHigh = 0x7ff00000;  ///< in the high half of a double
/// The fraction bits that a single does not have.
constexpr u32 kBelowSingle = 0x1fffffff, kHalfOfSingle = 0x10000000;

bool is_product(Opcode code) {
  return code == Opcode::float_mul || code == Opcode::float_nmul || (code >= Opcode::float_fma && code <= Opcode::float_fnma);
}

}  // namespace

void X64Emitter::emit_float_arithmetic(const Op& op, Value v) {
  const Label done = a_.newLabel();
  const Xmm a = use_float(op.a), b = op.b == ir::kNone ? a : use_float(op.b), c = op.c == ir::kNone ? a : use_float(op.c);
  const Xmm d = define_float(v);
  skip_unless(op.guard, done);
  compute(op, d, a, b, c);
  if (FloatTarget::unpack(op.imm).single) {
    round_to_single(op, d, a, b, c);
  } else {
    check_double(op, d, a, b);
  }
  store_result(op, d);
  a_.bind(done);
}

void X64Emitter::compute(const Op& op, const Xmm& to, const Xmm& a, const Xmm& b, const Xmm& c) {
  switch (op.code) {
    case Opcode::float_add: a_.vaddsd(to, a, b); break;
    case Opcode::float_sub: a_.vsubsd(to, a, b); break;
    case Opcode::float_mul: a_.vmulsd(to, a, b); break;
    case Opcode::float_nmul:
      a_.mov(rax, kSignBit);
      a_.vmovq(xmm0, rax);
      a_.vmulsd(to, a, b);
      a_.vxorpd(to, to, xmm0);
      break;
    case Opcode::float_fma: a_.vmovapd(to, c), a_.vfmadd231sd(to, a, b); break;
    case Opcode::float_fms: a_.vmovapd(to, c), a_.vfmsub231sd(to, a, b); break;
    case Opcode::float_fnma: a_.vmovapd(to, c), a_.vfnmadd231sd(to, a, b); break;
    default: a_.vmovapd(to, a); break;
  }
}

/// One more than the exponent is 0 to 3 modulo 2^11 for the largest exponent and the three smallest only. The second smallest is no
/// normal number to be sure of: what lies just below the smallest normal number may be rounded up to it, and underflows all the same.
/// Changes eax.
void X64Emitter::jump_unless_normal(const Xmm& value, Label odd) {
  a_.vpextrd(eax, value, 1);
  a_.add(eax, 0x00100000);
  a_.test(eax, 0x7fc00000);
  a_.jz(odd);
}

/// The same for the single in xmm0.
void X64Emitter::jump_unless_normal_single(Label odd) {
  a_.vmovd(eax, xmm0);
  a_.add(eax, eax);
  a_.sub(eax, 0x02000000);
  a_.cmp(eax, 0xfd000000);
  a_.jae(odd);
}

/// Goes on when `value` is normal or an exact zero.
void X64Emitter::check_double(const Op& op, const Xmm& value, const Xmm& a, const Xmm& b) {
  const Label odd = a_.newLabel(), fine = a_.newLabel(), no = deopt(op);
  jump_unless_normal(value, odd);
  a_.bind(fine);
  later([this, odd, fine, no, value, a, b, product = is_product(op.code)] {
    a_.bind(odd);
    a_.vmovq(rax, value);
    a_.add(rax, rax);
    a_.jnz(no);
    if (product) {  // a sum that cancels is exact, a product vanishes exactly only with a factor
      a_.vmovq(rax, a);
      a_.add(rax, rax);
      a_.jz(fine);
      a_.vmovq(rax, b);
      a_.add(rax, rax);
      a_.jnz(no);
    }
    a_.jmp(fine);
  });
}

/// `value` is the result rounded to double. Rounding once more is right unless it lies half way between two singles without
/// being exact; sums and products of singles are right always.
void X64Emitter::round_to_single(const Op& op, const Xmm& value, const Xmm& a, const Xmm& b, const Xmm& c) {
  const Label half = a_.newLabel(), whole = a_.newLabel(), odd = a_.newLabel(), fine = a_.newLabel(), no = deopt(op);
  const bool fused = op.c != ir::kNone, rounds_once = op.code == Opcode::float_norm;
  const auto check_half = [this, value, no] {
    a_.vmovd(eax, value);
    a_.and_(eax, kBelowSingle);
    a_.cmp(eax, kHalfOfSingle);
    a_.je(no);
  };
  if (fused) {
    check_half();
  } else if (!rounds_once && !FloatTarget::unpack(op.imm).operands_single) {
    a_.vorpd(xmm0, a, b);
    a_.vmovd(eax, xmm0);
    a_.test(eax, kBelowSingle);
    a_.jnz(half);
    later([this, half, whole, check_half] {
      a_.bind(half);
      check_half();
      a_.jmp(whole);
    });
  }
  a_.bind(whole);
  a_.vcvtsd2ss(xmm0, value, value);
  jump_unless_normal_single(odd);
  a_.vcvtss2sd(value, xmm0, xmm0);
  a_.bind(fine);
  later([this, odd, fine, no, value, a, b, product = is_product(op.code)] {
    a_.bind(odd);
    a_.vmovq(rax, value);
    a_.add(rax, rax);
    a_.jnz(no);
    if (product) {
      a_.vmovq(rax, a);
      a_.add(rax, rax);
      a_.jz(fine);
      a_.vmovq(rax, b);
      a_.add(rax, rax);
      a_.jnz(no);
    }
    a_.jmp(fine);
  });
  static_cast<void>(c);
}

/// The guest picks as the host does: the second operand unless the first is truly smaller (greater).
void X64Emitter::emit_float_pick(const Op& op, Value v) {
  const Label done = a_.newLabel(), no = deopt(op);
  const Xmm a = use_float(op.a), b = use_float(op.b), d = define_float(v);
  skip_unless(op.guard, done);
  a_.vucomisd(a, b);
  a_.jp(no);
  op.code == Opcode::float_min ? a_.vminsd(d, a, b) : a_.vmaxsd(d, a, b);
  store_result(op, d);
  a_.bind(done);
}

void X64Emitter::emit_float_merge(const Op& op, Value v) {
  const Label done = a_.newLabel();
  const Xmm a = use_float(op.a), b = op.b == ir::kNone ? a : use_float(op.b), d = define_float(v);
  skip_unless(op.guard, done);
  if (op.code == Opcode::float_move) {
    a_.vmovapd(d, a);
  } else {
    a_.mov(rax, kSignBit);
    a_.vmovq(xmm0, rax);
    a_.vandnpd(xmm1, xmm0, b);
    op.code == Opcode::float_merge ? a_.vandpd(d, xmm0, a) : a_.vandnpd(d, a, xmm0);
    a_.vorpd(d, d, xmm1);
  }
  store_result(op, d);
  a_.bind(done);
}

void X64Emitter::emit_float_relation(const Op& op, Value v) {
  const Label no = deopt(op);
  const Xmm a = use_float(op.a), b = use_float(op.b);
  const Gp d = define(v);
  a_.vucomisd(b, a);
  a_.jp(no);
  if (op.code == Opcode::float_lt) {
    a_.seta(al);
  } else if (op.code == Opcode::float_le) {
    a_.setae(al);
  } else {
    a_.sete(al);
  }
  a_.movzx(d.r32(), al);
}

/// The host's answer to what does not fit is the most negative integer, without Inexact.
void X64Emitter::emit_float_to_int(const Op& op, Value v) {
  const Label done = a_.newLabel(), no = deopt(op);
  const Xmm a = use_float(op.a);
  const Gp d = define(v);
  skip_unless(op.guard, done);
  if (FloatTarget::unpack(op.imm).is_unsigned) {
    a_.vmovq(rax, a);
    a_.test(rax, rax);
    a_.js(no);
  }
  op.code == Opcode::float_to_int ? a_.vcvtsd2si(d, a) : a_.vcvttsd2si(d, a);
  a_.cmp(d, 1);
  a_.jo(no);
  store_integer_result(op, d);
  a_.bind(done);
}

void X64Emitter::emit_int_to_float(const Op& op, Value v) {
  const Label done = a_.newLabel(), no = deopt(op);
  const Gp a = use(op.a, rcx);
  const Xmm d = define_float(v);
  skip_unless(op.guard, done);
  a_.mov(rax, bit(53));
  a_.add(rax, a);
  a_.shr(rax, 54);
  a_.jnz(no);
  a_.vxorps(d, d, d);
  a_.vcvtsi2sd(d, d, a);
  store_result(op, d);
  a_.bind(done);
}

/// Goes on at `fine` from `tiny` unless the double, whose exponent is 0, is denormal.
void X64Emitter::leave_if_denormal(const Op& op, const Xmm& value, Label tiny, Label fine) {
  later([this, value, tiny, fine, no = deopt(op)] {
    a_.bind(tiny);
    a_.vmovq(rdx, value);
    a_.add(rdx, rdx);
    a_.jnz(no);
    a_.jmp(fine);
  });
}

/// The single in `bits`, which is not eax, as a double. Denormals, infinities and NaNs leave.
void X64Emitter::single_to_double(const Op& op, const Gp& bits, const Xmm& to) {
  const Label odd = a_.newLabel(), fine = a_.newLabel(), no = deopt(op);
  a_.mov(eax, bits.r32());
  a_.add(eax, eax);
  a_.sub(eax, 0x01000000);
  a_.cmp(eax, 0xfe000000);
  a_.jae(odd);
  a_.vmovd(to, bits.r32());
  a_.vcvtss2sd(to, to, to);
  a_.bind(fine);
  later([this, odd, fine, no, bits, to] {
    a_.bind(odd);
    a_.mov(eax, bits.r32());
    a_.test(eax, 0x7fffffff);
    a_.jnz(no);
    a_.shl(rax, 32);
    a_.vmovq(to, rax);
    a_.jmp(fine);
  });
}

void X64Emitter::emit_bits_to_float(const Op& op, Value v) {
  const Label done = a_.newLabel();
  const Gp a = use(op.a, rcx);
  const Xmm d = define_float(v);
  skip_unless(op.guard, done);
  if (op.code == Opcode::bits_to_single) {
    single_to_double(op, a, d);
  } else {
    const Label tiny = a_.newLabel(), fine = a_.newLabel();
    a_.vmovq(d, a);
    a_.mov(rdx, a);
    a_.shr(rdx, 32);
    a_.test(edx, kExponentOfHigh);
    a_.jz(tiny);
    a_.bind(fine);
    leave_if_denormal(op, d, tiny, fine);
  }
  store_result(op, d);
  a_.bind(done);
}

void X64Emitter::emit_float_to_bits(const Op& op, Value v) {
  const Xmm a = use_float(op.a);
  const Gp d = define(v);
  a_.vmovq(rax, a);
  if (op.code == Opcode::double_bits) {
    a_.mov(d, rax);
  } else if (op.code == Opcode::single_bits) {
    // Bits 63:62 and 58:29: the narrow exponent is cut out of the wide one, the fraction cut off.
    a_.mov(rcx, rax);
    a_.shr(rcx, 29);
    a_.and_(ecx, 0x3fffffff);
    a_.shr(rax, 32);
    a_.and_(eax, 0xc0000000);
    a_.or_(eax, ecx);
    a_.mov(d.r32(), eax);
  } else {
    a_.mov(rdx, rax);
    a_.shl(rdx, 11);
    a_.bts(rdx, 63);
    a_.mov(ecx, 0);
    a_.shr(rax, 52);
    a_.test(eax, 0x7ff);
    a_.cmovz(rdx, rcx);
    a_.mov(d, rdx);
  }
}

void X64Emitter::emit_mul_high(const Op& op, Value v) {
  const Gp b = use(op.b, rcx), a = use(op.a, rax);
  const Gp d = define(v);
  if (a.id() != rax.id()) a_.mov(rax, a);
  op.code == Opcode::mul_high ? a_.imul(b) : a_.mul(b);
  a_.mov(d, rdx);
}

}  // namespace ia64::cpu::jit
