// Who called whom.
#pragma once

#include <string>
#include <vector>

#include "cpu/core.h"
#include "machine/debugger/symbol_table.h"

namespace ia64::machine::debugger {

/// Frames, innermost first, and why the list ends.
struct Backtrace {
  struct Frame {
    u64 ip = 0;          ///< of the innermost frame: where it goes on; of others: where the call returns to
    u64 bsp = 0;         ///< where r32 lies, once it is stored
    std::string symbol;
    bool interrupted = false;  ///< the frame before is that of an interruption handler, which came between two instructions of this one
  };
  std::vector<Frame> frames;
  std::string end;
  bool by_tables = false;  ///< unwind tables said where callers are kept, of all frames
};

/// Follows return addresses and AR.PFS values to where functions put them. A kernel's unwind table says where that is, when symbols
/// name it (`__start_unwind`, `__end_unwind`, `_text`); Linux's interruption frames are followed too. Of other functions the beginnings
/// are read (`alloc rX=ar.pfs`, `mov rY=b0`), which compilers write into every function that calls others. Needs symbols, which say
/// where functions begin. CPU thread.
/// @source Itanium Software Conventions and Runtime Architecture Guide (245358), 11; Linux, arch/ia64 struct pt_regs
Backtrace trace_callers(cpu::Core& core, const SymbolTable& symbols);

}  // namespace ia64::machine::debugger
