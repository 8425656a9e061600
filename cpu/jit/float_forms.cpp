// MXCSR and the end of forms.
#include "cpu/jit/float_forms.h"

#include <immintrin.h>

#include <cstring>

#include "cpu/fp/fpsr.h"
#include "cpu/jit/lean_float.h"

namespace ia64::cpu::jit {

namespace {

/// Round to nearest, all exceptions masked, no flags.
constexpr unsigned kCleanMxcsr = 0x1f80;
constexpr unsigned kMxcsrInexact = 0x20;

}  // namespace

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
    for (unsigned k = n; k < n + 8; k++) settle_register(core.regs(), k, file);
  }
  merge_float_flags(core, 0);
  file.active = 0;
}

}  // namespace ia64::cpu::jit
