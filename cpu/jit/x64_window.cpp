// Emission of rotating loops: registers in the window, rotations.
#include <algorithm>
#include <cstddef>

#include "cpu/jit/rotation_window.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

namespace {

constexpr u64 kEightOnes = 0x0101'0101'0101'0101;

// Called by generated code, which keeps no pointers to the window and the registers but in these functions' arguments.
u64 open(Core& core, RotationWindow* window) noexcept { return open_window(*window, core.regs()); }
void close(Core& core, RotationWindow* window, u64 place) noexcept { close_window(*window, core.regs(), place); }
/// All steps are used up: fills the window anew and does one. @returns the place
u64 open_again(Core& core, RotationWindow* window) noexcept {
  close_window(*window, core.regs(), 0);
  return open_window(*window, core.regs()) - 1;
}

}  // namespace

/// Leaves the result of `function` in rax. Uses rcx and rdx.
void X64Emitter::call_window(const void* function) {
  a_.mov(rdx, imm(l_.window));
  a_.mov(rax, imm(function));
  a_.call(imm(stubs_.kept));
}

void X64Emitter::emit_open_window(Value v) {
  const Gp d = define(v);
  call_window(reinterpret_cast<const void*>(&open));
  a_.mov(d, rax);
}

void X64Emitter::emit_close_window(const Gp& place) {
  a_.mov(rcx, place);
  call_window(reinterpret_cast<const void*>(&close));
}

Mem X64Emitter::in_window(ir::Location l, const Gp& place) {
  if (l.file == ir::File::RotatingGeneral) return qword_ptr(rbx, place, 3, l_.window_general + 8 * (l.index - 32));
  return byte_ptr(rbx, place, 0, l_.window_predicates + l.index - 16);
}

/// Whether the host instruction for `op` may have its operand `v` in memory.
bool X64Emitter::takes_from_memory(const Op& op, Value v) const {
  using ir::Opcode;
  switch (op.code) {
    case Opcode::add:
    case Opcode::sub:
    case Opcode::and_:
    case Opcode::or_:
    case Opcode::xor_:
    case Opcode::cmp_eq:
    case Opcode::cmp_lt:
    case Opcode::cmp_ltu: return op.b == v && op.a != v && unit_.ops[op.a].code != Opcode::constant;
    case Opcode::shl:
    case Opcode::shr: return l_.host.bmi2 && op.imm == ir::kCountInRange && op.a == v && op.b != v;
    case Opcode::shift_pair: return op.a != op.b;
    default: return false;
  }
}

/// Whether nothing writes the register that `v` reads, or moves the window, before `user`.
bool X64Emitter::stays_in_window(Value v, Value user) const {
  const Op& read = unit_.ops[v];
  for (Value n = v + 1; n < user; n++) {
    const Op& op = unit_.ops[n];
    if (op.code == ir::Opcode::slide || (op.code == ir::Opcode::window_set && (op.a != read.a || op.imm == read.imm))) return false;
  }
  return true;
}

void X64Emitter::find_window_operands() {
  window_user_.assign(unit_.ops.size(), ir::kNone);
  if (!on_.window_operands) return;
  std::vector<u8> uses(unit_.ops.size());
  std::vector<Value> user(unit_.ops.size(), ir::kNone);
  const auto see = [&](Value v, Value by) {
    if (v != ir::kNone) uses[v] = static_cast<u8>(std::min(uses[v] + 1, 2)), user[v] = by;
  };
  for (Value n = 0; n < unit_.ops.size(); n++)
    for (Value v : {unit_.ops[n].a, unit_.ops[n].b, unit_.ops[n].c, unit_.ops[n].guard}) see(v, n);
  for (const auto& list : unit_.lists)
    for (const ir::PendingWrite& w : list) see(w.value, ir::kNone), see(w.plus, ir::kNone);
  for (const auto& phi : unit_.phis)
    for (Value v : phi) see(v, ir::kNone);
  for (const ir::BasicBlock& block : unit_.blocks)
    if (const auto* t = std::get_if<ir::LeaveIndirect>(&block.terminal)) see(t->target, ir::kNone);
  for (const ir::BasicBlock& block : unit_.blocks)
    for (Value n = block.first; n < block.end; n++) {
      const Op& op = unit_.ops[n];
      if (op.code != ir::Opcode::window_get || ir::Location::unpack(op.imm).file != ir::File::RotatingGeneral) continue;
      if (uses[n] == 1 && user[n] < block.end && takes_from_memory(unit_.ops[user[n]], n) && stays_in_window(n, user[n])) window_user_[n] = user[n];
    }
}

