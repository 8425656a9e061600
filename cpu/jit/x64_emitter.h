// From the intermediate form to x86-64 code: linear-scan allocation and emission in one pass.
#pragma once

#include <asmjit/x86.h>

#include <bitset>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "cpu/jit/core_layout.h"
#include "cpu/jit/float_traps.h"
#include "cpu/jit/lean_float.h"
#include "cpu/jit/liveness.h"
#include "cpu/jit/native_block.h"
#include "cpu/jit/stubs.h"
#include "cpu/translate/ir.h"

namespace ia64::cpu::jit {

/// Emits one unit into a CodeHolder. Not reusable.
class X64Emitter {
 public:
  X64Emitter(asmjit::CodeHolder& code, const CoreLayout& layout, const Stubs& stubs, const ir::Unit& unit, const Liveness& live, NativeBlock& native,
             const Optimisations& on, SiteChooser& sites);
  /// @returns false when the unit needs more spill slots than the frame has
  bool run();
  /// Behind run(): where the code behind the count of entries begins, from the start of the code.
  u64 uncounted_offset() const { return a_.code()->labelOffset(uncounted_); }
  /// Values that had to leave their registers: not empty means that the code is wrong, and another attempt must be made with these
  /// stored where they are defined.
  const std::vector<ir::Value>& new_spills() const { return new_spills_; }
  /// A host instruction that may raise an exception, from the start of the code, and where its guest instruction is left.
  struct TrapSite {
    size_t offset;
    asmjit::Label way_out;
  };
  const std::vector<TrapSite>& trap_sites() const { return trap_sites_; }

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
  /// Where a value is: `reg` or, when that is -1, `slot`.
  struct Place {
    Value value = ir::kNone;
    i8 reg = -1;
    i16 slot = -1;
  };
  struct BlockEntry {
    bool known = false;
    std::vector<Place> places;
  };
  /// A pending write and where its value is when the way out is taken.
  struct Stored {
    ir::Location location;
    Place place;
    u64 constant = 0;
    bool inverse = false;  ///< of the place's value, 0 or 1
    // As in PendingWrite; `more` has no value when there is nothing to add.
    i32 factor = 1;
    Place more;
    i64 addend = 0;
    bool is_sum() const { return factor != 1 || more.value != ir::kNone || addend != 0; }
  };
  /// What a way out has to do to guest state.
  struct WayOut {
    std::vector<Stored> writes;
    ir::Frame frame;  ///< to be made behind the writes, when it is an inlined call's
  };
  /// Between host registers (0..31) and spill slots (from 32 on); from -1 is a constant.
  struct Move {
    int from = -1, to = 0;
    u64 constant = 0;
  };
  void find_last_uses(u32 block);
  i16 take_slot(Value v);
  int wanted_register(Value v) const;
  void forget_dead(Value v);
  void evict_for_call(u32 needed_from);
  void forget_after_call();
  void emit_op(u32 n);
  void emit_block(u32 b);
  Gp use(Value v, const Gp& scratch);
  Gp define(Value v);
  Xmm use_float(Value v);
  Xmm define_float(Value v);
  Xmm define_float_last(const Op& op, Value v);
  void release(Value v);
  int take_register(bool vector = false);
  template <size_t kSize>
  int take_register_of(const int (&pool)[kSize]);
  void store_spill(int slot, int reg);
  void evict(int reg);
  bool constant(Value v, u64& out) const;
  bool small_constant(Value v, i32& out) const;

  // Borders of blocks (x64_edges.cpp).
  bool is_float(Value v) const { return ir::info(unit_.ops[v].code).result == ir::ValueClass::Float; }
  Value phi_operand(Value phi, u32 from, u32 to) const;
  void decide_entry(u32 from, u32 to);
  void share_registers(u32 head, BlockEntry& entry);
  void enter_block(u32 b);
  std::vector<Move> moves_to(u32 from, u32 to);
  void emit_move(const Move& m);
  void emit_moves(std::vector<Move> moves);
  void emit_edge(u32 from, u32 to, const ir::Exit* exit, const WayOut& pending, std::vector<Move> moves);

