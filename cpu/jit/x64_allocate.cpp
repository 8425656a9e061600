// Register allocation while code is emitted: the value needed last is evicted; blocks agree on where values are at their borders.
#include <algorithm>

#include "base/bits.h"
#include "cpu/jit/x64_emitter.h"

namespace ia64::cpu::jit {

using namespace asmjit;
using namespace asmjit::x86;

namespace {
/// rsi, rdi, r8..r13, r15; cheap encodings first.
constexpr int kPool[] = {6, 7, 8, 9, 10, 11, 12, 13, 15};
/// Vector registers are counted from 16 on; xmm0..xmm2 are scratch.
constexpr int kFirstVector = 16;
constexpr int kVectorPool[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
/// Operations that are made of instructions without effect on the host's flags.
bool keeps_flags(ir::Opcode c) { return c == ir::Opcode::select || c == ir::Opcode::add || c == ir::Opcode::scaled_add || c == ir::Opcode::constant; }
/// Operations that test a value before they change the flags otherwise.
bool tests_first(ir::Opcode c) { return keeps_flags(c) || c == ir::Opcode::exit_if || (c >= ir::Opcode::load8 && c <= ir::Opcode::store64); }
Xmm vector_register(int r) { return xmm(static_cast<u32>(r - kFirstVector)); }
constexpr u32 kCallerSaved = 1u << 6 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 11 | 0xffff'0000u;
}  // namespace

X64Emitter::X64Emitter(CodeHolder& code, const CoreLayout& layout, const Stubs& stubs, const ir::Unit& unit, const Liveness& live,
                       NativeBlock& native, const Optimisations& on, SiteChooser& sites)
    : a_(&code), l_(layout), stubs_(stubs), unit_(unit), live_(live), native_(native), on_(on), sites_(sites), last_use_(unit.ops.size()),
      home_(unit.ops.size()), block_entry_(unit.blocks.size()) {
  for (int& o : owner_) o = -1;
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

/// When each value of the block is needed for the last time, by position.
void X64Emitter::find_last_uses(u32 b) {
  const ir::BasicBlock& block = unit_.blocks[b];
  const auto see = [this](Value v, u32 at) {
    if (v != ir::kNone) last_use_[v] = at;
  };
  for (Value v : live_.in[b]) last_use_[v] = 0;
  for (u32 n = block.first; n < block.end; n++) {
    const Op& op = unit_.ops[n];
    last_use_[n] = 0;
    for (Value v : {op.a, op.b, op.c, op.guard}) {
      see(v, n);
      if (in_memory(v)) see(unit_.ops[v].a, n);
    }
    for (const ir::PendingWrite& w : unit_.pending(op.pending)) see(w.value, n), see(w.plus, n);
  }
  for (const ir::PendingWrite& w : unit_.pending(block.pending)) see(w.value, block.end), see(w.plus, block.end);
  if (const auto* t = std::get_if<ir::LeaveIndirect>(&block.terminal)) see(t->target, block.end);
  for (Value v : live_.out[b]) last_use_[v] = block.end;
}

i16 X64Emitter::take_slot(Value v) {
  Home& home = home_[v];
  if (home.spill >= 0) return home.spill;
  // Where the phi lives that takes it along a back edge, if that is over: then the edge has nothing to move.
  const Value phi = live_.feeds[v];
  const i16 wanted = phi == ir::kNone ? i16{-1} : home_[phi].spill;
  if (wanted >= 0 && !slots_used_[static_cast<size_t>(wanted)]) {
    slots_used_[static_cast<size_t>(wanted)] = true;
    return home.spill = wanted;
  }
  for (unsigned s = 0; s < kSpillSlots; s++) {
    if (slots_used_[s]) continue;
    slots_used_[s] = true;
    return home.spill = static_cast<i16>(s);
  }
  overflow_ = true;
  return home.spill = 0;
}

void X64Emitter::store_spill(int slot, int reg) {
  const Mem place = qword_ptr(rsp, slot * 8);
  reg < kFirstVector ? a_.mov(place, gpq(static_cast<u32>(reg))) : a_.vmovsd(place, vector_register(reg));
}

/// Takes the value out of its register. In a unit of one block it is stored now; else where it is defined, by the next attempt.
void X64Emitter::evict(int reg) {
  const Value v = static_cast<Value>(owner_[reg]);
  Home& home = home_[v];
  if (home.spill < 0) {
    take_slot(v);
    if (unit_.blocks.size() == 1) store_spill(home.spill, reg);
    else new_spills_.push_back(v);
  }
  home.reg = -1;
  owner_[reg] = -1;
}

int X64Emitter::take_register(bool vector) {
  return vector ? take_register_of(kVectorPool) : take_register_of(kPool);
}

template <size_t kSize>
int X64Emitter::take_register_of(const int (&pool)[kSize]) {
  int victim = -1;
  u32 farthest = 0;
  for (int r : pool) {
    if (owner_[r] < 0 && !(pinned_ >> r & 1) && r == hint_) return r;
  }
  for (int r : pool) {
    if (owner_[r] < 0 && !(pinned_ >> r & 1)) return r;
    if (owner_[r] < 0 || (pinned_ >> r & 1)) continue;
    const u32 next = live_.next_use(static_cast<Value>(owner_[r]), now_, block_);
    if (victim < 0 || next > farthest) victim = r, farthest = next;
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
      tested_ = ir::kNone;
    } else {
      a_.mov(k >> 32 ? Gp(scratch.r64()) : Gp(scratch.r32()), k);
    }
    return scratch;
  }
  Home& home = home_[v];
  if (home.reg < 0) {
    hint_ = -1;
    const int r = take_register();
    a_.mov(gpq(static_cast<u32>(r)), qword_ptr(rsp, home.spill * 8));
    home.reg = static_cast<i8>(r);
    owner_[r] = static_cast<int>(v);
  }
  pinned_ |= 1u << home.reg;
  return gpq(static_cast<u32>(home.reg));
}

/// The same for a floating-point value.
Xmm X64Emitter::use_float(Value v) {
  Home& home = home_[v];
  if (home.reg < 0) {
    hint_ = -1;
    const int r = take_register(true);
    a_.vmovsd(vector_register(r), qword_ptr(rsp, home.spill * 8));
    home.reg = static_cast<i8>(r);
    owner_[r] = static_cast<int>(v);
  }
  pinned_ |= 1u << home.reg;
  return vector_register(home.reg);
}

/// For a result that is written behind everything by which `op` may leave: where a value was that only its way out still needs.
Xmm X64Emitter::define_float_last(const Op& op, Value v) {
  const auto give_up = [this](Value old) {
    if (old == ir::kNone || last_use_[old] > now_ || !is_float(old) || home_[old].reg < 0) return;
    const int r = home_[old].reg;
    if (owner_[r] == static_cast<int>(old)) owner_[r] = -1, pinned_ &= ~(1u << r);
  };
  for (Value old : {op.a, op.b, op.c}) give_up(old);
  for (const ir::PendingWrite& w : unit_.pending(op.pending)) give_up(w.value);
  return define_float(v);
}

Xmm X64Emitter::define_float(Value v) {
  hint_ = wanted_register(v);
  const int r = take_register(true);
  home_[v].reg = static_cast<i8>(r);
  owner_[r] = static_cast<int>(v);
  pinned_ |= 1u << r;
  return vector_register(r);
}

/// A register for the result. Operands whose last use this is must have been released if they may share it.
Gp X64Emitter::define(Value v) {
  hint_ = wanted_register(v);
  const int r = take_register();
  home_[v].reg = static_cast<i8>(r);
  owner_[r] = static_cast<int>(v);
  pinned_ |= 1u << r;
  return gpq(static_cast<u32>(r));
}

/// Where the phi that takes `v` along a back edge lives.
int X64Emitter::wanted_register(Value v) const {
  const Value phi = live_.feeds[v];
  if (phi == ir::kNone) return -1;
  for (u32 b = 0; b < block_entry_.size(); b++)
    if (unit_.blocks[b].first <= phi && phi < unit_.blocks[b].end)
      for (const Place& p : block_entry_[b].places)
        if (p.value == phi) return p.reg;
  return -1;
}

/// Frees the register of an operand that is not needed after the current operation, nor on its way out.
void X64Emitter::release(Value v) {
  if (v == ir::kNone || last_use_[v] > now_ || home_[v].reg < 0) return;
  if (now_ < unit_.ops.size())
    for (const ir::PendingWrite& w : unit_.pending(unit_.ops[now_].pending))
      if (w.value == v || w.plus == v) return;
  if (owner_[home_[v].reg] != static_cast<int>(v)) return;
  owner_[home_[v].reg] = -1;
  pinned_ &= ~(1u << home_[v].reg);
}

void X64Emitter::forget_dead(Value v) {
  if (v == ir::kNone || last_use_[v] > now_) return;
  Home& home = home_[v];
  if (home.reg >= 0 && owner_[home.reg] == static_cast<int>(v)) owner_[home.reg] = -1;
  if (home.spill >= 0) slots_used_[static_cast<unsigned>(home.spill)] = false;
}

/// Handlers keep only what the host's convention says.
void X64Emitter::evict_for_call(u32 needed_from) {
  for (int r = 0; r < 32; r++)
    if (owner_[r] >= 0 && (kCallerSaved >> r & 1) && last_use_[static_cast<Value>(owner_[r])] >= needed_from) evict(r);
}
void X64Emitter::forget_after_call() {
  for (int r = 0; r < 32; r++) {
    if (owner_[r] < 0 || !(kCallerSaved >> r & 1)) continue;
    home_[static_cast<Value>(owner_[r])].reg = -1;
    owner_[r] = -1;
  }
}

void X64Emitter::emit_op(u32 n) {
  const Op& op = unit_.ops[n];
  now_ = n, pinned_ = 0;
  // Functions that do multiply-adds keep what handlers keep; their slow way still does the pending writes.
  const bool lean = op.code == ir::Opcode::wide_float, calls = lean || ir::info(op.code).effect == ir::Effect::Call;
  if (calls) evict_for_call(lean ? now_ : now_ + 1);
  deopt_.reset();
  if (!tests_first(op.code)) tested_ = ir::kNone;
  emit(op, n);
  if (!keeps_flags(op.code)) tested_ = ir::kNone;
  if (deopt_) bind_deopt(op);
  if (calls) forget_after_call();
  for (Value v : {op.a, op.b, op.c, op.guard}) forget_dead(v);
  for (const ir::PendingWrite& w : unit_.pending(op.pending)) forget_dead(w.value), forget_dead(w.plus);
  if (home_[n].reg >= 0 && live_.spilled[n]) store_spill(take_slot(n), home_[n].reg);
  if (last_use_[n] == 0) forget_dead(n);  // a result that nobody reads
}

void X64Emitter::emit_block(u32 b) {
  const ir::BasicBlock& block = unit_.blocks[b];
  block_ = b;
  tested_ = ir::kNone;
  find_last_uses(b);
  enter_block(b);
  for (u32 n = block.first; n < block.end && !overflow_; n++)
    if (!is_phi(unit_.ops[n])) emit_op(n);
  now_ = block.end, pinned_ = 0;
  if (!overflow_) emit_terminal(block);
}

bool X64Emitter::run() {
  find_fused();
  find_window_operands();
  for (u32 b = 0; b < unit_.blocks.size(); b++) labels_.push_back(a_.newLabel());
  prologue();
  for (u32 b = 0; b < unit_.blocks.size() && !overflow_; b++) emit_block(b);
  do {
    emit_behind(aside_);
    emit_behind(cold_);
  } while (!aside_.empty() && !overflow_);
  return !overflow_;
}

void X64Emitter::emit_behind(std::deque<Cold>& pieces) {
  for (; !pieces.empty() && !overflow_; pieces.pop_front()) block_ = pieces.front().block, tested_ = ir::kNone, pieces.front().code();
}

}  // namespace ia64::cpu::jit
