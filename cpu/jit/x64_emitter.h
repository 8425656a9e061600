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
  void release(Value v);
  int take_register();
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
  void emit_leave_if(const Op& op);
  void account(const Insn& insn);
  u64 ip_of(const Insn& insn) const;

  // Frames and indirect branches (x64_frame.cpp).
  u32 unrotated_mode() const;
  void when(Value guard, std::function<void()> code);
  void branch_by_handler(const Op& op);
  void push_return(u64 ip);
  void pop_return();
  void new_frame(Label slow);
  void old_frame(Label slow);
  void jump_to_return();
  void jump_to_address(u32 mode);
  void emit_frame_call(const Op& op);
  void emit_frame_return(const Op& op);
  void emit_jump_to(const Op& op);
  void emit_frame_alloc(const Op& op);

  // Rename bases and predicates (x64_moves.cpp).
  void emit_rotate(const Op& op);
  void emit_clear_bases(const Op& op);
  void emit_gather_predicates(Value v);
  void emit_spread_predicates(const Op& op);
  void later(std::function<void()> code) { cold_.push_back(std::move(code)); }

  asmjit::x86::Assembler a_;
  const CoreLayout& l_;
  const Stubs& stubs_;
  const ir::Unit& unit_;
  NativeBlock& native_;
  const Optimisations& on_;
  std::vector<u32> last_use_;
  std::vector<Home> home_;
  int owner_[16];
  u32 pinned_ = 0;
  u32 now_ = 0;
  unsigned spills_ = 0;
  bool overflow_ = false;
  Label entry_, bail_;
  std::vector<std::function<void()>> cold_;
};

}  // namespace ia64::cpu::jit
