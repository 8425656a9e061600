// What a sub-command gives to main: options on a CLI11 sub-command and the function to run afterwards.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace ia64::cli {

/// Runs the command after parsing; returns the exit status. Throws nothing.
using Run = std::function<int()>;

#define COMMAND(name, help, add) Run add(CLI::App& command);
#include "tools/cli/commands.inc"
#undef COMMAND

/// Prints one line on standard error and returns 2, the status of bad usage or configuration.
int usage_error(const char* text);

}  // namespace ia64::cli
