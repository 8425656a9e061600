// Speculative and advanced loads: which conditions are deferred, and what may enter the ALAT.
#include <cstring>

#include "cpu/core.h"
#include "cpu/mmu/physical_access.h"
#include "cpu/mmu/translate.h"

namespace ia64::cpu {

namespace {
using mmu::Problem;
using mmu::problem_bit;
using mmu::Problems;

constexpr Problems kTlbProblems = problem_bit(Problem::NestedTlb) | problem_bit(Problem::AlternateTlb) |
                                  problem_bit(Problem::VhptTranslation) | problem_bit(Problem::TlbMiss);
/// Conditions that are deferred whatever PSR, DCR and ITLB.ed say. Unsupported references are those to memory
/// that is not speculative, where a speculative load never reads.
constexpr Problems kAlwaysDeferred = problem_bit(Problem::UnimplementedAddress) |
                                     problem_bit(Problem::NatPage) | problem_bit(Problem::Unsupported);

/// DCR bit and what it defers. @source SDM vol. 2, 3.3.4.1 (DCR)
struct DcrDeferral {
  unsigned dcr_bit;
  Problems problems;
};
constexpr DcrDeferral kDcrDeferrals[] = {
    {8, kTlbProblems},
    {9, problem_bit(Problem::NotPresent)},
    {10, problem_bit(Problem::KeyMiss)},
    {11, problem_bit(Problem::KeyPermission)},
    {12, problem_bit(Problem::AccessRights)},
    {13, problem_bit(Problem::AccessBit)},
    {14, problem_bit(Problem::Debug)},
};

/// The conditions that a speculative load defers now. @source SDM vol. 2, 5.5.5, table 5-4
Problems deferred_problems(const Core& core) {
  const Registers& r = core.regs();
  if (!(r.psr & psr::kIc)) return ~Problems{0};
  Problems deferred = kAlwaysDeferred;
  if (!(r.psr & psr::kIt) || !core.code_ed()) return deferred;
  deferred |= problem_bit(Problem::Unaligned);
  for (const DcrDeferral& d : kDcrDeferrals)
    if (r.dcr >> d.dcr_bit & 1) deferred |= d.problems;
  return deferred;
}

bool is_speculative_memory(MemoryAttribute attribute) {
  return attribute == MemoryAttribute::WriteBack || attribute == MemoryAttribute::WriteCoalescing;
}

mmu::Reference load_reference(const Core& core, u64 va, unsigned size, unsigned align, bool speculative) {
  const Registers& r = core.regs();
  return {.va = va,
          .size = static_cast<u8>(size),
          .align = static_cast<u8>(align),
          .pl = static_cast<u8>(r.cpl()),
          .read = true,
          .translate = (r.psr & psr::kDt) != 0,
          .strict_align = size == 16,
          .cacheable_only = size == 10,
          .speculative = speculative};
}

/// Reads without side effects, if there is such memory. A device is never read ahead of the program.
/// @returns the memory, or nullptr
const u8* read_ahead(const Core& core, const mmu::Translation& t, void* out, unsigned size) {
  const u8* host = is_speculative_memory(t.attribute) ? core.wires().bus->host_ptr(t.phys, false) : nullptr;
  if (host) mmu::copy_from_memory(host, out, size);
  return host;
}
}  // namespace

Next Core::load_advanced(u64 va, void* out, unsigned size, unsigned align, bool speculative, bool& deferred,
                         const u8*& host) noexcept {
  host = nullptr;
  deferred = speculative && (r_.psr & psr::kEd);
  if (deferred) return Next::Continue;
  const mmu::Reference ref = load_reference(*this, va, size, align, speculative);
  mmu::Translation t;
  const Problems problems = mmu::translate(*this, ref, t);
  const Problems deferrable = speculative ? deferred_problems(*this) & ~problem_bit(Problem::Watched) : 0;
  if (const Problems raised = problems & ~deferrable)
    return raise(mmu::make_fault(*this, ref, mmu::first_problem(raised), t.iha));
  if (problems == 0) host = read_ahead(*this, t, out, size);
  if (host) return Next::Continue;
  if (speculative) {
    deferred = true;
  } else {
    std::memset(out, 0, size);
  }
  return Next::Continue;
}

Next Core::load_speculative(u64 va, void* out, unsigned size, unsigned align, bool& deferred) noexcept {
  const u8* host;
  return load_advanced(va, out, size, align, true, deferred, host);
}

}  // namespace ia64::cpu
