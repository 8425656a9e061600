// Verbs about guests as machines: power, media, control commands.
#include <fmt/format.h>

#include "machine/regression/step_actions.h"
#include "machine/regression/verbs.h"

namespace ia64::machine::regression {
namespace {

Action read_guest(StepReader& in) {
  const std::string name = in.name("the name of a guest");
  if (!name.empty() && !in.state().file.guest(name)) in.complain_last(fmt::format("the header has no guest '{}'", name));
  in.finish(false);
  in.state().guest = name;
  return {};
}

std::vector<std::string> expand(const std::vector<Template>& all, const Variables& variables) {
  std::vector<std::string> out;
  for (const Template& t : all) out.push_back(t.expand(variables));
  return out;
}

Action read_start(StepReader& in) {
  std::vector<Template> more;
  while (!in.at_end()) {
    const size_t before = more.size();
    more.push_back(in.text("an argument of `ivm run`"));
    if (more[before].parts.empty()) break;
  }
  in.finish(true);
  return [=](Execution& x, const Step& step) { return x.start(step, expand(more, x.variables)); };
}

Outcome stop(Execution& x, const Step& step) {
  Json result;
  if (auto failure = command(x, step, {{"command", "quit"}}, result)) return failure;
  return await_end(x, step, 0, std::nullopt);
}

Action read_stop(StepReader& in) {
  in.finish(true);
  return stop;
}

Action read_restart(StepReader& in) {
  in.finish(true);
  return [](Execution& x, const Step& step) -> Outcome {
    if (auto failure = stop(x, step)) return failure;
    return x.start(step, {});
  };
}

/// A verb that is a control command without arguments.
template <char const* kCommand>
Action read_command(StepReader& in) {
  in.finish(true);
  return [](Execution& x, const Step& step) {
    Json result;
    return command(x, step, {{"command", kCommand}}, result);
  };
}
constexpr char kReset[] = "reset", kPowerButton[] = "power-off", kPause[] = "pause", kContinue[] = "continue";

Action read_wait(StepReader& in) {
  int status = 0;
  if (in.keyword("exit"))
    status = static_cast<int>(in.number("an exit status", 255));
  else if (!in.keyword("power-off"))
    in.complain("`power-off` or `exit STATUS` is expected");
  const auto within = in.within();
  in.finish(true);
  return [=](Execution& x, const Step& step) { return await_end(x, step, status, within); };
}

Action read_insert(StepReader& in) {
  const Template image = in.text("an image of the DVD's folder");
  const Template address = in.at_end() ? Template{} : in.text("an address");
  in.finish(true);
  return [=](Execution& x, const Step& step) {
    Json arguments = {{"image", image.expand(x.variables)}}, result;
    if (!address.parts.empty()) arguments["address"] = address.expand(x.variables);
    return command(x, step, {{"command", "insert"}, {"arguments", arguments}}, result);
  };
}

Action read_eject(StepReader& in) {
  bool force = in.keyword("force");
  const Template address = in.at_end() ? Template{} : in.text("an address");
  force = in.keyword("force") || force;
  in.finish(true);
  return [=](Execution& x, const Step& step) {
    Json arguments = {{"force", force}}, result;
    if (!address.parts.empty()) arguments["address"] = address.expand(x.variables);
    return command(x, step, {{"command", "eject"}, {"arguments", arguments}}, result);
  };
}

Action read_snapshot(StepReader& in) {
  const bool save = in.keyword("save");
  if (!save && !in.keyword("restore")) in.complain("`save` or `restore` is expected");
  const Template name = in.text("the name of a snapshot");
  const bool external = save && in.keyword("external");
  std::vector<Template> more;
  while (!save && !in.at_end()) {
    more.push_back(in.text("an argument of `ivm run`"));
    if (more.back().parts.empty()) break;
  }
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    const std::string snapshot = name.expand(x.variables);
    if (!save && !x.guest(step).running()) {
      std::vector<std::string> arguments = {"--restore", snapshot};
      for (auto& a : expand(more, x.variables)) arguments.push_back(std::move(a));
      return x.start(step, arguments, snapshot);
    }
    if (!more.empty()) return Failure{"the guest is running: arguments are for a new run", {}};
    Json arguments = {{"action", save ? "save" : "load"}, {"name", snapshot}, {"wait", true}}, result;
    if (external) arguments["disks"] = "external";
    if (auto failure = command(x, step, {{"command", "snapshot"}, {"arguments", arguments}}, result)) return failure;
    if (save) x.saved(step, snapshot);
    return {};
  };
}

/// How the reply to a command must be.
struct Expected {
  bool fails = false;
  std::string kind;  // of the error
  std::optional<PatternTemplate> pattern;
};

Outcome check_reply(Execution& x, const Json& reply, const Expected& expected) {
  const bool failed = reply.contains("error");
  const std::string kind = failed ? reply["error"].value("kind", "") : "";
  const std::string text = failed ? reply["error"].value("message", "") : reply.value("result", Json()).dump();
  x.variables["result"] = text;
  const std::string shown = fmt::format("the reply: {}{}", failed ? kind + ": " : "", text);
  if (failed != expected.fails) return Failure{failed ? "the command failed" : "the command did not fail", {shown}};
  if (!expected.kind.empty() && kind != expected.kind) return Failure{fmt::format("the command failed with kind '{}', not '{}'", kind, expected.kind), {shown}};
  if (!expected.pattern) return {};
  auto pattern = expected.pattern->make(x.variables);
  if (!pattern) return Failure{pattern.error().message, {}};
  const auto match = pattern->match_in(text);
  if (!match) return Failure{fmt::format("the reply does not match {}", pattern->written()), {shown}};
  for (const auto& [name, value] : match->named) x.variables[name] = value;
  return {};
}

Action read_control(StepReader& in) {
  const Template line = in.text("a control command");
  Expected expected;
  if (in.keyword("gives")) {
    expected.pattern = in.pattern("a pattern for the result, as JSON");
  } else if (in.keyword("fails")) {
    expected.fails = true;
    if (!in.at_end() && !in.pattern_is_next()) expected.kind = in.name("a kind of error");
    if (!in.at_end()) expected.pattern = in.pattern("a pattern for the message");
  }
  in.sets("result");
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    Json reply;
    if (auto failure = x.ask(step, x.guest(step), {{"line", line.expand(x.variables)}}, reply)) return failure;
    return check_reply(x, reply, expected);
  };
}

