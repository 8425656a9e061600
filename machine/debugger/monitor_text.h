// What `monitor` shows in a debugger: the commands of the control socket as text, and a few of its own.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cpu/core.h"
#include "machine/control/command.h"

namespace ia64::machine::debugger {

/// A reply of the control socket for people: `name: value`, indented where it nests.
std::string to_lines(const control::Json& json);
/// `monitor phys ADDRESS [LENGTH]`: a dump of physical memory. CPU thread. @param args what follows the command's name
std::string dump_physical(cpu::Core& core, std::string_view args);
/// `monitor help`: the commands of the control socket and those of the debugger alone.
std::string help_text();

}  // namespace ia64::machine::debugger
