// An inspection tree as JSON text.
#pragma once

#include <string>

#include "base/inspect.h"

namespace ia64::machine {

/// What `component` shows of itself, indented. Numbers stay numbers; sub-trees are objects. The component must be at rest.
std::string inspect_json(const Inspectable& component);

}  // namespace ia64::machine
