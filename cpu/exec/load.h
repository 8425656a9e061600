// The load instruction, written once: every data format with every load type and every base update.
#pragma once

#include "cpu/exec/memory.h"

namespace ia64::cpu {

/// Load types by completer; `.bias` and fills behave as Plain.
enum class LoadType : u8 { Plain, Acquire, Spec, Advanced, SpecAdvanced, CheckClear, CheckKeep, CheckClearAcquire };

constexpr bool is_speculative(LoadType t) { return t == LoadType::Spec || t == LoadType::SpecAdvanced; }
constexpr bool is_advanced(LoadType t) { return t == LoadType::Advanced || t == LoadType::SpecAdvanced; }
constexpr bool is_check(LoadType t) { return t >= LoadType::CheckClear; }
constexpr bool is_acquire(LoadType t) { return t == LoadType::Acquire || t == LoadType::CheckClearAcquire; }

// A data format D says what is read and where it goes:
//   D::Image, D::kSize, D::kAlign     the value as read, bytes in memory, natural alignment
//   D::decode(raw, big_endian)        an Image from bytes in guest order
//   D::read(core, va, image)          the ordinary access
//   D::check(core, i, access)         faults that precede the base register's NaT (disabled registers)
//   D::put / put_nat / put_zero       write the target
//   D::tag(regs, i)                   the target's name in the ALAT

/// Reads into the target.
template <class D>
inline Next load_plain(Core& core, const Insn& i, u64 va) noexcept {
  typename D::Image image;
  const Next next = D::read(core, va, image);
  if (next == Next::Fault) [[unlikely]] return next;
  D::put(core, i, image, va);
  return next;
}

/// Reads into the target and enters it in the ALAT: ld.a, ld.sa, and ld.c.nc that missed.
/// From memory that is not speculative an advanced load reads nothing and gives zero, while ld.c.nc is an ordinary load.
template <class D, LoadType kType>
inline Next load_and_enter(Core& core, const Insn& i, u64 va) noexcept {
  u8 raw[D::kSize];
  bool deferred = false;
  const u8* host = nullptr;
  const Next next = read_image_advanced<D::kSize, D::kAlign>(core, va, raw, is_speculative(kType), deferred, host);
  if (next == Next::Fault) [[unlikely]] return next;
  Registers& r = core.regs();
  const AlatTag tag = D::tag(r, i);
  core.alat().remove(tag);
  if (deferred) {
    D::put_nat(core, i);
  } else if (host) {
    D::put(core, i, D::decode(raw, core.big_endian()), va);
    core.alat().insert(tag, va, host, D::kSize);
  } else if (is_check(kType)) {
    return load_plain<D>(core, i, va);
  } else {
    D::put_zero(r, i);
  }
  return next;
}

/// ld.c: nothing to do while the entry lives. The acquire form always reads again, so that it sees what others stored.
template <class D, LoadType kType>
inline Next load_checked(Core& core, const Insn& i, u64 va) noexcept {
  if constexpr (kType == LoadType::CheckClearAcquire) {
    core.alat().acquire();
  } else {
    const AlatTag tag = D::tag(core.regs(), i);
    if (core.alat().hit(tag)) {
      if constexpr (kType == LoadType::CheckClear) core.alat().remove(tag);
      return Next::Continue;
    }
  }
  if constexpr (kType == LoadType::CheckKeep) return load_and_enter<D, kType>(core, i, va);
  return load_plain<D>(core, i, va);
}

/// ld.s: a deferred exception, or a base that is NaT, makes the target NaT.
template <class D>
inline Next load_speculatively(Core& core, const Insn& i, u64 va) noexcept {
  u8 raw[D::kSize];
  bool deferred = false;
  const Next next = read_image_speculative<D::kSize, D::kAlign>(core, va, raw, deferred);
  if (next == Next::Fault) [[unlikely]] return next;
  deferred ? D::put_nat(core, i) : D::put(core, i, D::decode(raw, core.big_endian()), va);
  return next;
}

template <class D, LoadType kType>
inline Next load_value(Core& core, const Insn& i, u64 va) noexcept {
  if constexpr (kType == LoadType::Spec) {
    return load_speculatively<D>(core, i, va);
  } else if constexpr (is_check(kType)) {
    return load_checked<D, kType>(core, i, va);
  } else if constexpr (is_advanced(kType)) {
    return load_and_enter<D, kType>(core, i, va);
  } else {
    const Next next = load_plain<D>(core, i, va);
    if constexpr (is_acquire(kType)) core.alat().acquire();
    return next;
  }
}

/// The handler body. @source SDM vol. 3, ld, ldf, ldfp
template <class D, LoadType kType, Update kUpdate>
inline Next load(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (D::check(core, i, isr::kR | (is_speculative(kType) ? isr::kSp : 0)) == Next::Fault) [[unlikely]] return Next::Fault;
  const Gr base(r, i.r3);
  const u64 va = base.value();
  const PostIncrement<kUpdate> increment(r, i);
  if (base.nat()) [[unlikely]] {
    if constexpr (!is_speculative(kType)) return raise_nat_read(core);
    if constexpr (is_advanced(kType)) core.alat().remove(D::tag(r, i));
    D::put_nat(core, i);
    increment.apply(base, va, true);
    return Next::Continue;
  }
  const Next next = load_value<D, kType>(core, i, va);
  if (next == Next::Fault) [[unlikely]] return next;
  increment.apply(base, va);
  return next;
}

}  // namespace ia64::cpu

/// One handler. `name` is the mnemonic, `format` the format's number in lower case.
#define LOAD(name, format, data, type, update) \
  Next name##_##format(Core& core, const Insn& i) noexcept { return load<data, LoadType::type, Update::update>(core, i); }

/// The types that integer and floating-point loads have in common.
#define LOAD_COMMON_TYPES(name, format, data, update) \
  LOAD(name, format, data, Plain, update) \
  LOAD(name##_s, format, data, Spec, update) \
  LOAD(name##_a, format, data, Advanced, update) \
  LOAD(name##_sa, format, data, SpecAdvanced, update) \
  LOAD(name##_c_clr, format, data, CheckClear, update) \
  LOAD(name##_c_nc, format, data, CheckKeep, update)
