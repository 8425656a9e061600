// Numbers that a test takes from the environment.
#pragma once

#include <cstdlib>

#include "base/int_types.h"

namespace ia64::test {

/// What the variable `name` says, in C notation; `otherwise` when it is not set.
inline u64 number_from_environment(const char* name, u64 otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

}  // namespace ia64::test
