// What firmware shows when code that runs before an operating system takes an interruption nobody handles.
#pragma once

#include <string>

#include "firmware/guest_cpu.h"

namespace ia64::firmware {

/// Name of vector n of the table (0..67). @source SDM vol. 2, table 5-7
const char* vector_name(unsigned n);
/// Register dump for the console: a screenful, lines end in '\n'.
std::string crash_text(GuestCpu& cpu, unsigned vector);

}  // namespace ia64::firmware
