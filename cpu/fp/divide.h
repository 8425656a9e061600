// Correctly rounded quotients and square roots, for the operands where the reciprocal approximations must not
// be refined by software. The guest never divides through these otherwise.
#pragma once

#include "cpu/fp/round.h"

namespace ia64::cpu::fp {

/// a / b, both nonzero.
Exact quotient(const Number& a, const Number& b) noexcept;

/// Square root of a positive nonzero number.
Exact square_root(const Number& a) noexcept;

}  // namespace ia64::cpu::fp
