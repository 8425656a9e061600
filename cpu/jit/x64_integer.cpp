// Emission of arithmetic, shifts, relations and selections.
#include <utility>

#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;
using ir::Opcode;

void X64Emitter::emit(const Op& op, Value v) {
  if (op.code >= Opcode::float_check && op.code <= Opcode::mul_high_u && emit_float(op, v)) return;
  switch (op.code) {
    case Opcode::constant:  // made where it is used
    case Opcode::phi:
    case Opcode::phi_float: return;
    case Opcode::get: return emit_get(op, v);
    case Opcode::set: return emit_set(op);
    case Opcode::clear_nat: a_.mov(nat_of(ir::Location::unpack(op.imm)), 0); return;
    case Opcode::check_nat: return emit_check_nat(op);
    case Opcode::shl:
    case Opcode::shr:
    case Opcode::sar: return emit_shift(op, v);
    case Opcode::shl_imm:
    case Opcode::shr_imm:
    case Opcode::sar_imm:
    case Opcode::shift_pair: return emit_shift_imm(op, v);
    case Opcode::parallel: return emit_parallel(op, v);
    case Opcode::parallel_imm: return emit_parallel_imm(op, v);
    case Opcode::rotr_imm: return emit_rotate(op, v);
    case Opcode::swap_bytes: return emit_unary(op, v);
    case Opcode::mul_imm:
    case Opcode::mul_bits: return emit_multiple(op, v);
    case Opcode::count_down: return emit_count_down(op, v);
    case Opcode::scaled_add: return emit_scaled_add(op, v);
    case Opcode::select: return emit_select(op, v);
    case Opcode::fence: return emit_fence(op);
    case Opcode::touch: return emit_touch(op);
    case Opcode::reload8:
    case Opcode::reload16:
    case Opcode::reload32:
    case Opcode::reload64: return emit_reload(op, v);
    case Opcode::advanced_check:
    case Opcode::advanced_check_fp: return emit_advanced_check(op, v);
    case Opcode::call:
    case Opcode::call_branch: return emit_call(op);
    case Opcode::host_of: return emit_host_of(op, v);
    case Opcode::direct_load: return emit_direct_load(op, v);
    case Opcode::direct_store: return emit_direct_store(op);
    case Opcode::alat_is_empty: return emit_alat_is_empty(v);
    case Opcode::instructions_left: return a_.mov(define(v), rbp), void();
    case Opcode::next_round: return emit_next_round(op);
    case Opcode::exit_if: return emit_exit_if(op);
    case Opcode::leave_if: return emit_leave_if(op);
    case Opcode::jump_to: return emit_jump_to(op);
    case Opcode::frame_call:
    case Opcode::frame_call_to: return emit_frame_call(op);
    case Opcode::frame_return: return emit_frame_return(op);
    case Opcode::frame_alloc: return emit_frame_alloc(op);
    case Opcode::window_get: return emit_window_get(op, v);
    case Opcode::window_set: return emit_window_set(op);
    case Opcode::window_ones: return emit_window_ones(op, v);
    case Opcode::slide: return emit_slide(op, v);
    case Opcode::rotate: return emit_rotate(op);
    case Opcode::clear_bases: return emit_clear_bases(op);
    case Opcode::read_psr: return emit_read_psr(op, v);
    case Opcode::set_psr: return emit_set_psr(op);
    case Opcode::clear_psr: return emit_clear_psr(op);
    case Opcode::gather_predicates: return emit_gather_predicates(v);
    case Opcode::spread_predicates: return emit_spread_predicates(op);
    default: break;
  }
  if (op.code <= Opcode::mul) return emit_binary(op, v);
  if (op.code <= Opcode::leading_zeros) return emit_unary(op, v);
  if (op.code <= Opcode::invert) return emit_relation(op, v);
  if (op.code <= Opcode::fill64) return emit_load(op, v);
  if (op.code <= Opcode::store64) return emit_store(op);
  emit_semaphore(op, v);
}

