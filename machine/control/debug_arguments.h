// What the commands for people who debug a guest have in common.
#pragma once

#include <string>

#include "machine/control/command.h"
#include "machine/debugger/desk.h"

namespace ia64::machine::control {

/// "0x20".
std::string hex(u64 value);
/// The desk of the run. Handlers of Where::Machine.
debugger::Desk& desk_of(Call& call);
/// Argument `name` as an address; `otherwise` when it was not given. @returns Invalid or NotFound naming what is wrong
Result<u64> place_of(Call& call, const char* name, u64 otherwise = 0);
/// Argument `name` as a number of 1 to `most`.
Result<u64> count_of(Call& call, const char* name, u64 otherwise, u64 most);
/// @returns Unsupported under --engine lockstep, whose two engines go together
Result<void> check_one_engine(Call& call);

/// An image as events and lists show it.
Json describe_image(const debugger::Desk::Image& image);

}  // namespace ia64::machine::control
