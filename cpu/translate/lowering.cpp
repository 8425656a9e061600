// The common part of lowering: guest registers as values, NaT assumptions, handler calls, block ends.
#include "cpu/translate/lowering.h"

#include <algorithm>

#include "cpu/decode/op_info.h"
#include "cpu/exec/handlers.h"

namespace ia64::cpu::ir {

namespace {
bool rotates(File f) { return f == File::RotatingGeneral || f == File::RotatingPredicate; }
}  // namespace

LowerTable make_rules(const Optimisations& on) {
  LowerTable t;
  if (on.native_integer) add_integer_rules(t);
  if (on.native_compare) add_compare_rules(t);
  if (on.native_memory) add_memory_rules(t);
  if (on.native_speculation) add_speculation_rules(t);
  if (on.native_semaphores) add_semaphore_rules(t);
  if (on.native_multimedia) add_multimedia_rules(t);
  if (on.native_branch) add_branch_rules(t);
  if (on.native_system) add_system_rules(t);
  if (on.native_rotation) add_rotation_rules(t);
  const bool bmi2 = __builtin_cpu_supports("bmi2");  // bytes to bits and back, in one instruction
  if (on.native_calls && bmi2) add_frame_rules(t);
  if (on.native_moves && bmi2) add_move_rules(t);
  if (on.native_float) add_float_rules(t);
  if (on.native_float && on.division_sequences) add_float_sequence_rules(t);
  if (on.native_float_moves) add_float_move_rules(t);
  if (on.native_float_memory) add_float_memory_rules(t);
  t.index_rows();
  return t;
}

void LowerTable::index_rows() {
  rows_.clear();
  for (u16 op = 0; op < op_count(); op++) rows_.push_back({op_info(op).handler, search(op_info(op).handler)});
}

LowerFunction LowerTable::search(Handler h) const {
  const auto it = rules_.find(h);
  return it == rules_.end() ? nullptr : it->second;
}

Lowering::Lowering(const LowerTable& rules, Block& block, u64 ip, u8 slot, Mode mode)
    : rules_(rules), block_(block), rotating_(mode.rotating), frame_(mode.frame) {
  native_float_ = rules.contains(&fma_d_f1) || rules.contains(&setf_d_m18) || rules.contains(&ldfd_m6);
  unit_.ip = ip, unit_.slot = slot, unit_.mode = mode;
  unit_.slots = block.slots, unit_.needed_sof = block.needed_sof;
}

Mode Lowering::mode() const {
  Mode m = unit_.mode;
  m.rotating = rotating_, m.frame = frame_;
  return m;
}

Value Lowering::emit(const Op& op) {
  unit_.ops.push_back(op);
  return static_cast<Value>(unit_.ops.size() - 1);
}

Location Lowering::gr_location(unsigned r) const {
  if (r >= 32 && r - 32 < rotating_) return {File::RotatingGeneral, static_cast<u8>(r), rotating_};
  return {File::General, static_cast<u8>(r)};
}
Location Lowering::pr_location(unsigned p) const {
  return {p >= 16 && unit_.mode.rotated ? File::RotatingPredicate : File::Predicate, static_cast<u8>(p)};
}

Value Lowering::get(Location l) {
  if (const Value known = known_.find(l); known != kNone) return known;
  const bool windowed = loop_.windowed && rotates(l.file);
  const Value v = windowed ? emit({.code = Opcode::window_get, .a = get(window()), .imm = l.pack()})
                           : emit({.code = Opcode::get, .imm = l.pack()});
  known_.put(l, v);
  return v;
}
void Lowering::set(Location l, Value v) {
  if (loop_.windowed && rotates(l.file)) {
    emit({.code = Opcode::window_set, .a = get(window()), .b = v, .imm = l.pack()});
  } else {
    emit({.code = Opcode::set, .a = v, .imm = l.pack()});
  }
  known_.put(l, v);
}

void Lowering::slide(Value stage, Value rotates) {
  const u64 how = Slide{unit_.mode.rotating, loop_.floats}.pack();
  set(window(), emit({.code = Opcode::slide, .a = get(window()), .b = stage, .guard = rotates, .imm = how}));
  known_.forget(File::RotatingGeneral), known_.forget(File::RotatingPredicate);
}

Value Lowering::gr(const Insn& i, unsigned r) {
  if (r == 0) return constant(0);
  r = own_name(r);
  if (nat_[r] == Nat::Unseen) unit_.assumed_clean.set(r), nat_[r] = Nat::Clean;
  if (nat_[r] == Nat::Unknown) {
    emit({.code = Opcode::check_nat, .imm = gr_location(r).pack(), .insn = &i});
    nat_[r] = Nat::Clean;
  }
  return get(gr_location(r));
}

void Lowering::set_gr(const Insn& i, unsigned r, Value v) {
  if (!always(i)) v = select(pr(i.qp), v, gr(i, r));
  set_loaded(r, v);
}

void Lowering::set_loaded(unsigned r, Value v) {
  r = own_name(r);
  if (nat_[r] == Nat::Unseen) unit_.assumed_clean.set(r);
  if (nat_[r] == Nat::Unknown) emit({.code = Opcode::clear_nat, .imm = gr_location(r).pack()});
  nat_[r] = Nat::Clean;
  set(gr_location(r), v);
}

Value Lowering::pr(unsigned p) { return p && !is_stage(p) ? get(pr_location(p)) : constant(1); }
void Lowering::set_pr(unsigned p, Value v) {
  if (p) set(pr_location(p), v);
}

unsigned Lowering::add_exit(const Insn& i, u64 ip, u8 slot, Mode mode) {
  unit_.exits.push_back({ip & ~u64{15}, slot, &i, mode, kOutside, static_cast<u16>(i.spare + 1), insn_ip(i), this->mode()});
  unit_.exits.back().frame = inlining_.frame, unit_.exits.back().invocation = inlining_.invocation;
  return static_cast<unsigned>(unit_.exits.size() - 1);
}

unsigned Lowering::add_crossing(Crossing how, const Insn& i, u64 ip, Mode mode, Frame frame, u32 invocation) {
  const unsigned n = add_exit(i, ip, 0, mode);
  Exit& exit = unit_.exits[n];
  exit.frame = frame, exit.invocation = invocation, exit.crosses = how;
  return n;
}

void Lowering::forget_predicates() {
  known_.forget(File::Predicate), known_.forget(File::RotatingPredicate);
}
void Lowering::new_frame(const Cfm& frame) {
  rotating_ = frame.sor, frame_ = Mode::frame_of(frame.sof, frame.sol);
}
void Lowering::frame_is_clean(unsigned sof) {
  for (unsigned r = 32; r < 32 + sof; r++) nat_[r] = Nat::Clean;
}

bool Lowering::assume_clean_frame(unsigned sof) {
  for (unsigned r = 32; r < 32 + sof; r++)
    if (nat_[r] == Nat::Unknown) return false;
  for (unsigned r = 32; r < 32 + sof; r++) unit_.clean_frame.set(r);
  return true;
}

void Lowering::call(const Insn& i) {
  settle_operands(i);
  const Value condition = i.flags & kReadsOwnPredicate ? kNone : guard(i);
  emit({.code = Opcode::call, .guard = condition, .insn = &i});
  after_call(i);
}
void Lowering::call_branch(const Insn& i, unsigned exit) {
  emit({.code = Opcode::call_branch, .guard = guard(i), .imm = exit, .insn = &i});
  after_call(i);
}

void Lowering::call_to_end(const Insn& i, Mode after) {
  if (i.qp && !(after == mode())) return call(i);
  const bool covers = i.handler == &cover_b8;
  emit({.code = Opcode::call, .guard = guard(i), .imm = static_cast<u64>(Next::Sync) | u64{covers} << kCallReloadsFrame, .insn = &i});
  after_call(i);
  finish_behind(i, after);
}

void Lowering::finish_behind(const Insn& i, Mode after) {
  const auto [ip, slot] = behind(i);
  finish(Leave{add_exit(i, ip, slot, after)});
}

/// Handlers write the general registers that their rows declare; everything else is read again when needed.
void Lowering::after_call(const Insn& i) {
  known_.clear();
  after_float_call(i);
  const u32 flags = op_info(i.op).flags;
  if (flags & op_flag::kWritesR1) mark_unknown(i.r1);
  if (flags & op_flag::kWritesR3) mark_unknown(i.r3);
  if (i.handler == &alloc_m34) new_frame(Cfm::unpack(i.imm & low_mask(18)));
  mode_unknown_ = i.flags & kEndsBlock;
}

void Lowering::lower(const Insn& i) {
  mode_unknown_ = false;
  if (const LowerFunction rule = rules_.of(i)) {
    rule(*this, i);
  } else {
    call(i);
  }
}

std::pair<u64, u8> Lowering::behind(const Insn& i) const {
  if (i.flags & kLastSlot) return {insn_ip(i) + 16, u8{0}};
  return {insn_ip(i), static_cast<u8>(i.slot + 1)};
}

/// The address behind `last` is where the block goes on when nothing has branched.
void Lowering::fall_through(const Insn& last) {
  const auto [ip, slot] = behind(last);
  if (mode_unknown_) {
    unit_.terminal = LeaveUnknown{&last, {ip, slot, &last, {}}};
  } else {
    unit_.terminal = Leave{add_exit(last, ip, slot, mode())};
  }
}

/// Whether a leader begins with the bundle of `i`; then the block is ended in front of it. Not when whole bundles of `nop`s were
/// left out in between: what would have to be counted is not known.
bool Lowering::stops_before(const Insn& i) {
  if (!leaders_ || i.bundle == 0 || mode_unknown_ || (&i)[-1].bundle + 1 != i.bundle) return false;
  if (!std::binary_search(leaders_->begin(), leaders_->end(), insn_ip(i))) return false;
  const unsigned exit = add_exit((&i)[-1], insn_ip(i), 0, mode());
  unit_.exits[exit].executed = static_cast<u16>(i.spare - i.slot), unit_.exits[exit].last_ip = insn_ip(i) - 16;
  finish(Leave{exit});
  return true;
}

Unit Lowering::run() {
  if (loop_.windowed) set(window(), get(window()));  // every way out from here on has to put the registers back
  const Insn* i = block_.insns();
  for (; !is_end_of_block(*i) && !ended_; i = next_) {
    next_ = i + 1;
    if (i == block_.insns() || !stops_before(*i)) lower(*i);
  }
  if (!ended_) fall_through(*i);
  return std::move(unit_);
}

}  // namespace ia64::cpu::ir