void X64Emitter::emit_binary(const Op& op, Value v) {
  i32 k = 0;
  const bool swap = op.code == Opcode::add && small_constant(op.a, k);
  const Value left = swap ? op.b : op.a, right = swap ? op.a : op.b;
  const Gp x = use(left, rax);
  if (in_memory(right)) return emit_binary_with_memory(op, v, x);
  const bool small = small_constant(right, k);
  const Gp y = small ? Gp(rcx) : use(right, rcx);
  release(left);
  if (!small) pinned_ |= 1u << y.id();
  const Gp d = define(v);
  if (op.code == Opcode::add) {
    small ? a_.lea(d, qword_ptr(x, k)) : a_.lea(d, qword_ptr(x, y));
    return;
  }
  if (op.code == Opcode::andn && !small && l_.host.bmi) {
    a_.andn(d, y, x);
    return;
  }
  if (op.code == Opcode::andn) {
    small ? a_.mov(rcx, static_cast<i64>(~k)) : a_.mov(rcx, y);
    if (!small) a_.not_(rcx);
    a_.and_(rcx, x);
    a_.mov(d, rcx);
    return;
  }
  // The target may be the register of a dying first operand, but of the second only when both are one value.
  if (d.id() != x.id()) a_.mov(d, x);
  const auto with = [&](Inst::Id id) { small ? a_.emit(id, d, imm(k)) : a_.emit(id, d, y); };
  switch (op.code) {
    case Opcode::sub: with(Inst::kIdSub); break;
    case Opcode::and_: with(Inst::kIdAnd); break;
    case Opcode::or_: with(Inst::kIdOr); break;
    case Opcode::xor_: with(Inst::kIdXor); break;
    default: small ? a_.imul(d, d, k) : a_.imul(d, y); break;
  }
}

void X64Emitter::emit_binary_with_memory(const Op& op, Value v, const Gp& x) {
  const Mem m = window_operand(op.b);
  release(op.a);
  const Gp d = define(v);
  if (d.id() != x.id()) a_.mov(d, x);
  switch (op.code) {
    case Opcode::add: a_.add(d, m); break;
    case Opcode::sub: a_.sub(d, m); break;
    case Opcode::and_: a_.and_(d, m); break;
    case Opcode::or_: a_.or_(d, m); break;
    default: a_.xor_(d, m); break;
  }
}

/// Two shifts: the host's own for pairs takes longer than they on many models.
void X64Emitter::emit_shift_pair(const Op& op, Value v) {
  const u32 n = static_cast<u32>(op.imm);
  const auto load = [this](const Gp& to, Value from) {
    if (in_memory(from)) return void(a_.mov(to, window_operand(from)));
    const Gp r = use(from, to);
    if (r.id() != to.id()) a_.mov(to, r);
  };
  load(rdx, op.b);
  if (n) {
    load(rcx, op.a);
    a_.shr(rdx, n);
    a_.shl(rcx, 64 - n);
    a_.or_(rdx, rcx);
  }
  release(op.a);
  release(op.b);
  a_.mov(define(v), rdx);
}

void X64Emitter::emit_shift_imm(const Op& op, Value v) {
  const u32 n = static_cast<u32>(op.imm);
  if (op.code == Opcode::shift_pair) return emit_shift_pair(op, v);
  const Gp x = use(op.a, rax);
  release(op.a);
  const Gp d = define(v);
  if (d.id() != x.id()) a_.mov(d, x);
  if (n == 0) return;
  if (op.code == Opcode::shl_imm) {
    a_.shl(d, n);
  } else if (op.code == Opcode::shr_imm) {
    a_.shr(d, n);
  } else {
    a_.sar(d, n);
  }
}

