// Commands about the console, and about jobs: typing, watching for output.
#include <fmt/format.h>

#include <charconv>

#include "machine/control/command.h"
#include "machine/control/jobs.h"
#include "machine/host/console_hub.h"
#include "machine/host/console_script.h"
#include "machine/host/console_watches.h"

namespace ia64::machine::control {
namespace {

Result<u64> number(Call& call, const char* name) {
  const std::string text = call.arguments.text(name);
  u64 n = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (bad != std::errc{} || end != text.data() + text.size())
    return Error{ErrorKind::Invalid, fmt::format("argument '{}': expected a number", name)};
  return n;
}

Result<std::string> bytes_of_hex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    u8 byte = 0;
    const char* const end = hex.data() + std::min(i + 2, hex.size());
    if (const auto parsed = std::from_chars(hex.data() + i, end, byte, 16); parsed.ptr != end || hex.size() % 2)
      return Error{ErrorKind::Invalid, "argument 'hex': expected pairs of hexadecimal digits"};
    out += static_cast<char>(byte);
  }
  return out;
}

Result<std::string> text_to_type(Call& call) {
  const std::string text = call.arguments.text("text"), hex = call.arguments.text("hex");
  if (text.empty() == hex.empty()) return Error{ErrorKind::Invalid, "type: give the argument 'text' or 'hex'"};
  if (!hex.empty()) return bytes_of_hex(hex);
  if (!call.arguments.flag("escapes")) return text;
  auto decoded = decode_escapes(text);
  if (!decoded) return Error{ErrorKind::Invalid, "argument 'text': unknown escape; there are \\r \\n \\t \\e \\\\ \\xNN"};
  return decoded;
}

Result<Json> type(Call& call) {
  auto text = text_to_type(call);
  if (!text) return text.error();
  ConsoleHub& console = *call.context.console;
  Jobs& jobs = *call.context.jobs;
  if (console.input_bytes() + text->size() > ConsoleHub::kMaxInputBytes)
    return Error{ErrorKind::NoSpace, fmt::format("type: {} bytes wait for the guest already; it takes {} at most", console.input_bytes(),
                                                 ConsoleHub::kMaxInputBytes)};
  const u64 total = text->size();
  // The job is needed before the typing begins, the number of the typing to call the job off.
  const auto typing = std::make_shared<u64>(0);
  const auto id = std::make_shared<Jobs::Id>(0);
  *id = jobs.start({.command = "type", .total = total, .cancel = [&console, &jobs, typing, id]() -> Result<void> {
                      const size_t left = console.cancel_typing(*typing);
                      jobs.end(*id, Error{ErrorKind::Unsupported, fmt::format("cancelled with {} bytes not typed", left)});
                      return {};
                    }});
  *typing = console.type({reinterpret_cast<const u8*>(text->data()), text->size()}, [&jobs, id, total](size_t left) {
    left ? jobs.progress(*id, total - left) : jobs.end(*id, Json{{"typed_bytes", total}});
  });
  return Json{{"job", *id}};
}

Result<Json> watch(Call& call) {
  if (!call.client) return Error{ErrorKind::Unsupported, "watch needs a connection to the control socket"};
  const std::string text = call.arguments.text("text"), line = call.arguments.text("line"), prompt = call.arguments.text("prompt");
  if (!text.empty() + !line.empty() + !prompt.empty() != 1) return Error{ErrorKind::Invalid, "watch: give one of 'text', 'line', 'prompt'"};
  auto pattern = !text.empty()   ? Result(ConsolePattern::string(text))
                 : !line.empty() ? ConsolePattern::regex(line, ConsolePattern::Kind::Lines)
                                 : ConsolePattern::regex(prompt, ConsolePattern::Kind::Prompt);
  if (!pattern) return Error{ErrorKind::Invalid, "watch: " + pattern.error().message};
  auto id = call.context.watches->add(std::move(*pattern), call.arguments.flag("once"), call.client->id);
  if (!id) return id.error();
  return Json{{"watch", *id}};
}

Result<Json> unwatch(Call& call) {
  if (!call.client) return Error{ErrorKind::Unsupported, "unwatch needs a connection to the control socket"};
  auto id = number(call, "watch");
  if (!id) return id.error();
  if (!call.context.watches->remove(*id, call.client->id))
    return Error{ErrorKind::NotFound, fmt::format("this connection has no watch {}", *id)};
  return Json::object();
}

Result<Json> jobs(Call& call) { return Json{{"jobs", call.context.jobs->list()}}; }

Result<Json> cancel(Call& call) {
  auto id = number(call, "job");
  if (!id) return id.error();
  if (auto ok = call.context.jobs->cancel(*id); !ok) return ok.error();
  return Json{{"cancelled", *id}};
}

/// Answered through the job, as every command with the flag.
Result<Json> wait(Call& call) {
  auto id = number(call, "job");
  if (!id) return id.error();
  return Json{{"job", *id}};
}

}  // namespace

std::vector<CommandRow> console_commands() {
  using enum ArgumentType;
  return {
      {"type",
       nullptr,
       {{"text", Text, false, "what to type"},
        {"hex", Text, false, "the same as hexadecimal digits, for any byte"},
        {"escapes", Flag, false, "the text has \\r \\n \\t \\e \\\\ \\xNN in it"},
        kWaitArgument},
       Where::Loop,
       type,
       "type at the guest's console, as fast as the guest takes it; a job"},
      {"watch",
       nullptr,
       {{"text", Text, false, "a string in the console's text"},
        {"line", Text, false, "a regular expression within one line that has ended"},
        {"prompt", Text, false, "a regular expression within a line that may stay open"},
        {"once", Flag, false, "the first match is the last"}},
       Where::Loop,
       watch,
       "send this connection a `match` event for each match in what the guest prints from now on"},
      {"unwatch", nullptr, {{"watch", Text, true, "the number that watch gave"}}, Where::Loop, unwatch, "end a watch"},
      {"jobs", nullptr, {}, Where::Loop, jobs, "long commands that run, and the last that ended"},
      {"cancel", nullptr, {{"job", Text, true, "its number"}}, Where::Loop, cancel, "stop a job"},
      {"wait", nullptr, {{"job", Text, true, "its number"}}, Where::Loop, wait, "answer when the job has ended, with what it brought"},
  };
}

}  // namespace ia64::machine::control
