// MXCSR and the end of forms.
#include "cpu/jit/float_forms.h"

#include <immintrin.h>

#include <cstring>

#include "cpu/fp/fpsr.h"
#include "cpu/jit/float_traps.h"
#include "cpu/jit/lean_float.h"

namespace ia64::cpu::jit {

namespace {

constexpr unsigned kMxcsrInexact = 0x20;

}  // namespace

void begin_floats(Core& core, u64 mxcsr) noexcept {
  _mm_setcsr(static_cast<unsigned>(mxcsr));
  core.float_file().active = 1;
}

void merge_float_flags(Core& core, u64 mxcsr) noexcept {
  const unsigned now = _mm_getcsr();
  Registers& r = core.regs();
  if (now & kMxcsrInexact) r.fpsr = fp::Fpsr(r.fpsr).with_flags(0, fp::kInexact);
  if (now != mxcsr) _mm_setcsr(static_cast<unsigned>(mxcsr));
}

void end_floats(Core& core, u64) noexcept {
  FloatFile& file = core.float_file();
  for (unsigned n = 0; n < 128; n += 8) {
    u64 eight;
    std::memcpy(&eight, &file.form[n], 8);
    if (eight == 0) continue;
    for (unsigned k = n; k < n + 8; k++) settle_register(core.regs(), k, file);
  }
  merge_float_flags(core, kQuietMxcsr);
  file.active = 0;
}

}  // namespace ia64::cpu::jit
