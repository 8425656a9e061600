// What several verbs do.
#pragma once

#include "machine/host/console_pattern.h"
#include "machine/regression/execution.h"

namespace ia64::machine::regression {

/// Waits for a match behind the last one and goes on behind it. @param match  gets it
Outcome await_match(Execution& x, const Step& step, const ConsolePattern& pattern, std::optional<u64> within_ms, ConsolePattern::Match& match);
/// Hands bytes to the guest's console. @param wait  until the guest has taken them all
Outcome type_bytes(Execution& x, const Step& step, std::string_view bytes, bool wait);
/// Runs a control command that must succeed. @param result  gets what it brought
Outcome command(Execution& x, const Step& step, const Json& request, Json& result);
/// Waits for the end of the guest's process; everything it printed counts as seen.
Outcome await_end(Execution& x, const Step& step, int status, std::optional<u64> within_ms);
/// What a guest printed for a command, from behind the last match up to the next prompt: without the command's echo, which the guest
/// may have broken into lines, and without the newline at the end.
std::string without_echo(std::string_view printed, std::string_view command);

}  // namespace ia64::machine::regression
