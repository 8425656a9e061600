// The decoded form of one instruction: what the decoder fills and every engine reads.
#pragma once

#include "base/int_types.h"

namespace ia64::cpu {

class Core;
struct Insn;

/// How an instruction ended; returned by every handler.
enum class Next : u8 {
  Continue,  ///< fall through to the next slot
  Branch,    ///< Core::regs().ip and slot hold the new address (taken branches, rfi, epc that changes what is fetched)
  Fault,     ///< Core::pending_fault() is filled; the instruction had no effect (or, for a trap, is complete)
  Sync,      ///< done, but the engine must look again before the next slot: mode, mapping, code or interrupt state changed
};

/// The one definition of an instruction's semantics. Declared for every row of the decode tables (exec/handlers.h).
/// Called only when the qualifying predicate is true, except for rows flagged kReadsOwnPredicate.
using Handler = Next (*)(Core&, const Insn&) noexcept;

/// Which part of a bundle may hold the instruction.
enum class Unit : u8 { A, I, M, B, F, X };

/// A decoded slot. Field N of the format, whatever register file it names, is in member rN:
///   r1  r1 f1 b1 (targets)         r2  r2 f2 b2         r3  r3 f3 ar3 cr3         r4  f4 (F1..F3)
///   p1 p2  target predicates       qp  qualifying predicate (0 when the format has none)
///   imm    the immediate as the manual's operation uses it: assembled, sign-extended, scaled. Branch displacements are in
///          bytes relative to the bundle. For I15 etc. see pos/len. mask17/mask (mov pr, fsetc, ssm...) are in imm.
///   pos    pos6, cpos (as the position itself, not complemented), count2 for pshladd/pmpyshr (as the shift count), bit position of
///          tbit/tf (tf: imm5 + 32), ct of mix/mux patterns (mbtype4/mhtype8 in imm)
///   len    field length (len4/len6, as the length itself, not minus 1)
///   x      sf of floating-point formats; lhint/ldhint/bwh and other hints that a printer needs
struct alignas(32) Insn {
  Handler handler = nullptr;
  u64 imm = 0;
  u16 op = 0;         ///< row number: OpInfo table, counters, printer
  u8 qp = 0;
  u8 r1 = 0, r2 = 0, r3 = 0, r4 = 0;
  u8 p1 = 0, p2 = 0;
  u8 pos = 0, len = 0;
  u8 x = 0;
  u8 slot = 0;        ///< 0..2; L+X instructions have slot 1
  u8 bundle = 0;      ///< index of the bundle in its block
  u8 flags = 0;       ///< InsnFlag bits below
  u8 spare = 0;       ///< in a block: instructions before this one, nops included (interp/block.h)
};
static_assert(sizeof(Insn) == 32);

/// Insn::flags
enum InsnFlag : u8 {
  kReadsOwnPredicate = 1,  ///< call the handler even when qp is false (cmp.unc, br.ctop, frcpa, ...)
  kGroupEnd = 2,           ///< a stop follows
  kEndsBlock = 4,          ///< no block continues past this instruction
  kLastSlot = 8,           ///< last instruction of its bundle
};

}  // namespace ia64::cpu
