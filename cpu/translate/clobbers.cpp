// Handlers whose rows declare everything they write.
#include "cpu/translate/clobbers.h"

#include "cpu/decode/op_info.h"

namespace ia64::cpu::ir {

namespace {

/// Formats of plain computation and memory access: no branch, system, application or predicate-file registers.
bool plain_format(Format f) {
  using enum Format;
  switch (f) {
    case A1: case A2: case A3: case A4: case A5: case A6: case A7: case A8: case A9: case A10:
    case I1: case I2: case I3: case I4: case I5: case I6: case I7: case I8: case I9: case I10: case I11: case I12:
    case I13: case I14: case I15: case I16: case I17: case I22: case I25: case I28: case I29: case I30:
    case M1: case M2: case M3: case M4: case M5: case M6: case M7: case M8: case M9: case M10: case M11: case M12:
    case M16: case M17: case M18: case M19:
    case F1: case F2: case F3: case F4: case F5: case F6: case F7: case F8: case F9: case F10: case F11: case X2: return true;
    default: return false;
  }
}

}  // namespace

bool writes_only_declared(const Insn& i) { return plain_format(op_info(i.op).format) && !(i.flags & kEndsBlock); }

Clobbers clobbers_of(const Op& op) {
  Clobbers c;
  if (op.code == Opcode::gather_predicates || op.code == Opcode::spread_predicates) {
    c.everything = false, c.all_predicates = op.code == Opcode::spread_predicates;
    return c;
  }
  if (op.code != Opcode::call || !op.insn || !op.insn->op) return c;
  const OpInfo& row = op_info(op.insn->op);
  if (!writes_only_declared(*op.insn)) return c;
  c.everything = false;
  if (row.flags & op_flag::kWritesR1) c.general[0] = op.insn->r1;
  if (row.flags & op_flag::kWritesR3) c.general[1] = op.insn->r3;
  if (row.flags & op_flag::kWritesP1) c.predicate[0] = op.insn->p1;
  if (row.flags & op_flag::kWritesP2) c.predicate[1] = op.insn->p2;
  return c;
}

}  // namespace ia64::cpu::ir
