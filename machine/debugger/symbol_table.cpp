// Look-up of symbols by address and by name.
#include "machine/debugger/symbol_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace ia64::machine::debugger {
namespace {

bool is_of_assembler(const std::string& name) { return name.empty() || name.starts_with(".L") || name[0] == '$'; }

bool comes_before(const Symbol& a, const Symbol& b) {
  return a.address != b.address ? a.address < b.address : a.preferred > b.preferred;
}

}  // namespace

std::string NearSymbol::text() const { return offset ? fmt::format("{}+{:#x}", symbol->name, offset) : symbol->name; }

void SymbolTable::add(const std::string& module, std::vector<Symbol> symbols) {
  std::erase_if(symbols, [](const Symbol& s) { return is_of_assembler(s.name); });
  if (symbols.empty()) return remove(module);
  std::stable_sort(symbols.begin(), symbols.end(), comes_before);
  Module m{.by_address = std::move(symbols), .by_name = {}};
  for (u32 n = 0; n < m.by_address.size(); n++) {
    m.by_name.push_back(n);
    m.end = std::max(m.end, m.by_address[n].address + m.by_address[n].size_bytes);
  }
  std::stable_sort(m.by_name.begin(), m.by_name.end(),
                   [&](u32 a, u32 b) { return m.by_address[a].name < m.by_address[b].name; });
  modules_[module] = std::move(m);
}

std::optional<NearSymbol> SymbolTable::find(u64 address) const {
  std::optional<NearSymbol> best;
  for (const auto& [name, m] : modules_) {
    auto at = std::upper_bound(m.by_address.begin(), m.by_address.end(), address,
                               [](u64 a, const Symbol& s) { return a < s.address; });
    if (at == m.by_address.begin() || address >= std::max(m.end, m.by_address.back().address + 1)) continue;
    --at;
    at = std::lower_bound(m.by_address.begin(), at, at->address, [](const Symbol& s, u64 a) { return s.address < a; });
    if (!best || address - at->address < best->offset) best = NearSymbol{&*at, address - at->address};
  }
  return best;
}

std::string SymbolTable::name_of(u64 address) const {
  const auto found = find(address);
  return found ? found->text() : std::string();
}

std::optional<u64> SymbolTable::address_of(std::string_view name) const {
  for (const auto& [module, m] : modules_) {
    const auto at = std::lower_bound(m.by_name.begin(), m.by_name.end(), name,
                                     [&](u32 n, std::string_view wanted) { return m.by_address[n].name < wanted; });
    if (at != m.by_name.end() && m.by_address[*at].name == name) return m.by_address[*at].address;
  }
  return std::nullopt;
}

std::vector<std::string> SymbolTable::names(std::string_view prefix, size_t most) const {
  std::vector<std::string> out;
  for (const auto& [module, m] : modules_) {
    auto at = std::lower_bound(m.by_name.begin(), m.by_name.end(), prefix,
                               [&](u32 n, std::string_view wanted) { return m.by_address[n].name < wanted; });
    for (; at != m.by_name.end() && out.size() < most && m.by_address[*at].name.starts_with(prefix); ++at)
      out.push_back(m.by_address[*at].name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<SymbolTable::ModuleInfo> SymbolTable::modules() const {
  std::vector<ModuleInfo> out;
  for (const auto& [name, m] : modules_) out.push_back({name, m.by_address.size(), m.by_address.front().address, m.end});
  return out;
}

}  // namespace ia64::machine::debugger
