// Saving and loading of state in tests.
#pragma once

#include <string>
#include <vector>

#include "base/state_archive.h"

namespace ia64::testing {

template <class T>
std::vector<u8> saved_state(T& part) {
  StateArchive a;
  part.visit_state(a);
  return a.saved();
}

/// @returns what was wrong; empty when the state was taken whole
template <class T>
std::string load_state(T& part, std::span<const u8> bytes) {
  StateArchive a(bytes);
  part.visit_state(a);
  if (a.ok() && a.left()) return "too long";
  return a.error();
}

}  // namespace ia64::testing
