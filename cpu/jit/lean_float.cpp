// Floating point on the 82-bit format for generated code, and changes of form.
#include "cpu/jit/lean_float.h"

#include "cpu/exec/handlers.h"
#include "cpu/fp/memory_format.h"
#include "cpu/fp/number.h"
#include "cpu/fp/quick_multiply_add.h"

namespace ia64::cpu::jit {

namespace {

/// The double that loads as `f`. Denormals do not count: arithmetic on them raises a flag.
inline bool plain_double(const FpReg& f, u64& bits) {
  const u32 e = f.exponent();
  if (f.is_natval()) return false;
  if (fp::is_zero(f)) return bits = u64{f.sign()} << 63, true;
  const bool finite = e - fp::kDoubleFormat.emin <= fp::kDoubleFormat.emax - fp::kDoubleFormat.emin;
  if (!(f.significand >> 63) || (f.significand & 0x7ff) || !(finite || e == fp::kSpecialExponent)) return false;
  return bits = fp::to_double(f), true;
}

inline void copy(Registers& r, u64 n, FloatFile& file) {
  if (file.form[n] == FloatFile::kDouble) r.fr_phys[n] = fp::from_double(file.value[n]);
  if (file.form[n] == FloatFile::kInteger) r.fr_phys[n] = fp::from_integer(file.value[n]);
}

template <unsigned kPrecision>
constexpr u32 emin_of(bool wide) {
  return wide ? 1 : kPrecision == 53 ? fp::kDoubleFormat.emin : kPrecision == 24 ? fp::kSingleFormat.emin : fp::kExtendedFormat.emin;
}
template <unsigned kPrecision>
constexpr u32 emax_of(bool wide) {
  return wide ? 0x1fffe : kPrecision == 53 ? fp::kDoubleFormat.emax : kPrecision == 24 ? fp::kSingleFormat.emax : fp::kExtendedFormat.emax;
}

/// The usual settings: 64 bits (when the instruction does not say), round to nearest, no overflow, underflow or inexact trap.
constexpr u64 kControls = 0x3c, kUsualControls = 0x0c, kRoundingOnly = 0x30, kTrapsOff = 0x40, kTraps = 0x38;

/// @param kPrecision  64 for instructions without completer
template <bool kNegateProduct, bool kNegateAddend, unsigned kPrecision>
LEAN u64 multiply_add(Registers& r, u64 argument, FloatFile&) noexcept {
  const Insn& i = *reinterpret_cast<const Insn*>(argument);
  const unsigned position = fp::Fpsr::position(i.x);
  const u64 field_bits = r.fpsr >> position;
  const u64 checked = kPrecision == 64 ? kControls : kRoundingOnly;
  if ((field_bits & checked) != (kUsualControls & checked)) [[unlikely]] return 0;
  if (!(field_bits & kTrapsOff) && (r.fpsr & kTraps) != kTraps) [[unlikely]] return 0;
  const FpReg &f2 = r.fr(i.r2), &f3 = r.fr(i.r3), &f4 = r.fr(i.r4);
  fp::QuickOperand a, b, c{};
  bool unnormal = false;
  if (!fp::quick_operand(f3, a, unnormal) || !fp::quick_operand(f4, b, unnormal)) [[unlikely]] return 0;
  const bool add = i.r2 != 0;
  if (add && !fp::quick_operand(f2, c, unnormal)) [[unlikely]] return 0;
  // The flag is there already, so that no fault can come of it... or the handler sees to it.
  if (unnormal && !(field_bits & u64{fp::kDenormal} << 7)) [[unlikely]] return 0;
  if (unnormal && !((r.fpsr & fp::kDenormal) || (field_bits & kTrapsOff))) [[unlikely]] return 0;
  unsigned signs = ((f3.sign_exp ^ f4.sign_exp) >> 17 & 1) ^ unsigned{kNegateProduct};
  signs |= ((f2.sign_exp >> 17 & 1) ^ unsigned{kNegateAddend}) << 1;
  i64 exponent;
  bool inexact;
  const u64 significand = fp::quick_multiply_add<kPrecision>(a, b, c, add, signs, exponent, inexact);
  FpReg result;
  if (significand) [[likely]] {
    const bool wide = field_bits & 2;
    const u32 emin = emin_of<kPrecision>(wide), emax = emax_of<kPrecision>(wide);
    if (static_cast<u64>(exponent - emin) > emax - emin) [[unlikely]] return 0;
    result = {significand, (signs & 1) << 17 | static_cast<u32>(exponent), 0};
  }
  r.fr_phys[r.fr_index(i.r1)] = result;
  const u64 mark = i.r1 < 32 ? psr::kMfl : psr::kMfh;
  if (!(r.psr & mark)) [[unlikely]] r.psr |= mark;
  if (inexact && !(field_bits & u64{fp::kInexact} << 7)) [[unlikely]] r.fpsr |= u64{fp::kInexact} << (position + 7);
  return 1;
}

template <bool kNegateProduct, bool kNegateAddend, bool kAdd, unsigned kPrecision, bool kWide>
u64 quick(const FpReg* f3, const FpReg* f4, const FpReg* f2, FpReg* out) noexcept {
  const fp::QuickOperand a{f3->significand, f3->exponent()}, b{f4->significand, f4->exponent()};
  const fp::QuickOperand c{kAdd ? f2->significand : 0, kAdd ? f2->exponent() : 0};
  if (!((kAdd ? a.significand & b.significand & c.significand : a.significand & b.significand) >> 63)) [[unlikely]] return 0;
  if (a.exponent == fp::kSpecialExponent || b.exponent == fp::kSpecialExponent || c.exponent == fp::kSpecialExponent) [[unlikely]] return 0;
  if (a.exponent == 0 || b.exponent == 0 || (kAdd && c.exponent == 0)) [[unlikely]] return 0;
  unsigned signs = ((f3->sign_exp ^ f4->sign_exp) >> 17 & 1) ^ unsigned{kNegateProduct};
  if (kAdd) signs |= ((f2->sign_exp >> 17 & 1) ^ unsigned{kNegateAddend}) << 1;
  i64 exponent;
  bool inexact;
  const u64 significand = fp::quick_multiply_add<kPrecision>(a, b, c, kAdd, signs, exponent, inexact);
  constexpr u32 kMin = emin_of<kPrecision>(kWide), kMax = emax_of<kPrecision>(kWide);
  if (!significand || static_cast<u64>(exponent - kMin) > kMax - kMin) [[unlikely]] return 0;
  if constexpr (kPrecision == 53 && !kWide)
    return u64{signs & 1} << 63 | static_cast<u64>(exponent - 0xfc00) << 52 | (significand << 1 >> 12);
  *out = {significand, (signs & 1) << 17 | static_cast<u32>(exponent), 0};
  return 1;
}

template <unsigned kPrecision, bool kWide>
QuickFunction quick_function(bool negate_product, bool negate_addend, bool add) {
  if (!add) return negate_product ? &quick<true, false, false, kPrecision, kWide> : &quick<false, false, false, kPrecision, kWide>;
  if (negate_product) return &quick<true, false, true, kPrecision, kWide>;
  return negate_addend ? &quick<false, true, true, kPrecision, kWide> : &quick<false, false, true, kPrecision, kWide>;
}

}  // namespace

QuickCase quick_multiply_add_case(const Insn& i) noexcept {
  const Handler h = i.handler;
  const bool fnma = h == &fnma_f1 || h == &fnma_d_f1 || h == &fnma_s_f1, fms = h == &fms_f1 || h == &fms_d_f1 || h == &fms_s_f1;
  const bool is_double = h == &fma_d_f1 || h == &fms_d_f1 || h == &fnma_d_f1;
  const bool is_single = h == &fma_s_f1 || h == &fms_s_f1 || h == &fnma_s_f1;
  const bool wide = i.x == 1, add = i.r2 != 0;
  if (i.x > 1) return {};
  QuickCase c;
  // Usual controls, in the wide range for status field 1 only; Inexact is set already, and no trap wants to know.
  const unsigned position = fp::Fpsr::position(i.x);
  const u32 controls = is_double || is_single ? kRoundingOnly : kControls;
  c.fpsr_mask = kTraps | (controls | 2 | u32{fp::kInexact} << 7) << position;
  c.fpsr_value = kTraps | ((kUsualControls & controls) | (wide ? 2 : 0) | u32{fp::kInexact} << 7) << position;
  c.as_double = is_double && !wide;
  if (is_double) {
    c.function = wide ? quick_function<53, true>(fnma, fms, add) : quick_function<53, false>(fnma, fms, add);
  } else if (is_single) {
    c.function = wide ? quick_function<24, true>(fnma, fms, add) : quick_function<24, false>(fnma, fms, add);
  } else {
    c.function = wide ? quick_function<64, true>(fnma, fms, add) : quick_function<64, false>(fnma, fms, add);
  }
  return c;
}

u64 copy_register(Registers& r, u64 n, FloatFile& file) noexcept {
  copy(r, n, file);
  return 1;
}

u64 settle_register(Registers& r, u64 n, FloatFile& file) noexcept {
  copy(r, n, file);
  file.form[n] = FloatFile::kRegister;
  return 1;
}

u64 make_double(Registers& r, u64 n, FloatFile& file) noexcept {
  copy(r, n, file);
  file.form[n] = FloatFile::kRegister;
  u64 bits;
  if (!plain_double(r.fr_phys[n], bits)) return 0;
  file.value[n] = bits, file.form[n] = FloatFile::kDouble;
  return 1;
}

LeanFunction wide_multiply_add(const Insn& i) noexcept {
  const Handler h = i.handler;
#define KINDS(suffix, precision) \
  if (h == &fma##suffix##_f1) return lean_function(&multiply_add<false, false, precision>); \
  if (h == &fms##suffix##_f1) return lean_function(&multiply_add<false, true, precision>); \
  if (h == &fnma##suffix##_f1) return lean_function(&multiply_add<true, false, precision>);
  KINDS(, 64)
  KINDS(_d, 53)
  KINDS(_s, 24)
#undef KINDS
  return nullptr;
}

}  // namespace ia64::cpu::jit
