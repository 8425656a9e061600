// From the 41 bits of a slot to the operand fields of an Insn, format by format.
#pragma once

#include "cpu/decode/op_info.h"

namespace ia64::cpu {

// clang-format off
// Members of Insn by format, where insn.h alone does not settle it. Registers are always in r1..r4, p1, p2, qp by the
// number of the manual's field (f2 -> r2, b1 -> r1, ar3 and cr3 -> r3).
//
//   A1            imm = 1 for `add r1=r2,r3,1` and `sub r1=r2,r3,1` (rows of their own), else 0
//   A2 A10        pos = count (A2: 1..4, A10: 1..3)
//   A3 A4 A5 A8   imm = imm8, imm14, imm22, sign-extended
//   I1            pos = count2: 0, 7, 15 or 16
//   I3 I4         imm = mbtype4 (raw code: 0 brcst, 8 mix, 9 shuf, 10 alt, 11 rev), mhtype8
//   I6 I8 I10     pos = count (I8: as the count itself, not complemented)
//   I11..I15      pos = position, len = length 1..64 (I15: 1..16); I13 and I14: imm = imm8 or imm1, sign-extended
//   I16 I30       pos = bit number (tf: imm5 + 32, so 32..63)
//   I18 I19 M37 M48 B9 F15 F16    imm = imm21 (zero-extended);  X1 X5: imm = imm62
//   I20 M20 M21 M22 M23 F14       imm = target25 displacement in bytes, sign-extended
//   I21           imm = tag displacement in bytes (hint only); x = wh | ih << 2 | (1 << 3 for mov.ret)
//   I23           imm = mask17 (bit 0 is always 0), sign-extended;  I24: imm = imm44 sign-extended, low 16 bits 0
//   I27 M30       imm = imm8, sign-extended
//   M1..M17       x = hint field (bits 29:28), plus 4 for the third hint bit of M1 M4 M6 M9 M13 M14 M15
//   M3 M5 M8 M10 M15              imm = imm9, sign-extended
//   M12           imm = 8 for ldfps, 16 for ldfp8 and ldfpd
//   M17           imm = increment, sign-extended: -16 -8 -4 -1 1 4 8 16
//   M34           alloc: r1; imm = value for CFM: sof | sol << 7 | sor << 14 (sor as the field: number of rotating
//                 registers / 8); pos, len, x free
//   M39 M40       imm = privilege level 0..3
//   M44           imm = imm24 (zero-extended)
//   B1 B2 B3 X3 X4  imm = target displacement in bytes, relative to the bundle, sign-extended
//   B1..B5 X3 X4  x = wh (B1..B4 2 bits, B5 3 bits) | ph << 3 | dh << 4
//   B6 B7         imm = target displacement (B6); p1 = low 7 bits of the tag, pos = its upper 2; x = wh | ih << 2
//   F1 F4 F6 F7 F8 F10 F12 F13 F14  x = sf
//   F5            imm = fclass9 (pos 1, neg 2, zero 4, unorm 8, norm 16, inf 32,
//                 snan 64, qnan 128, nat 256)
//   F12           imm = amask7 | omask7 << 7
//   X2            imm = imm64
// clang-format on

/// Fills the operand members of `out` from the bits of a slot. Leaves handler, op, slot, bundle and flags alone.
/// @param bits   the slot, 41 bits; for X formats slot 2 of the bundle
/// @param lslot  slot 1 of an MLX bundle, used by X formats only
/// @source SDM vol. 3, ch. 4
void extract_fields(Format format, u64 bits, u64 lslot, Insn& out) noexcept;

}  // namespace ia64::cpu
