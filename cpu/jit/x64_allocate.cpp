// Register allocation: values live in nine host registers, the one needed last is spilled.
#include "base/bits.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

namespace {
/// rsi, rdi, r8..r13, r15; cheap encodings first.
constexpr int kPool[] = {6, 7, 8, 9, 10, 11, 12, 13, 15};
}  // namespace

X64Emitter::X64Emitter(CodeHolder& code, const CoreLayout& layout, const Stubs& stubs, const ir::Unit& unit,
                       NativeBlock& native, const Optimisations& on)
    : a_(&code), l_(layout), stubs_(stubs), unit_(unit), native_(native), on_(on), last_use_(unit.ops.size()),
      home_(unit.ops.size()) {
  for (int& o : owner_) o = -1;
}

void X64Emitter::find_last_uses() {
  const u32 end = static_cast<u32>(unit_.ops.size());
  for (u32 n = 0; n < end; n++) {
    const Op& op = unit_.ops[n];
    for (Value v : {op.a, op.b, op.c, op.guard})
      if (v != ir::kNone) last_use_[v] = n;
  }
  if (const auto* t = std::get_if<ir::LeaveIndirect>(&unit_.terminal)) last_use_[t->target] = end;
}

bool X64Emitter::constant(Value v, u64& out) const {
  if (v == ir::kNone || unit_.ops[v].code != ir::Opcode::constant) return false;
  out = unit_.ops[v].imm;
  return true;
}
bool X64Emitter::small_constant(Value v, i32& out) const {
  u64 wide;
  if (!constant(v, wide) || wide != static_cast<u64>(static_cast<i64>(static_cast<i32>(wide)))) return false;
  out = static_cast<i32>(wide);
  return true;
}

void X64Emitter::evict(int reg) {
  Home& home = home_[static_cast<unsigned>(owner_[reg])];
  if (home.spill < 0) {
    if (spills_ == kSpillSlots) {
      overflow_ = true;
      home.spill = 0;
    } else {
      home.spill = static_cast<i16>(spills_++);
      a_.mov(qword_ptr(rsp, home.spill * 8), gpq(static_cast<u32>(reg)));
    }
  }
  home.reg = -1;
  owner_[reg] = -1;
}

int X64Emitter::take_register() {
  int victim = -1;
  for (int r : kPool) {
    if (owner_[r] < 0 && !(pinned_ >> r & 1)) return r;
    if (owner_[r] < 0 || (pinned_ >> r & 1)) continue;
    if (victim < 0 || last_use_[static_cast<unsigned>(owner_[r])] > last_use_[static_cast<unsigned>(owner_[victim])]) victim = r;
  }
  evict(victim);
  return victim;
}

/// The register that holds `v` during the current operation. Constants are made in `scratch`.
Gp X64Emitter::use(Value v, const Gp& scratch) {
  u64 k;
  if (constant(v, k)) {
    if (k == 0) {
      a_.xor_(scratch.r32(), scratch.r32());
    } else {
      a_.mov(k >> 32 ? Gp(scratch.r64()) : Gp(scratch.r32()), k);
    }
    return scratch;
  }
  Home& home = home_[v];
  if (home.reg < 0) {
    const int r = take_register();
    a_.mov(gpq(static_cast<u32>(r)), qword_ptr(rsp, home.spill * 8));
    home.reg = static_cast<i8>(r);
    owner_[r] = v;
  }
  pinned_ |= 1u << home.reg;
  return gpq(static_cast<u32>(home.reg));
}

/// A register for the result. Operands whose last use this is must have been released if they may share it.
Gp X64Emitter::define(Value v) {
  const int r = take_register();
  home_[v].reg = static_cast<i8>(r);
  owner_[r] = v;
  pinned_ |= 1u << r;
  return gpq(static_cast<u32>(r));
}

/// Frees the register of an operand that is not needed after the current operation.
void X64Emitter::release(Value v) {
  if (v == ir::kNone || last_use_[v] > now_ || home_[v].reg < 0) return;
  owner_[home_[v].reg] = -1;
  pinned_ &= ~(1u << home_[v].reg);
}

bool X64Emitter::run() {
  find_last_uses();
  prologue();
  for (now_ = 0; now_ < unit_.ops.size() && !overflow_; now_++) {
    const Op& op = unit_.ops[now_];
    pinned_ = 0;
    emit(op, static_cast<Value>(now_));
    for (Value v : {op.a, op.b, op.c, op.guard}) {
      if (v != ir::kNone && home_[v].reg >= 0 && last_use_[v] <= now_ && owner_[home_[v].reg] == v)
        owner_[home_[v].reg] = -1;
    }
    // A result that nobody reads.
    if (last_use_[now_] == 0 && home_[now_].reg >= 0 && owner_[home_[now_].reg] == static_cast<int>(now_))
      owner_[home_[now_].reg] = -1;
  }
  pinned_ = 0;
  emit_terminal();
  for (size_t n = 0; n < cold_.size(); n++) cold_[n]();
  return !overflow_;
}

}  // namespace ia64::cpu::jit
