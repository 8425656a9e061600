// From the intermediate form to x86-64 code: linear-scan allocation and emission in one pass.
#pragma once

#include <asmjit/x86.h>

#include <functional>
#include <vector>

#include "cpu/jit/core_layout.h"
#include "cpu/jit/native_block.h"
#include "cpu/jit/stubs.h"
#include "cpu/translate/ir.h"

namespace ia64::cpu::jit {

/// Emits one unit into a CodeHolder. Not reusable.
class X64Emitter {
 public:
  X64Emitter(asmjit::CodeHolder& code, const CoreLayout& layout, const Stubs& stubs, const ir::Unit& unit, NativeBlock& native,
             const Optimisations& on);
  /// @returns false when the unit needs more spill slots than the frame has
  bool run();

 private:
  using Gp = asmjit::x86::Gp;
  using Xmm = asmjit::x86::Xmm;
  using Mem = asmjit::x86::Mem;
  using Label = asmjit::Label;
  using Value = ir::Value;
  using Op = ir::Op;

  // Values in registers (x64_allocate.cpp).
  struct Home {
    i8 reg = -1;
    i16 spill = -1;
  };
  void find_last_uses();
  Gp use(Value v, const Gp& scratch);
  Gp define(Value v);
  Xmm use_float(Value v);
  Xmm define_float(Value v);
  void release(Value v);
  int take_register(bool vector = false);
  template <size_t kSize>
  int take_register_of(const int (&pool)[kSize]);
  void evict(int reg);
  bool constant(Value v, u64& out) const;
  bool small_constant(Value v, i32& out) const;

  // Guest state (x64_state.cpp).
  Mem general(ir::Location l);
  Mem nat_of(ir::Location l);
  Mem predicate(ir::Location l);
  void emit_get(const Op& op, Value v);
  void emit_set(const Op& op);
  void prologue();
  void check_entry_nats();

  // Operations (x64_integer.cpp, x64_memory.cpp, x64_exits.cpp).
  void emit(const Op& op, Value v);
  void emit_binary(const Op& op, Value v);
  void emit_shift_imm(const Op& op, Value v);
  void emit_shift(const Op& op, Value v);
  void emit_unary(const Op& op, Value v);
  void emit_relation(const Op& op, Value v);
  void emit_select(const Op& op, Value v);
  void emit_load(const Op& op, Value v);
  void emit_store(const Op& op);
  void tlb_check(const Gp& va, unsigned size, i32 table, Label slow);
  void skip_unless(Value guard, Label target);
  void emit_call(const Op& op);
  void emit_exit_if(const Op& op);
  void emit_check_nat(const Op& op);
  void jump_to_exit(const ir::Exit& exit, bool frame_changed);
  void leave_with(const void* stub, const Insn* insn);
  void emit_terminal();

  // Floating point (x64_float.cpp, x64_float_arithmetic.cpp, x64_float_memory.cpp).
  bool emit_float(const Op& op, Value v);
  void find_float(unsigned f);
  Mem float_value(unsigned f);
  Mem float_form(unsigned f);
  Mem float_register(unsigned f, i32 offset);
  void call_kept(const void* function, unsigned f);
  Label deopt(const Op& op);
  void mark_floats(const ir::FloatTarget& target);
  void store_result(const Op& op, const Xmm& value);
  void store_integer_result(const Op& op, const Gp& value);
  void emit_float_check(const Op& op);
  void emit_get_double(const Op& op, Value v);
  void emit_get_integer(const Op& op, Value v);
  void emit_settle(const Op& op);
  void emit_copy_float(const Op& op);
  void emit_merge_flags();
  void emit_float_arithmetic(const Op& op, Value v);
  void compute(const Op& op, const Xmm& to, const Xmm& a, const Xmm& b, const Xmm& c);
  void check_double(const Op& op, const Xmm& value, const Xmm& a, const Xmm& b);
  void round_to_single(const Op& op, const Xmm& value, const Xmm& a, const Xmm& b, const Xmm& c);
  void emit_float_pick(const Op& op, Value v);
  void emit_float_merge(const Op& op, Value v);
  void emit_float_relation(const Op& op, Value v);
  void emit_float_to_int(const Op& op, Value v);
  void emit_int_to_float(const Op& op, Value v);
  void emit_bits_to_float(const Op& op, Value v);
  void emit_float_to_bits(const Op& op, Value v);
  void single_to_double(const Op& op, const Gp& bits, const Xmm& to);
  void check_not_denormal(const Op& op, const Gp& bits);
  void emit_mul_high(const Op& op, Value v);
  void emit_load_float(const Op& op, Value v);
  void emit_store_float(const Op& op);
  Gp address(Value v);
  void later(std::function<void()> code) { cold_.push_back(std::move(code)); }

  asmjit::x86::Assembler a_;
  const CoreLayout& l_;
  const Stubs& stubs_;
  const ir::Unit& unit_;
  NativeBlock& native_;
  const Optimisations& on_;
  std::vector<u32> last_use_;
  std::vector<Home> home_;
  int owner_[32];  ///< value in a general register 0..15 or a vector register 16..31, or -1
  u32 pinned_ = 0;
  u32 now_ = 0;
  unsigned spills_ = 0;
  bool overflow_ = false;
  Label entry_, bail_;
  const Insn* deopt_insn_ = nullptr;
  Label deopt_label_;  ///< leaves before deopt_insn_
  std::vector<std::function<void()>> cold_;
};

}  // namespace ia64::cpu::jit
