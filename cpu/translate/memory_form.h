// What the immediate of a memory operation says besides its size.
#pragma once

#include "cpu/translate/ir.h"

namespace ia64::cpu::ir {

/// What a load does besides reading.
enum class LoadKind : u8 {
  Plain,
  Acquire,              ///< empties the ALAT
  Speculative,          ///< may give a NaT: then the block is left behind the instruction
  Advanced,             ///< enters the target in the ALAT
  SpeculativeAdvanced,
  CheckClear,           ///< keeps the old value when the ALAT has the target, and removes the entry
  CheckKeep,
  Fill,                 ///< operand c is AR.UNAT
};

/// Op::imm of loads, stores and semaphores. The low bits are the packed Location of the target.
struct MemoryForm {
  Location target;  ///< general register; meaningless for stores
  LoadKind kind = LoadKind::Plain;
  bool swap = false;  ///< memory holds the other byte order than the host

  constexpr u64 pack() const { return target.pack() | u64(kind) << 32 | u64{swap} << 40; }
  static constexpr MemoryForm unpack(u64 v) {
    return {Location::unpack(v), LoadKind(v >> 32 & 0xff), (v >> 40 & 1) != 0};
  }
};

constexpr bool is_check(LoadKind k) { return k == LoadKind::CheckClear || k == LoadKind::CheckKeep; }
constexpr bool is_advanced(LoadKind k) { return k == LoadKind::Advanced || k == LoadKind::SpeculativeAdvanced; }
/// Whether the slow way may leave a NaT in the target.
constexpr bool may_give_nat(LoadKind k) {
  return k == LoadKind::Speculative || k == LoadKind::SpeculativeAdvanced || k == LoadKind::Fill;
}

}  // namespace ia64::cpu::ir
