// The translator's optimisations as switches.
#pragma once

#include <string>
#include <string_view>

namespace ia64::cpu {

/// One switch for each row of optimisations.inc; all are on at first.
struct Optimisations {
#define OPTIMISATION(name, what) bool name = true;
#include "cpu/jit/optimisations.inc"
#undef OPTIMISATION

  /// Sets the switch called `name`. @returns false when there is none
  bool set(std::string_view name, bool on);
  /// Switches off what a comma-separated list names; `all` names everything. @returns the first unknown name, or an empty text
  std::string switch_off(std::string_view list);
  /// Names of all switches, in the order of the list, separated by commas.
  static std::string names();
  /// One line for each switch: name and what it does.
  static std::string describe();
};

}  // namespace ia64::cpu
