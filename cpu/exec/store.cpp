// Stores of general and floating-point registers. Host stores are ordered enough for the release forms.
// @source SDM vol. 3, st, stf
#include "cpu/exec/handlers.h"
#include "cpu/exec/memory.h"
#include "cpu/fp/memory_format.h"

namespace ia64::cpu {

namespace {

// What follows a successful access: the ALAT, then the base register.
template <Update kUpdate>
inline Next finish(Core& core, const Insn& i, const Gr& base, unsigned size, Next next) noexcept {
  if (next == Next::Fault) [[unlikely]] return next;
  const u64 va = base.value();
  drop_overlapping(core, va, size);
  if constexpr (kUpdate == Update::Immediate) base.set(va + i.imm);
  return next;
}

template <class T, Update kUpdate>
Next store_general(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const Gr base(r, i.r3), source(r, i.r2);
  if (base.nat() | source.nat()) [[unlikely]] return raise_nat_write(core);
  return finish<kUpdate>(core, i, base, sizeof(T), core.store<T>(base.value(), static_cast<T>(source.value())));
}

// The NaT bit of the source goes to the bit of UNAT that the address selects.
template <Update kUpdate>
Next spill_general(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const Gr base(r, i.r3), source(r, i.r2);
  if (base.nat()) [[unlikely]] return raise_nat_write(core);
  const u64 va = base.value();
  const Next next = core.store<u64>(va, source.value());
  if (next != Next::Fault) r.unat = with_field(r.unat, static_cast<unsigned>(field(va, 3, 6)), 1, source.nat());
  return finish<kUpdate>(core, i, base, 8, next);
}

// Two 8-byte values, each in the current byte order: r2 to the lower address, AR.CSD to the higher.
Next store_sixteen(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  const Gr base(r, i.r3), source(r, i.r2);
  if (base.nat() | source.nat()) [[unlikely]] return raise_nat_write(core);
  const u64 lower = source.value(), upper = r.csd;
  const bool big_endian = core.big_endian();  // then the access reverses all sixteen bytes
  const u128 image = big_endian ? u128{lower} << 64 | upper : u128{upper} << 64 | lower;
  return finish<Update::None>(core, i, base, 16, core.store<u128>(base.value(), image));
}

// Floating-point formats: how a register is written to `va`.
template <class T, T (*kConvert)(const FpReg&)>
struct Scalar {
  static constexpr unsigned kSize = sizeof(T);
  static constexpr bool kSpill = false;
  static Next write(Core& core, u64 va, const FpReg& f) { return core.store<T>(va, kConvert(f)); }
};
struct Extended {
  static constexpr unsigned kSize = 10;
  static constexpr bool kSpill = false;
  static Next write(Core& core, u64 va, const FpReg& f) {
    const fp::Extended value = fp::to_extended(f);
    const bool big_endian = core.big_endian();
    u8 raw[kSize];
    to_guest_order<u64>(raw + (big_endian ? 2 : 0), value.significand, big_endian);
    to_guest_order<u16>(raw + (big_endian ? 0 : 8), value.sign_exp, big_endian);
    return write_image<kSize, 16>(core, va, raw);
  }
};
struct Spill {
  static constexpr unsigned kSize = 16;
  static constexpr bool kSpill = true;
  static Next write(Core& core, u64 va, const FpReg& f) {
    const fp::Spill value = fp::to_spill(f);
    const bool big_endian = core.big_endian();
    u8 raw[kSize];
    to_guest_order<u64>(raw + (big_endian ? 8 : 0), value.low, big_endian);
    to_guest_order<u64>(raw + (big_endian ? 0 : 8), value.high, big_endian);
    return write_image<kSize, 16>(core, va, raw);
  }
};

template <class Format, Update kUpdate>
Next store_fp(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (check_fp_enabled(core, i.r2, isr::kW) == Next::Fault) [[unlikely]] return Next::Fault;
  const FpReg f = r.fr(i.r2);
  const Gr base(r, i.r3);
  if (base.nat() || (!Format::kSpill && f.is_natval())) [[unlikely]] return raise_nat_write(core);
  return finish<kUpdate>(core, i, base, Format::kSize, Format::write(core, base.value(), f));
}

}  // namespace

#define STORE(name, function, ...) \
  Next name(Core& core, const Insn& i) noexcept { return function<__VA_ARGS__>(core, i); }

#define STORES(format, update) \
  STORE(st1_##format, store_general, u8, Update::update) \
  STORE(st2_##format, store_general, u16, Update::update) \
  STORE(st4_##format, store_general, u32, Update::update) \
  STORE(st8_##format, store_general, u64, Update::update) \
  STORE(st1_rel_##format, store_general, u8, Update::update) \
  STORE(st2_rel_##format, store_general, u16, Update::update) \
  STORE(st4_rel_##format, store_general, u32, Update::update) \
  STORE(st8_rel_##format, store_general, u64, Update::update) \
  STORE(st8_spill_##format, spill_general, Update::update)

#define STORES_FP(format, update) \
  STORE(stfs_##format, store_fp, Scalar<u32, fp::to_single>, Update::update) \
  STORE(stfd_##format, store_fp, Scalar<u64, fp::to_double>, Update::update) \
  STORE(stf8_##format, store_fp, Scalar<u64, fp::to_integer>, Update::update) \
  STORE(stfe_##format, store_fp, Extended, Update::update) \
  STORE(stf_spill_##format, store_fp, Spill, Update::update)

STORES(m4, None)
STORES(m5, Immediate)
STORES_FP(m9, None)
STORES_FP(m10, Immediate)

Next st16_m4(Core& core, const Insn& i) noexcept { return store_sixteen(core, i); }
Next st16_rel_m4(Core& core, const Insn& i) noexcept { return store_sixteen(core, i); }

}  // namespace ia64::cpu
