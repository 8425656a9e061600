// What a compiler's unwind descriptors say of one place in a function.
#pragma once

#include <span>

#include "base/int_types.h"

namespace ia64::machine::debugger {

/// Where the values are that a function's caller had.
struct UnwindState {
  struct Place {
    enum class Kind : u8 {
      Untouched,     ///< still where the caller left it
      General,       ///< general register `value`
      Branch,        ///< branch register `value`
      PspRelative,   ///< memory at the caller's stack pointer + `value` bytes
      SpRelative,    ///< memory at the stack pointer + `value` bytes
      StackPointer,  ///< of the caller's stack pointer: the stack pointer + `value` bytes
    } kind = Kind::Untouched;
    i64 value = 0;
  };
  Place rp, pfs, psp;
  bool interruption = false;  ///< the "function" is an interruption handler of Linux: its caller's state is a struct pt_regs
};

/// Reads the descriptors of one function. They may be damaged: then what is known up to there counts.
/// @param descriptors  the area behind the header of the function's unwind information
/// @param slot  place in the function: three for each bundle from its first one on
/// @source Itanium Software Conventions and Runtime Architecture Guide (245358), 11.4 and appendix A
UnwindState unwind_state(std::span<const u8> descriptors, u64 slot);

}  // namespace ia64::machine::debugger
