// Changes of form of floating-point registers.
#include "cpu/jit/float_forms.h"

#include <immintrin.h>

#include <cstring>

#include "cpu/fp/memory_format.h"
#include "cpu/fp/number.h"

namespace ia64::cpu::jit {

namespace {

/// Round to nearest, all exceptions masked, no flags.
constexpr unsigned kCleanMxcsr = 0x1f80;
constexpr unsigned kMxcsrInexact = 0x20;

/// The double that loads as `f`. Denormals do not count: arithmetic on them raises a flag.
bool plain_double(const FpReg& f, u64& bits) {
  const u32 e = f.exponent();
  if (f.sign_exp == 0x1fffe && f.significand == 0) return false;
  if (fp::is_zero(f)) return bits = u64{f.sign()} << 63, true;
  const bool finite = e - fp::kDoubleFormat.emin <= fp::kDoubleFormat.emax - fp::kDoubleFormat.emin;
  if (!(f.significand >> 63) || (f.significand & 0x7ff) || !(finite || e == fp::kSpecialExponent)) return false;
  return bits = fp::to_double(f), true;
}

}  // namespace

bool host_has_fma() noexcept {
  return __builtin_cpu_supports("avx") && __builtin_cpu_supports("fma");
}

void copy_register(Core& core, u64 n) noexcept {
  FloatFile& file = core.float_file();
  FpReg& f = core.regs().fr_phys[n];
  if (file.form[n] == FloatFile::kDouble) f = fp::from_double(file.value[n]);
  if (file.form[n] == FloatFile::kInteger) f = fp::from_integer(file.value[n]);
}

void settle_register(Core& core, u64 n) noexcept {
  copy_register(core, n);
  core.float_file().form[n] = FloatFile::kRegister;
}

u64 make_double(Core& core, u64 n) noexcept {
  FloatFile& file = core.float_file();
  settle_register(core, n);
  u64 bits;
  if (!plain_double(core.regs().fr_phys[n], bits)) return 0;
  file.value[n] = bits, file.form[n] = FloatFile::kDouble;
  return 1;
}

void begin_floats(Core& core, u64) noexcept {
  _mm_setcsr(kCleanMxcsr);
  core.float_file().active = 1;
}

void merge_float_flags(Core& core, u64) noexcept {
  if (!(_mm_getcsr() & kMxcsrInexact)) return;
  Registers& r = core.regs();
  r.fpsr = fp::Fpsr(r.fpsr).with_flags(0, fp::kInexact);
  _mm_setcsr(kCleanMxcsr);
}

void end_floats(Core& core, u64) noexcept {
  FloatFile& file = core.float_file();
  for (unsigned n = 0; n < 128; n += 8) {
    u64 eight;
    std::memcpy(&eight, &file.form[n], 8);
    if (eight == 0) continue;
    for (unsigned k = n; k < n + 8; k++) settle_register(core, k);
  }
  merge_float_flags(core, 0);
  file.active = 0;
}

}  // namespace ia64::cpu::jit
