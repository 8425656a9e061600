// The packets of the GDB protocol that read and write registers and memory.
#pragma once

#include <string>
#include <string_view>

#include "cpu/core.h"

namespace ia64::machine::debugger {

/// Whether a payload is one of g, G, p, P, m, M and X.
bool is_core_packet(std::string_view payload);
/// Does what it says. CPU thread, outside run(). @returns the reply's payload: data, OK, or E and an error number
std::string answer_core_packet(cpu::Core& core, std::string_view payload);

}  // namespace ia64::machine::debugger
