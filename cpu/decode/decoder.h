// From the 16 bytes of a bundle to executable Insns.
#pragma once

#include "cpu/decode/op_info.h"

namespace ia64::cpu {

/// What a template says about its bundle. @source SDM vol. 3, table "Template field encoding and instruction slot mapping"
struct BundleTemplate {
  Unit units[3];     ///< units[1] is X for MLX: the long instruction; units[2] is then unused
  u8 stops;          ///< bit n: a stop follows slot n
  bool reserved;
  bool mlx;
  const char* name;  ///< "MII"
};

/// @param bits  the low five bits of a bundle
const BundleTemplate& bundle_template(unsigned bits) noexcept;

/// The three 41-bit slots and the template of a bundle in memory order (always little-endian).
struct RawBundle {
  u64 slots[3];
  u8 template_bits;
};
RawBundle split_bundle(const u8* bytes) noexcept;

/// Decodes a bundle. Encodings that no row covers, reserved templates and operands that are illegal whatever the machine
/// state get the handler illegal_operation; `op` still names the row where there is one. Leaves Insn::bundle 0.
/// @param bytes  16 bytes as they are in memory
/// @param out    filled from the front
/// @returns      number of Insns: 3, or 2 for MLX (the long instruction has slot 1)
/// Thread-safe. @source SDM vol. 3, ch. 4; vol. 1, 3.3
unsigned decode_bundle(const u8* bytes, Insn out[3]) noexcept;

/// Decodes one slot.
/// @param unit   unit the template assigns: I, M, B, F or X
/// @param bits   41 bits (slot 2 for X)
/// @param lslot  slot 1 of an MLX bundle, else 0
/// @param slot   0..2; 1 for X
void decode_slot(Unit unit, u64 bits, u64 lslot, unsigned slot, Insn& out) noexcept;

/// The highest general register that `insn` writes as seen by the frame check, 0 when none: at or above 32 + CFM.sof the
/// instruction is illegal. alloc is judged against its own new frame when it is decoded, so it counts as 0 here.
u8 highest_gr_target(const Insn& insn) noexcept;

}  // namespace ia64::cpu
