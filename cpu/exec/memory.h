// What load, store and semaphore handlers share: post-increment, guest byte images, disabled floating-point registers,
// and the removal of advanced load entries by stores.
#pragma once

#include "base/endian.h"
#include "cpu/core.h"
#include "cpu/exec/alat.h"
#include "cpu/exec/operands.h"

namespace ia64::cpu {

/// How a memory format changes its base register r3 afterwards.
enum class Update : u8 { None, Register, Immediate };

/// The change of the base register, read before any target is written because r1 and r2 may name the same register.
/// It happens for deferred speculative loads too, and not at all when the instruction faults.
template <Update kUpdate>
class PostIncrement {
 public:
  PostIncrement(const Registers& r, const Insn& i) {
    if constexpr (kUpdate == Update::Register) amount_ = r.gr(i.r2), nat_ = r.nat(i.r2);
    if constexpr (kUpdate == Update::Immediate) amount_ = i.imm;
  }
  /// @param va        value of the base register
  /// @param base_nat  its NaT bit (speculative loads and lfetch only)
  void apply(const Gr& base, u64 va, bool base_nat = false) const {
    if constexpr (kUpdate != Update::None) base.set(va + amount_, base_nat | nat_);
  }

 private:
  u64 amount_ = 0;
  bool nat_ = false;
};

/// Register NaT Consumption by a load, a store, a semaphore.
[[gnu::cold]] Next raise_nat_read(Core& core) noexcept;
[[gnu::cold]] Next raise_nat_write(Core& core) noexcept;
[[gnu::cold]] Next raise_nat_semaphore(Core& core) noexcept;

/// A T from / into a byte image in guest memory order.
template <class T>
inline T from_guest_order(const void* image, bool big_endian) {
  return big_endian ? load_be<T>(image) : load_le<T>(image);
}
template <class T>
inline void to_guest_order(void* image, T value, bool big_endian) {
  big_endian ? store_be<T>(image, value) : store_le<T>(image, value);
}
/// A host integer as it lies in guest memory, and back.
template <class T>
inline T in_guest_order(T value, bool big_endian) {
  return big_endian ? byte_swap(value) : value;
}

/// Reads `kSize` bytes in guest order whose natural alignment is `kAlign`; Core::load_bytes with its quick case in line.
template <unsigned kSize, unsigned kAlign>
inline Next read_image(Core& core, u64 va, u8 (&image)[kSize]) noexcept {
  if (const u8* p = core.fast_tlb().read_pointer<kAlign>(va, core.regs().psr)) [[likely]] {
    std::memcpy(image, p, kSize);
    return Next::Continue;
  }
  return core.load_bytes(va, image, kSize, kAlign);
}
/// The counterpart for stores.
template <unsigned kSize, unsigned kAlign>
inline Next write_image(Core& core, u64 va, const u8 (&image)[kSize]) noexcept {
  if (u8* p = core.fast_tlb().write_pointer<kAlign>(va, core.regs().psr)) [[likely]] {
    std::memcpy(p, image, kSize);
    return Next::Continue;
  }
  return core.store_bytes(va, image, kSize, kAlign);
}
/// As read_image for a speculative load. What the quick case finds cannot fault, so only PSR.ed could defer it.
template <unsigned kSize, unsigned kAlign>
inline Next read_image_speculative(Core& core, u64 va, u8 (&image)[kSize], bool& deferred) noexcept {
  const u64 psr = core.regs().psr;
  if (const u8* p = core.fast_tlb().read_pointer<kAlign>(va, psr); p && !(psr & psr::kEd)) [[likely]] {
    std::memcpy(image, p, kSize);
    return Next::Continue;
  }
  return core.load_speculative(va, image, kSize, kAlign, deferred);
}

/// As Core::load_advanced, with its quick case in line: pages that the software TLB knows are memory.
template <unsigned kSize, unsigned kAlign>
inline Next read_image_advanced(Core& core, u64 va, u8 (&image)[kSize], bool speculative, bool& deferred,
                                const u8*& host) noexcept {
  const u64 psr = core.regs().psr;
  host = core.fast_tlb().read_pointer<kAlign>(va, psr);
  if (host && !(psr & psr::kEd)) [[likely]] {
    std::memcpy(image, host, kSize);
    return Next::Continue;
  }
  return core.load_advanced(va, image, kSize, kAlign, speculative, deferred, host);
}

/// Disabled FP-Register fault for the one or two registers of an instruction, or Next::Continue.
/// @param access  kept in ISR.r, ISR.w, ISR.sp. @source SDM vol. 2, 8.3 (Disabled FP-Register vector)
inline Next check_fp_enabled(Core& core, unsigned f1, unsigned f2, u64 access) noexcept {
  const u64 psr = core.regs().psr;
  if (!(psr & (psr::kDfl | psr::kDfh))) [[likely]] return Next::Continue;
  const auto is_low = [](unsigned f) { return f >= 2 && f < 32; };  // f0 and f1 belong to no bank
  const bool low = (psr & psr::kDfl) && (is_low(f1) || is_low(f2)), high = (psr & psr::kDfh) && (f1 >= 32 || f2 >= 32);
  if (!low && !high) return Next::Continue;
  core.raise_disabled_fp(low, high);
  Fault fault = core.pending_fault();
  fault.isr |= access;
  return core.raise(fault);
}
inline Next check_fp_enabled(Core& core, unsigned f, u64 access = 0) noexcept { return check_fp_enabled(core, f, f, access); }

/// Must follow every store: drops the advanced load entries it overlaps. One test when there are none.
void drop_overlapping_slow(Core& core, u64 va, unsigned size) noexcept;
inline void drop_overlapping(Core& core, u64 va, unsigned size) noexcept {
  if (core.alat().may_overlap(va, size)) [[unlikely]] drop_overlapping_slow(core, va, size);
}

}  // namespace ia64::cpu
