// The %-fields of the rows' text templates.
#pragma once

#include <string>
#include <string_view>

#include "cpu/decode/insn.h"

namespace ia64::cpu {

/// Appends one operand or completer of an instruction to `out`.
using OperandPrinter = void (*)(std::string& out, const Insn& insn, u64 ip);

/// The printer of field `name` ("r1", "target", "bwh"...), or nullptr.
OperandPrinter operand_printer(std::string_view name);

}  // namespace ia64::cpu
