// From decoded instructions to the intermediate form.
#pragma once

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cpu/arch/registers.h"
#include "cpu/interp/block.h"
#include "cpu/translate/ir.h"
#include "cpu/translate/known_values.h"

namespace ia64::cpu::ir {

class Lowering;
struct FloatSequence;
/// Lowers one instruction.
using LowerFunction = void (*)(Lowering&, const Insn&);

/// The rules, by handler.
class LowerTable {
 public:
  LowerFunction& operator[](Handler h) { return rules_[h]; }
  bool contains(Handler h) const { return rules_.contains(h); }
  /// From now on `i`, a decoded instruction, has no rule. @returns false when that was so
  bool leave_to_handler(const Insn& i) { return to_handlers_.insert(&i).second; }
  /// The rule of `i` counts again.
  void take_from_handler(const Insn& i) { to_handlers_.erase(&i); }
  /// Decoded instructions go away.
  void forget_instructions() { to_handlers_.clear(); }
  /// Makes of() fast for the rules there are now.
  void index_rows();
  /// The rule of an instruction, or nullptr. The handler decides: a block may give an instruction another one than its row has.
  LowerFunction of(const Insn& i) const {
    if (!to_handlers_.empty() && to_handlers_.contains(&i)) return nullptr;
    return i.op < rows_.size() && rows_[i.op].handler == i.handler ? rows_[i.op].rule : search(i.handler);
  }

 private:
  struct Row {
    Handler handler;
    LowerFunction rule;
  };
  LowerFunction search(Handler h) const;

  std::unordered_map<Handler, LowerFunction> rules_;
  std::vector<Row> rows_;  // by Insn::op
  std::unordered_set<const Insn*> to_handlers_;
};

/// How a rotating loop of one block is lowered: its rotating registers live in a window.
struct RotatingLoop {
  bool windowed = false;
  u8 stages = 0;        ///< stage predicates p16, p17...; 0: no steady state
  bool steady = false;  ///< for LC above 0 and all stage predicates 1; else with a way there
  bool floats = false;  ///< uses floating-point registers
};

/// The calls around a block, and the one that it ends with.
struct Inlining {
  Frame frame;                        ///< the block's; shift 0: it belongs to no inlined call
  u32 invocation = 0;                 ///< of the region, 0: none
  std::optional<u64> target;          ///< of the call at the end of the block, which the unit takes in
  u32 called = 0;                     ///< the invocation that this call makes
  /// Where the block's return leads to, in the unit's own frame.
  struct Back {
    u64 ip = 0;
    Mode mode;
  };
  std::optional<Back> back;
};

/// Builds the Unit of one block. The families (lower_*.cpp) describe instructions with the services below; what no family
/// knows becomes a call of the interpreter's handler.
class Lowering {
 public:
  /// @param rules  for the instructions that have them; must outlive the lowering
  /// @param block  decoded instructions; must outlive the unit
  Lowering(const LowerTable& rules, Block& block, u64 ip, u8 slot, Mode mode);
  Unit run();
  /// Ends the block where another one begins: at the first bundle whose address is in `leaders` (sorted), except the first one.
  void stop_at(const std::vector<u64>* leaders) { leaders_ = leaders; }
  void in_loop(const RotatingLoop& loop) { loop_ = loop; }
  void inlined(const Inlining& how) { inlining_ = how; }

  // --- services for the families ---
  Value constant(u64 v) { return emit({.code = Opcode::constant, .imm = v}); }
  Value unary(Opcode code, Value a, u64 imm = 0) { return emit({.code = code, .a = a, .imm = imm}); }
  Value binary(Opcode code, Value a, Value b, u64 imm = 0) { return emit({.code = code, .a = a, .b = b, .imm = imm}); }
  Value select(Value condition, Value yes, Value no) {
    return emit({.code = Opcode::select, .a = condition, .b = yes, .c = no});
  }
  Value emit(const Op& op);

