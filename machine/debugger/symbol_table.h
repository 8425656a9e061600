// Names of guest addresses: kernels, modules and EFI images.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/int_types.h"

namespace ia64::machine::debugger {

/// One name. Addresses are those instructions use: virtual ones of a kernel, physical ones of EFI programs.
struct Symbol {
  u64 address = 0;
  u64 size_bytes = 0;  ///< 0: unknown
  std::string name;
  bool preferred = false;  ///< of several names at one address the first preferred one is shown
};

/// An address as people say it: "start_kernel+0x20".
struct NearSymbol {
  const Symbol* symbol = nullptr;
  u64 offset = 0;
  std::string text() const;
};

/// Modules of symbols, each with the addresses it covers. One thread at a time.
class SymbolTable {
 public:
  /// Replaces the module of that name. Symbols come in any order; names that only assemblers use (".L1") are left out.
  void add(const std::string& module, std::vector<Symbol> symbols);
  void remove(const std::string& module) { modules_.erase(module); }
  bool empty() const { return modules_.empty(); }

  /// The last symbol at or below `address`, unless it and its whole module end before.
  std::optional<NearSymbol> find(u64 address) const;
  /// "name+0x10", or empty where nothing is known.
  std::string name_of(u64 address) const;
  std::optional<u64> address_of(std::string_view name) const;
  /// Names that begin with `prefix`, in alphabetical order. @param most at most so many
  std::vector<std::string> names(std::string_view prefix, size_t most) const;

  struct ModuleInfo {
    std::string name;
    size_t symbols;
    u64 begin, end;  ///< addresses covered
  };
  std::vector<ModuleInfo> modules() const;

 private:
  struct Module {
    std::vector<Symbol> by_address;
    std::vector<u32> by_name;  // places in by_address
    u64 end = 0;               // of the last symbol
  };
  std::map<std::string, Module> modules_;
};

}  // namespace ia64::machine::debugger
