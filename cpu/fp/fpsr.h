// The floating-point status register: trap disables, four status fields, and what they mean for one
// operation.
// @source SDM vol. 1, 5.2 (figures and tables of the FPSR) and table "Floating-point computation model
// control definitions"
#pragma once

#include "base/bits.h"

namespace ia64::cpu::fp {

/// Exceptions in the order that FPSR.traps, sf.flags and ISR.code use.
enum Exception : u8 {
  kInvalid = 1,
  kDenormal = 2,
  kZeroDivide = 4,
  kOverflow = 8,
  kUnderflow = 16,
  kInexact = 32,
  kAllExceptions = 63,
};

/// FPSR.sf.rc
enum Rounding : u8 { kNearest = 0, kDown = 1, kUp = 2, kTruncate = 3 };

/// Precision completer of an instruction: none, `.s`, `.d`.
enum class Completer : u8 { None, Single, Double };

/// Where results of an operation must fit: significand bits and exponent range, in register-format biased
/// exponents.
struct Format {
  u32 emin = 1;          ///< smallest exponent of a normal result
  u32 emax = 0x1fffe;    ///< largest exponent of a finite result
  u32 denormal_exp = 1;  ///< exponent of a denormal result: emin, but 0 for the 15-bit range
  u8 precision = 64;     ///< 24, 53 or 64 significand bits
};
inline constexpr Format kSingleFormat{0xff81, 0x1007e, 0xff81, 24};
inline constexpr Format kDoubleFormat{0xfc01, 0x103fe, 0xfc01, 53};
inline constexpr Format kExtendedFormat{0xc001, 0x13ffe, 0, 64};
inline constexpr Format kRegisterFormat{1, 0x1fffe, 1, 64};

/// The format chosen by completer, sf.pc and sf.wre. pc = 1 is reserved and cannot be written; it acts as 64
/// bits.
constexpr Format format_of(Completer completer, unsigned pc, bool wre) {
  Format f = kExtendedFormat;
  if (completer == Completer::Single) f = kSingleFormat;
  if (completer == Completer::Double) f = kDoubleFormat;
  if (completer == Completer::None && pc == 0) f.precision = 24;
  if (completer == Completer::None && pc == 2) f.precision = 53;
  if (wre) f.emin = f.denormal_exp = kRegisterFormat.emin, f.emax = kRegisterFormat.emax;
  return f;
}

/// All that an operation needs to know about its environment.
struct Control {
  Format format;
  u8 rounding = kNearest;
  u8 masked = kAllExceptions;  ///< disabled exceptions (Exception bits)
  bool flush = false;          ///< sf.ftz
};

namespace detail {
struct FormatTable {
  Format row[3 * 8];  ///< [completer][pc << 1 | wre]
  constexpr FormatTable() : row{} {
    for (unsigned i = 0; i < 24; i++) row[i] = format_of(static_cast<Completer>(i / 8), i >> 1 & 3, i & 1);
  }
};
inline constexpr FormatTable kFormats;
}  // namespace detail

/// Read-only view of an FPSR value.
class Fpsr {
 public:
  explicit constexpr Fpsr(u64 value) : value_(value) {}

  /// Position of status field `sf` (0..3): controls in its low 7 bits, flags in the 6 bits above.
  static constexpr unsigned position(unsigned sf) { return 6 + 13 * sf; }
  constexpr u8 traps() const { return static_cast<u8>(value_ & 63); }
  constexpr u8 controls(unsigned sf) const { return static_cast<u8>(field(value_, position(sf), 7)); }
  constexpr u8 flags(unsigned sf) const { return static_cast<u8>(field(value_, position(sf) + 7, 6)); }

  /// Environment of an instruction with `completer` that uses status field `sf`.
  Control control(Completer completer, unsigned sf) const {
    const unsigned c = controls(sf);
    return {
        .format = detail::kFormats.row[static_cast<unsigned>(completer) * 8 + (c >> 1 & 6) + (c >> 1 & 1)],
        .rounding = static_cast<u8>(c >> 4 & 3),
        .masked = static_cast<u8>(traps() | (c & 0x40 ? kAllExceptions : 0)),
        .flush = (c & 1) != 0};
  }
  /// Environment of a parallel single-precision instruction: pc and wre do not apply.
  Control parallel_control(unsigned sf) const {
    Control c = control(Completer::Single, sf);
    c.format = kSingleFormat;
    return c;
  }

  /// The register with `flags` ORed into status field `sf`.
  constexpr u64 with_flags(unsigned sf, u8 flags) const { return value_ | u64{flags} << (position(sf) + 7); }
  constexpr u64 without_flags(unsigned sf) const { return with_field(value_, position(sf) + 7, 6, 0); }
  constexpr u64 with_controls(unsigned sf, u8 controls) const {
    return with_field(value_, position(sf), 7, controls);
  }

 private:
  u64 value_;
};

/// Whether `controls` is a reserved setting for status field `sf`: pc = 1, or td in the main status field.
constexpr bool reserved_controls(unsigned sf, u8 controls) {
  return (controls >> 2 & 3) == 1 || (sf == 0 && (controls & 0x40));
}

}  // namespace ia64::cpu::fp
