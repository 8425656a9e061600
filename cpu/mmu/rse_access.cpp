// Register stack fills and spills.
#include "cpu/mmu/rse_access.h"

#include "base/endian.h"
#include "cpu/core.h"
#include "cpu/mmu/physical_access.h"
#include "cpu/mmu/translate.h"

namespace ia64::cpu {

namespace {
unsigned rse_privilege(const Registers& r) {
  return static_cast<unsigned>(field(r.rsc, 2, 2));
}
bool rse_big_endian(const Registers& r) {
  return r.rsc & bit(4);
}

FastTlb::Mode rse_mode(const Registers& r) {
  return FastTlb::make_mode(r.psr & psr::kRt, rse_privilege(r), r.psr & psr::kPk, r.psr & psr::kDb);
}

/// Translates, or raises the fault; fills the software TLB. @returns the host address, or nullptr with
/// `t.phys` of a device when `faulted` stays false
u8* translate_rse(Core& core, u64 address, bool write, mmu::Translation& t, bool& faulted) {
  const Registers& r = core.regs();
  const mmu::Reference ref{.va = address,
                           .size = 8,
                           .align = 8,
                           .pl = static_cast<u8>(rse_privilege(r)),
                           .read = !write,
                           .write = write,
                           .translate = (r.psr & psr::kRt) != 0,
                           .rse = true};
  const auto problems = mmu::translate(core, ref, t);
  faulted = problems != 0;
  if (faulted) {
    core.raise(mmu::make_fault(core, ref, mmu::first_problem(problems), t.iha));
    return nullptr;
  }
  return core.wires().bus->host_ptr(t.phys, write);
}

u64 make_context(Core& core, u64 address) {
  const Registers& r = core.regs();
  const auto region = static_cast<unsigned>(address >> 61);
  return core.fast_tlb().context(rse_mode(r), region, static_cast<u32>(field(r.rr[region], 8, 24)));
}

Next load_slow(Core& core, u64 address, u64& image) {
  mmu::Translation t;
  bool faulted;
  if (const u8* host = translate_rse(core, address, false, t, faulted)) {
    mmu::copy_from_memory(host, &image, 8);
    if (mmu::may_remember(core, address, t, false))
      core.fast_tlb().add_read(address, make_context(core, address), host);
    return Next::Continue;
  }
  if (faulted) return Next::Fault;
  mmu::read_device(*core.wires().bus, t.phys, &image, 8);
  return Next::Continue;
}

Next store_slow(Core& core, u64 address, u64 image) {
  AddressSpace& bus = *core.wires().bus;
  mmu::Translation t;
  bool faulted;
  if (u8* host = translate_rse(core, address, true, t, faulted)) {
    mmu::copy_to_memory(host, &image, 8);
    if (bus.has_code_mark(t.phys)) {
      bus.code_written(t.phys, 8);
      return Next::Sync;
    }
    if (mmu::may_remember(core, address, t, true))
      core.fast_tlb().add_write(address, make_context(core, address), host);
    return Next::Continue;
  }
  if (faulted) return Next::Fault;
  if (!bus.host_ptr(t.phys, false)) mmu::write_device(bus, t.phys, &image, 8);
  return Next::Continue;
}
}  // namespace

const u8* rse_read_pointer(const Core& core, u64 address) noexcept {
  const FastTlb& fast = core.fast_tlb();
  return fast.read_pointer_in(address, fast.known_context(rse_mode(core.regs()), static_cast<unsigned>(address >> 61)));
}

u8* rse_write_pointer(const Core& core, u64 address) noexcept {
  const FastTlb& fast = core.fast_tlb();
  return fast.write_pointer_in(address, fast.known_context(rse_mode(core.regs()), static_cast<unsigned>(address >> 61)));
}

bool rse_big_endian(const Core& core) noexcept {
  return rse_big_endian(core.regs());
}

Next rse_load(Core& core, u64 address, u64& value) noexcept {
  const Registers& r = core.regs();
  const FastTlb& fast = core.fast_tlb();
  const u64 context = fast.known_context(rse_mode(r), static_cast<unsigned>(address >> 61));
  u64 image = 0;
  if (const u8* p = fast.read_pointer_in(address, context)) {
    image = load_le<u64>(p);
  } else if (load_slow(core, address, image) == Next::Fault) {
    return Next::Fault;
  }
  value = rse_big_endian(r) ? byte_swap(image) : image;
  return Next::Continue;
}

Next rse_store(Core& core, u64 address, u64 value) noexcept {
  const Registers& r = core.regs();
  const FastTlb& fast = core.fast_tlb();
  const u64 image = rse_big_endian(r) ? byte_swap(value) : value;
  const u64 context = fast.known_context(rse_mode(r), static_cast<unsigned>(address >> 61));
  if (u8* p = fast.write_pointer_in(address, context)) {
    store_le<u64>(p, image);
    return Next::Continue;
  }
  return store_slow(core, address, image);
}

}  // namespace ia64::cpu
