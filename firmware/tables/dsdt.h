// The DSDT: the board's ACPI namespace as AML.
#pragma once

#include <vector>

#include "firmware/board_description.h"

namespace ia64::firmware {

/// The DSDT's term list, without table header: processors, PCI roots, console UART, reserved chips, sleep
/// states.
/// @source ACPI 2.0, chapters 5-8; platform reference 7.2
std::vector<u8> build_dsdt_body(const BoardDescription& board);

}  // namespace ia64::firmware
