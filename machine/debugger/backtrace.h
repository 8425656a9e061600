// Who called whom, without unwind tables.
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
  };
  std::vector<Frame> frames;
  std::string end;
};

/// Follows return addresses and AR.PFS values to where the beginnings of functions put them (`alloc rX=ar.pfs`, `mov rY=b0`), which
/// compilers do in every function that calls others. Needs symbols, which say where functions begin. CPU thread.
Backtrace trace_callers(cpu::Core& core, const SymbolTable& symbols);

}  // namespace ia64::machine::debugger
