// Forward data flow over floating-point registers: what holds on all ways to a block.
#include "cpu/translate/float_facts.h"

#include "cpu/decode/op_info.h"
#include "cpu/translate/clobbers.h"
#include "cpu/translate/float_sequence.h"

namespace ia64::cpu::ir {

bool writes_double(Opcode code) {
  switch (code) {
    case Opcode::float_add: case Opcode::float_sub: case Opcode::float_mul: case Opcode::float_nmul: case Opcode::float_fma:
    case Opcode::float_fms: case Opcode::float_fnma: case Opcode::float_norm: case Opcode::float_min: case Opcode::float_max:
    case Opcode::float_merge: case Opcode::float_nmerge: case Opcode::float_move: case Opcode::int_to_float:
    case Opcode::bits_to_double: case Opcode::bits_to_single: case Opcode::load_double: case Opcode::load_single: return true;
    default: return false;
  }
}

bool writes_integer(Opcode code) {
  return code == Opcode::float_to_int || code == Opcode::float_to_int_trunc || code == Opcode::set_integer || code == Opcode::load_integer;
}

namespace {

bool writes_otherwise(Opcode code) {
  return code == Opcode::load_fill || code == Opcode::wide_float || code == Opcode::set_natural || code == Opcode::copy_float;
}

/// A handler leaves alone what its row does not declare; what it reads was settled before.
void follow_call(const Op& op, FloatKnowledge& k) {
  const bool known = op.code == Opcode::call && op.insn && op.insn->op && writes_only_declared(*op.insn);
  if (!known) {
    k.as_double.reset(), k.as_integer.reset();
    k.checked &= kActive;
    return;
  }
  const u32 flags = op_info(op.insn->op).flags;
  const auto drop = [&k](unsigned f) { k.as_double.reset(f), k.as_integer.reset(f); };
  if (flags & op_flag::kWritesF1) drop(op.insn->r1);
  if (flags & op_flag::kWritesF2) drop(op.insn->r2);
}

}  // namespace

void FloatKnowledge::follow(const Unit& unit, const Op& op) {
  const Effect effect = info(op.code).effect;
  if (effect == Effect::Call) return follow_call(op, *this);
  if (op.code == Opcode::rotate || op.code == Opcode::clear_bases || op.code == Opcode::slide) {
    for (unsigned f = 32; f < 128; f++) as_double.reset(f), as_integer.reset(f);
  } else if (op.code == Opcode::get_double || op.code == Opcode::get_integer) {
    if (op.guard == kNone) (op.code == Opcode::get_double ? as_double : as_integer).set(op.imm & 0x7f);
  } else if (op.code == Opcode::settle_float) {
    as_double.reset(op.imm & 0x7f);
  } else if (op.code == Opcode::float_check) {
    checked |= static_cast<u8>(op.imm);
  } else if (op.code == Opcode::defer_steps) {
    for (u8 f : unit.sequences[op.imm]->left) as_double.reset(f), as_integer.reset(f);
  } else if (writes_double(op.code) || writes_integer(op.code) || writes_otherwise(op.code)) {
    const unsigned f = FloatTarget::unpack(op.imm).reg;
    const bool always = op.guard == kNone;
    as_double[f] = always && writes_double(op.code), as_integer[f] = always && writes_integer(op.code);
    if (always) checked |= mark_of(f);
  }
}

FloatFacts::FloatFacts(const Unit& unit) : unit_(unit), start_(unit.blocks.size()), end_(unit.blocks.size()) {
  for (const Op& op : unit.ops) {
    if (op.code == Opcode::float_check) entry_.checked |= static_cast<u8>(op.imm);
    if (writes_double(op.code) || writes_integer(op.code)) entry_.checked |= mark_of(FloatTarget::unpack(op.imm).reg);
  }
  if (any()) choose_entry();
}

void FloatFacts::find(const FloatKnowledge& entry) {
  FloatKnowledge all;
  all.as_double.set(), all.as_integer.set(), all.checked = 0xff;
  for (FloatKnowledge& k : end_) k = all;
  for (bool changed = true; changed;) {
    changed = false;
    for (u32 b = 0; b < unit_.blocks.size(); b++) {
      const BasicBlock& block = unit_.blocks[b];
      FloatKnowledge k = block.preds.empty() ? entry : all;
      for (u32 p : block.preds) k &= end_[p];
      start_[b] = k;
      for (u32 n = block.first; n < block.end; n++) k.follow(unit_, unit_.ops[n]);
      if (!(k == end_[b])) end_[b] = k, changed = true;
    }
  }
}

/// What is read where nothing but a value from the entry could be known.
void FloatFacts::choose_entry() {
  FloatKnowledge none, wanted;
  none.checked = entry_.checked;
  find(none);
  for (u32 b = 0; b < unit_.blocks.size(); b++) {
    FloatKnowledge k = start_[b];
    for (u32 n = unit_.blocks[b].first; n < unit_.blocks[b].end; n++) {
      const Op& op = unit_.ops[n];
      const bool counts = (b == 1 || unit_.blocks[b].depth > 0) && op.guard == kNone;
      if (op.code == Opcode::get_double && counts && !k.as_double[op.imm]) wanted.as_double.set(op.imm);
      if (op.code == Opcode::get_integer && counts && !k.as_integer[op.imm]) wanted.as_integer.set(op.imm);
      k.follow(unit_, op);
    }
  }
  const std::bitset<128> both = wanted.as_double & wanted.as_integer;
  wanted.as_double &= ~both, wanted.as_integer &= ~both;
  wanted.checked = entry_.checked;
  find(wanted);
  // Where a way from the entry destroys what it took in, nothing is gained.
  FloatKnowledge used;
  for (u32 b = 1; b < unit_.blocks.size(); b++) {
    used.as_double |= start_[b].as_double, used.as_integer |= start_[b].as_integer;
  }
  entry_.as_double = wanted.as_double & used.as_double, entry_.as_integer = wanted.as_integer & used.as_integer;
  find(entry_);
}

}  // namespace ia64::cpu::ir