Action read_event(StepReader& in) {
  const std::string kind = in.name("a kind of event");
  std::optional<PatternTemplate> pattern;
  if (in.pattern_is_next()) pattern = in.pattern("a pattern for its data, as JSON");
  const auto within = in.within();
  in.sets("result");
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    Guest& g = x.guest(step);
    auto p = pattern ? pattern->make(x.variables) : Result(ConsolePattern::string(""));
    if (!p) return Failure{p.error().message, {}};
    return x.wait(step, fmt::format("no event '{}'{}{} came", kind, pattern ? " that matches " : "", pattern ? p->written() : ""), x.limit_ms(within), false, [&] {
      while (!g.events.empty()) {
        const Json event = g.events.front();
        g.events.pop_front();
        if (event.value("event", "") != kind || (pattern && !p->contained_in(event.value("data", Json()).dump()))) continue;
        x.variables["result"] = event.value("data", Json()).dump();
        return true;
      }
      return false;
    });
  };
}

}  // namespace

std::vector<Verb> guest_verbs() {
  return {
      {"guest", "NAME", "the steps from here on concern this guest", read_guest},
      {"start", "[ARGUMENT...]", "power on, with further arguments of `ivm run`", read_start},
      {"stop", "", "end the guest as a power failure would", read_stop},
      {"restart", "", "stop and start", read_restart},
      {"reset", "", "press the reset button", read_command<kReset>},
      {"power-button", "", "press the power button", read_command<kPowerButton>},
      {"pause", "", "stop the guest and its time", read_command<kPause>},
      {"continue", "", "let a paused guest go on", read_command<kContinue>},
      {"wait", "power-off | exit STATUS [within TIME]", "wait for the end of the guest's `ivm run`", read_wait},
      {"insert", "IMAGE [ADDRESS]", "put a disc into a DVD", read_insert},
      {"eject", "[ADDRESS] [force]", "take the disc out of a DVD", read_eject},
      {"control", "LINE [gives PATTERN | fails [KIND] [PATTERN]]", "run a control command; its result, as JSON, or the message of its error becomes ${result}", read_control},
      {"event", "KIND [PATTERN] [within TIME]", "wait for an event of the control socket; its data become ${result}", read_event},
      {"snapshot", "save NAME [external] | restore NAME [ARGUMENT...]",
       "save the running guest; make it the saved one, or, when it does not run, start from what was saved", read_snapshot},
  };
}

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = [] {
    std::vector<Verb> out;
    for (const auto& list : {guest_verbs(), console_verbs(), check_verbs(), flow_verbs()}) out.insert(out.end(), list.begin(), list.end());
    return out;
  }();
  return all;
}

}  // namespace ia64::machine::regression
