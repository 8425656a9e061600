// Floating-point registers in host form, as generated code keeps them.
#pragma once

#include "base/int_types.h"

namespace ia64::cpu {

/// While generated code runs, a floating-point register may live here instead of in Registers::fr_phys, in a form that the
/// host computes with. Everybody else finds all registers in register format: generated code puts them back whenever it
/// is left, and those of an instruction before it calls the instruction's handler.
struct FloatFile {
  enum Form : u8 {
    kRegister = 0,  ///< in Registers::fr_phys
    kDouble = 1,    ///< `value` holds the bits of an IEEE double, not denormal, that loads as the register
    kInteger = 2,   ///< `value` is the significand of a register with the exponent of integers
    kNatural = 3,   ///< `value` is the number that the register holds, normalised in the widest format
    kDeferred = 4,  ///< `value` is the address of a jit::FloatRecord, from which the register can be computed
  };
  u64 value[128] = {};  ///< physical numbering, as fr_phys
  u8 form[128] = {};
  u8 active = 0;  ///< generated code uses forms, or gathers the Inexact flag of status field 0 in MXCSR
};

}  // namespace ia64::cpu
