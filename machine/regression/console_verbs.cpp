// Verbs about what a guest prints and what is typed.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "machine/regression/step_actions.h"
#include "machine/regression/verbs.h"

namespace ia64::machine::regression {
namespace {

Outcome bad_pattern(const Error& error) { return Failure{"the pattern, with its variables: " + error.message, {}}; }

Action read_expect(StepReader& in) {
  const PatternTemplate pattern = in.pattern("a pattern");
  const auto within = in.within();
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    auto p = pattern.make(x.variables);
    if (!p) return bad_pattern(p.error());
    ConsolePattern::Match match;
    return await_match(x, step, *p, within, match);
  };
}

Action read_expect_not(StepReader& in) {
  const PatternTemplate unwanted = in.pattern("a pattern");
  std::optional<PatternTemplate> until;
  if (in.keyword("until")) until = in.pattern("a pattern");
  const auto within = until ? in.within() : std::nullopt;
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    auto p = unwanted.make(x.variables);
    if (!p) return bad_pattern(p.error());
    if (!until) return x.forbid(x.guest(step), std::move(*p), step.place), Outcome{};
    auto end = until->make(x.variables);
    if (!end) return bad_pattern(end.error());
    return x.forbid_until(step, std::move(*p), [&] {
      ConsolePattern::Match match;
      return await_match(x, step, *end, within, match);
    });
  };
}

/// The bytes of a result of the control command `memory`, as hexadecimal digits.
std::string digits_of(const Json& result) {
  std::string out;
  for (const Json& row : result.value("memory", Json::array()))
    for (const char c : row.value("bytes", ""))
      if (c != ' ') out += c;
  return out;
}

Action read_memory(StepReader& in, const std::string& name) {
  const Template address = in.text("an address");
  const Template length = in.text("a number of bytes");
  const bool physical = in.keyword("phys");
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    Json result;
    const Json arguments = {{"address", address.expand(x.variables)}, {"length", length.expand(x.variables)}, {"phys", physical}};
    if (auto failure = command(x, step, {{"command", "memory"}, {"arguments", arguments}}, result)) return failure;
    x.variables[name] = digits_of(result);
    return {};
  };
}

Action read_efi_variable(StepReader& in, const std::string& name) {
  const Template variable = in.text("the name of an EFI variable");
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    Json result;
    const Json arguments = {{"what", "variables"}, {"name", variable.expand(x.variables)}};
    if (auto failure = command(x, step, {{"command", "efi"}, {"arguments", arguments}}, result)) return failure;
    x.variables[name] = result.at("variables").at(0).value("bytes", "");
    return {};
  };
}

Action read_read(StepReader& in) {
  const std::string name = in.new_variable();
  if (in.keyword("memory")) return read_memory(in, name);
  if (in.keyword("variable")) return read_efi_variable(in, name);
  const PatternTemplate pattern = in.pattern("a pattern");
  const auto within = in.within();
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    auto p = pattern.make(x.variables);
    if (!p) return bad_pattern(p.error());
    ConsolePattern::Match match;
    if (auto failure = await_match(x, step, *p, within, match)) return failure;
    x.variables[name] = match.groups[match.groups.size() > 1 ? 1 : 0];
    return {};
  };
}

Action read_typing(StepReader& in, bool wait) {
  const Template text = in.text("a string to type");
  in.finish(true);
  return [=](Execution& x, const Step& step) { return type_bytes(x, step, text.expand(x.variables), wait); };
}
Action read_send(StepReader& in) { return read_typing(in, false); }
Action read_type(StepReader& in) { return read_typing(in, true); }

/// The guest is at its prompt: the last match was one, or the next one is waited for.
Outcome reach_prompt(Execution& x, const Step& step, std::optional<u64> within) {
  Guest& g = x.guest(step);
  const std::string& prompt = x.file().prompt;
  if (std::string_view(g.text()).substr(0, g.position).ends_with(prompt)) return {};
  ConsolePattern::Match match;
  return await_match(x, step, ConsolePattern::string(prompt), within, match);
}

