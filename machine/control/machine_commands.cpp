// Commands about the guest as a whole: help, state, power.
#include <fmt/format.h>

#include <charconv>

#include "machine/config.h"
#include "machine/control/command.h"
#include "machine/icount/counted_console.h"
#include "machine/icount/held_run.h"
#include "machine/machine.h"

namespace ia64::machine::control {
namespace {

constexpr u64 kNsPerMs = 1'000'000;
constexpr u64 kLongestGoMs = 3'600'000;

Json describe(const CommandRow& row) {
  Json arguments = Json::array();
  for (const ArgumentRow& a : row.arguments)
    arguments.push_back({{"name", a.name}, {"type", type_name(a.type)}, {"required", a.required}, {"help", a.help}});
  Json out = {{"name", row.name}};
  if (row.alias) out["alias"] = row.alias;
  out["help"] = row.help;
  out["arguments"] = std::move(arguments);
  return out;
}

Result<Json> help(Call& call) {
  const std::string name = call.arguments.text("command");
  if (!name.empty()) {
    const CommandRow* row = find_command(name);
    if (!row) return Error{ErrorKind::NotFound, fmt::format("there is no command '{}'", name)};
    return describe(*row);
  }
  Json all = Json::array();
  for (const CommandRow& row : command_table()) all.push_back(describe(row));
  return Json{{"commands", std::move(all)}};
}

/// As Integrity VM's hpvmstatus calls them. @source integrity-vm reference 5.1
const char* state_of(const CommandContext& context) {
  const Machine& machine = *context.machine;
  if (context.held ? context.held->paused() : machine.paused()) return "Paused";
  return machine.operating_system_runs() ? "On (OS)" : "On (EFI)";
}

const char* engine_name(Engine engine) {
  return engine == Engine::Interpreter ? "interp" : engine == Engine::Lockstep ? "lockstep" : "jit";
}

Result<Json> status(Call& call) {
  const MachineConfig& c = *call.context.config;
  Machine& m = *call.context.machine;
  return Json{{"name", c.name},
              {"state", state_of(call.context)},
              {"machine", c.machine},
              {"processors", c.cpus},
              {"memory_bytes", c.memory_bytes},
              {"engine", engine_name(c.engine.engine)},
              {"uptime_ms", m.virtual_ns() / kNsPerMs},
              {"resets", m.resets()},
              {"instructions", m.slots_retired()},
              {"translating_ms", m.translating_ns() / kNsPerMs}};
}

Result<Json> changed_state(Call& call, const char* state) {
  call.context.publish(EventKind::State, {{"state", state}});
  return Json{{"state", state}};
}

Result<Json> pause(Call& call) {
  call.context.held ? call.context.held->pause() : call.context.machine->pause();
  return changed_state(call, "Paused");
}

Result<Json> resume(Call& call) {
  call.context.held ? call.context.held->resume() : call.context.machine->resume();
  return changed_state(call, state_of(call.context));
}

Result<Json> go(Call& call) {
  HeldRun* const held = call.context.held;
  if (!held) return Error{ErrorKind::Unsupported, "go is for a guest that was started with --held"};
  const std::string text = call.arguments.text("ms");
  u64 ms = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (bad != std::errc{} || end != text.data() + text.size() || ms == 0 || ms > kLongestGoMs)
    return Error{ErrorKind::Invalid, fmt::format("argument 'ms': expected a number from 1 to {}", kLongestGoMs)};
  const auto stands = [context = &call.context, answer = call.answer_later] {
    answer(Json{{"uptime_ms", context->machine->virtual_ns() / kNsPerMs}, {"untyped_bytes", context->counted_console->waiting_bytes()}});
  };
  if (!held->go(ms * kNsPerMs, stands)) return Error{ErrorKind::Locked, "the guest runs already"};
  call.answer_later = {};
  return Json();
}

Result<Json> reset(Call& call) {
  call.context.machine->reset();
  return Json::object();
}

Result<Json> power_off(Call& call) {
  if (call.arguments.flag("force")) {
    call.context.end_session("powered off by the control socket");
    return Json::object();
  }
  call.context.machine->press_power_button();
  return Json{{"note", "the power button was pressed: an operating system that listens shuts down"}};
}

Result<Json> quit(Call& call) {
  call.context.end_session("stopped by the control socket");
  return Json::object();
}

Result<u32> event_mask(std::string_view list) {
  static constexpr const char* kNames[] = {
#define X(e, name, help) name,
      CONTROL_EVENTS(X)
#undef X
  };
  constexpr u32 kAll = (1u << std::size(kNames)) - 1;
  u32 mask = 0;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto word = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    u32 bit = word == "all" ? kAll : 0;
    for (size_t n = 0; n < std::size(kNames); n++)
      if (word == kNames[n]) bit = 1u << n;
    if (!bit && word != "none")
      return Error{ErrorKind::Invalid, fmt::format("there are no events '{}'; use {}, all or none", word, fmt::join(kNames, ", "))};
    mask |= bit;
  }
  return mask;
}

Result<Json> events(Call& call) {
  if (!call.client) return Error{ErrorKind::Unsupported, "events need a connection to the control socket"};
  const std::string list = call.arguments.text("kinds");
  auto mask = event_mask(list.empty() ? "all" : list);
  if (!mask) return mask.error();
  call.client->events = *mask;
  Json kinds = Json::array();
#define X(e, name, help) \
  if (*mask >> static_cast<unsigned>(EventKind::e) & 1) kinds.push_back(name);
  CONTROL_EVENTS(X)
#undef X
  return Json{{"events", kinds}};
}

}  // namespace

std::vector<CommandRow> machine_commands() {
  using enum ArgumentType;
  return {
      {"help", "HE", {{"command", Text, false, "one command; without it, all"}}, Where::Loop, help, "describe the commands"},
      {"status", "PS", {}, Where::Loop, status, "name, state, size and age of the guest"},
      // At the safe point, so that whoever has the reply finds processor and time at a standstill.
      {"pause", nullptr, {}, Where::Machine, pause, "stop the processors and the guest's time"},
      {"continue", nullptr, {}, Where::Loop, resume, "let a paused guest go on"},
      {"go",
       nullptr,
       {{"ms", Text, true, "of the guest's time at most"}},
       Where::Loop,
       go,
       "let a guest that was started with --held run until it has printed something or taken what was typed; answered when it stands"},
      {"reset", "RS", {}, Where::Loop, reset, "press the reset button"},
      {"power-off", "PC", {{"force", Flag, false, "as a power failure; the run ends"}}, Where::Loop, power_off,
       "press the power button: a guest that listens shuts down"},
      {"quit", nullptr, {}, Where::Loop, quit, "end the run at once, as a power failure would"},
      {"events", nullptr, {{"kinds", Text, false, "comma-separated: state, media, storage, error, job, all, none"}}, Where::Loop, events,
       "send these kinds of events on this connection from now on"},
  };
}

}  // namespace ia64::machine::control