Mem X64Emitter::window_operand(Value v) {
  const Op& read = unit_.ops[v];
  return in_window(ir::Location::unpack(read.imm), use(read.a, rax));
}

void X64Emitter::emit_window_get(const Op& op, Value v) {
  if (in_memory(v)) return;
  const ir::Location l = ir::Location::unpack(op.imm);
  const Gp place = use(op.a, rax), d = define(v);
  l.file == ir::File::RotatingGeneral ? a_.mov(d, in_window(l, place)) : a_.movzx(d.r32(), in_window(l, place));
}

void X64Emitter::emit_window_set(const Op& op) {
  const ir::Location l = ir::Location::unpack(op.imm);
  const Mem m = in_window(l, use(op.a, rax));
  i32 k;
  if (small_constant(op.b, k)) {
    constexpr u32 kOnes = 0x0101'0101;
    const bool several = l.file == ir::File::RotatingPredicate && l.modulus;
    Mem all = m;
    if (several) all.setSize(l.modulus);
    several ? a_.mov(all, static_cast<u32>(k) * (kOnes >> (32 - 8 * l.modulus))) : a_.mov(m, k);
    return;
  }
  const Gp value = use(op.b, rdx);
  l.file == ir::File::RotatingGeneral ? a_.mov(m, value) : a_.mov(m, value.r8());
}

void X64Emitter::emit_window_ones(const Op& op, Value v) {
  const ir::Location first = ir::Location::unpack(op.imm);
  const Gp place = use(op.a, rax), d = define(v);
  const Label no = a_.newLabel(), done = a_.newLabel();
  for (unsigned k = 0; k < first.modulus; k += 8) {
    const unsigned count = std::min(first.modulus - k, 8u);
    const u64 ones = kEightOnes >> (64 - 8 * count);
    a_.mov(rcx, qword_ptr(rbx, place, 0, l_.window_predicates + first.index - 16 + static_cast<i32>(k)));
    a_.mov(rdx, ones);
    a_.and_(rcx, rdx);
    a_.cmp(rcx, rdx);
    a_.jne(no);
  }
  a_.mov(d.r32(), 1);
  a_.bind(done);
  later([this, no, done, d] {
    a_.bind(no);
    a_.xor_(d.r32(), d.r32());
    a_.jmp(done);
  });
}

/// The register that goes out at the far end comes in as r32.
void X64Emitter::emit_slide(const Op& op, Value v) {
  const ir::Slide how = ir::Slide::unpack(op.imm);
  const Label still = a_.newLabel(), again = a_.newLabel(), ready = a_.newLabel(), done = a_.newLabel();
  i32 fixed = 0;
  const bool constant_stage = small_constant(op.b, fixed);
  const Gp stage = constant_stage ? Gp() : use(op.b, rdx);
  prepare_guard(op.guard);
  const Gp place = use(op.a, rax);
  release(op.a);
  const Gp d = define(v);
  if (d.id() != place.id()) a_.mov(d, place);
  skip_unless(op.guard, still);
  a_.sub(d, 1);
  if (!how.has_room) a_.js(again);
  a_.bind(ready);
  if (how.modulus) {
    a_.mov(rax, qword_ptr(rbx, d, 3, l_.window_general + 8 * how.modulus));
    a_.mov(qword_ptr(rbx, d, 3, l_.window_general), rax);
  }
  const auto put_stage = [=, this](i32 predicate) {
    const Mem m = byte_ptr(rbx, d, 0, l_.window_predicates + predicate - 16);
    constant_stage ? a_.mov(m, fixed) : a_.mov(m, stage.r8());
  };
  put_stage(16);
  if (how.floats) rotate_base(offsetof(Cfm, rrb_fr), 96);
  a_.bind(done);
  if (how.has_room) return;
  later([=, this] {
    a_.bind(again);
    call_window(reinterpret_cast<const void*>(&open_again));
    a_.mov(d, rax);
    a_.jmp(ready);
    a_.bind(still);
    put_stage(63);
    a_.jmp(done);
  });
}

}  // namespace ia64::cpu::jit
