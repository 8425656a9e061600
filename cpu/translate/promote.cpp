// Guest state as values: reads become the value last written, writes are put off until somebody can look.
#include <optional>
#include <unordered_map>

#include "cpu/interp/block.h"
#include "cpu/translate/clobbers.h"
#include "cpu/translate/float_facts.h"
#include "cpu/translate/float_sequence.h"

namespace ia64::cpu::ir {

namespace {

constexpr Value kUnknown = kNone - 1;  ///< of a location that foreign code may have changed
constexpr u32 kNowhere = ~u32{0};
/// Locations that a loop reads or writes: beyond that many, not all of them stay in registers.
constexpr size_t kCarried = 12;

using Bits = std::vector<bool>;

/// On-the-fly construction of static single assignment over guest locations. Operations keep their numbers until the end; new ones
/// get higher numbers, and each block lists its operations in order.
class Promoter {
 public:
  Promoter(Unit& unit, bool put_off, bool floats, bool loop_writes)
      : u_(unit), put_off_(put_off), with_floats_(floats && unit.blocks.size() > 1), loop_writes_(loop_writes && put_off && unit.blocks.size() > 1), blocks_(unit.blocks.size()), alias_(unit.ops.size()) {
    for (Value v = 0; v < alias_.size(); v++) alias_[v] = v;
  }
  void run();

 private:
  struct BlockState {
    std::vector<Value> in, out;  // by location; kNone: not known yet, not touched
    std::vector<Value> phis, order, tail;
    Bits dirty_in, dirty_out;
    Bits read;                   // from its beginning on before it is written, by location
    Bits at_once;                // of a loop head: what the loop writes where it happens
    bool done = false;
  };

  u32 number(u64 packed) {
    const auto [it, fresh] = numbers_.try_emplace(packed, static_cast<u32>(locations_.size()));
    if (fresh) locations_.push_back(packed);
    return it->second;
  }
  Value add(const Op& op) {
    u_.ops.push_back(op);
    alias_.push_back(static_cast<Value>(u_.ops.size() - 1));
    return alias_.back();
  }
  void find_read();
  void find_dirty();
  void walk(u32 b);
  void flush(u32 b, const Op& reader);
  void forget(const Op& op);
  void number_floats();
  struct FloatAccess {
    std::bitset<128> looks;     // at what FloatFile holds, which must be right
    std::bitset<128> replaces;  // writes FloatFile
    u32 written = kNowhere;     // location whose write is put off
  };
  FloatAccess float_access(const Op& op, const FloatKnowledge& known);
  void follow_float(const FloatAccess& access, Bits& dirty);
  bool leads_where_unknown(u32 b, u32 location) const;
  void find_written_at_once();
  u32 loop_around(u32 b) const;
  bool written_at_once(u32 b, u32 location) const;
  bool leads_to_loop_that_writes(u32 b, u32 location) const;
  bool done_at_end(u32 b, u32 location) const { return leads_where_unknown(b, location) || leads_to_loop_that_writes(b, location); }
  bool is_last_set(const BasicBlock& block, Value n) const;
  void flush_floats(u32 b, const std::bitset<128>& which);
  void flush_at_end(u32 b);
  void take_in_floats();
  bool is_float(u32 location) const { return Location::unpack(locations_[location]).file >= File::Float; }
  u32 float_number(File file, u64 f) { return number(Location{file, static_cast<u8>(f)}.pack()); }
  bool know_float(u32 b, Value n, const FloatKnowledge& known);
  bool write_float(Value n, const FloatAccess& access);
  Value read(u32 b, u32 location);
  Value read_in(u32 b, u32 location);
  Value read_out(u32 b, u32 location);
  u32 list(u32 b);
  void complete_phis();
  void drop_trivial_phis();
  void renumber();
  Value resolve(Value v) {
    while (alias_[v] != v) v = alias_[v] = alias_[alias_[v]];
    return v;
  }

