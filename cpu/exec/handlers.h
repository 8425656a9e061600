// Declarations of all instruction handlers, one per row of the decode tables.
#pragma once

#include "cpu/decode/insn.h"

namespace ia64::cpu {

#define INST(format, text, handler, flags, picture) Next handler(Core&, const Insn&) noexcept;
#include "cpu/decode/a_unit.inc"
#include "cpu/decode/b_unit.inc"
#include "cpu/decode/f_unit.inc"
#include "cpu/decode/i_unit.inc"
#include "cpu/decode/m_unit.inc"
#include "cpu/decode/x_unit.inc"
#undef INST

/// Stands in for reserved encodings and for statically illegal operands: raises Illegal Operation.
/// Defined by the engine (cpu/exec/system.cpp). @source SDM vol. 2, 5.6 (General Exception)
Next illegal_operation(Core&, const Insn&) noexcept;

}  // namespace ia64::cpu
