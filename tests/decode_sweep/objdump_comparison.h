// Compares our disassembly of a list of bundles with GNU objdump's, line by line.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/int_types.h"

namespace ia64::sweep {

using Bundle = std::array<u8, 16>;

/// True when objdump for ia64 can be run.
bool objdump_available();

/// What a comparison found.
struct Tally {
  u64 slots = 0;                          ///< lines compared
  u64 different = 0;                      ///< of these, differences no rule of differences.cpp explains
  std::map<std::string, u64> deliberate;  ///< explained differences, by rule
  std::map<u16, u64> rows;                ///< unexplained differences by row (Insn::op)
  std::vector<std::string> examples;      ///< a few unexplained ones of each row, both texts
  void add(const Tally& other);
};

/// Disassembles `bundles` at address `base` with both and compares.
/// @returns the findings; a failure to run objdump counts as a difference
Tally compare_with_objdump(const std::vector<Bundle>& bundles, u64 base);

}  // namespace ia64::sweep