void X64Emitter::emit_multiple(const Op& op, Value v) {
  const Gp x = use(op.a, rax);
  release(op.a);
  const Gp d = define(v);
  if (op.code == Opcode::mul_imm) {
    const i64 factor = static_cast<i64>(op.imm);
    if (factor == static_cast<i32>(factor)) {
      a_.imul(d, x, factor);
    } else {
      a_.mov(rcx, op.imm);
      if (d.id() != x.id()) a_.mov(d, x);
      a_.imul(d, rcx);
    }
    return;
  }
  const auto field = ir::BitsOfProduct::unpack(op.imm);
  a_.imul(d.r32(), x.r32(), static_cast<i32>(field.factor));
  if (field.position) a_.shr(d.r32(), field.position);
  if (field.position + field.width < 32) a_.and_(d.r32(), static_cast<i32>((u32{1} << field.width) - 1));
}

/// The carry is 1 for zero only.
void X64Emitter::emit_count_down(const Op& op, Value v) {
  const Gp x = use(op.a, rax);
  release(op.a);
  const Gp d = define(v);
  if (d.id() != x.id()) a_.mov(d, x);
  a_.cmp(d, 1);
  a_.adc(d, -1);
}

void X64Emitter::emit_scaled_add(const Op& op, Value v) {
  const Gp x = use(op.a, rax), y = use(op.b, rcx);
  release(op.a);
  release(op.b);
  a_.lea(define(v), qword_ptr(y, x, static_cast<u32>(op.imm)));
}

void X64Emitter::emit_rotate(const Op& op, Value v) {
  const u32 n = static_cast<u32>(op.imm);
  const Gp x = use(op.a, rax);
  release(op.a);
  const Gp d = define(v);
  if (l_.host.bmi2) {
    a_.rorx(d, x, n);
    return;
  }
  if (d.id() != x.id()) a_.mov(d, x);
  if (n) a_.ror(d, n);
}

/// Counts beyond 63: the host would take them modulo 64.
void X64Emitter::emit_shift(const Op& op, Value v) {
  if (in_memory(op.a)) {
    const Mem m = window_operand(op.a);
    const Gp n = use(op.b, rcx), d = define(v);
    op.code == Opcode::shl ? a_.shlx(d, m, n) : a_.shrx(d, m, n);
    return;
  }
  const Gp x = use(op.a, rax), count = use(op.b, rcx);
  if (l_.host.bmi2) return emit_shift_bmi2(op, v, x, count);
  a_.mov(rdx, x);
  if (count.id() != rcx.id()) a_.mov(rcx, count);
  const Gp d = define(v);
  if (op.code == Opcode::sar) {
    a_.mov(eax, 63);
    a_.cmp(rcx, rax);
    a_.cmova(rcx, rax);
    a_.sar(rdx, cl);
  } else {
    op.code == Opcode::shl ? a_.shl(rdx, cl) : a_.shr(rdx, cl);
    a_.xor_(eax, eax);
    a_.cmp(rcx, 63);
    a_.cmova(rdx, rax);
  }
  a_.mov(d, rdx);
}

void X64Emitter::emit_shift_bmi2(const Op& op, Value v, const Gp& x, const Gp& count) {
  const Gp d = define(v);  // not a register of the operands
  if (op.imm == ir::kCountInRange) {
    op.code == Opcode::shl ? a_.shlx(d, x, count) : a_.shrx(d, x, count);
    return;
  }
  if (op.code == Opcode::sar) {
    a_.mov(edx, 63);
    a_.cmp(count, rdx);
    a_.cmovbe(rdx, count);
    a_.sarx(d, x, rdx);
    return;
  }
  a_.xor_(edx, edx);
  op.code == Opcode::shl ? a_.shlx(d, x, count) : a_.shrx(d, x, count);
  a_.cmp(count, 63);
  a_.cmova(d, rdx);
}

