// Guest code as people read it: addresses with symbols, instructions with the names of their targets.
#pragma once

#include <string>
#include <vector>

#include "cpu/core.h"
#include "machine/debugger/symbol_table.h"

namespace ia64::machine::debugger {

/// One instruction.
struct CodeLine {
  u64 address = 0;      ///< of the bundle, with the slot (0..2)
  std::string symbol;   ///< "start_kernel+0x10"; empty where nothing is known
  std::string text;     ///< as objdump prints it, template and predicate columns included; branch targets named
  bool next = false;    ///< the processor stands before it
};

/// Up to `count` instructions from the bundle of `address` on, as the running program sees memory. Ends where memory does.
/// CPU thread.
std::vector<CodeLine> list_code(cpu::Core& core, const SymbolTable& symbols, u64 address, unsigned count);

/// The instruction in a slot of a bundle's 16 bytes, without the columns: "(p06) br.cond.sptk.few 0x4000 <start>".
std::string instruction_line(const u8* bundle, u64 bundle_address, unsigned slot, const SymbolTable& symbols);

/// "0xa000000100000020 <start_kernel+0x20>"; the address alone where nothing is known.
std::string place_text(const SymbolTable& symbols, u64 address);

}  // namespace ia64::machine::debugger
