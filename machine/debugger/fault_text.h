// Interruptions as sentences: what the processor was doing, what stopped it and why.
#pragma once

#include <string>

#include "cpu/core.h"
#include "machine/debugger/symbol_table.h"

namespace ia64::machine::debugger {

/// How an interruption is sorted for traces.
enum class FaultClass : u8 {
  Fault,     ///< what a program did or a page does not allow
  Break,     ///< break instructions: system calls
  Miss,      ///< TLB and VHPT misses, first uses of pages: the routine of an operating system
  External,  ///< external interrupts
};
FaultClass class_of(cpu::Vector vector);

/// The interruption as one sentence or two: "Data TLB fault at memcpy+0x20 ...". Where a translation exists, that of now is named.
/// CPU thread.
std::string fault_text(cpu::Core& core, const SymbolTable& symbols, const cpu::InterruptionRecord& record);

/// What ISR says, by the manual's names: "code 0x11 (register NaT, fc), w, na, ei 1". @source SDM vol. 2, 8.3 and table 8-1 to 8-3
std::string isr_text(cpu::Vector vector, u64 isr);
/// What governs execution: "cpl 3, translation of code, data and register stack on, interrupts on, collection on, bank 1".
std::string mode_text(u64 psr);

}  // namespace ia64::machine::debugger
