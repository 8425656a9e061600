// Commands about what the processor did: trace channels, interruptions, branches, translated code.
#include <fmt/format.h>

#include "base/log.h"
#include "machine/control/command.h"
#include "machine/control/debug_arguments.h"
#include "machine/debugger/desk.h"
#include "machine/debugger/fault_text.h"
#include "machine/inspect_json.h"
#include "machine/machine.h"

namespace ia64::machine::control {
namespace {

Json channel_list() {
  Json rows = Json::array();
  for (const log::ChannelState& c : log::channels()) rows.push_back({{"channel", c.name}, {"on", c.on}, {"shows", c.help}});
  return {{"channels", std::move(rows)}};
}

Result<Json> trace(Call& call) {
  const std::string channels = call.arguments.text("channels"), state = call.arguments.text("state");
  if (channels.empty()) return channel_list();
  if (state != "on" && state != "off") return Error{ErrorKind::Invalid, "argument 'state': on or off"};
  if (auto ok = state == "on" ? log::enable(channels) : log::disable(channels); !ok) return ok.error();
  return channel_list();
}

/// All that the processor remembers, external interrupts included.
std::vector<debugger::Desk::Numbered> all_interruptions(const cpu::Core& core) {
  std::vector<debugger::Desk::Numbered> out;
  const auto records = core.interruptions();
  for (const auto& record : records) out.push_back({core.interruptions_taken() - records.size() + out.size() + 1, record});
  return out;
}

Result<Json> faults(Call& call) {
  auto count = count_of(call, "count", 10, cpu::Core::kInterruptionLog);
  if (!count) return count.error();
  cpu::Core& core = call.context.machine->core();
  auto latest = call.arguments.flag("all") ? all_interruptions(core) : desk_of(call).faults();
  if (latest.size() > *count) latest.erase(latest.begin(), latest.end() - static_cast<long>(*count));
  Json rows = Json::array();
  for (const auto& [number, record] : latest)
    rows.push_back({{"number", number}, {"interruption", debugger::fault_text(core, desk_of(call).symbols(), record)}});
  return Json{{"taken", core.interruptions_taken()}, {"latest", std::move(rows)}};
}

Json branch_list(const debugger::SymbolTable& symbols, const cpu::BranchLog& log, size_t most) {
  Json rows = Json::array();
  auto latest = log.latest();
  if (latest.size() > most) latest.erase(latest.begin(), latest.end() - static_cast<long>(most));
  for (const cpu::BranchRecord& b : latest)
    rows.push_back({{"from", hex(b.from)},
                    {"in", symbols.name_of(b.from & ~u64{15})},
                    {"to", hex(b.to)},
                    {"at", symbols.name_of(b.to & ~u64{15})},
                    {"by", b.interruption ? "interruption" : "branch"}});
  return rows;
}

Result<Json> branches(Call& call) {
  cpu::Core& core = call.context.machine->core();
  const std::string what = call.arguments.text("what");
  if (what == "on" || what == "off") {
    if (auto ok = check_one_engine(call); !ok) return ok.error();
    core.record_branches(what == "on");
    return Json{{"recording", what == "on"}};
  }
  if (!what.empty()) return Error{ErrorKind::Invalid, "argument 'what': on, off, or nothing"};
  if (!core.branches()) return Error{ErrorKind::Unsupported, "branches are not recorded; `branches on` does, and makes the guest slow"};
  constexpr size_t kShown = 32;
  return Json{{"recorded", core.branches()->count()}, {"latest", branch_list(desk_of(call).symbols(), *core.branches(), kShown)}};
}

Result<Json> cache(Call& call) {
  const Json all = Json::parse(inspect_json(*call.context.machine));
  const Json cpu = all.value("cpu", Json::object());
  Json out = Json::object();
  for (const auto& [name, value] : cpu.items())
    if (value.is_object()) out[name] = value;
  if (!call.context.machine->core().translator_counters()) out["note"] = "no translator: everything is interpreted";
  return out;
}

}  // namespace

std::vector<CommandRow> trace_commands() {
  using enum ArgumentType;
  return {
      {"trace", nullptr, {{"channels", Text, false, "comma-separated, or all; without them, the list"}, {"state", Text, false, "on or off"}}, Where::Loop, trace,
       "switch trace channels, which write to standard error or --trace-file"},
      {"faults", nullptr, {{"count", Text, false, "at most 64; 10 without it"}, {"all", Flag, false, "external interrupts too"}}, Where::Machine, faults,
       "the latest interruptions: what the processor did, what stopped it and why"},
      {"branches", nullptr, {{"what", Text, false, "on or off; without it, the last 32"}}, Where::Machine, branches,
       "record taken branches and interruptions (the guest becomes slow), and show them"},
      {"cache", nullptr, {}, Where::Machine, cache, "counters of the software TLB and of translated code"},
  };
}

}  // namespace ia64::machine::control