  // Guest state (x64_state.cpp).
  /// Notes where the values of a list of pending writes are now. Take it behind the last use() and define() of an operation.
  WayOut snapshot(u32 list) const { return snapshot(list, unit_.blocks[block_].frame); }
  WayOut snapshot(u32 list, ir::Frame frame) const;
  /// Does the writes and makes the frame; for cold paths. Changes rax, rcx, rdx.
  void store_pending(const WayOut& out);
  void make_frame(ir::Frame frame);
  void unmake_frame(ir::Frame frame);
  static bool is_known_predicate(const Stored& s);
  Place place_of(Value v) const { return {v, home_[v].reg, home_[v].spill}; }
  void compute_sum(const Stored& s);
  void store_known_predicates(const std::vector<Stored>& writes);
  void store(ir::Location l, const Gp& value);
  void store(ir::Location l, i32 k);
  Mem general(ir::Location l);
  Mem nat_of(ir::Location l);
  Mem predicate(ir::Location l);
  void emit_get(const Op& op, Value v);
  void emit_set(const Op& op);
  void prologue();
  void count_entry();
  void check_pages();
  void check_room();
  void check_entry();
  void check_nats(const std::bitset<128>& clean, Label fine);

  // Operations (x64_integer.cpp, x64_memory.cpp, x64_exits.cpp).
  void emit(const Op& op, Value v);
  void emit_binary(const Op& op, Value v);
  void emit_binary_with_memory(const Op& op, Value v, const Gp& x);
  void emit_shift_pair(const Op& op, Value v);
  void emit_shift_imm(const Op& op, Value v);
  void emit_shift(const Op& op, Value v);
  void emit_shift_bmi2(const Op& op, Value v, const Gp& x, const Gp& count);
  void emit_rotate(const Op& op, Value v);
  void emit_multiple(const Op& op, Value v);
  void emit_count_down(const Op& op, Value v);
  void emit_scaled_add(const Op& op, Value v);
  void emit_popcount(const Gp& d, const Gp& x);
  void emit_unary(const Op& op, Value v);
  asmjit::x86::CondCode compare(const Op& op);
  void emit_relation(const Op& op, Value v);
  void test(Value v, const Gp& place);
  void find_fused();
  u32 fused_end(Value relation, u32 block_end) const;
  std::optional<asmjit::x86::CondCode> flags_say(Value v) const;
  void yield_relation(const Op& op, Value v, asmjit::x86::CondCode when);
  void emit_select(const Op& op, Value v);
  void emit_load(const Op& op, Value v);
  void emit_store(const Op& op);
  void tlb_compare(const Gp& va, unsigned size, i32 table, Label slow);
  void tlb_look_up(const Gp& va, unsigned size, i32 table, Label slow);
  void tlb_check(const Op& op, const Gp& va, unsigned size, i32 table, Label slow);
  int take_site(const Op& op);
  u64 longest_round() const;
  void skip_unless(Value guard, Label target);
  Gp in_register(Value v);
  void prepare_guard(Value guard);
  void run_slowly(const Op& op);
  void slow_way(const Op& op, Label slow, Label done, const Gp& d);
  void leave_if_nat(const Op& op, ir::Location target);
  void emit_read(const Gp& d, Mem m, unsigned size, bool swap);
  void emit_write(Mem m, const Gp& value, unsigned size, bool swap);
  void emit_touch(const Op& op);
  void emit_host_of(const Op& op, Value v);
  Mem direct(const Op& op);
  void emit_direct_load(const Op& op, Value v);
  void emit_direct_store(const Op& op);
  void emit_reload(const Op& op, Value v);

  // Advanced loads (x64_alat.cpp), semaphores (x64_semaphore.cpp), parallel operations (x64_simd.cpp).
  void alat_gr_tag(ir::Location l);
  void alat_fr_tag(unsigned f);
  void alat_place();
  Mem alat_tag_at_rax();
  Mem alat_start_at_rax();
  Mem alat_granule_at_rax(const Gp& r);
  void alat_compare(ir::Location l, Label absent);
  void alat_remove();
  void alat_insert(ir::Location target, const Gp& va, unsigned size);
  void leave_unless_alat_empty(Label slow);
  void alat_check_store(const Gp& va, Label slow);
  void alat_enter(const Gp& va, unsigned size);
  void emit_advanced_check(const Op& op, Value v);
  void emit_enter_advanced(const Op& op);
  void emit_find_advanced(const Op& op);
  void emit_alat_is_empty(Value v);
  void swap_low(const Gp& r, unsigned size);
  void zero_extend(const Gp& d, const Gp& from, unsigned size);
  void semaphore_address(const Gp& va, unsigned size, Label slow);
  void emit_semaphore(const Op& op, Value v);
  void emit_fence(const Op& op);
  void emit_parallel(const Op& op, Value v);
  void emit_parallel_imm(const Op& op, Value v);
  void emit_zero_index(const Gp& d, const Gp& x, bool words, bool from_left);
  void emit_call(const Op& op);
  void emit_exit_if(const Op& op);
  void emit_check_nat(const Op& op);
  void go_on_behind(const Insn& insn);
  void reload_frame();
  void jump_to_exit(const ir::Exit& exit, bool frame_changed);
  void jump_to_link(const ir::Exit& exit, bool look_at_key = false);
  void jump_directly(Link& link, bool look_at_key, const Mem& key);
  void jump_through(Link& link, bool look_at_key, const Mem& key);
  /// Virtual address of the decoded block that the present operation comes from, and what stands for it in the engine.
  u64 part_ip() const;
  NativeBlock* part_native();
  void leave_with(const void* stub, const Insn* insn);
  void emit_leave_if(const Op& op);
  void emit_next_round(const Op& op);
  void account(const Insn& insn);
  void store_iipa(const Insn& insn);
  void store_iipa(u64 ip);
  u64 ip_of(const Insn& insn) const;

