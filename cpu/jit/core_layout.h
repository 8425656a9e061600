// Where generated code finds the parts of one processor.
#pragma once

#include "cpu/core.h"
#include "cpu/jit/host_features.h"

namespace ia64::cpu::jit {

/// Byte distances from the register file (Core::regs()), which generated code keeps in a host register.
struct CoreLayout {
  explicit CoreLayout(Core& core);

  Core* core;
  i32 attention, nats, block_ip, fetch_keys;
  i32 returns, jumps;
  i32 window_general, window_predicates;
  RotationWindow* window;
  i32 float_file, float_value, float_form, float_active;
  i32 tlb_read, tlb_write, tlb_active;
  i32 sites, sites_filled, sites_filled_count;
  i32 alat_entries, alat_count, alat_in_granule;
  i32 alat_start, alat_tag;  ///< within an entry; size and granule follow the tag
  HostFeatures host;  ///< what generated code may use
  u64* handler_counts = nullptr;  ///< handler calls by Insn::op, absolute; nullptr: not counted
};

}  // namespace ia64::cpu::jit
