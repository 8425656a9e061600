// The steps of a division or root sequence, for those who look at what it left in other registers.
#include "cpu/jit/float_record.h"

#include "cpu/exec/handlers.h"
#include "cpu/fp/memory_format.h"
#include "cpu/fp/multiply_add.h"
#include "cpu/fp/reciprocal.h"

namespace ia64::cpu::jit {

namespace {

/// The controls that generated code made sure of: the widest range, round to nearest, nothing trapped.
fp::Control wide(u8 precision) {
  fp::Control c{.format = fp::kRegisterFormat};
  c.format.precision = precision;
  return c;
}

FpReg step(const Insn& i, const FpReg (&f)[32]) {
  if (i.handler == &frsqrta_f7) return fp::reciprocal_root(f[i.r3], wide(64)).outcome.value;
  if (i.handler == &frcpa_f6) return fp::reciprocal(f[i.r2], f[i.r3], wide(64)).outcome.value;
  const fp::MultiplyAddKind kind{.negate_product = i.handler == &fnma_f1, .no_addend = i.r2 == 0};
  return fp::multiply_add(f[i.r3], f[i.r4], f[i.r2], kind, wide(i.handler == &fma_d_f1 ? 53 : i.handler == &fma_s_f1 ? 24 : 64)).value;
}

}  // namespace

void compute_deferred(Registers& r, FloatFile& file, const FloatRecord& record) noexcept {
  FpReg f[32] = {};
  f[1] = kFpOne;
  f[record.dividend] = record.naturals ? from_natural(record.a) : fp::from_double(record.a);
  if (record.divisor) f[record.divisor] = record.naturals ? from_natural(record.b) : fp::from_double(record.b);
  for (u8 n : record.copies) f[n] = f[record.dividend];
  for (const auto& [n, value] : record.constants) f[n] = value;
  for (const Insn* i : record.steps) f[i->r1] = step(*i, f);
  for (unsigned n = 2; n < 32; n++) {
    if (file.form[n] != FloatFile::kDeferred || file.value[n] != reinterpret_cast<u64>(&record)) continue;
    r.fr_phys[n] = f[n];
    file.form[n] = FloatFile::kRegister;
  }
}

}  // namespace ia64::cpu::jit