  // Frames and indirect branches (x64_frame.cpp).
  void when(const Op& op, std::function<void()> code);
  void load(const Gp& to, Value v, const Gp& from);
  void branch_by_handler(const Op& op);
  void emit_return_point(Label point, const ir::Exit& back);
  void known_frame(const ir::Mode& from, u64 back, Label slow);
  void new_frame(Label slow);
  void old_frame(Label slow);
  void return_anywhere(const Op& op, bool accounted);
  void jump_to_address(std::optional<ir::Mode> mode);
  void emit_frame_call(const Op& op);
  void emit_frame_return(const Op& op);
  void emit_jump_to(const Op& op);
  void emit_frame_alloc(const Op& op);

  // Rotating loops (x64_window.cpp).
  void call_window(const void* function);
  void emit_open_window(Value v);
  void emit_close_window(const Gp& place);
  Mem in_window(ir::Location l, const Gp& place);
  void find_window_operands();
  bool takes_from_memory(const Op& op, Value v) const;
  bool stays_in_window(Value v, Value user) const;
  bool in_memory(Value v) const { return v != ir::kNone && window_user_[v] != ir::kNone; }
  Mem window_operand(Value v);
  void emit_window_get(const Op& op, Value v);
  void emit_window_set(const Op& op);
  void emit_window_ones(const Op& op, Value v);
  void emit_slide(const Op& op, Value v);

  // Rename bases and predicates (x64_moves.cpp).
  void rotate_base(size_t base, u32 modulus);
  void emit_rotate(const Op& op);
  void emit_clear_bases(const Op& op);
  void emit_gather_predicates(Value v);

  // PSR and control registers (x64_system.cpp).
  void emit_read_psr(const Op& op, Value v);
  void emit_set_psr(const Op& op);
  void emit_clear_psr(const Op& op);
  static i32 control_offset(unsigned n);
  void emit_spread_predicates(const Op& op);
  void emit_terminal(const ir::BasicBlock& block);

