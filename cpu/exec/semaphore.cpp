// Semaphores as host atomic operations, fences. All are sequentially consistent, which covers .acq and .rel.
// @source SDM vol. 3, cmpxchg, cmp8xchg16, xchg, fetchadd, mf
#include <atomic>

#include "cpu/exec/handlers.h"
#include "cpu/exec/memory.h"

namespace ia64::cpu {

namespace {

// After the memory operation: entries of overlapping advanced loads go; with acquire semantics what others stored before
// must be seen from here on, so all of them do.
Next finish(Core& core, const Insn& i, u64 va, unsigned size, bool written, bool acquire, u64 old) noexcept {
  if (acquire) {
    core.alat().acquire();
  } else if (written) {
    drop_overlapping(core, va, size);
  }
  core.regs().set_gr(i.r1, old);
  return Next::Continue;
}

// AR.CCV is compared as a whole with the zero-extended value, so one with bits above the operand never matches.
template <class T, bool kAcquire>
Next compare_exchange(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.nat(i.r3) | r.nat(i.r2)) [[unlikely]] return raise_nat_semaphore(core);
  const u64 va = r.gr(i.r3);
  auto* const memory = static_cast<T*>(core.semaphore_address(va, sizeof(T)));
  if (!memory) [[unlikely]] return Next::Fault;
  const bool big_endian = core.big_endian();
  T image = in_guest_order(static_cast<T>(r.ccv), big_endian);
  bool written = false;
  if (static_cast<T>(r.ccv) == r.ccv) {
    const T wanted = in_guest_order(static_cast<T>(r.gr(i.r2)), big_endian);
    written = __atomic_compare_exchange_n(memory, &image, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  } else {
    image = __atomic_load_n(memory, __ATOMIC_SEQ_CST);
  }
  return finish(core, i, va, sizeof(T), written, kAcquire, in_guest_order(image, big_endian));
}

struct alignas(16) Pair {
  u64 half[2];
};
// @returns whether *memory was `expected` and is `wanted` now; otherwise `expected` is what it was.
bool compare_exchange_pair(Pair* memory, Pair& expected, const Pair& wanted) {
  bool equal;
  asm volatile("lock cmpxchg16b %1"
               : "=@cce"(equal), "+m"(*memory), "+a"(expected.half[0]), "+d"(expected.half[1])
               : "b"(wanted.half[0]), "c"(wanted.half[1])
               : "memory");
  return equal;
}

// Eight bytes are compared, wherever r3 points; on a match the sixteen around them become r2 (lower address) and AR.CSD.
template <bool kAcquire>
Next compare_eight_exchange_sixteen(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.nat(i.r3) | r.nat(i.r2)) [[unlikely]] return raise_nat_semaphore(core);
  const u64 va = r.gr(i.r3);
  auto* const compared = static_cast<u64*>(core.semaphore_address(va, 8));
  if (!compared) [[unlikely]] return Next::Fault;
  auto* const memory = reinterpret_cast<Pair*>(align_down(reinterpret_cast<u64>(compared), 16));
  const unsigned which = static_cast<unsigned>(field(va, 3, 1));
  const bool big_endian = core.big_endian();
  const u64 expected = in_guest_order(r.ccv, big_endian);
  const Pair wanted{{in_guest_order(r.gr(i.r2), big_endian), in_guest_order(r.csd, big_endian)}};
  Pair image;
  image.half[which] = __atomic_load_n(compared, __ATOMIC_SEQ_CST);
  image.half[!which] = __atomic_load_n(&memory->half[!which], __ATOMIC_RELAXED);
  bool written = false;
  while (image.half[which] == expected && !written) written = compare_exchange_pair(memory, image, wanted);
  return finish(core, i, align_down(va, 16), 16, written, kAcquire, in_guest_order(image.half[which], big_endian));
}

template <class T>
Next exchange(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.nat(i.r3) | r.nat(i.r2)) [[unlikely]] return raise_nat_semaphore(core);
  const u64 va = r.gr(i.r3);
  auto* const memory = static_cast<T*>(core.semaphore_address(va, sizeof(T)));
  if (!memory) [[unlikely]] return Next::Fault;
  const bool big_endian = core.big_endian();
  const T image = __atomic_exchange_n(memory, in_guest_order(static_cast<T>(r.gr(i.r2)), big_endian), __ATOMIC_SEQ_CST);
  return finish(core, i, va, sizeof(T), true, true, in_guest_order(image, big_endian));
}

// The host adds in its own byte order only.
template <class T>
T add_swapped(T* memory, T increment) {
  T image = __atomic_load_n(memory, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(memory, &image, byte_swap(static_cast<T>(byte_swap(image) + increment)), true,
                                      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
  }
  return byte_swap(image);
}

template <class T, bool kAcquire>
Next fetch_add(Core& core, const Insn& i) noexcept {
  Registers& r = core.regs();
  if (r.nat(i.r3)) [[unlikely]] return raise_nat_semaphore(core);
  const u64 va = r.gr(i.r3);
  auto* const memory = static_cast<T*>(core.semaphore_address(va, sizeof(T)));
  if (!memory) [[unlikely]] return Next::Fault;
  const T increment = static_cast<T>(i.imm);
  const T old = core.big_endian() ? add_swapped(memory, increment) : __atomic_fetch_add(memory, increment, __ATOMIC_SEQ_CST);
  return finish(core, i, va, sizeof(T), true, kAcquire, old);
}

}  // namespace

#define SEMAPHORE(name, ...) \
  Next name(Core& core, const Insn& i) noexcept { return __VA_ARGS__(core, i); }

#define COMPARE_EXCHANGE(size, type) \
  SEMAPHORE(cmpxchg##size##_acq_m16, compare_exchange<type, true>) \
  SEMAPHORE(cmpxchg##size##_rel_m16, compare_exchange<type, false>) \
  SEMAPHORE(xchg##size##_m16, exchange<type>)

COMPARE_EXCHANGE(1, u8)
COMPARE_EXCHANGE(2, u16)
COMPARE_EXCHANGE(4, u32)
COMPARE_EXCHANGE(8, u64)
SEMAPHORE(cmp8xchg16_acq_m16, compare_eight_exchange_sixteen<true>)
SEMAPHORE(cmp8xchg16_rel_m16, compare_eight_exchange_sixteen<false>)
SEMAPHORE(fetchadd4_acq_m17, fetch_add<u32, true>)
SEMAPHORE(fetchadd8_acq_m17, fetch_add<u64, true>)
SEMAPHORE(fetchadd4_rel_m17, fetch_add<u32, false>)
SEMAPHORE(fetchadd8_rel_m17, fetch_add<u64, false>)

Next mf_m24(Core& core, const Insn&) noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  core.alat().acquire();
  return Next::Continue;
}

// Acceptance by the platform: device accesses are complete when they return, so this is no more than a fence.
Next mf_a_m24(Core& core, const Insn& i) noexcept { return mf_m24(core, i); }

// Host stores leave the write buffers by themselves.
Next fwb_m24(Core&, const Insn&) noexcept { return Next::Continue; }

}  // namespace ia64::cpu
