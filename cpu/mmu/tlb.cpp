// Translation registers, insertion, purges, and the registers that take part in translation.
#include "cpu/mmu/tlb.h"

#include "base/invariant.h"
#include "base/log.h"
#include "base/state_archive.h"
#include "cpu/core.h"
#include "cpu/mmu/translation_cache.h"

namespace ia64::cpu {

namespace {
constexpr u64 kOffsetMask = low_mask(61);
/// Page sizes that purges may name reach from 4 KiB to a whole region, whatever the encoding says.
unsigned clamp_purge_size(unsigned ps) {
  return ps < 12 ? 12 : ps > 61 ? 61 : ps;
}

// Words of the trace.
char letter(bool data) {
  return data ? 'd' : 'i';
}
std::string describe(const TlbEntry& e, u64 va) {
  return fmt::format("{:#x} rid {:#x} size 2^{} to {:#x}, pte {:#x}", va, e.rid, e.ps, e.physical(va), e.pte);
}
std::string describe(const PurgeRequest& request, u64 offset, unsigned ps) {
  return fmt::format("offset {:#x} rid {:#x} size 2^{}", offset, request.rid, ps);
}
}  // namespace

Tlb::Tlb(Core& core) : core_(core) {
  for (auto& cache : tc_) cache = std::make_unique<TranslationCache>();
  INVARIANT(core.wires().model->instruction_trs <= kMaxRegisters &&
            core.wires().model->data_trs <= kMaxRegisters);
}
Tlb::~Tlb() = default;

u32 Tlb::rid_of(u64 va) const {
  return static_cast<u32>(field(core_.regs().rr[va >> 61], 8, 24));
}

const TlbEntry* Tlb::find(Side side, u64 va) const {
  const u32 rid = rid_of(va);
  const u64 offset = va & kOffsetMask;
  const Registers64& tr = tr_[static_cast<unsigned>(side)];
  for (u64 valid = tr.valid; valid; valid &= valid - 1) {
    const TlbEntry& entry = tr.entry[static_cast<unsigned>(__builtin_ctzll(valid))];
    if (entry.matches(rid, offset)) return &entry;
  }
  return tc_[static_cast<unsigned>(side)]->find(rid, offset);
}

void Tlb::forget(Side side, const TlbEntry& entry) {
  if (side == Side::Data) {
    core_.fast_tlb().forget_data(entry.va, entry.ps);
  } else {
    core_.fast_tlb().forget_fetch(entry.va, entry.ps);
    core_.fast_tlb().end_fetches_of(entry.rid);
  }
}

void Tlb::insert(Side side, u64 va, u64 pte_word, u64 itir) {
  const TlbEntry entry = make_tlb_entry(va, rid_of(va), pte_word, itir);
  TranslationCache& cache = *tc_[static_cast<unsigned>(side)];
  const auto dropped = [&](const TlbEntry& old) { forget(side, old); };
  cache.remove_overlaps(entry.rid, entry.va, entry.ps, dropped);
  cache.insert(entry, dropped);
  LOG(Mmu, "insert {}tc {}", letter(side == Side::Data), describe(entry, va));
}

void Tlb::drop_registers(Side side, u32 rid, u64 offset, unsigned ps) {
  Registers64& tr = tr_[static_cast<unsigned>(side)];
  for (u64 valid = tr.valid; valid; valid &= valid - 1) {
    const auto n = static_cast<unsigned>(__builtin_ctzll(valid));
    if (!tr.entry[n].overlaps(rid, offset, ps)) continue;
    forget(side, tr.entry[n]);
    tr.entry[n] = {};
    tr.valid &= ~bit(n);
  }
}

void Tlb::insert_register(Side side, unsigned slot, u64 va, u64 pte_word, u64 itir) {
  INVARIANT(slot < kMaxRegisters);
  const TlbEntry entry = make_tlb_entry(va, rid_of(va), pte_word, itir);
  tc_[static_cast<unsigned>(side)]->remove_overlaps(entry.rid, entry.va, entry.ps,
                                                    [&](const TlbEntry& old) { forget(side, old); });
  drop_registers(side, entry.rid, entry.va, entry.ps);
  Registers64& tr = tr_[static_cast<unsigned>(side)];
  if (tr.entry[slot].valid()) forget(side, tr.entry[slot]);
  tr.entry[slot] = entry;
  tr.valid |= bit(slot);
  LOG(Mmu, "insert {}tr{} {}", letter(side == Side::Data), slot, describe(entry, va));
}

void Tlb::purge_caches(const PurgeRequest& request) {
  const unsigned ps = clamp_purge_size(request.ps);
  const u64 offset = request.va & kOffsetMask & ~low_mask(ps);
  LOG(Mmu, "purge caches {}", describe(request, offset, ps));
  for (const Side side : {Side::Instruction, Side::Data})
    tc_[static_cast<unsigned>(side)]->remove_overlaps(request.rid, offset, ps,
                                                      [&](const TlbEntry& old) { forget(side, old); });
}

void Tlb::purge_registers(Side side, const PurgeRequest& request) {
  const unsigned ps = clamp_purge_size(request.ps);
  const u64 offset = request.va & kOffsetMask & ~low_mask(ps);
  LOG(Mmu, "purge {}tr {}", letter(side == Side::Data), describe(request, offset, ps));
  drop_registers(side, request.rid, offset, ps);
  tc_[static_cast<unsigned>(side)]->remove_overlaps(request.rid, offset, ps,
                                                    [&](const TlbEntry& old) { forget(side, old); });
}

void Tlb::purge_all_caches() {
  for (auto& cache : tc_) cache->clear();
  core_.fast_tlb().reset();
  core_.instruction_mappings_changed();
}

bool Tlb::is_reserved_rr(u64 value) const {
  constexpr u64 kDefined = low_mask(32) & ~bit(1);
  const CpuModel& model = *core_.wires().model;
  return (value & ~kDefined) != 0 || field(value, 8, 24) > low_mask(model.rid_bits) ||
         !(model.insertable_page_sizes >> field(value, 2, 6) & 1);
}

void Tlb::write_rr(unsigned region, u64 value) {
  Registers& r = core_.regs();
  const bool new_rid = field(r.rr[region] ^ value, 8, 24) != 0;
  r.rr[region] = value;
  if (!new_rid) return;
  core_.fast_tlb().region_changed(region);
}

void Tlb::write_pkr(unsigned index, u64 value) {
  Registers& r = core_.regs();
  if (value & 1)
    for (unsigned n = 0; n < core_.wires().model->pkrs; n++)
      if (field(r.pkr[n], 8, 24) == field(value, 8, 24)) r.pkr[n] &= ~u64{1};
  r.pkr[index] = value;
  core_.fast_tlb().protection_changed();
  core_.instruction_mappings_changed();
}

void Tlb::debug_registers_changed() {
  core_.fast_tlb().protection_changed();
}

void Tlb::registers_replaced() {
  core_.fast_tlb().reset();
  core_.instruction_mappings_changed();
}

void Tlb::reset() {
  for (Registers64& tr : tr_) tr = {};
  purge_all_caches();
}

namespace {

void visit_entry(StateArchive& a, TlbEntry& e) {
  a(e.va, e.pte, e.rid, e.key, e.ps);
  a.require(e.ps == 0 || (e.ps >= 12 && e.ps <= 61 && (e.va & ~kOffsetMask) == 0 && (e.va & low_mask(e.ps)) == 0), "a translation");
}

}  // namespace

void Tlb::visit_state(StateArchive& a) {
  for (Registers64& tr : tr_) {
    for (TlbEntry& entry : tr.entry) visit_entry(a, entry);
    a(tr.valid);
    for (unsigned n = 0; n < kMaxRegisters; n++) a.require((tr.valid >> n & 1) == tr.entry[n].valid(), "a translation register");
  }
  for (auto& cache : tc_)
    cache->visit_state(a, [&](TlbEntry& entry) { visit_entry(a, entry); });
  if (a.loading()) registers_replaced();
}

std::vector<TranslationInfo> Tlb::translations() const {
  using Kind = TranslationInfo::Kind;
  std::vector<TranslationInfo> out;
  for (const Side side : {Side::Instruction, Side::Data}) {
    const Registers64& tr = tr_[static_cast<unsigned>(side)];
    for (unsigned n = 0; n < kMaxRegisters; n++)
      if (tr.valid >> n & 1) out.push_back({side == Side::Data ? Kind::Dtr : Kind::Itr, n, tr.entry[n]});
  }
  for (const Side side : {Side::Instruction, Side::Data})
    for (unsigned n = 0; n < TranslationCache::kEntries; n++)
      if (const TlbEntry& entry = tc_[static_cast<unsigned>(side)]->at(n); entry.valid())
        out.push_back({side == Side::Data ? Kind::Dtc : Kind::Itc, n, entry});
  return out;
}

}  // namespace ia64::cpu
