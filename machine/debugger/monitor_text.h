// What `monitor` shows in a debugger beyond the commands of the control socket.
#pragma once

#include <string>
#include <string_view>

#include "cpu/core.h"

namespace ia64::machine::debugger {

/// `monitor regs`: general registers of the current frame as instructions name them now, rotation applied, a `*` behind those that
/// are NaT; branch registers and what governs them. CPU thread.
std::string registers_text(cpu::Core& core);
/// `monitor phys ADDRESS [LENGTH]`: a dump of physical memory. CPU thread. @param args what follows the command's name
std::string dump_physical(cpu::Core& core, std::string_view args);
/// `monitor help`: the commands of the control socket and those of the debugger alone.
std::string help_text();

}  // namespace ia64::machine::debugger
