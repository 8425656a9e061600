// The state of a processor as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cpu/core.h"

namespace ia64::machine {

/// Everything architected that software could see, and the interruptions taken. Layout: docs/bare.md.
nlohmann::ordered_json report_core(cpu::Core& core);

}  // namespace ia64::machine