/// Without an instruction for it: sums of neighbouring bits, pairs, nibbles, then of all bytes by a multiplication.
void X64Emitter::emit_popcount(const Gp& d, const Gp& x) {
  a_.mov(rcx, x);
  a_.mov(rdx, rcx);
  a_.shr(rdx, 1);
  a_.mov(rax, u64{0x5555555555555555});
  a_.and_(rdx, rax);
  a_.sub(rcx, rdx);
  a_.mov(rax, u64{0x3333333333333333});
  a_.mov(rdx, rcx);
  a_.and_(rcx, rax);
  a_.shr(rdx, 2);
  a_.and_(rdx, rax);
  a_.add(rcx, rdx);
  a_.mov(rdx, rcx);
  a_.shr(rdx, 4);
  a_.add(rcx, rdx);
  a_.mov(rax, u64{0x0f0f0f0f0f0f0f0f});
  a_.and_(rcx, rax);
  a_.mov(rax, u64{0x0101010101010101});
  a_.imul(rcx, rax);
  a_.shr(rcx, 56);
  a_.mov(d, rcx);
}

void X64Emitter::emit_unary(const Op& op, Value v) {
  const Gp x = use(op.a, rax);
  release(op.a);
  const Gp d = define(v);
  switch (op.code) {
    case Opcode::sxt8: a_.movsx(d, x.r8()); break;
    case Opcode::sxt16: a_.movsx(d, x.r16()); break;
    case Opcode::sxt32: a_.movsxd(d, x.r32()); break;
    case Opcode::zxt8: a_.movzx(d.r32(), x.r8()); break;
    case Opcode::zxt16: a_.movzx(d.r32(), x.r16()); break;
    case Opcode::zxt32: a_.mov(d.r32(), x.r32()); break;
    case Opcode::swap_bytes:
      if (d.id() != x.id()) a_.mov(d, x);
      a_.bswap(d);
      break;
    case Opcode::popcount: l_.host.popcnt ? void(a_.popcnt(d, x)) : emit_popcount(d, x); break;
    default:
      if (l_.host.lzcnt) {
        a_.lzcnt(d, x);
        break;
      }
      // bsr leaves zero undefined.
      a_.mov(ecx, 127);
      a_.bsr(rdx, x);
      a_.cmovz(rdx, rcx);
      a_.xor_(edx, 63);
      a_.mov(d, rdx);
      break;
  }
}

/// Behind the last of the operations that follow `relation` and can take it, or its inverse, from the host's flags: writes of predicates, then perhaps a
/// branch.
u32 X64Emitter::fused_end(Value relation, u32 block_end) const {
  Value inverse = ir::kNone;
  u32 n = relation + 1;
  for (; n < block_end; n++) {
    const Op& op = unit_.ops[n];
    if (op.code == Opcode::invert && op.a == relation && inverse == ir::kNone) {
      inverse = n;
      continue;
    }
    if (op.code == Opcode::constant) continue;  // made where it is used
    if (op.a != relation && op.a != inverse) break;
    if (op.code == Opcode::exit_if) return n + 1;
    if (op.code != Opcode::set || ir::Location::unpack(op.imm).file != ir::File::Predicate) break;
  }
  return n == relation + 1 ? 0 : n;
}

/// Finds the relations whose value need not be in a register.
void X64Emitter::find_fused() {
  const size_t count = unit_.ops.size();
  fused_end_.assign(count, 0), other_uses_.assign(count, false);
  std::vector<Value> taken(count, ir::kNone);  // by operation: the relation that it takes from the flags
  for (const ir::BasicBlock& block : unit_.blocks)
    for (u32 n = block.first; n < block.end && on_.fused_branches; n++) {
      if (!ir::is_relation(unit_.ops[n].code)) continue;
      fused_end_[n] = fused_end(n, block.end);
      for (u32 k = n + 1; k < fused_end_[n]; k++) taken[k] = n;
    }
  const auto is_taken = [&](Value v, Value by) { return by != ir::kNone && taken[by] != ir::kNone && (v == taken[by] || taken[v] == taken[by]); };
  const auto see = [&](Value v, Value by) {
    if (v != ir::kNone && !is_taken(v, by)) other_uses_[v] = true;
  };
  const auto see_list = [&](u32 list) {
    for (const ir::PendingWrite& w : unit_.pending(list)) see(w.value, ir::kNone), see(w.plus, ir::kNone);
  };
  for (Value n = 0; n < count; n++) {
    const Op& op = unit_.ops[n];
    for (Value v : {op.a, op.b, op.c, op.guard}) see(v, n);
    see_list(op.pending);
  }
  for (const auto& phi : unit_.phis)
    for (Value v : phi) see(v, ir::kNone);
  for (const ir::BasicBlock& block : unit_.blocks) {
    see_list(block.pending);
    if (const auto* t = std::get_if<ir::LeaveIndirect>(&block.terminal)) see(t->target, ir::kNone);
  }
}

