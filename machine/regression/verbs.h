// The verbs of steps: one row each.
#pragma once

#include <vector>

#include "machine/regression/step_reader.h"

namespace ia64::machine::regression {

struct Verb {
  const char* name;
  const char* syntax;  ///< what follows the name
  const char* help;
  /// Reads the step. The action is used only when no diagnostic was added.
  Action (*read)(StepReader&);
};

/// All of them, in the order of the documentation.
const std::vector<Verb>& verbs();

// One list for each subject; verbs() joins them.
std::vector<Verb> guest_verbs();
std::vector<Verb> console_verbs();
std::vector<Verb> check_verbs();
std::vector<Verb> flow_verbs();

}  // namespace ia64::machine::regression
