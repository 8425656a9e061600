// Opcode table, printer and verifier of the intermediate form.
#include "cpu/translate/ir.h"

#include <fmt/format.h>

namespace ia64::cpu::ir {

namespace {

constexpr OpcodeInfo kInfo[] = {
#define OP(name, operands, result, effect) {#name, operands, result, Effect::effect},
#include "cpu/translate/opcodes.inc"
#undef OP
};

std::string location_name(u64 packed) {
  constexpr const char* kFiles[] = {"r", "rot.r", "p", "rot.p", "b", "lc", "ar"};
  const Location l = Location::unpack(packed);
  return fmt::format("{}{}", kFiles[static_cast<unsigned>(l.file)], l.index);
}

std::string print_op(const Op& op, unsigned n) {
  const OpcodeInfo& what = info(op.code);
  std::string line = what.result ? fmt::format("  v{} = {}", n, what.name) : fmt::format("  {}", what.name);
  if (what.effect == Effect::Read || what.effect == Effect::Write || op.code == Opcode::check_nat) {
    line += " " + location_name(op.imm);
  } else if (op.imm || op.code == Opcode::constant) {
    line += fmt::format(" {:#x}", op.imm);
  }
  for (Value v : {op.a, op.b, op.c})
    if (v != kNone) line += fmt::format(" v{}", v);
  if (op.guard != kNone) line += fmt::format(" if v{}", op.guard);
  if (op.insn) line += fmt::format("  ; bundle {} slot {}", op.insn->bundle, op.insn->slot);
  return line + "\n";
}

class Verifier {
 public:
  explicit Verifier(const Unit& unit) : unit_(unit) {}
  std::string run() {
    for (unsigned n = 0; n < unit_.ops.size() && error_.empty(); n++) check(unit_.ops[n], n);
    if (const auto* leave = std::get_if<Leave>(&unit_.terminal); leave && leave->exit >= unit_.exits.size())
      error_ = "terminal names no exit";
    if (const auto* indirect = std::get_if<LeaveIndirect>(&unit_.terminal))
      check_operand(indirect->target, static_cast<unsigned>(unit_.ops.size()));
    return error_;
  }

 private:
  void check_operand(Value v, unsigned user) {
    if (v >= user || !info(unit_.ops[v].code).result) {
      error_ = fmt::format("operation {}: operand v{} is not defined", user, v);
    } else if (v < last_call_ && unit_.ops[v].code != Opcode::constant) {
      error_ = fmt::format("operation {}: v{} lives across a call", user, v);
    }
  }
  void check(const Op& op, unsigned n) {
    const OpcodeInfo& what = info(op.code);
    const Value operands[] = {op.a, op.b, op.c};
    for (unsigned k = 0; k < 3; k++) {
      const bool optional = k == 1 && op.code >= Opcode::load8 && op.code <= Opcode::load64 && op.guard == kNone;
      if (k >= what.operands ? operands[k] != kNone : operands[k] == kNone && !optional)
        error_ = fmt::format("operation {}: wrong number of operands", n);
      if (operands[k] != kNone) check_operand(operands[k], n);
    }
    if (op.guard != kNone) check_operand(op.guard, n);
    if ((what.effect == Effect::Exit || what.effect == Effect::Call) && !op.insn)
      error_ = fmt::format("operation {}: no instruction", n);
    const bool to_exit = op.code == Opcode::exit_if || op.code == Opcode::call_branch || op.code == Opcode::frame_call;
    if (to_exit && op.imm >= unit_.exits.size())
      error_ = fmt::format("operation {}: no such exit", n);
    if (what.effect == Effect::Call) last_call_ = n;
  }

  const Unit& unit_;
  unsigned last_call_ = 0;
  std::string error_;
};

}  // namespace

const OpcodeInfo& info(Opcode code) {
  return kInfo[static_cast<unsigned>(code)];
}

std::string print(const Unit& unit) {
  std::string text = fmt::format("block {:#x}.{} slots {} sof>={} mode {:#x}\n", unit.ip, unit.slot, unit.slots,
                                 unit.needed_sof, unit.mode.pack());
  for (unsigned n = 0; n < unit.ops.size(); n++) text += print_op(unit.ops[n], n);
  for (unsigned n = 0; n < unit.exits.size(); n++)
    text += fmt::format("  exit {}: {:#x}.{}\n", n, unit.exits[n].ip, unit.exits[n].slot);
  if (const auto* leave = std::get_if<Leave>(&unit.terminal)) {
    text += fmt::format("  leave by exit {}\n", leave->exit);
  } else if (const auto* indirect = std::get_if<LeaveIndirect>(&unit.terminal)) {
    text += fmt::format("  leave to v{}\n", indirect->target);
  } else if (std::holds_alternative<Left>(unit.terminal)) {
    text += "  left\n";
  } else {
    text += "  leave, mode unknown\n";
  }
  return text;
}

std::string verify(const Unit& unit) {
  return Verifier(unit).run();
}

}  // namespace ia64::cpu::ir
