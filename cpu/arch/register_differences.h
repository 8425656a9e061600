// Names the differences between two register files.
#pragma once

#include <string>

#include "cpu/arch/registers.h"

namespace ia64::cpu {

/// One line for each architected register that differs between the interpreter's state and the translator's, at most `limit`;
/// empty when there is none.
std::string register_differences(const Registers& expected, const Registers& actual, unsigned limit = 12);

}  // namespace ia64::cpu
