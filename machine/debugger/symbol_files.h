// Symbols from the files that linkers leave: ELF symbol tables and System.map.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/debugger/symbol_table.h"

namespace ia64::machine::debugger {

/// One `--symbols FILE` or `--symbols FILE@EFI-NAME`.
struct SymbolFile {
  std::string path;
  std::string efi_name;  ///< last part of the file name of an EFI image, in upper case; empty: addresses are final
  std::vector<Symbol> symbols;
};

/// Reads an ELF file with a symbol table or a System.map, either of them plain or gzipped.
/// @param argument FILE or FILE@EFI-NAME
Result<SymbolFile> read_symbol_file(const std::string& argument);

/// The functions and data of `.symtab`, else of `.dynsym`. Untrusted input. @returns Invalid saying what is wrong
Result<std::vector<Symbol>> elf_symbols(std::span<const u8> file);
/// Lines of "address type name"; types as nm prints them. Undefined and absolute symbols are left out.
Result<std::vector<Symbol>> map_symbols(std::string_view text);

}  // namespace ia64::machine::debugger
