// Opcode table, printer and verifier of the intermediate form.
#include "cpu/translate/ir.h"

#include <fmt/format.h>

#include "cpu/decode/op_info.h"

namespace ia64::cpu::ir {

namespace {

constexpr OpcodeInfo kInfo[] = {
#define OP(name, operands, result, effect) {#name, operands, ValueClass{result}, Effect::effect},
#include "cpu/translate/opcodes.inc"
#undef OP
};

std::string location_name(u64 packed) {
  constexpr const char* kFiles[] = {"r", "rot.r", "p", "rot.p", "b", "lc", "ar", "cr", "window", "f", "fi"};
  const Location l = Location::unpack(packed);
  return fmt::format("{}{}", kFiles[static_cast<unsigned>(l.file)], l.index);
}

std::string print_pending(const Unit& unit, u32 list) {
  if (!list) return "";
  std::string text = " pending";
  for (const PendingWrite& w : unit.pending(list)) {
    text += fmt::format(" {}={}v{}", location_name(w.location), w.inverse ? "!" : "", w.value);
    if (w.factor != 1) text += fmt::format("*{}", w.factor);
    if (w.plus != kNone) text += fmt::format("+v{}", w.plus);
    if (w.addend) text += fmt::format("{:+}", w.addend);
  }
  return text;
}

std::string print_op(const Unit& unit, const Op& op, unsigned n) {
  const OpcodeInfo& what = info(op.code);
  std::string line = what.result != ValueClass::None ? fmt::format("  v{} = {}", n, what.name) : fmt::format("  {}", what.name);
  if (op.code != Opcode::slide && (what.effect == Effect::Read || what.effect == Effect::Write || op.code == Opcode::check_nat)) {
    line += " " + location_name(op.imm);
  } else if (what.effect == Effect::Phi) {
    for (Value v : unit.phis[op.imm]) line += fmt::format(" v{}", v);
  } else if (op.imm || op.code == Opcode::constant) {
    line += fmt::format(" {:#x}", op.imm);
  }
  for (Value v : {op.a, op.b, op.c})
    if (v != kNone) line += fmt::format(" v{}", v);
  if (op.guard != kNone) line += fmt::format(" if v{}", op.guard);
  line += print_pending(unit, op.pending);
  if (op.insn) line += fmt::format("  ; bundle {} slot {} {}", op.insn->bundle, op.insn->slot, op_info(op.insn->op).name);
  return line + "\n";
}

std::string print_terminal(const Unit& unit, const Terminal& terminal, u32 pending) {
  std::string text;
  if (const auto* leave = std::get_if<Leave>(&terminal)) {
    text = fmt::format("  leave by exit {}", leave->exit);
  } else if (const auto* indirect = std::get_if<LeaveIndirect>(&terminal)) {
    text = fmt::format("  leave to v{}", indirect->target);
  } else if (const auto* next = std::get_if<Goto>(&terminal)) {
    text = fmt::format("  go to block {}", next->block);
  } else if (std::holds_alternative<Left>(terminal)) {
    text = "  left";
  } else {
    text = "  leave, mode unknown";
  }
  return text + print_pending(unit, pending) + "\n";
}

/// Checks a unit that has blocks.
class Verifier {
 public:
  explicit Verifier(const Unit& unit) : unit_(unit), block_of_(unit.ops.size()) {}
  std::string run() {
    for (u32 b = 0; b < unit_.blocks.size(); b++)
      for (u32 n = unit_.blocks[b].first; n < unit_.blocks[b].end; n++) block_of_[n] = b;
    find_dominators();
    for (u32 b = 0; b < unit_.blocks.size() && error_.empty(); b++) check_block(b);
    return error_;
  }

