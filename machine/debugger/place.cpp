// Parser of address expressions.
#include "machine/debugger/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "machine/bare/registers_by_name.h"

namespace ia64::machine::debugger {
namespace {

std::optional<unsigned> numbered(std::string_view name, char file, unsigned count) {
  unsigned n = 0;
  if (name.size() < 2 || name[0] != file) return std::nullopt;
  const auto [end, bad] = std::from_chars(name.data() + 1, name.data() + name.size(), n);
  if (bad != std::errc{} || end != name.data() + name.size() || n >= count) return std::nullopt;
  return n;
}

std::optional<u64> register_value(cpu::Core& core, std::string_view name) {
  const cpu::Registers& r = core.regs();
  if (name == "ip" || name == "pc") return r.ip | r.slot;
  if (name == "sp") return r.gr(12);
  if (const auto n = numbered(name, 'r', 32u + r.cfm.sof)) return r.gr(*n);
  if (const auto n = numbered(name, 'b', 8)) return r.br[*n];
  for (const NamedRegister& named : named_registers())
    if (named.name == name) return named.get(core);
  return std::nullopt;
}

Result<u64> parse_term(cpu::Core& core, const SymbolTable& symbols, std::string_view term) {
  if (!term.empty() && std::isdigit(static_cast<unsigned char>(term[0]))) return parse_number(term);
  if (const auto address = symbols.address_of(term)) return *address;
  if (const auto value = register_value(core, term.starts_with('$') ? term.substr(1) : term)) return *value;
  return Error{ErrorKind::NotFound, fmt::format("'{}' is no number, symbol or register", term)};
}

}  // namespace

Result<u64> parse_number(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = hex ? text.substr(2) : text;
  u64 value = 0;
  const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
  if (bad != std::errc{} || end != digits.data() + digits.size())
    return Error{ErrorKind::Invalid, fmt::format("'{}' is not a number; write 32 or 0x20", text)};
  return value;
}

Result<u64> parse_place(cpu::Core& core, const SymbolTable& symbols, std::string_view text) {
  u64 sum = 0;
  for (char sign = '+'; sign;) {
    const size_t end = std::min(text.find_first_of("+-"), text.size());
    auto term = parse_term(core, symbols, text.substr(0, end));
    if (!term) return term;
    sum = sign == '+' ? sum + *term : sum - *term;
    sign = end < text.size() ? text[end] : 0;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sum;
}

}  // namespace ia64::machine::debugger