Action read_shell(StepReader& in) {
  const Template text = in.text("a command");
  if (in.state().file.prompt.empty()) in.complain_last("shell needs the guest's prompt: prompt = \"...\" in the header");
  std::string name;
  if (in.keyword("->")) name = in.new_variable();
  in.sets("output");
  const auto within = in.within();
  in.finish(true);
  return [=](Execution& x, const Step& step) -> Outcome {
    if (auto failure = reach_prompt(x, step, within)) return failure;
    const std::string line = text.expand(x.variables);
    Guest& g = x.guest(step);
    const size_t begin = g.position;
    if (auto failure = type_bytes(x, step, line + "\r", false)) return failure;
    ConsolePattern::Match match;
    if (auto failure = await_match(x, step, ConsolePattern::string(x.file().prompt), within, match)) return failure;
    x.variables["output"] = without_echo(std::string_view(g.text()).substr(begin, match.begin - begin), line);
    if (!name.empty()) x.variables[name] = x.variables["output"];
    return {};
  };
}

struct Key {
  const char* name;
  const char* bytes;
};
/// As VT100, VT220 and xterm send them; EFI, GRUB and Linux take all of these.
constexpr Key kKeys[] = {
    {"enter", "\r"},       {"tab", "\t"},         {"esc", "\033"},       {"space", " "},        {"backspace", "\x7f"}, {"up", "\033[A"},
    {"down", "\033[B"},    {"right", "\033[C"},   {"left", "\033[D"},    {"home", "\033[1~"},   {"insert", "\033[2~"}, {"delete", "\033[3~"},
    {"end", "\033[4~"},    {"pgup", "\033[5~"},   {"pgdn", "\033[6~"},   {"f1", "\033OP"},      {"f2", "\033OQ"},      {"f3", "\033OR"},
    {"f4", "\033OS"},      {"f5", "\033[15~"},    {"f6", "\033[17~"},    {"f7", "\033[18~"},    {"f8", "\033[19~"},    {"f9", "\033[20~"},
    {"f10", "\033[21~"},   {"f11", "\033[23~"},   {"f12", "\033[24~"}};

/// "down", "ctrl-c" or "down*3" as bytes; empty for no key.
std::string key_bytes(const std::string& written) {
  const size_t star = written.find('*');
  const std::string name = written.substr(0, star);
  unsigned times = 1;
  if (star != std::string::npos) {
    const auto [end, bad] = std::from_chars(written.data() + star + 1, written.data() + written.size(), times);
    if (bad != std::errc{} || end != written.data() + written.size() || times == 0 || times > 1000) return {};
  }
  std::string bytes;
  if (name.size() == 6 && name.starts_with("ctrl-") && name[5] >= '@' && name[5] <= 'z') bytes = std::string(1, static_cast<char>(name[5] & 0x1f));
  for (const Key& key : kKeys)
    if (name == key.name) bytes = key.bytes;
  std::string out;
  for (; times && !bytes.empty(); times--) out += bytes;
  return out;
}

Action read_key(StepReader& in) {
  std::string bytes;
  do {
    const std::string written = in.name("the name of a key");
    if (written.empty()) break;
    const std::string key = key_bytes(written);
    if (key.empty()) {
      std::string names;
      for (const Key& k : kKeys) names += std::string(k.name) + " ";
      in.complain_last(fmt::format("no key '{}'; there are {}and ctrl-X, each with *N for N times", written, names));
    }
    bytes += key;
  } while (!in.at_end());
  in.finish(true);
  return [=](Execution& x, const Step& step) { return type_bytes(x, step, bytes, true); };
}

}  // namespace

std::vector<Verb> console_verbs() {
  return {
      {"expect", "PATTERN [within TIME]", "wait for output behind the last match", read_expect},
      {"expect-not", "PATTERN [until PATTERN [within TIME]]", "fail when it is printed: from here to the end of the test, or up to the other pattern", read_expect_not},
      {"read", "NAME PATTERN [within TIME] | memory ADDRESS LENGTH [phys] | variable EFI-NAME",
       "as expect; the first group, or the match, becomes ${NAME}; or the guest's memory or an EFI variable does, as digits", read_read},
      {"send", "TEXT", "type, and go on", read_send},
      {"type", "TEXT", "type, and wait until the guest has taken all", read_type},
      {"key", "NAME...", "press keys: up, enter, f2, ctrl-c, down*3", read_key},
      {"shell", "COMMAND [-> NAME] [within TIME]", "type a line at the prompt, wait for the next prompt; what was printed becomes ${output}", read_shell},
  };
}

}  // namespace ia64::machine::regression
