// Names the differences between two register files.
#pragma once

#include <string>

#include "cpu/arch/registers.h"

namespace ia64::test {

/// One line for each architected register that differs, at most `limit`; empty when there is none.
std::string differences(const cpu::Registers& expected, const cpu::Registers& actual, unsigned limit = 12);

}  // namespace ia64::test
