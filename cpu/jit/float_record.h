// Registers that a division or root left behind, not computed yet.
#pragma once

#include <vector>

#include "cpu/arch/float_file.h"
#include "cpu/arch/registers.h"
#include "cpu/decode/insn.h"

namespace ia64::cpu::jit {

/// The operands of the last run of one division or root sequence in generated code (ir::FloatSequence). The registers that it left hold
/// FloatFile::kDeferred and the record's address. Nothing that the code does afterwards changes what they are: another run of the
/// same code writes them all, and generated code puts them into register format when it is left.
struct FloatRecord {
  u64 a = 0, b = 0;       ///< dividend and divisor: the bits of doubles, or natural numbers
  bool naturals = false;
  u8 dividend = 0, divisor = 0;  ///< divisor 0: there is none
  std::vector<u8> copies;        ///< further registers that held the dividend
  std::vector<std::pair<u8, FpReg>> constants;  ///< what registers held that were set on the way
  std::vector<const Insn*> steps;
};

/// The register of natural number `n`, normalised.
inline FpReg from_natural(u64 n) noexcept {
  if (n == 0) return kFpZero;
  const int shift = __builtin_clzll(n);
  return {n << shift, kFpIntegerExponent - static_cast<u32>(shift), 0};
}

/// Puts all registers that wait for `record` into register format. May use vector registers.
void compute_deferred(Registers& r, FloatFile& file, const FloatRecord& record) noexcept;

}  // namespace ia64::cpu::jit