  /// Reads a general register for `i`, which leaves to the interpreter when the register may be and is NaT.
  Value gr(const Insn& i, unsigned r);
  /// Writes a general register without NaT; under the qualifying predicate of `i`.
  void set_gr(const Insn& i, unsigned r, Value v);
  /// Writes the result of a load, whatever the predicate: the load keeps the old value itself.
  void set_loaded(unsigned r, Value v);
  u64 packed_gr(unsigned r) { return gr_location(own_name(r)).pack(); }
  Value pr(unsigned p);
  void set_pr(unsigned p, Value v);
  Value get(Location l);
  void set(Location l, Value v);
  /// The qualifying predicate of `i` as a guard: kNone for p0.
  Value guard(const Insn& i) { return always(i) ? kNone : pr(i.qp); }
  /// Whether `i` is executed for certain.
  bool always(const Insn& i) const { return i.qp == 0 || is_stage(i.qp); }
  const RotatingLoop& loop() const { return loop_; }
  const Inlining& inlining() const { return inlining_; }
  /// Registers an exit behind `i`, a call or return, into another frame of the unit.
  unsigned add_crossing(Crossing how, const Insn& i, u64 ip, Mode mode, Frame frame, u32 invocation);
  /// A predicate that is 1 in the steady state of the loop.
  bool is_stage(unsigned p) const { return loop_.steady && p >= 16 && p < 16u + loop_.stages; }
  Location window() const { return {File::Window, 0, unit_.mode.rotating}; }
  /// Rotates registers in the window: `stage` becomes p16 when `rotates` is 1 (kNone: always), else p63.
  void slide(Value stage, Value rotates);
  /// Marks an exit to the head as one to its steady state.
  void make_steady(unsigned exit) { unit_.exits[exit].steady = true; }

  u64 insn_ip(const Insn& i) const { return unit_.ip + u64{i.bundle} * 16; }
  /// Registers an exit behind `i` to `ip`.
  unsigned add_exit(const Insn& i, u64 ip, u8 slot, Mode mode);
  Mode mode() const;
  /// Forgets what locations hold, after an operation that changes some of them.
  void forget() { known_.clear(); }
  void forget_predicates();
  /// alloc has made `frame`.
  void new_frame(const Cfm& frame);
  /// The frame has `sof` registers from here on, all without NaT.
  void frame_is_clean(unsigned sof);
  /// Lets the entry look for NaTs in `sof` registers from r32 on. @returns false when one may have come since
  bool assume_clean_frame(unsigned sof);
  /// Leaves `i`, which has changed nothing yet, to the interpreter when `condition` is not 0.
  void leave_if(const Insn& i, Value condition) { emit({.code = Opcode::leave_if, .a = condition, .insn = &i}); }
  unsigned cpl() const { return unit_.mode.fetch >> 1 & 3; }
  /// Ends the block.
  void finish(Terminal t) { unit_.terminal = t, ended_ = true; }
  bool big_endian() const { return unit_.mode.big_endian; }
  /// Runs the handler of `i` and forgets what was known of guest state.
  void call(const Insn& i);
  void call_branch(const Insn& i, unsigned exit);
  /// The same for an instruction that ends the block with Next::Sync, after which the mode is `after`.
  void call_to_end(const Insn& i, Mode after);
  /// Ends the block behind `i`, in mode `after`.
  void finish_behind(const Insn& i, Mode after);

  // --- floating-point registers (lower_float_state.cpp) ---
  /// Checks that `i` may use its floating-point registers, and with `arithmetic` that the host computes as it does.
  void check_floats(const Insn& i, std::initializer_list<unsigned> registers, bool arithmetic);
  /// The register as a double. Leaves to the interpreter when it holds something else.
  Value fr(const Insn& i, unsigned f);
  /// The significand of a register that holds an integer; leaves otherwise.
  Value fr_integer(const Insn& i, unsigned f);
  /// One of both, for `i` only, which stores it: what the register holds does not matter when the predicate of `i` is 0.
  Value fr_to_store(const Insn& i, unsigned f, bool integer);
  /// Whether the register is known not to hold a plain double: the instruction is better left to its handler.
  bool holds_other(unsigned f) const { return float_[f].other; }
  bool holds_integer(unsigned f) const { return float_[f].integer != kNone; }
  bool holds_double(unsigned f) const { return f < 2 || float_[f].value != kNone; }
  bool holds_single(unsigned f) const { return f < 2 || float_[f].single; }
  /// Emits `op`, whose result goes to register `f` as a double (or an integer), under the qualifying predicate of `i`.
  Value to_fr(const Insn& i, unsigned f, Op op, FloatTarget how = {});
  Value to_fr_integer(const Insn& i, unsigned f, Op op, FloatTarget how = {});
  /// Puts a register into register format.
  void settle(const Insn& i, unsigned f);
  /// Emits `op`, which leaves register `f` in register format.
  void to_fr_register(const Insn& i, unsigned f, Op op);
  /// Does the multiply-add `i` on registers in register format.
  void wide_float(const Insn& i);
  /// Puts natural number `n`, normalised, into register `f` as fnorm.s1 does.
  void to_fr_natural(const Insn& i, unsigned f, Value n);
  /// Does the sequence that `i` begins and goes on behind its last instruction.
  void do_sequence(const Insn& i, std::shared_ptr<const FloatSequence> s);
  /// The instructions of the decoded block from its first one on.
  const Insn* first_insn() const { return block_.insns(); }
  /// Whether rules for the instruction exist.
  bool has_rule(const Insn& i) const { return rules_.of(i) != nullptr; }
  bool constant_value(Value v, u64& k) const { return unit_.ops[v].code == Opcode::constant && (k = unit_.ops[v].imm, true); }
  /// Whether reading general register `r` cannot leave.
  bool reads_without_leaving(unsigned r) const { return nat_[in_own_frame(r)] != Nat::Unknown; }
  /// Copies a register in whatever form it is.
  void copy_fr(const Insn& i, unsigned to, unsigned from);

