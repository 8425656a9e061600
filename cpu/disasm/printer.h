// Text of instructions, as GNU objdump writes it.
#pragma once

#include <string>

#include "cpu/decode/decoder.h"

namespace ia64::cpu {

/// One instruction without its qualifying predicate: "ld8 r2=[r3],8", "br.cond.sptk.few 0x4000".
/// An encoding that no row covers gives "data8 0x..." with the bits of the slot.
/// @param insn  as the decoder filled it (`imm` of a reserved encoding is the raw slot)
/// @param ip    address of the bundle, for branch targets and tags
/// Thread-safe.
std::string instruction_text(const Insn& insn, u64 ip);

/// As instruction_text, with "(p06) " in front and ";;" behind where they apply.
std::string insn_text(const Insn& insn, u64 ip);

/// The lines objdump prints for a bundle, columns included: "[MII] (p06) adds r1=8,r2;;". The second line of an MLX bundle
/// holds the long instruction and the third is empty. For a reserved template, or slots objdump would print as data,
/// the text says "data8 0x...".
/// @param bytes  16 bytes as they are in memory
/// @param lines  three strings, overwritten
void bundle_text(const u8* bytes, u64 ip, std::string lines[3]);

}  // namespace ia64::cpu