  // Floating point (x64_float*.cpp).
  bool emit_float(const Op& op, Value v);
  void find_float(unsigned f);
  Mem float_value(unsigned f);
  Mem float_form(unsigned f);
  Mem float_register(unsigned f, i32 offset);
  void call_kept(const void* function);
  void call_lean(LeanFunction function, unsigned f);
  void emit_wide_float(const Op& op);
  Label deopt(const Op& op);
  Label misfit();
  Label deopt_or_bail(const Op& op) { return op.imm & ir::kAtEntry ? misfit() : deopt(op); }
  void bind_deopt(const Op& op);
  u32 mxcsr() const { return on_.float_traps ? kTrappingMxcsr : kQuietMxcsr; }
  void may_trap(const Op& op);
  void mark_floats(const ir::FloatTarget& target);
  void store_float(ir::Location l, const Xmm& value);
  template <class Operand>
  void store_float_bits(ir::Location l, const Operand& value);
  void store_result(const Op& op, const Xmm& value);
  void store_integer_result(const Op& op, const Gp& value);
  void emit_float_check(const Op& op);
  void emit_get_double(const Op& op, Value v);
  void emit_get_integer(const Op& op, Value v);
  void emit_settle(const Op& op);
  void emit_copy_float(const Op& op);
  void emit_merge_flags();
  void emit_float_arithmetic(const Op& op, Value v);
  void emit_trapping_arithmetic(const Op& op, Value v);
  void compute(const Op& op, const Xmm& to, const Xmm& a, const Xmm& b, const Xmm& c);
  void check_double(const Op& op, const Xmm& value, const Xmm& a, const Xmm& b);
  bool needs_half_check(const Op& op) const;
  void leave_if_half(const Op& op, const Xmm& value);
  void leave_if_half_of_doubles(const Op& op, const Xmm& value, const Xmm& a, const Xmm& b);
  void round_to_single(const Op& op, const Xmm& value, const Xmm& a, const Xmm& b);
  void emit_float_pick(const Op& op, Value v);
  void emit_float_merge(const Op& op, Value v);
  void emit_float_relation(const Op& op, Value v);
  void emit_float_to_int(const Op& op, Value v);
  void emit_int_to_float(const Op& op, Value v);
  void emit_bits_to_float(const Op& op, Value v);
  void emit_float_to_bits(const Op& op, Value v);
  void single_to_double(const Op& op, const Gp& bits, const Xmm& to);
  void trap_unless_plain(const Op& op, const Xmm& value);
  void leave_if_nan(const Op& op, const Xmm& value);
  void jump_unless_normal(const Xmm& value, Label odd);
  void jump_unless_normal_single(Label odd);
  void leave_if_denormal(const Op& op, const Xmm& value, Label tiny, Label fine);
  void emit_mul_high(const Op& op, Value v);
  void check_widest(const Op& op, u32 set);
  void emit_set_natural(const Op& op);
  void emit_get_natural(const Op& op, Value v);
  void emit_float_quotient(const Op& op, Value v);
  void emit_natural_quotient(const Op& op, Value v);
  void emit_float_root(const Op& op, Value v);
  void emit_defer_steps(const Op& op);
  void leave_unless_single(const Op& op, const Xmm& a, const Xmm& b);
  void load_double(const Op& op, const Xmm& d, const Mem& from);
  void load_single(const Op& op, const Xmm& d, const Mem& from);
  void reach(const Op& op, const Gp& va, unsigned size);
  void emit_host_address(const Op& op, Value v);
  void emit_host_read(const Op& op, Value v);
  void emit_load_float(const Op& op, Value v);
  void emit_store_float(const Op& op);
  Gp address(Value v);
  struct Cold {
    u32 block;
    std::function<void()> code;
  };
  /// Code for behind the unit: ways that are taken often,
  void aside(std::function<void()> code) { aside_.push_back({block_, std::move(code)}); }
  /// and, behind those, rarely.
  void later(std::function<void()> code) { cold_.push_back({block_, std::move(code)}); }
  void emit_behind(std::deque<Cold>& pieces);

  asmjit::x86::Assembler a_;
  const CoreLayout& l_;
  const Stubs& stubs_;
  const ir::Unit& unit_;
  const Liveness& live_;
  NativeBlock& native_;
  const Optimisations& on_;
  SiteChooser& sites_;
  std::vector<u32> last_use_;
  /// The host's flags hold a relation up to the operation `end`.
  struct Flags {
    Value relation;
    asmjit::x86::CondCode when;
    u32 end;
  };
  std::vector<u32> fused_end_;     ///< by relation: behind the last of the operations that take it from the flags; 0: none does
  std::vector<bool> other_uses_;  ///< whether anything else uses a value
  std::vector<Value> window_user_;  ///< of reads of the window: the only operation that uses one, when that takes it from memory; else kNone
  Value tested_ = ir::kNone;  ///< the host's flags are those of a test of this value
  std::optional<Flags> flags_;
  std::vector<Home> home_;
  int owner_[32];  ///< value in a general register 0..15 or a vector register 16..31, or -1
  u32 pinned_ = 0;
  u32 now_ = 0;
  bool overflow_ = false;
  Label entry_, bail_, uncounted_;
  std::optional<Label> misfit_;  ///< does not enter the region, and counts that
  std::optional<Label> deopt_;  ///< leaves before the instruction of the present operation
  std::deque<Cold> aside_, cold_;
  u32 block_ = 0;  ///< being emitted
  std::vector<Label> labels_;
  std::vector<BlockEntry> block_entry_;
  std::vector<Value> new_spills_;
  std::vector<TrapSite> trap_sites_;
  std::bitset<kSpillSlots> slots_used_;
  int hint_ = -1;  ///< register that the next take_register() should prefer
};

}  // namespace ia64::cpu::jit
