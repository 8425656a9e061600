// Switches of the translator by name.
#include "cpu/jit/optimisations.h"

#include <fmt/format.h>

#include <algorithm>

namespace ia64::cpu {

namespace {

struct Row {
  const char* name;
  const char* what;
  bool Optimisations::*on;
};
constexpr Row kRows[] = {
#define OPTIMISATION(name, what) {#name, what, &Optimisations::name},
#include "cpu/jit/optimisations.inc"
#undef OPTIMISATION
};

}  // namespace

bool Optimisations::set(std::string_view name, bool on) {
  bool found = false;
  for (const Row& row : kRows)
    if (name == row.name || name == "all") this->*row.on = on, found = true;
  return found;
}

std::string Optimisations::switch_off(std::string_view list) {
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    if (!set(name, false)) return std::string(name);
    list.remove_prefix(std::min(list.size(), name.size() + 1));
  }
  return {};
}

std::string Optimisations::names() {
  std::string text;
  for (const Row& row : kRows) text += (text.empty() ? "" : ",") + std::string(row.name);
  return text;
}

std::string Optimisations::describe() {
  std::string text;
  for (const Row& row : kRows) text += fmt::format("{:<20} {}\n", row.name, row.what);
  return text;
}

}  // namespace ia64::cpu
