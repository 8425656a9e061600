// Results of commands for people: labels, tables, lists.
#pragma once

#include <string>

#include "machine/control/command.h"

namespace ia64::machine::control {

/// Any result as lines of text, each with its newline; empty for an empty one. Lists of alike objects become tables, numbers
/// of bytes get a unit.
std::string report_text(const Json& result);

/// The result of `help`: a line for each command, or the arguments of one.
std::string help_text(const Json& result);

/// An event in one line, without a newline.
std::string event_text(const Json& event);

}  // namespace ia64::machine::control
