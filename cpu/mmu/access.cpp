// The slow path of loads, stores and semaphores: full translation, memory or device access, and refilling the
// software TLB.
#include "base/address_space.h"
#include "cpu/core.h"
#include "cpu/mmu/physical_access.h"
#include "cpu/mmu/tlb.h"
#include "cpu/mmu/translate.h"

namespace ia64::cpu {

namespace {
using mmu::Reference;
using mmu::Translation;

/// A data reference of the running program.
Reference data_reference(const Core& core, u64 va, unsigned size, unsigned align) {
  const Registers& r = core.regs();
  return {.va = va,
          .size = static_cast<u8>(size),
          .align = static_cast<u8>(align),
          .pl = static_cast<u8>(r.cpl()),
          .translate = (r.psr & psr::kDt) != 0,
          .strict_align = size == 16};
}

u32 rid_of(const Core& core, u64 va) {
  return static_cast<u32>(field(core.regs().rr[va >> 61], 8, 24));
}

u64 data_context(Core& core, u64 va) {
  return core.fast_tlb().context(FastTlb::data_mode(core.regs().psr), static_cast<unsigned>(va >> 61),
                                 rid_of(core, va));
}

/// Stores into RAM whose page may hold cached code.
Next store_to_ram(Core& core, u64 va, const Translation& t, u8* host, const void* in, unsigned size) {
  AddressSpace& bus = *core.wires().bus;
  mmu::copy_to_memory(host, in, size);
  if (bus.has_code_mark(t.phys)) [[unlikely]] {
    bus.code_written(t.phys, size);
    return Next::Sync;
  }
  if (mmu::may_remember(core, va, t, true)) core.fast_tlb().add_write(va, data_context(core, va), host);
  return Next::Continue;
}

/// The aligned fast path of a size known only at run time.
u8* quick_pointer(const FastTlb& fast, u64 va, unsigned size, u64 psr, bool write) {
  switch (size) {
    case 1: return write ? fast.write_pointer<1>(va, psr) : fast.read_pointer<1>(va, psr);
    case 2: return write ? fast.write_pointer<2>(va, psr) : fast.read_pointer<2>(va, psr);
    case 4: return write ? fast.write_pointer<4>(va, psr) : fast.read_pointer<4>(va, psr);
    case 8: return write ? fast.write_pointer<8>(va, psr) : fast.read_pointer<8>(va, psr);
    case 10:
    case 16: return write ? fast.write_pointer<16>(va, psr) : fast.read_pointer<16>(va, psr);
    default: return nullptr;
  }
}

/// Reads what a reference led to.
void read_translated(Core& core, u64 va, const Translation& t, void* out, unsigned size) {
  AddressSpace& bus = *core.wires().bus;
  const u8* host = bus.host_ptr(t.phys, false);
  if (!host) return mmu::read_device(bus, t.phys, out, size);
  mmu::copy_from_memory(host, out, size);
  if (mmu::may_remember(core, va, t, false)) core.fast_tlb().add_read(va, data_context(core, va), host);
}
}  // namespace

Next Core::load_slow(u64 va, void* out, unsigned size, unsigned align, bool write_back_only) noexcept {
  fast_tlb_.follow_psr(r_.psr);
  if (fast_tlb_.refill_read(va)) {
    if (const u8* p = quick_pointer(fast_tlb_, va, size, r_.psr, false)) {
      mmu::copy_from_memory(p, out, size);
      return Next::Continue;
    }
  }
  Reference ref = data_reference(*this, va, size, align);
  ref.read = true;
  ref.cacheable_only = write_back_only;
  Translation t;
  if (const auto problems = mmu::translate(*this, ref, t)) [[unlikely]]
    return raise(mmu::make_fault(*this, ref, mmu::first_problem(problems), t.iha));
  read_translated(*this, va, t, out, size);
  return Next::Continue;
}

Next Core::store_slow(u64 va, const void* in, unsigned size, unsigned align, bool write_back_only) noexcept {
  fast_tlb_.follow_psr(r_.psr);
  if (fast_tlb_.refill_write(va)) {
    if (u8* p = quick_pointer(fast_tlb_, va, size, r_.psr, true)) {
      mmu::copy_to_memory(p, in, size);
      return Next::Continue;
    }
  }
  Reference ref = data_reference(*this, va, size, align);
  ref.write = true;
  ref.cacheable_only = write_back_only;
  Translation t;
  if (const auto problems = mmu::translate(*this, ref, t)) [[unlikely]]
    return raise(mmu::make_fault(*this, ref, mmu::first_problem(problems), t.iha));
  if (u8* host = wires_.bus->host_ptr(t.phys, true)) return store_to_ram(*this, va, t, host, in, size);
  if (!wires_.bus->host_ptr(t.phys, false))
    mmu::write_device(*wires_.bus, t.phys, in, size);  // else ROM: dropped
  return Next::Continue;
}

bool Core::prepare_access(u64 va, unsigned size, bool write) noexcept {
  fast_tlb_.follow_psr(r_.psr);
  if (va & (size - 1)) return false;
  if (write ? fast_tlb_.refill_write(va) : fast_tlb_.refill_read(va)) return true;
  Reference ref = data_reference(*this, va, size, size);
  (write ? ref.write : ref.read) = true;
  Translation t;
  if (mmu::translate(*this, ref, t) || !mmu::may_remember(*this, va, t, write)) return false;
  u8* const host = wires_.bus->host_ptr(t.phys, write);
  if (!host || (write && wires_.bus->has_code_mark(t.phys))) return false;
  const u64 context = data_context(*this, va);
  write ? fast_tlb_.add_write(va, context, host) : fast_tlb_.add_read(va, context, host);
  return true;
}

void* Core::semaphore_address(u64 va, unsigned size) noexcept {
  fast_tlb_.follow_psr(r_.psr);
  if (fast_tlb_.refill_write(va)) fast_tlb_.refill_read(va);
  u8* const quick = quick_pointer(fast_tlb_, va, size, r_.psr, true);
  if (quick && quick == quick_pointer(fast_tlb_, va, size, r_.psr, false)) return quick;
  Reference ref = data_reference(*this, va, size, size);
  ref.read = ref.write = ref.strict_align = ref.cacheable_only = true;
  Translation t;
  auto problems = mmu::translate(*this, ref, t);
  u8* const host = problems ? nullptr : wires_.bus->host_ptr(t.phys, false);
  if (!problems && !host) problems = mmu::problem_bit(mmu::Problem::Unsupported);
  if (problems) [[unlikely]] {
    raise(mmu::make_fault(*this, ref, mmu::first_problem(problems), t.iha));
    return nullptr;
  }
  if (!wires_.bus->is_ram(t.phys)) {  // ROM: the operation works on a copy, so that the write has no effect
    mmu::copy_from_memory(host - (va & 15), rom_copy_, 16);
    return rom_copy_ + (va & 15);
  }
  wires_.bus->code_written(t.phys, size);
  if (mmu::may_remember(*this, va, t, true)) {
    fast_tlb_.add_read(va, data_context(*this, va), host);
    fast_tlb_.add_write(va, data_context(*this, va), host);
  }
  return host;
}

Next Core::prefetch(u64 va, bool fault, bool exclusive) noexcept {
  if (!fault || (r_.psr & psr::kEd)) return Next::Continue;
  Reference ref = data_reference(*this, va, 1, 1);
  ref.read = ref.non_access = true;
  ref.na_code = isr::kLfetch;
  Translation t;
  const auto problems = mmu::translate(*this, ref, t);
  return problems ? raise(mmu::make_fault(*this, ref, mmu::first_problem(problems), t.iha)) : Next::Continue;
}

void Core::watch_code_page(GuestPhys phys) noexcept {
  if (const u8* host = wires_.bus->host_ptr(align_down(phys, AddressSpace::kPageSize), false))
    fast_tlb_.forget_writes(host);
}

bool Core::data_physical(u64 va, GuestPhys& phys) const noexcept {
  return mmu::find_physical(*this, va, false, (r_.psr & psr::kDt) != 0, false, phys);
}

}  // namespace ia64::cpu
