// One loop that walks through memory, and the making of its rounds without look-ups.
#pragma once

#include <optional>
#include <vector>

#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

/// An address that changes by the same amount in each round.
struct Walk {
  Value base = kNone;       ///< a phi of the loop, or a value from outside
  Value next = kNone;       ///< the base at the start of the next round
  i64 step = 0;
  i64 anchor = 0;           ///< offset of the widest access
  i64 low = 0, high = 0;    ///< bytes from the base that a round touches
  unsigned size = 0;        ///< of the widest access
  bool by_table[2] = {};    ///< reads, writes
  Value host = kNone;       ///< where the next round's base is on the host, by the first table in use
  Value apart = kNone;      ///< how much further it is by the other table, when both are in use
};

/// One loop of one block, or of a block and an empty one that leads back. The loop's way back leads to the gate, which finds out how many
/// rounds are possible without look-ups. When there are some, it leads to the series, which do several of them in a row, and to the
/// single rounds behind; then what these keep is put back as the loop keeps it, and the loop does the round that crosses a page or leaves.
class SpanLoop {
 public:
  /// @param most  rounds in a row of a series; 1: none
  SpanLoop(Unit& u, u32 block, unsigned most) : u_(u), loop_(block), most_(most) {}
  bool fits();
  void make();

 private:
  struct Access {
    Value op;
    size_t walk;
    i64 offset;
    unsigned size;
    bool write;
  };
  struct Affine {
    Value base;
    i64 offset;
  };
  /// How a phi of the loop is known in the rounds. What steps evenly and is needed by ways out alone follows from the lead, which does too.
  struct Phi {
    Value value = kNone;
    i64 step = 0;
    bool even = false;       ///< steps by `step`
    bool follows = false;    ///< is `factor` times the lead, plus `rest`
    i64 factor = 0;
    Value rest = kNone;
  };
  /// What goes from round to round.
  struct State {
    Value lead = kNone;           ///< when it is no walk's host address
    std::vector<Value> hosts;     ///< by walk
    std::vector<Value> carried;   ///< by phi that does not follow
    std::vector<Value> last;      ///< of the round before: what only the ways out behind it need, by place in lasts_
  };
  /// A loop of rounds: what it begins and ends with, its blocks.
  struct Passed {
    State head, next;
    u32 first = 0, last = 0;
  };

  const BasicBlock& block() const { return u_.blocks[loop_]; }
  const Op& op(Value v) const { return u_.ops[v]; }
  bool inside(Value v) const { return v != kNone && v >= block().first && v < block().end; }
  bool is_constant(Value v) const { return op(v).code == Opcode::constant; }
  bool is_constant(Value v, u64 k) const { return is_constant(v) && op(v).imm == k; }
  Value back_operand(Value phi) const { return u_.phis[op(phi).imm][pred_]; }
  unsigned round() const { return u_.exits[back_].executed; }
  Value closing() const { return ends_in_branch_ ? block().end - 1 : kNone; }

  // Whether it is such a loop (span_loops.cpp).
  bool is_loop();
  bool only_leads_back(u32 block) const;
  bool counts(Value condition);
  bool can_do_all();
  bool note_access(Value v);
  bool step_evenly() const;
  Affine affine(Value v) const;
  std::optional<i64> step_of(Value base) const;
  size_t walk_of(Value base);
  void find_lead();
  Phi* phi_of(Value v);
  void need(Value v);
  bool follows(Value v);
  void need_effects();
  void find_first();
  void find_needed();
  bool can_redo() const;

  // The gate (span_gate.cpp).
  Value emit(Op o) { return u_.ops.push_back(o), static_cast<Value>(u_.ops.size() - 1); }
  Value constant(u64 k) { return emit({.code = Opcode::constant, .imm = k}); }
  Value binary(Opcode c, Value a, Value b) { return emit({.code = c, .a = a, .b = b}); }
  Value moved_by(Value v, i64 by) { return by ? binary(Opcode::add, v, constant(static_cast<u64>(by))) : v; }
  Value smaller(Value a, Value b) { return emit({.code = Opcode::select, .a = binary(Opcode::cmp_lt, a, b), .b = a, .c = b}); }
  void require(Value condition) { all_ = all_ == kNone ? condition : binary(Opcode::and_, all_, condition); }
  void require_not(Value v) { require(emit({.code = Opcode::invert, .a = v})); }
  Value rounds_of(Walk& w, Value most);
  Value limit();
  void find_rests();
  State state_at_gate() const;
  u32 begin_block();
  void end_block(Terminal t) { u_.blocks.back().end = static_cast<u32>(u_.ops.size()), u_.blocks.back().terminal = t; }
  unsigned exit_to(u32 to, unsigned executed);
  void make_gates(u32 rounds);

  // The rounds (span_rounds.cpp).
  unsigned in_a_row() const;
  Value lead_of(const State& s) const { return lead_walk_ != kNoWalk ? s.hosts[lead_walk_] : s.lead; }
  State phis(const std::vector<State>& from, bool loops, bool with_last);
  void close(const State& head, const State& next);
  Value at(const Phi& phi, i64 offset);
  Value now(Value v);
  Value copied(Value v);
  u32 moved_list(u32 list);
  PendingWrite moved(PendingWrite w);
  void copy(Value n);
  void copy_access(const Access& a);
  void copy_window(Op o);
  void copy_slide(const Op& o);
  void copy_exit(Value n);
  void start(const State& s);
  State rounds(const State& head, unsigned count, u32 redo);
  Passed make_rounds(const std::vector<u32>& preds, const std::vector<State>& from, unsigned count, Value end, u32 redo);
  u32 make_bridge(u32 pred, u32 behind);
  std::vector<Value> make_way_back(const std::vector<u32>& preds, const std::vector<State>& from);

  static constexpr size_t kNoWalk = ~size_t{0};
  Unit& u_;
  const u32 loop_;
  const unsigned most_;
  u32 tail_ = 0;               // the block that leads back
  size_t pred_ = 0;            // of the way back among the block's predecessors
  unsigned back_ = 0;          // the exit that leads back
  u32 back_pending_ = 0;
  bool ends_in_branch_ = false;  // the last operation leads back when a condition holds
  bool redoes_ = false;          // the last operation leaves the loop for another block: the loop itself does such a round
  Value count_ = kNone;        // phi that counts down to the end of the loop
  Value window_ = kNone;       // phi of the place in a window that slides each round
  bool first_is_set_ = false;  // each round writes the rotating r32 before anybody can look at what came from the other end
  std::vector<Walk> walks_;
  std::vector<Access> accesses_;
  std::vector<Phi> phis_;
  std::vector<Value> lasts_;
  std::vector<bool> needed_;   // of the block's operations: those that the rounds do
  Value lead_ = kNone;         // phi
  size_t lead_walk_ = kNoWalk;
  i64 lead_step_ = 0;
  const Insn* insn_ = nullptr;
  Value all_ = kNone;          // of the gate: all conditions so far
  Value end_ = kNone;          // instructions left at which the rounds end
  Value series_end_ = kNone;   // and too few for another series
  // Of the rounds that are being made.
  State now_;
  i64 done_ = 0;               // rounds in front, in this series
  unsigned row_ = 1;           // rounds in this series
  std::vector<Value> moved_;   // the copy's name of an operation
};

}  // namespace ia64::cpu::ir
