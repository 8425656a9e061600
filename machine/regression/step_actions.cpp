// Matching, typing and commands for the verbs.
#include "machine/regression/step_actions.h"

#include <fmt/format.h>

#include <algorithm>

namespace ia64::machine::regression {
namespace {

/// Why an expression for whole lines may have found nothing.
std::vector<std::string> hint(const ConsolePattern& pattern, const Guest& g) {
  if (pattern.kind() != ConsolePattern::Kind::Lines) return {};
  const size_t newline = g.text().rfind('\n');
  const std::string_view open_line = std::string_view(g.text()).substr(newline == std::string::npos ? 0 : newline + 1);
  if (!pattern.contained_in(open_line)) return {};
  return {"the last line matches, but has not ended: for a prompt write a \"string\", or p behind the expression"};
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<u8>(c));
  return out;
}

}  // namespace

Outcome await_match(Execution& x, const Step& step, const ConsolePattern& pattern, std::optional<u64> within_ms, ConsolePattern::Match& match) {
  Guest& g = x.guest(step);
  size_t searched = g.position;
  Outcome forbidden;
  auto failure = x.wait(step, fmt::format("nothing matched {}", pattern.written()), x.limit_ms(within_ms), false, [&] {
    auto found = pattern.find(g.text(), g.position, searched, g.output_ended());
    forbidden = x.check_forbidden(g, found ? found->end : g.text().size(), !found && g.output_ended());
    if (found) match = std::move(*found);
    return forbidden || found;
  });
  if (forbidden) return forbidden;
  if (failure) {
    failure->details = hint(pattern, g);
    return failure;
  }
  g.position = match.end;
  for (const auto& [name, value] : match.named) x.variables[name] = value;
  return {};
}

Outcome type_bytes(Execution& x, const Step& step, std::string_view bytes, bool wait) {
  constexpr size_t kChunkBytes = 24 << 10;  // twice as much in digits fits into a request
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kChunkBytes))) {
    Json reply;
    const Json request = {{"command", "type"}, {"arguments", {{"hex", hex(bytes.substr(0, kChunkBytes))}, {"wait", wait}}}};
    if (auto failure = command(x, step, request, reply)) return failure;
    x.guest(step).typed(std::min(bytes.size(), kChunkBytes));
  }
  Guest& g = x.guest(step);
  if (!wait || !g.held()) return {};
  return x.wait(step, "the guest did not take what was typed", x.limit_ms(std::nullopt), false, [&] { return g.untyped_bytes() == 0; });
}

Outcome command(Execution& x, const Step& step, const Json& request, Json& result) {
  Json reply;
  if (auto failure = x.ask(step, x.guest(step), request, reply)) return failure;
  if (reply.contains("error")) {
    const Json& error = reply["error"];
    return Failure{fmt::format("the guest's control answered ({}): {}", error.value("kind", ""), error.value("message", "")), {}};
  }
  result = reply.value("result", Json());
  return {};
}

Outcome await_end(Execution& x, const Step& step, int status, std::optional<u64> within_ms) {
  Guest& g = x.guest(step);
  if (!g.started()) return Failure{fmt::format("guest '{}' was not started", g.name()), {}};
  Outcome forbidden;
  auto failure = x.wait(step, fmt::format("guest '{}' did not end", g.name()), x.limit_ms(within_ms), true, [&] {
    forbidden = x.check_forbidden(g, g.text().size(), g.output_ended());
    return forbidden || !g.running();
  });
  if (forbidden) return forbidden;
  if (failure) return failure;
  g.position = g.text().size();
  if (*g.status() == status) return {};
  const std::string said = g.complaints();
  return Failure{fmt::format("guest '{}' ended with status {}, not {}: {}", g.name(), *g.status(), status, said.substr(0, said.find('\n'))), {}};
}

std::string without_echo(std::string_view printed, std::string_view command) {
  size_t at = 0, matched = 0;
  while (at < printed.size() && matched < command.size()) {
    if (printed[at] == command[matched]) {
      matched++;
    } else if (printed[at] != '\n') {
      break;
    }
    at++;
  }
  if (matched < command.size()) at = 0;  // edited by the guest: its first line is the echo
  const size_t newline = printed.find('\n', at);
  std::string_view out = newline == std::string_view::npos ? std::string_view{} : printed.substr(newline + 1);
  if (out.ends_with('\n')) out.remove_suffix(1);
  return std::string(out);
}

}  // namespace ia64::machine::regression