/// When the host's flags say that `v` is 1, if they know.
std::optional<CondCode> X64Emitter::flags_say(Value v) const {
  if (!flags_ || now_ >= flags_->end) return {};
  if (v == flags_->relation) return flags_->when;
  const bool inverse = unit_.ops[v].code == Opcode::invert && unit_.ops[v].a == flags_->relation;
  return inverse ? std::optional(negateCond(flags_->when)) : std::nullopt;
}

/// The host's flags hold the result of `op`: leaves them to the next operations, puts it into a register if need be.
void X64Emitter::yield_relation(const Op& op, Value v, CondCode when) {
  if (fused_end_[v]) flags_ = Flags{v, when, fused_end_[v]};
  release(op.a);
  release(op.b);
  if (fused_end_[v] && !other_uses_[v]) return;
  a_.set(when, al);
  a_.movzx(define(v).r32(), al);
}

/// Compares the operands of a relation. @returns what the flags say when it holds
CondCode X64Emitter::compare(const Op& op) {
  i32 k = 0;
  const bool swap = small_constant(op.a, k), small = swap || small_constant(op.b, k);  // the host wants constants last
  const bool narrow = op.code >= Opcode::cmp4_eq;
  if (in_memory(op.b)) {
    const Gp x = use(op.a, rcx);
    a_.cmp(x, window_operand(op.b));
    return op.code == Opcode::cmp_eq ? CondCode::kE : op.code == Opcode::cmp_lt ? CondCode::kL : CondCode::kB;
  }
  const Gp x = use(swap ? op.b : op.a, rax), y = small ? Gp(rcx) : use(op.b, rcx);
  const Gp left = narrow ? Gp(x.r32()) : x, right = narrow ? Gp(y.r32()) : y;
  if (!small) a_.cmp(left, right);
  else if (k) a_.cmp(left, k);
  else a_.test(left, left);
  if (op.code == Opcode::cmp_eq || op.code == Opcode::cmp4_eq) return CondCode::kE;
  const bool is_signed = op.code == Opcode::cmp_lt || op.code == Opcode::cmp4_lt;
  if (swap) return is_signed ? CondCode::kG : CondCode::kA;
  return is_signed ? CondCode::kL : CondCode::kB;
}

void X64Emitter::emit_relation(const Op& op, Value v) {
  if (op.code == Opcode::invert) {
    if (flags_say(v)) {
      if (!other_uses_[v]) return;
      a_.set(*flags_say(v), al);
      return a_.movzx(define(v).r32(), al), void();
    }
    const Gp x = use(op.a, rax);
    release(op.a);
    const Gp d = define(v);
    if (d.id() != x.id()) a_.mov(d.r32(), x.r32());
    a_.xor_(d.r32(), 1);
    return;
  }
  if (op.code == Opcode::test_bit) {
    a_.bt(use(op.a, rax), static_cast<u32>(op.imm));
    return yield_relation(op, v, CondCode::kC);
  }
  yield_relation(op, v, compare(op));
}


/// Sets the flags by a value that is 0 or 1, unless they are.
void X64Emitter::test(Value v, const Gp& place) {
  if (tested_ != v) a_.test(place.r32(), place.r32());
  tested_ = v;
}

void X64Emitter::emit_select(const Op& op, Value v) {
  const Gp condition = use(op.a, rax);
  const Gp yes = use(op.b, rcx), no = use(op.c, rdx);
  const Gp d = define(v);
  test(op.a, condition);
  if (no.id() != d.id()) a_.mov(d, no);
  a_.cmovnz(d, yes);
}

}  // namespace ia64::cpu::jit
