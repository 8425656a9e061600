// Measures the distances inside one Core.
#include "cpu/jit/core_layout.h"

#include <cstddef>

#include "base/invariant.h"

namespace ia64::cpu::jit {

CoreLayout::CoreLayout(Core& c) : core(&c) {
  const char* const base = reinterpret_cast<const char*>(&c.r_);
  const auto distance = [base](const void* p) { return static_cast<i32>(static_cast<const char*>(p) - base); };
  attention = distance(&c.attention_);
  nats = distance(&c.nats_);
  INVARIANT(nats == attention + 4);  // one comparison looks at both
  block_ip = distance(&c.block_ip_);
  returns = distance(c.native_scratch_.returns), jumps = distance(c.native_scratch_.jumps);
  window = &c.native_scratch_.window;
  window_general = distance(window->general), window_predicates = distance(window->predicates);
  fetch_keys = distance(c.fast_tlb_.fetch_keys_);
  float_file = distance(&c.float_file_);
  float_value = distance(c.float_file_.value);
  float_form = distance(c.float_file_.form);
  float_active = distance(&c.float_file_.active);
  tlb_read = distance(c.fast_tlb_.read_);
  tlb_write = distance(c.fast_tlb_.write_);
  const AccessSites& places = c.fast_tlb_.sites_;
  sites = distance(places.entries_), sites_filled = distance(places.filled_), sites_filled_count = distance(&places.filled_count_);
  static_assert(sizeof(AccessSites::Entry) == 16 && offsetof(AccessSites::Entry, addend) == 8);
  tlb_active = distance(c.fast_tlb_.active_);
  const Alat& alat = c.alat_;
  alat_entries = distance(alat.entries_), alat_count = distance(&alat.count_), alat_in_granule = distance(alat.in_granule_);
  alat_start = static_cast<i32>(offsetof(Alat::Entry, start)), alat_tag = static_cast<i32>(offsetof(Alat::Entry, tag));
  static_assert(sizeof(Alat::Entry) == 16 && offsetof(Alat::Entry, size) == offsetof(Alat::Entry, tag) + 2);
  static_assert(offsetof(Alat::Entry, granule) == offsetof(Alat::Entry, tag) + 3);
  static_assert(Alat::kEntries == 32 && Alat::kGranules == 256);  // as x64_alat.cpp computes places
}

}  // namespace ia64::cpu::jit
