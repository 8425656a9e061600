// The translator's counters as an inspection tree.
#include <algorithm>

#include "cpu/decode/op_info.h"
#include "cpu/jit/native_engine.h"

namespace ia64::cpu::jit {

namespace {

constexpr unsigned kShownHandlers = 30;

void write_reasons(InspectWriter& out, const char* name, const u64* counts, std::initializer_list<const char*> names) {
  out.begin(name);
  for (const char* reason : names) out.value(reason, *counts++);
  out.end();
}

/// The rows called most often, by their names.
void write_handlers(InspectWriter& out, const std::vector<u64>& counts) {
  std::vector<u16> rows;
  for (u16 row = 0; row < counts.size(); row++)
    if (counts[row]) rows.push_back(row);
  std::sort(rows.begin(), rows.end(), [&](u16 a, u16 b) { return counts[a] > counts[b]; });
  if (rows.size() > kShownHandlers) rows.resize(kShownHandlers);
  out.begin("handler_calls");
  for (u16 row : rows) out.value(op_info(row).name, counts[row]);
  out.end();
}

}  // namespace

void NativeEngine::inspect(InspectWriter& out) const {
  const TranslatorCounters& c = counters_;
  out.begin("translator");
  out.value("blocks", c.blocks);
  out.value("code_bytes", c.code_bytes);
  out.value("code_bytes_now", code_bytes_);
  out.value("refused", c.refused);
  out.value("regions", c.regions);
  out.value("wide_regions", c.wide_regions);
  out.value("looks_at_parts", c.looks_at_parts);
  out.value("windows", c.windows);
  out.value("span_loops", c.span_loops);
  out.value("inlined", c.inlined);
  out.value("thinned", c.thinned);
  out.value("odd_floats", c.odd_floats);
  out.value("misfits", c.misfits);
  out.value("region_parts", c.region_parts);
  out.value("translate_ns", c.translate_ns);
  out.value("instructions", c.instructions);
  out.value("instructions_interpreted", core_.slots_retired() - c.instructions);
  out.value("enters", c.enters);
  out.value("links", c.links);
  out.value("dynamic_targets", c.dynamic_targets);
  out.value("dynamic_misses", c.dynamic_misses);
  out.value("handler_exits", c.handler_exits);
  out.value("deopts", c.deopts);
  out.value("bails", c.bails);
  write_reasons(out, "bails_by", c.bails_by, {"attention", "budget", "frame", "nat"});
  out.value("pages_written", c.pages_dropped);
  out.value("flushes", c.flushes);
  write_reasons(out, "flushes_by", c.flushes_by, {"cache_full", "decoded_blocks_full", "asked"});
  out.value("slow_accesses", state_.slow_calls);
  if (!handler_counts_.empty()) write_handlers(out, handler_counts_);
  out.end();
}

}  // namespace ia64::cpu::jit
