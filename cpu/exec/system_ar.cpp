// Moves to and from application registers.
// @source SDM vol. 3, mov ar; SDM vol. 1, 3.1.8
#include "cpu/core.h"
#include "cpu/exec/handlers.h"
#include "cpu/rse/rse.h"
#include "cpu/sapic.h"

namespace ia64::cpu {

namespace {

enum class ArUnit : u8 { Memory, Integer };

constexpr u64 kRscDefined = low_mask(5) | low_mask(14) << 16;
constexpr u64 kPfsReserved = low_mask(14) << 38 | low_mask(4) << 58;
constexpr u64 kCpuidRuc = bit(3);

/// Application registers that exist but hold nothing.
bool is_ignored(unsigned n) {
  return (n >= 48 && n < 64) || n >= 112;
}

/// Registers each unit can name; all others are reserved for it. Ignored ones both can.
bool is_reserved(const Core& core, ArUnit unit, unsigned n) {
  if (is_ignored(n)) return false;
  if (unit == ArUnit::Integer) return n != ar::kPfs && n != ar::kLc && n != ar::kEc;
  switch (n) {
    case ar::kRuc: return !(core.wires().model->cpuid[4] & kCpuidRuc);
    case ar::kRsc:
    case ar::kBsp:
    case ar::kBspstore:
    case ar::kRnat:
    case ar::kFcr:
    case ar::kEflag:
    case ar::kCsd:
    case ar::kSsd:
    case ar::kCflg:
    case ar::kFsr:
    case ar::kFir:
    case ar::kFdr:
    case ar::kCcv:
    case ar::kUnat:
    case ar::kFpsr:
    case ar::kItc: return false;
    default: return n >= 8;  // kernel registers 0..7
  }
}

bool is_time(unsigned n) {
  return n == ar::kItc || n == ar::kRuc;
}
/// BSPSTORE and RNAT belong to software only while the RSE is in enforced lazy mode.
bool needs_lazy_rse(unsigned n) {
  return n == ar::kBspstore || n == ar::kRnat;
}

/// FPSR: bits 63:58, the td bit of sf0 and a precision control of 1 are reserved. @source SDM vol. 1, 5.2
bool fpsr_reserved(u64 v) {
  if (v >> 58 || (v & bit(12))) return true;
  for (unsigned sf = 0; sf < 4; sf++)
    if (field(v, 6 + 13 * sf + 2, 2) == 1) return true;
  return false;
}

bool has_reserved_field(unsigned n, u64 v) {
  switch (n) {
    case ar::kRsc: return v & ~kRscDefined;
    case ar::kPfs: return v & kPfsReserved;
    case ar::kFpsr: return fpsr_reserved(v);
    default: return false;
  }
}

/// Registers that are plain storage.
u64* storage(Registers& r, unsigned n) {
  if (n < 8) return &r.kr[n];
  switch (n) {
    case ar::kFcr: return &r.fcr;
    case ar::kEflag: return &r.eflag;
    case ar::kCsd: return &r.csd;
    case ar::kSsd: return &r.ssd;
    case ar::kCflg: return &r.cflg;
    case ar::kFsr: return &r.fsr;
    case ar::kFir: return &r.fir;
    case ar::kFdr: return &r.fdr;
    case ar::kCcv: return &r.ccv;
    case ar::kUnat: return &r.unat;
    case ar::kFpsr: return &r.fpsr;
    case ar::kPfs: return &r.pfs;
    case ar::kLc: return &r.lc;
    case ar::kRsc: return &r.rsc;
    case ar::kRnat: return &r.rnat;
    case ar::kBspstore: return &r.bspstore;
    default: return nullptr;
  }
}

u64 read_ar(Core& core, unsigned n) {
  switch (n) {
    case ar::kBsp: return core.rse().bsp();
    case ar::kItc:
    case ar::kRuc: return core.itc();
    case ar::kEc: return core.regs().ec;
    default: {
      const u64* p = storage(core.regs(), n);
      return p ? *p : 0;
    }
  }
}

void write_ar(Core& core, unsigned n, u64 v) {
  Registers& r = core.regs();
  switch (n) {
    case ar::kRsc:  // the RSE never gets more privilege than the program has
      r.rsc = field(v, 2, 2) < r.cpl() ? with_field(v, 2, 2, r.cpl()) : v;
      return;
    case ar::kBspstore: core.rse().set_bspstore(v); return;
    case ar::kRnat: r.rnat = v & low_mask(63); return;
    case ar::kEc: r.ec = static_cast<u8>(v & 63); return;
    case ar::kItc: core.sapic().write_itc(v); return;
    default:
      if (u64* p = storage(r, n)) *p = v;
  }
}

Next move_from(Core& core, const Insn& i, ArUnit unit) {
  Registers& r = core.regs();
  const unsigned n = i.r3;
  if (is_reserved(core, unit, n) || (needs_lazy_rse(n) && (r.rsc & 3))) return core.raise_illegal_operation();
  if (is_time(n) && (r.psr & psr::kSi) && r.cpl() != 0) return core.raise_general(isr::kPrivilegedRegister);
  r.set_gr(i.r1, read_ar(core, n));
  return Next::Continue;
}

Next move_to(Core& core, const Insn& i, ArUnit unit, u64 value, bool nat) {
  const Registers& r = core.regs();
  const unsigned n = i.r3;
  if (is_reserved(core, unit, n) || n == ar::kBsp || (needs_lazy_rse(n) && (r.rsc & 3)))
    return core.raise_illegal_operation();
  if (nat) return core.raise_nat_consumption();
  if (has_reserved_field(n, value)) return core.raise_general(isr::kReservedRegisterField);
  if ((n < 8 || is_time(n)) && r.cpl() != 0) return core.raise_general(isr::kPrivilegedRegister);
  write_ar(core, n, value);
  return Next::Continue;
}

Next move_to_register(Core& core, const Insn& i, ArUnit unit) {
  return move_to(core, i, unit, core.regs().gr(i.r2), core.regs().nat(i.r2));
}

}  // namespace

Next mov_i26(Core& core, const Insn& i) noexcept {
  return move_to_register(core, i, ArUnit::Integer);
}
Next mov_i27(Core& core, const Insn& i) noexcept {
  return move_to(core, i, ArUnit::Integer, i.imm, false);
}
Next mov_i28(Core& core, const Insn& i) noexcept {
  return move_from(core, i, ArUnit::Integer);
}
Next mov_m29(Core& core, const Insn& i) noexcept {
  return move_to_register(core, i, ArUnit::Memory);
}
Next mov_m30(Core& core, const Insn& i) noexcept {
  return move_to(core, i, ArUnit::Memory, i.imm, false);
}
Next mov_m31(Core& core, const Insn& i) noexcept {
  return move_from(core, i, ArUnit::Memory);
}

}  // namespace ia64::cpu
