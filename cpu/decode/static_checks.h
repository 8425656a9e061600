// Operands that are illegal whatever the machine state.
#pragma once

#include "cpu/decode/op_info.h"

namespace ia64::cpu {

enum class StaticFault : u8 {
  None,
  IfPredicated,  ///< Illegal Operation when the qualifying predicate is true
  Always,        ///< Illegal Operation whatever the predicate
};

/// Judges a decoded slot whose fields are filled.
/// @source SDM vol. 3, ch. 2 (operation sections: check_target_register, fp_check_target_register and the like)
StaticFault static_fault(const OpInfo& op, const Insn& insn) noexcept;

}  // namespace ia64::cpu