 private:
  enum class Nat : u8 { Unseen, Clean, Unknown };

  void lower(const Insn& i);
  void fall_through(const Insn& last);
  bool stops_before(const Insn& i);
  void mark_unknown(unsigned r) { nat_[r] = Nat::Unknown, unit_.may_be_nat.set(r); }
  std::pair<u64, u8> behind(const Insn& i) const;
  static constexpr unsigned kNames = 128;  ///< of general registers
  /// What general register `r` of the instruction is called in the unit's frame.
  unsigned in_own_frame(unsigned r) const { return r < 32 ? r : std::min(r + inlining_.frame.shift, kNames - 1); }
  /// The same; notes when there is none.
  unsigned own_name(unsigned r) {
    unit_.names_run_out |= r >= 32 && r + inlining_.frame.shift >= kNames;
    return in_own_frame(r);
  }
  Location gr_location(unsigned r) const;
  Location pr_location(unsigned p) const;
  void after_call(const Insn& i);
  void settle_operands(const Insn& i);
  void after_float_call(const Insn& i);
  FloatTarget target(const Insn& i, unsigned f, FloatTarget how, u8 form);

  const LowerTable& rules_;
  Block& block_;
  Unit unit_;
  KnownValues known_;  // what a location holds
  Nat nat_[128] = {};
  const std::vector<u64>* leaders_ = nullptr;
  RotatingLoop loop_;
  Inlining inlining_;
  /// What is known of a floating-point register.
  struct FloatState {
    Value value = kNone;    // as a double
    Value integer = kNone;  // as a significand
    Value natural = kNone;  // the number, when the register is normalised
    u8 form = 0xff;         // FloatFile::Form, or unknown
    bool single = false;    // the double is exactly a single
    bool other = false;     // holds neither, most likely
  };
  FloatState float_[128];
  u8 float_checked_ = 0;    // FloatCheck conditions that hold
  u8 float_marked_ = 0;     // PSR.mfl (1), mfh (2) are set
  bool native_float_ = false;
  u8 rotating_;                 // CFM.sor now
  u16 frame_;                   // as in Mode
  bool ended_ = false;
  const Insn* next_ = nullptr;  // to be lowered
  bool mode_unknown_ = false;   // the last handler may have changed the mode
};

/// The rules of all families that are switched on.
LowerTable make_rules(const Optimisations& on);
void add_integer_rules(LowerTable& table);
void add_compare_rules(LowerTable& table);
void add_memory_rules(LowerTable& table);
void add_speculation_rules(LowerTable& table);
void add_speculative_load_rules(LowerTable& table);
void add_semaphore_rules(LowerTable& table);
void add_multimedia_rules(LowerTable& table);
void add_branch_rules(LowerTable& table);
void add_rotation_rules(LowerTable& table);
void add_frame_rules(LowerTable& table);
void add_move_rules(LowerTable& table);
void add_system_rules(LowerTable& table);
void add_float_rules(LowerTable& table);
void add_float_sequence_rules(LowerTable& table);
void add_float_move_rules(LowerTable& table);
void add_float_memory_rules(LowerTable& table);

}  // namespace ia64::cpu::ir