 private:
  /// Bit sets by block; reverse post-order makes one sweep exact unless loops are entered from the side.
  void find_dominators() {
    const size_t count = unit_.blocks.size();
    dominators_.assign(count, std::vector<bool>(count, true));
    for (bool changed = true; changed;) {
      changed = false;
      for (u32 b = 0; b < count; b++) {
        std::vector<bool> all(count, !unit_.blocks[b].preds.empty());
        for (u32 p : unit_.blocks[b].preds)
          for (u32 n = 0; n < count; n++) all[n] = all[n] && dominators_[p][n];
        all[b] = true;
        if (all != dominators_[b]) dominators_[b] = all, changed = true;
      }
    }
  }
  bool defined(Value v, u32 block, u32 before) const {
    if (v >= unit_.ops.size() || info(unit_.ops[v].code).result == ValueClass::None) return false;
    return block_of_[v] == block ? v < before : dominators_[block][block_of_[v]];
  }
  void check_operand(Value v, u32 block, u32 user) {
    if (!defined(v, block, user)) error_ = fmt::format("operation {}: operand v{} is not defined", user, v);
  }
  void check_pending(u32 list, u32 block, u32 user) {
    if (list >= unit_.lists.size()) error_ = fmt::format("operation {}: no such list of pending writes", user);
    else
      for (const PendingWrite& w : unit_.pending(list)) {
        check_operand(w.value, block, user);
        if (w.plus != kNone) check_operand(w.plus, block, user);
      }
  }
  void check_phi(const Op& op, u32 block, u32 n) {
    const std::vector<Value>& operands = unit_.phis[op.imm];
    const std::vector<u32>& preds = unit_.blocks[block].preds;
    if (operands.size() != preds.size()) {
      error_ = fmt::format("operation {}: {} operands for {} predecessors", n, operands.size(), preds.size());
      return;
    }
    for (size_t k = 0; k < preds.size(); k++)
      if (!defined(operands[k], preds[k], unit_.blocks[preds[k]].end))
        error_ = fmt::format("operation {}: v{} is not defined at the end of block {}", n, operands[k], preds[k]);
  }
  void check(const Op& op, u32 block, u32 n) {
    const OpcodeInfo& what = info(op.code);
    if (what.effect == Effect::Phi) return check_phi(op, block, n);
    const Value operands[] = {op.a, op.b, op.c};
    for (unsigned k = 0; k < 3; k++) {
      const bool may_lack_b = (op.code >= Opcode::load8 && op.code <= Opcode::fill64 && op.guard == kNone) || op.code == Opcode::direct_load ||
                              op.code == Opcode::direct_store;
      const bool optional = k == 1 && may_lack_b;
      if (k >= what.operands ? operands[k] != kNone : operands[k] == kNone && !optional)
        error_ = fmt::format("operation {}: wrong number of operands", n);
      if (operands[k] != kNone) check_operand(operands[k], block, n);
    }
    if (op.guard != kNone) check_operand(op.guard, block, n);
    check_pending(op.pending, block, n);
    if ((what.effect == Effect::Exit || what.effect == Effect::Call) && !op.insn)
      error_ = fmt::format("operation {}: no instruction", n);
    const bool to_exit = op.code == Opcode::exit_if || op.code == Opcode::call_branch || op.code == Opcode::frame_call || op.code == Opcode::next_round;
    if (to_exit && op.imm >= unit_.exits.size())
      error_ = fmt::format("operation {}: no such exit", n);
  }
  void check_block(u32 b) {
    const BasicBlock& block = unit_.blocks[b];
    for (u32 n = block.first; n < block.end && error_.empty(); n++) check(unit_.ops[n], b, n);
    if (!error_.empty()) return;
    if (const auto* leave = std::get_if<Leave>(&block.terminal); leave && leave->exit >= unit_.exits.size())
      error_ = "terminal names no exit";
    if (const auto* indirect = std::get_if<LeaveIndirect>(&block.terminal)) check_operand(indirect->target, b, block.end);
    check_pending(block.pending, b, block.end);
  }

  const Unit& unit_;
  std::vector<u32> block_of_;
  std::vector<std::vector<bool>> dominators_;
  std::string error_;
};

}  // namespace

const OpcodeInfo& info(Opcode code) {
  return kInfo[static_cast<unsigned>(code)];
}

void make_blocks(Unit& unit) {
  if (!unit.blocks.empty()) return;
  BasicBlock only;
  only.end = static_cast<u32>(unit.ops.size());
  only.terminal = unit.terminal;
  only.needed = unit.slots;
  unit.blocks.push_back(std::move(only));
  if (unit.lists.empty()) unit.lists.emplace_back();
}

Successors successors(const Unit& unit, const BasicBlock& block) {
  Successors s;
  if (block.end > block.first) {
    const Op& last = unit.ops[block.end - 1];
    const bool branches = last.code == Opcode::exit_if || last.code == Opcode::next_round;
    if (branches && unit.exits[last.imm].block != kOutside) s.to[s.count++] = unit.exits[last.imm].block;
  }
  if (const auto* next = std::get_if<Goto>(&block.terminal)) s.to[s.count++] = next->block;
  if (const auto* leave = std::get_if<Leave>(&block.terminal); leave && unit.exits[leave->exit].block != kOutside)
    s.to[s.count++] = unit.exits[leave->exit].block;
  return s;
}

void find_preds(Unit& unit) {
  for (BasicBlock& block : unit.blocks) block.preds.clear();
  for (u32 b = 0; b < unit.blocks.size(); b++) {
    const Successors s = successors(unit, unit.blocks[b]);
    for (unsigned k = 0; k < s.count; k++) unit.blocks[s.to[k]].preds.push_back(b);
  }
}

std::string print(const Unit& unit) {
  std::string text = fmt::format("block {:#x}.{} slots {} sof>={} mode {:#x}\n", unit.ip, unit.slot, unit.slots,
                                 unit.needed_sof, unit.mode.pack());
  Unit copy;
  const Unit* u = &unit;
  if (unit.blocks.empty()) copy = unit, make_blocks(copy), u = &copy;
  for (u32 b = 0; b < u->blocks.size(); b++) {
    const BasicBlock& block = u->blocks[b];
    if (u->blocks.size() > 1) text += fmt::format(" block {} depth {} from {}\n", b, block.depth, fmt::join(block.preds, " "));
    for (u32 n = block.first; n < block.end; n++) text += print_op(*u, u->ops[n], n);
    text += print_terminal(*u, block.terminal, block.pending);
  }
  for (unsigned n = 0; n < unit.exits.size(); n++) {
    const Exit& e = unit.exits[n];
    text += e.block == kOutside ? fmt::format("  exit {}: {:#x}.{}\n", n, e.ip, e.slot) : fmt::format("  exit {}: block {}\n", n, e.block);
  }
  return text;
}

std::string verify(const Unit& unit) {
  if (!unit.blocks.empty()) return Verifier(unit).run();
  Unit copy = unit;
  make_blocks(copy);
  return Verifier(copy).run();
}

}  // namespace ia64::cpu::ir
