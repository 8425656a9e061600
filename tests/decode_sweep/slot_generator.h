// Systematic and random encodings for the sweep.
#pragma once

#include <vector>

#include "objdump_comparison.h"

namespace ia64::sweep {

/// Bundles whose slots cover, for every unit,
///  - every major opcode with every value of the ten bits below it, `per_index` times with random remaining
///  bits, and
///  - every row of the instruction tables, `per_row` times, with operand fields drawn towards 0, 1, all ones
///  and equal
///    registers so that pseudo-operations and illegal operands occur.
/// The slots sit in all templates, with all stop positions.
/// @param seed  the same seed gives the same bundles
std::vector<Bundle> generate_bundles(u64 seed, unsigned per_index, unsigned per_row);

/// Bundles of the eight reserved templates with random slots.
std::vector<Bundle> generate_reserved_templates(u64 seed, unsigned count);

}  // namespace ia64::sweep
