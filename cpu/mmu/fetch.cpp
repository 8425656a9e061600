// Instruction fetch: page translation with a small cache, and bundle reads.
#include "cpu/mmu/fetch.h"

#include "cpu/core.h"
#include "cpu/mmu/debug_match.h"
#include "cpu/mmu/physical_access.h"
#include "cpu/mmu/translate.h"

namespace ia64::cpu {

namespace {
constexpr u64 kPageMask = ~low_mask(AddressSpace::kPageBits);

mmu::Reference fetch_reference(const Registers& r, u64 ip) {
  return {.va = ip,
          .size = 16,
          .pl = static_cast<u8>(r.cpl()),
          .execute = true,
          .translate = (r.psr & psr::kIt) != 0};
}

/// epc promotes on pages with AR 7, and in physical mode always to level 0.
u8 promotion_level(const mmu::Translation& t) {
  if (!t.entry) return 0;
  return t.entry->access_rights() == 7 ? static_cast<u8>(t.entry->privilege()) : 3;
}

FetchPage describe(const Core& core, const mmu::Translation& t) {
  const GuestPhys phys = t.phys & kPageMask;
  return {.phys = phys,
          .host = core.wires().bus->host_ptr(phys, false),
          .ed = t.entry && t.entry->exception_deferral(),
          .promote_to = promotion_level(t)};
}
}  // namespace

Next fetch_page(Core& core, u64 ip, FetchPage& page) noexcept {
  const Registers& r = core.regs();
  const FastTlb::Mode mode = FastTlb::fetch_mode(r.psr);
  const auto region = static_cast<unsigned>(ip >> 61);
  FastTlb::FetchEntry& cached = core.fast_tlb().fetch_slot(ip);
  if (cached.tag == ((ip & kPageMask) | core.fast_tlb().known_context(mode, region))) {
    page = {.phys = cached.phys, .host = cached.host, .ed = cached.ed, .promote_to = cached.promote_to};
    return Next::Continue;
  }
  const mmu::Reference ref = fetch_reference(r, ip);
  mmu::Translation t;
  if (const auto problems = mmu::translate(core, ref, t))
    return core.raise(mmu::make_fault(core, ref, mmu::first_problem(problems), t.iha));
  page = describe(core, t);
  if (!t.entry || t.entry->accessed()) {
    const u64 context = core.fast_tlb().context(mode, region, static_cast<u32>(field(r.rr[region], 8, 24)));
    cached = {(ip & kPageMask) | context, page.phys, page.host, page.promote_to, page.ed};
  }
  return Next::Continue;
}

void read_bundle(Core& core, const FetchPage& page, u64 ip, u8 out[16]) noexcept {
  const u64 offset = ip & ~kPageMask & ~u64{15};
  if (page.host) return mmu::copy_from_memory(page.host + offset, out, 16);
  mmu::read_device(*core.wires().bus, page.phys + offset, out, 16);
}

bool instruction_debug_match(const Core& core, u64 ip) noexcept {
  return mmu::instruction_breakpoint(core.regs(), ip, core.regs().cpl());
}

Next raise_instruction_debug(Core& core, u64 ip) noexcept {
  return core.raise(mmu::make_fault(core, fetch_reference(core.regs(), ip), mmu::Problem::Debug, 0));
}

}  // namespace ia64::cpu
