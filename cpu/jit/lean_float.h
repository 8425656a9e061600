// Functions that generated code calls without saving anything: they change only rax, rcx and rdx, and no vector registers.
#pragma once

#include "cpu/arch/float_file.h"
#include "cpu/arch/registers.h"
#include "cpu/decode/insn.h"

namespace ia64::cpu::jit {

/// The attribute that makes it so. The file that defines the functions is compiled without vector registers.
#define LEAN [[gnu::no_caller_saved_registers]]

/// @param argument  a physical register number, or an instruction
/// @returns 0 when it could not be done: nothing was changed then
using LeanFunction = u64 (*)(Registers&, u64 argument, FloatFile&) noexcept;

/// Puts a register back into register format.
LEAN u64 settle_register(Registers& r, u64 physical, FloatFile& file) noexcept;
/// Writes register format too, but leaves the form as it is: for handlers that only read.
LEAN u64 copy_register(Registers& r, u64 physical, FloatFile& file) noexcept;
/// Makes the form kDouble. @returns 0 when the register holds nothing that a double could stand for
LEAN u64 make_double(Registers& r, u64 physical, FloatFile& file) noexcept;

/// A function without its attribute.
template <class F>
LeanFunction lean_function(F* function) { return reinterpret_cast<LeanFunction>(function); }

/// The function that does the multiply-add of instruction `i` on registers in register format when the operands are ordinary,
/// or nullptr for other instructions.
LeanFunction wide_multiply_add(const Insn& i) noexcept;

/// The same with everything known beforehand: an ordinary function without vector registers. All operands normalised numbers.
/// @returns 0 when it could not be done; else 1, or with `as_double` the bits of the result, which is not written to `out`
using QuickFunction = u64 (*)(const FpReg* f3, const FpReg* f4, const FpReg* f2, FpReg* out) noexcept;
struct QuickCase {
  QuickFunction function = nullptr;
  u32 fpsr_mask = 0, fpsr_value = 0;  ///< the function holds for these bits of the FPSR
  bool as_double = false;
};
/// For instruction `i`, with `function` nullptr when there is none.
QuickCase quick_multiply_add_case(const Insn& i) noexcept;

}  // namespace ia64::cpu::jit
