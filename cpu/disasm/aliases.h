// Pseudo-operations: shorter names that objdump prefers for special operands of a row.
#pragma once

#include "cpu/decode/insn.h"

namespace ia64::cpu {

struct Alias {
  const char* row;                      ///< OpInfo::name
  bool (*applies)(const Insn& insn);
  const char* text;                     ///< template as in the rows
};

/// All aliases; for one row the first that applies wins.
const Alias* alias_begin();
const Alias* alias_end();

}  // namespace ia64::cpu
