// Addresses as people type them.
#pragma once

#include <string_view>

#include "base/result.h"
#include "cpu/core.h"
#include "machine/debugger/symbol_table.h"

namespace ia64::machine::debugger {

/// A number as C writes it, a symbol, or a register's name (`ip`, `r12`, `b0`, `cr.iip`), each with "+number" or "-number" behind it
/// as often as one likes. CPU thread. @returns Invalid, or NotFound naming what is unknown
Result<u64> parse_place(cpu::Core& core, const SymbolTable& symbols, std::string_view text);

/// A number as C writes it: 0x20, 32. @returns Invalid for anything else
Result<u64> parse_number(std::string_view text);

}  // namespace ia64::machine::debugger
