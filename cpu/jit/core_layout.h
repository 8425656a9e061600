// Where generated code finds the parts of one processor.
#pragma once

#include "cpu/core.h"

namespace ia64::cpu::jit {

/// Byte distances from the register file (Core::regs()), which generated code keeps in a host register.
struct CoreLayout {
  explicit CoreLayout(Core& core);

  Core* core;
  i32 attention, block_ip, fetch_keys, fetch_changes;
  i32 returns, returns_changes, return_top, jumps;
  i32 float_file, float_value, float_form, float_active;
  i32 tlb_read, tlb_write, tlb_active;
  u64* handler_counts = nullptr;  ///< handler calls by Insn::op, absolute; nullptr: not counted
  const void* alat_valid;  ///< 32-bit mask of valid entries, absolute
};

}  // namespace ia64::cpu::jit