  Unit& u_;
  const bool put_off_, with_floats_, loop_writes_;
  std::unordered_map<u64, u32> numbers_;
  std::vector<u64> locations_;
  std::vector<BlockState> blocks_;
  std::vector<Value> alias_;
  std::vector<Value> now_;  // of the block being walked
  Bits dirty_;
  u32 list_ = 0;            // of the present state, or ~0
  struct OpenPhi { Value phi; u32 block, location; };
  std::vector<OpenPhi> open_;
  std::optional<FloatFacts> floats_;
};

bool runs_foreign_code(const Op& op) {
  const Effect e = info(op.code).effect;
  return e == Effect::Call || e == Effect::Sync;
}

/// Which locations are read behind the beginning of each block before they are written.
void Promoter::find_read() {
  const size_t count = locations_.size();
  for (BlockState& s : blocks_) s.read.assign(count, false);
  for (bool changed = true; changed;) {
    changed = false;
    for (u32 b = static_cast<u32>(blocks_.size()); b-- > 0;) {
      Bits read(count);
      const Successors next = successors(u_, u_.blocks[b]);
      for (unsigned k = 0; k < next.count; k++)
        for (size_t l = 0; l < count; l++) read[l] = read[l] || blocks_[next.to[k]].read[l];
      for (u32 n = u_.blocks[b].end; n-- > u_.blocks[b].first;) {
        const Op& op = u_.ops[n];
        if (op.code == Opcode::set) read[numbers_.at(op.imm)] = false;
        if (op.code == Opcode::get) read[numbers_.at(op.imm)] = true;
      }
      if (read != blocks_[b].read) blocks_[b].read = std::move(read), changed = true;
    }
  }
}

/// A loop that has more values than registers does better not to carry those which only ways out would need from round to round: it
/// writes what it does not read.
void Promoter::find_written_at_once() {
  const size_t count = locations_.size();
  for (u32 head = 0; head < blocks_.size(); head++) {
    const u32 end = u_.blocks[head].loop_end;
    if (!end) continue;
    Bits set(count);
    for (u32 b = head; b <= end; b++)
      for (u32 n = u_.blocks[b].first; n < u_.blocks[b].end; n++)
        if (u_.ops[n].code == Opcode::set) set[numbers_.at(u_.ops[n].imm)] = true;
    size_t carried = 0;
    for (size_t k = 0; k < count; k++) carried += set[k] || blocks_[head].read[k];
    if (carried <= kCarried) continue;
    Bits& at_once = blocks_[head].at_once;
    at_once.assign(count, false);
    for (u32 k = 0; k < count; k++)
      at_once[k] = set[k] && !blocks_[head].read[k] && !is_float(k) && Location::unpack(locations_[k]).file != File::Window;
  }
}

/// The head of the innermost loop around a block, or kNowhere.
u32 Promoter::loop_around(u32 b) const {
  for (u32 head = b + 1; head-- > 0;)
    if (u_.blocks[head].loop_end >= b && u_.blocks[head].loop_end) return head;
  return kNowhere;
}

bool Promoter::written_at_once(u32 b, u32 location) const {
  const u32 head = loop_around(b);
  return head != kNowhere && !blocks_[head].at_once.empty() && blocks_[head].at_once[location];
}

/// What a block sets again later is not worth writing.
bool Promoter::is_last_set(const BasicBlock& block, Value n) const {
  for (Value later = n + 1; later < block.end; later++)
    if (u_.ops[later].code == Opcode::set && u_.ops[later].imm == u_.ops[n].imm) return false;
  return true;
}

/// Which locations hold a value that memory does not have, at the block boundaries.
void Promoter::find_dirty() {
  const size_t count = locations_.size();
  for (BlockState& s : blocks_) s.dirty_in.assign(count, false), s.dirty_out.assign(count, false);
  if (!put_off_) return;
  for (bool changed = true; changed;) {
    changed = false;
    for (u32 b = 0; b < blocks_.size(); b++) {
      BlockState& s = blocks_[b];
      for (u32 p : u_.blocks[b].preds)
        for (size_t k = 0; k < count; k++)
          if (blocks_[p].dirty_out[k]) s.dirty_in[k] = true;
      Bits d = s.dirty_in;
      FloatKnowledge known;
      if (floats_) known = floats_->at_start(b);
      for (u32 n = u_.blocks[b].first; n < u_.blocks[b].end; n++) {
        const Op& op = u_.ops[n];
        if (runs_foreign_code(op)) d.assign(count, false);
        if (op.code == Opcode::set) d[numbers_.at(op.imm)] = !(written_at_once(b, numbers_.at(op.imm)) && is_last_set(u_.blocks[b], n));
        if (floats_) follow_float(float_access(op, known), d), known.follow(u_, op);
      }
      for (u32 k = 0; k < count; k++)
        if (d[k] && done_at_end(b, k)) d[k] = false;
      if (d != s.dirty_out) s.dirty_out = std::move(d), changed = true;
    }
  }
}

Value Promoter::read(u32 b, u32 location) {
  if (now_[location] == kNone) now_[location] = read_in(b, location);
  return now_[location];
}

Value Promoter::read_in(u32 b, u32 location) {
  BlockState& s = blocks_[b];
  if (s.in[location] != kNone) return s.in[location];
  const std::vector<u32>& preds = u_.blocks[b].preds;
  if (preds.empty()) {
    const Value v = add({.code = Opcode::get, .imm = locations_[location]});
    s.phis.push_back(v);  // in front of everything
    return s.in[location] = v;
  }
  if (preds.size() == 1 && blocks_[preds[0]].done) return s.in[location] = read_out(preds[0], location);
  const bool is_double = Location::unpack(locations_[location]).file == File::Float;
  const Value phi = add({.code = is_double ? Opcode::phi_float : Opcode::phi, .imm = u_.phis.size()});
  u_.phis.emplace_back(preds.size(), kNone);
  s.phis.push_back(phi);
  s.in[location] = phi;
  open_.push_back({phi, b, location});
  return phi;
}

Value Promoter::read_out(u32 b, u32 location) {
  Value& v = blocks_[b].out[location];
  if (v == kUnknown) {  // in memory for certain
    const Value loaded = add({.code = Opcode::get, .imm = locations_[location]});
    blocks_[b].tail.push_back(loaded);
    return blocks_[b].out[location] = loaded;
  }
  if (v != kNone) return v;
  const Value in = read_in(b, location);
  return blocks_[b].out[location] = in;
}

/// The writes that are pending now.
u32 Promoter::list(u32 b) {
  if (list_ != ~u32{0}) return list_;
  std::vector<PendingWrite> writes;
  for (u32 k = 0; k < locations_.size(); k++)
    if (dirty_[k]) writes.push_back({locations_[k], read(b, k)});
  if (writes.empty()) return list_ = 0;
  u_.lists.push_back(std::move(writes));
  return list_ = static_cast<u32>(u_.lists.size() - 1);
}

/// Does all pending writes before `reader` looks.
void Promoter::flush(u32 b, const Op&) {
  for (u32 k = 0; k < locations_.size(); k++) {
    if (!dirty_[k]) continue;
    const Value v = read(b, k);
    blocks_[b].order.push_back(add({.code = Opcode::set, .a = v, .imm = locations_[k]}));
    dirty_[k] = false;
  }
  list_ = ~u32{0};
}

/// What is known survives a handler that can only write the registers its row declares.
void Promoter::forget(const Op& op) {
  const Clobbers clobbers = clobbers_of(op);
  for (u32 k = 0; k < locations_.size(); k++)
    if (!is_float(k) && clobbers.may_write(Location::unpack(locations_[k]))) now_[k] = kUnknown;
}

void Promoter::number_floats() {
  floats_.emplace(u_);
  if (!floats_->any()) return floats_.reset();
  for (const Op& op : u_.ops) {
    if (op.code == Opcode::get_double || writes_double(op.code)) float_number(File::Float, op.imm & 0x7f);
    if (op.code == Opcode::get_integer || writes_integer(op.code)) float_number(File::FloatInteger, op.imm & 0x7f);
  }
}

/// Fills the region's entry with the tests and reads that the blocks then do without.
void Promoter::take_in_floats() {
  const Insn* const first = u_.parts[0].block->insns();
  const FloatKnowledge& entry = floats_->entry();
  const auto put = [&](Opcode code, u64 imm) {
    const Value v = add({.code = code, .imm = imm | kAtEntry, .insn = first});
    blocks_[0].phis.push_back(v);  // in front of everything: nothing may have been done when the region is not entered
    return v;
  };
  put(Opcode::float_check, entry.checked);
  for (unsigned f = 0; f < 128; f++) {
    if (entry.as_double[f]) now_[float_number(File::Float, f)] = put(Opcode::get_double, f);
    if (entry.as_integer[f]) now_[float_number(File::FloatInteger, f)] = put(Opcode::get_integer, f);
  }
}

/// How `op` gets on with floating-point registers whose writes are pending.
Promoter::FloatAccess Promoter::float_access(const Op& op, const FloatKnowledge& known) {
  FloatAccess a;
  const unsigned f = op.imm & 0x7f;
  const auto writes = [&] { (op.guard == kNone ? a.replaces : a.looks).set(f); };
  switch (op.code) {
    case Opcode::get_double: a.looks[f] = !known.as_double[f]; break;
    case Opcode::get_integer: a.looks[f] = !known.as_integer[f]; break;
    case Opcode::settle_float:
    case Opcode::get_natural: a.looks.set(f); break;
    case Opcode::store_spill: a.looks.set(op.insn->r2); break;
    case Opcode::copy_float: a.looks.set(op.imm >> 16 & 0x7f), writes(); break;
    case Opcode::wide_float: a.looks.set(op.insn->r2), a.looks.set(op.insn->r3), a.looks.set(op.insn->r4), writes(); break;
    case Opcode::load_fill:
    case Opcode::set_natural: writes(); break;
    case Opcode::defer_steps:
      for (u8 left : u_.sequences[op.imm]->left) a.replaces.set(left);
      break;
    case Opcode::slide:
      for (unsigned r = 32; r < 128; r++) a.looks.set(r);
      break;
    default: {
      const bool as_double = writes_double(op.code);
      if (!as_double && !writes_integer(op.code)) break;
      if (op.guard != kNone || !put_off_) a.looks.set(f);
      else a.written = float_number(as_double ? File::Float : File::FloatInteger, f);
    }
  }
  return a;
}

void Promoter::follow_float(const FloatAccess& access, Bits& dirty) {
  std::bitset<128> clean = access.looks | access.replaces;
  if (access.written != kNowhere) clean.set(Location::unpack(locations_[access.written]).index);
  if (clean.none()) return;
  for (u32 k = 0; k < locations_.size(); k++)
    if (is_float(k) && clean[Location::unpack(locations_[k]).index]) dirty[k] = false;
  if (access.written != kNowhere) dirty[access.written] = true;
}

/// Whether a block behind `b` does not know what the location holds, so that it cannot write it.
bool Promoter::leads_where_unknown(u32 b, u32 location) const {
  const Location l = Location::unpack(locations_[location]);
  if (!floats_ || l.file < File::Float) return false;
  const Successors next = successors(u_, u_.blocks[b]);
  for (unsigned k = 0; k < next.count; k++) {
    const FloatKnowledge& there = floats_->at_start(next.to[k]);
    if (!(l.file == File::Float ? there.as_double : there.as_integer)[l.index]) return true;
  }
  return false;
}

bool Promoter::leads_to_loop_that_writes(u32 b, u32 location) const {
  const Successors next = successors(u_, u_.blocks[b]);
  for (unsigned k = 0; k < next.count; k++)
    if (const Bits& at_once = blocks_[next.to[k]].at_once; !at_once.empty() && at_once[location]) return true;
  return false;
}

void Promoter::flush_floats(u32 b, const std::bitset<128>& which) {
  for (u32 k = 0; k < locations_.size(); k++) {
    if (!dirty_[k] || !is_float(k) || !which[Location::unpack(locations_[k]).index]) continue;
    const Value v = read(b, k);
    blocks_[b].order.push_back(add({.code = Opcode::set, .a = v, .imm = locations_[k]}));
    dirty_[k] = false;
    list_ = ~u32{0};
  }
}

void Promoter::flush_at_end(u32 b) {
  for (u32 k = 0; k < locations_.size(); k++) {
    if (!dirty_[k] || !done_at_end(b, k)) continue;
    const Value v = read(b, k);
    blocks_[b].tail.push_back(add({.code = Opcode::set, .a = v, .imm = locations_[k]}));
    dirty_[k] = false;
    list_ = ~u32{0};
  }
}

/// Replaces reads and checks of what is known. @returns whether the operation is done with
bool Promoter::know_float(u32 b, Value n, const FloatKnowledge& known) {
  const Op op = u_.ops[n];
  const bool as_double = op.code == Opcode::get_double;
  if (as_double || op.code == Opcode::get_integer) {
    if (!(as_double ? known.as_double : known.as_integer)[op.imm]) return false;
    alias_[n] = read(b, float_number(as_double ? File::Float : File::FloatInteger, op.imm));
    return true;
  }
  if (op.code == Opcode::float_check) {
    u_.ops[n].imm &= ~u64{known.checked};
    return u_.ops[n].imm == 0;
  }
  if (!writes_double(op.code) && !writes_integer(op.code)) return false;
  FloatTarget more;
  const unsigned f = FloatTarget::unpack(op.imm).reg;
  more.form_known = writes_double(op.code) && known.as_double[f];
  more.marked = known.checked & mark_of(f);
  more.put_off = put_off_ && op.guard == kNone;
  u_.ops[n].imm |= more.pack();
  return false;
}

/// Notes what a floating-point operation leaves. @returns whether nothing of the operation itself is left to do
bool Promoter::write_float(Value n, const FloatAccess& access) {
  const Op op = u_.ops[n];
  if (op.code == Opcode::get_double && op.guard == kNone) now_[float_number(File::Float, op.imm)] = n;
  if (op.code == Opcode::get_integer && op.guard == kNone) now_[float_number(File::FloatInteger, op.imm)] = n;
  if (!writes_double(op.code) && !writes_integer(op.code)) {
    if (access.replaces.any()) follow_float(access, dirty_), list_ = ~u32{0};
    return false;
  }
  const FloatTarget target = FloatTarget::unpack(op.imm);
  const bool copies = op.code == Opcode::float_move || op.code == Opcode::set_integer;
  const bool nothing = copies && target.put_off && target.marked;
  if (nothing) alias_[n] = op.a;
  now_[float_number(writes_double(op.code) ? File::Float : File::FloatInteger, target.reg)] = nothing ? op.a : written_value(op, n);
  if (access.written != kNowhere) follow_float(access, dirty_), list_ = ~u32{0};
  return nothing;
}

void Promoter::walk(u32 b) {
  BlockState& s = blocks_[b];
  const BasicBlock& block = u_.blocks[b];
  now_.assign(locations_.size(), kNone);
  dirty_ = s.dirty_in;
  list_ = ~u32{0};
  FloatKnowledge known;
  if (floats_) known = floats_->at_start(b);
  if (floats_ && b == 0) take_in_floats();
  for (Value n = block.first; n < block.end; n++) {
    FloatAccess access;
    if (floats_) {
      access = float_access(u_.ops[n], known);
      if (know_float(b, n, known)) continue;
      flush_floats(b, access.looks);
    }
    const Op op = u_.ops[n];
    if (op.code == Opcode::get) {
      const u32 k = numbers_.at(op.imm);
      if (now_[k] == kUnknown) {
        now_[k] = n;
        s.order.push_back(n);
      } else {
        alias_[n] = read(b, k);
      }
      continue;
    }
    if (op.code == Opcode::set) {
      const u32 k = numbers_.at(op.imm);
      now_[k] = op.a;
      list_ = ~u32{0};
      dirty_[k] = put_off_ && !(written_at_once(b, k) && is_last_set(block, n));
      if (!dirty_[k]) s.order.push_back(n);
      continue;
    }
    if (runs_foreign_code(op)) flush(b, op);
    if (op.code == Opcode::exit_if && n + 1 == block.end) flush_at_end(b);
    const bool inner = op.code == Opcode::exit_if && u_.exits[op.imm].block != kOutside;
    if (info(op.code).effect == Effect::Exit && (!inner || u_.exits[op.imm].block <= b)) {
      const u32 pending = list(b);
      u_.ops[n].pending = pending;
    }
    if (!floats_ || !write_float(n, access)) s.order.push_back(n);
    if (floats_) known.follow(u_, op);
    if (runs_foreign_code(op)) forget(op);
  }
  flush_at_end(b);
  const auto* leave = std::get_if<Leave>(&block.terminal);
  const u32 to = leave ? u_.exits[leave->exit].block : std::get_if<Goto>(&block.terminal) ? std::get<Goto>(block.terminal).block : kOutside;
  if (to == kOutside || to <= b) {
    const u32 pending = list(b);
    u_.blocks[b].pending = pending;
  }
  s.out = std::move(now_);
  s.done = true;
}

void Promoter::complete_phis() {
  for (size_t n = 0; n < open_.size(); n++) {  // grows while it runs
    const OpenPhi o = open_[n];
    const std::vector<u32> preds = u_.blocks[o.block].preds;
    for (size_t k = 0; k < preds.size(); k++) {
      const Value v = read_out(preds[k], o.location);
      u_.phis[u_.ops[o.phi].imm][k] = v;
    }
  }
}

void Promoter::drop_trivial_phis() {
  for (bool changed = true; changed;) {
    changed = false;
    for (const OpenPhi& o : open_) {
      if (alias_[o.phi] != o.phi) continue;
      Value only = kNone;
      bool trivial = true;
      for (Value v : u_.phis[u_.ops[o.phi].imm]) {
        v = resolve(v);
        if (v == o.phi || v == only) continue;
        trivial = trivial && only == kNone;
        only = v;
      }
      if (trivial && only != kNone) alias_[o.phi] = only, changed = true;
    }
  }
}

void Promoter::renumber() {
  std::vector<Value> number(u_.ops.size(), kNone);
  std::vector<Op> ops;
  const auto put = [&](Value v) {
    if (alias_[v] != v) return;
    number[v] = static_cast<Value>(ops.size());
    ops.push_back(u_.ops[v]);
  };
  for (u32 b = 0; b < blocks_.size(); b++) {
    BlockState& s = blocks_[b];
    u_.blocks[b].first = static_cast<u32>(ops.size());
    for (Value v : s.phis) put(v);
    const bool exit_last = !s.order.empty() && u_.ops[s.order.back()].code == Opcode::exit_if;
    for (size_t n = 0; n < s.order.size() - (exit_last ? 1 : 0); n++) put(s.order[n]);
    for (Value v : s.tail) put(v);
    if (exit_last) put(s.order.back());
    u_.blocks[b].end = static_cast<u32>(ops.size());
  }
  const auto rename = [&](Value& v) {
    if (v != kNone) v = number[resolve(v)];
  };
  for (Op& op : ops) rename(op.a), rename(op.b), rename(op.c), rename(op.guard);
  for (auto& phi : u_.phis)
    for (Value& v : phi) rename(v);
  for (auto& list : u_.lists)
    for (PendingWrite& w : list) rename(w.value);
  for (BasicBlock& block : u_.blocks)
    if (auto* indirect = std::get_if<LeaveIndirect>(&block.terminal)) rename(indirect->target);
  u_.ops = std::move(ops);
}

void Promoter::run() {
  for (const Op& op : u_.ops)
    if (op.code == Opcode::get || op.code == Opcode::set) number(op.imm);
  if (with_floats_) number_floats();
  for (BlockState& s : blocks_) s.in.assign(locations_.size(), kNone);
  if (loop_writes_) find_read(), find_written_at_once();
  find_dirty();
  for (u32 b = 0; b < blocks_.size(); b++) walk(b);
  complete_phis();
  drop_trivial_phis();
  renumber();
}

}  // namespace

void promote_state(Unit& unit, bool put_off, bool floats, bool loop_writes) {
  make_blocks(unit);
  Promoter(unit, put_off, floats, loop_writes).run();
}

}  // namespace ia64::cpu::ir
