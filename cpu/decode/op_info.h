// What is known about each row of the instruction tables: name, format, unit, attributes.
#pragma once

#include "cpu/decode/insn.h"

namespace ia64::cpu {

// clang-format off
/// Instruction formats as the manual numbers them. @source SDM vol. 3, ch. 4 (table "Instruction format summary")
#define INSTRUCTION_FORMATS(X) \
  X(A1) X(A2) X(A3) X(A4) X(A5) X(A6) X(A7) X(A8) X(A9) X(A10) \
  X(I1) X(I2) X(I3) X(I4) X(I5) X(I6) X(I7) X(I8) X(I9) X(I10) X(I11) X(I12) X(I13) X(I14) X(I15) X(I16) X(I17) \
  X(I18) X(I19) X(I20) X(I21) X(I22) X(I23) X(I24) X(I25) X(I26) X(I27) X(I28) X(I29) X(I30) \
  X(M1) X(M2) X(M3) X(M4) X(M5) X(M6) X(M7) X(M8) X(M9) X(M10) X(M11) X(M12) X(M13) X(M14) X(M15) X(M16) X(M17) \
  X(M18) X(M19) X(M20) X(M21) X(M22) X(M23) X(M24) X(M25) X(M26) X(M27) X(M28) X(M29) X(M30) X(M31) X(M32) X(M33) \
  X(M34) X(M35) X(M36) X(M37) X(M38) X(M39) X(M40) X(M41) X(M42) X(M43) X(M44) X(M45) X(M46) X(M47) X(M48) \
  X(B1) X(B2) X(B3) X(B4) X(B5) X(B6) X(B7) X(B8) X(B9) \
  X(F1) X(F2) X(F3) X(F4) X(F5) X(F6) X(F7) X(F8) X(F9) X(F10) X(F11) X(F12) X(F13) X(F14) X(F15) X(F16) \
  X(X1) X(X2) X(X3) X(X4) X(X5)
// clang-format on

enum class Format : u8 {
#define X(f) f,
  INSTRUCTION_FORMATS(X)
#undef X
  Reserved,  ///< of op 0 only: an encoding no row covers
};

/// Attributes of a row (fourth column of the *_unit.inc files). Namespaced so that the rows can use short names.
namespace op_flag {
enum : u32 {
  kPriv = 1u << 0,      ///< Privileged Operation fault unless CPL is 0 (the handler checks)
  kReadsQp = 1u << 1,   ///< acts even when the qualifying predicate is false: becomes kReadsOwnPredicate
  kEnds = 1u << 2,      ///< the engine must look again afterwards: becomes kEndsBlock
  kNoQp = 1u << 3,      ///< the format has no qualifying predicate
  kFirst = 1u << 4,     ///< must be first in its instruction group
  kLast = 1u << 5,      ///< must be last in its instruction group
  kSlot2 = 1u << 6,     ///< illegal outside slot 2
  kWritesR1 = 1u << 7,  ///< general register r1
  kWritesR3 = 1u << 8,  ///< general register r3, incremented after a memory access
  kWritesF1 = 1u << 9,
  kWritesF2 = 1u << 10,
  kWritesP1 = 1u << 11,
  kWritesP2 = 1u << 12,
  kLoad = 1u << 13,     ///< reads memory, or asks for its translation as lfetch does
  kStore = 1u << 14,    ///< writes memory (semaphores: both)
};
}  // namespace op_flag

/// Number of kReservedOp, the pseudo-row of encodings that no row covers.
inline constexpr u16 kReservedOp = 0;

/// One row of the tables.
struct OpInfo {
  const char* text;     ///< printing template, see cpu/disasm/printer.cpp
  const char* name;     ///< handler name, e.g. "ld8_s_m2": unique per row
  const char* picture;  ///< 41 cells from bit 40 to bit 0, blanks between fields
  Handler handler;
  u32 flags;            ///< op_flag bits
  Format format;
  Unit unit;
};

/// The row with number `op` (Insn::op). @param op  0..op_count()-1
const OpInfo& op_info(u16 op) noexcept;

/// Number of rows, the reserved pseudo-row included.
unsigned op_count() noexcept;

/// What a picture demands of the bits of a slot.
struct OpPattern {
  u64 mask = 0;       ///< bits that choose the row (cells 0 and 1)...
  u64 value = 0;      ///< ...and their value
  u64 must_be_0 = 0;  ///< reserved fields (cells z): the row is illegal when one is not zero
};
constexpr OpPattern pattern_of(const char* picture) {
  OpPattern p;
  for (const char* c = picture; *c != '\0'; ++c) {
    if (*c == ' ') continue;
    p.mask = p.mask << 1 | u64{*c == '0' || *c == '1'};
    p.value = p.value << 1 | u64{*c == '1'};
    p.must_be_0 = p.must_be_0 << 1 | u64{*c == 'z'};
  }
  return p;
}

}  // namespace ia64::cpu
