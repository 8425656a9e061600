// Pairs of singles in one significand: each lane is computed by the scalar operation in single format.
// @source SDM vol. 1, 5.3 and 5.4 (parallel FP); vol. 3, fp* instructions
#pragma once

#include "cpu/fp/memory_format.h"
#include "cpu/fp/number.h"

namespace ia64::cpu::fp {

/// Both halves of a parallel result; `significand` holds the packed values.
struct PairOutcome {
  u64 significand = 0;
  Outcome high, low;  ///< their `value` members are not used any more

  u8 flags() const { return high.flags | low.flags; }
  bool faults() const { return high.faults | low.faults; }
  bool traps() const { return high.traps | low.traps; }
};

inline FpReg high_lane(const FpReg& r) {
  return from_single(static_cast<u32>(r.significand >> 32));
}
inline FpReg low_lane(const FpReg& r) {
  return from_single(static_cast<u32>(r.significand));
}
constexpr u64 join(u32 high, u32 low) {
  return u64{high} << 32 | low;
}

/// One lane's result as a single. The trap-enabled responses to overflow and underflow keep the low 8
/// exponent bits.
inline u32 pack_lane(const Outcome& o) {
  if (!(o.traps & (kOverflow | kUnderflow))) [[likely]]
    return to_single(o.value);
  const u32 exponent = (o.value.exponent() - (kBias - 127)) & 0xff;
  return u32{o.value.sign()} << 31 | exponent << 23 | static_cast<u32>(field(o.value.significand, 40, 23));
}

inline PairOutcome pair_of(const Outcome& high, const Outcome& low) {
  return {.significand = join(pack_lane(high), pack_lane(low)), .high = high, .low = low};
}

/// ISR.code of a Floating-point Fault: scalar operations report like a high lane.
inline u64 fault_code(const Outcome& scalar) {
  return scalar.faults;
}
inline u64 fault_code(const PairOutcome& p) {
  return p.high.faults | u64{p.low.faults} << 4;
}

/// ISR.code bits 14:7 of a Floating-point Trap; delivery adds the trap codes of bits 3:0.
inline u64 trap_bits(const Outcome& o) {
  return u64{o.traps} >> 3 | u64{o.fpa && o.traps} << 3;
}
inline u64 trap_code(const Outcome& scalar) {
  return trap_bits(scalar) << 11;
}
inline u64 trap_code(const PairOutcome& p) {
  return trap_bits(p.high) << 11 | trap_bits(p.low) << 7;
}

}  // namespace ia64::cpu::fp
