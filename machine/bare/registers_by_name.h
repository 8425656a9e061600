// Architected registers by their assembler names, for bare programs and dumps.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cpu/core.h"

namespace ia64::machine {

/// A register that a bare program can read and set as one 64-bit value.
struct NamedRegister {
  std::string name;  ///< "ar.lc", "cr.iva", "rr3"
  std::function<u64(cpu::Core&)> get;
  std::function<void(cpu::Core&, u64)> set;  ///< empty: read only
};

/// Every application register, control register, rr, pkr, ibr, dbr, pmc and pmd; built once.
const std::vector<NamedRegister>& named_registers();

/// Sets any register: r0..r127 (`r5.nat` for its NaT bit), f2..f127 (`SIGN_EXPONENT:SIGNIFICAND`), p1..p63, pr, b0..b7, psr, cfm,
/// ip, and the named ones above. @returns Invalid naming the register or value
Result<void> set_register(cpu::Core& core, const std::string& name, const std::string& value);

}  // namespace ia64::machine
