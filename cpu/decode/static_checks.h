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
/// @source SDM vol. 3, ch. 2 (operation sections: check_target_register, fp_check_target_register and the
/// like)
StaticFault static_fault(const OpInfo& op, const Insn& insn) noexcept;

/// Handler of frcpa, frsqrta and their parallel forms with an FR target that cannot be written: predicated
/// off they still clear p2, else they raise Illegal Operation. @source SDM vol. 3, frcpa
Next illegal_approximation(Core& core, const Insn& insn) noexcept;

}  // namespace ia64::cpu
