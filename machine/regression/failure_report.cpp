// What a person needs to see of a failure, in one screen.
#include <fmt/format.h>

#include <algorithm>

#include "machine/regression/execution.h"

namespace ia64::machine::regression {
namespace {

constexpr size_t kConsoleLines = 20, kLineBytes = 160;

std::string member(const Json& object, const char* name) {
  if (!object.contains(name)) return "?";
  return object[name].is_string() ? object[name].get<std::string>() : object[name].dump();
}

std::string element(const Json& object, const char* name, size_t index) {
  if (!object.contains(name) || !object[name].is_array() || index >= object[name].size()) return "?";
  const Json& e = object[name][index];
  return e.is_string() ? e.get<std::string>() : e.dump();
}

}  // namespace

std::vector<std::string> Execution::last_lines(const Guest& g) const {
  std::vector<std::string> lines;
  const std::string_view text = g.text();
  size_t end = text.ends_with('\n') ? text.size() - 1 : text.size();
  while (!text.empty() && lines.size() < kConsoleLines) {
    const size_t newline = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
    const size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    // What steps have not consumed yet is what the failed one looked at.
    std::string line = fmt::format("{} {}", end >= g.position && g.position < text.size() ? '>' : '|', text.substr(begin, std::min(end - begin, kLineBytes)));
    if (end - begin > kLineBytes) line += "...";
    lines.push_back(std::move(line));
    if (newline == std::string_view::npos) break;
    end = newline;
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

void Execution::describe_guest(Guest& g, std::vector<std::string>& out) {
  const auto ask_briefly = [&](const char* line) {
    constexpr u64 kPatienceMs = 3000, kTurnMs = 50;
    const auto id = g.post({{"line", line}});
    for (u64 waited = 0; id && waited < kPatienceMs && g.running(); waited += kTurnMs) {
      g.update();
      if (const auto reply = g.take_reply(*id)) return reply->value("result", Json());
      poll(kTurnMs);
    }
    return Json();
  };
  const Json status = ask_briefly("status");
  if (status.is_object())
    out.push_back(fmt::format("guest '{}': {}, up {:.1f} s, {} instructions, {} resets", g.name(), member(status, "state"),
                              static_cast<double>(status.value("uptime_ms", u64{0})) / 1000, member(status, "instructions"), member(status, "resets")));
  else
    out.push_back(fmt::format("guest '{}': {}", g.name(), !g.started() ? "not started" : !g.running() ? fmt::format("ended with status {}", g.status().value_or(0)) : "does not answer"));
  const Json registers = ask_briefly("registers");
  if (registers.is_object()) {
    out.push_back(fmt::format("  ip {}  slot {}  psr {}  cfm {}", member(registers, "ip"), member(registers, "slot"), member(registers, "psr"), member(registers, "cfm")));
    out.push_back(fmt::format("  b0 {}  r1 {}  r8 {}  r12 {}  r13 {}", element(registers, "br", 0), element(registers, "gr", 1), element(registers, "gr", 8),
                              element(registers, "gr", 12), element(registers, "gr", 13)));
  }
  const std::string said = g.complaints();
  if (!said.empty()) out.push_back("  it said: " + said.substr(0, said.find('\n')));
}

/// Details in lines.
static std::vector<std::string> split(const std::vector<std::string>& details) {
  std::vector<std::string> out;
  for (const std::string& detail : details)
    for (size_t at = 0; at <= detail.size();) {
      const size_t end = std::min(detail.find('\n', at), detail.size());
      out.push_back(detail.substr(at, end - at));
      at = end + 1;
    }
  return out;
}

TestResult Execution::failed(const Step& step, const Failure& failure) {
  TestResult result;
  result.status = settings_.cancellation->signal_number() ? TestResult::Status::Cancelled : TestResult::Status::Failed;
  result.reason = fmt::format("{}:{}: {}", file_.source.path(), step.place.line, failure.message);
  if (result.status == TestResult::Status::Cancelled) return result;
  result.details.push_back("step: " + step.text);
  const auto details = split(failure.details);
  result.details.insert(result.details.end(), details.begin(), details.end());
  for (auto& [name, g] : guests_) {
    if (!g->started() || (guests_.size() > 1 && !step.guest.empty() && name != step.guest && g->status().value_or(0) == 0)) continue;
    const auto lines = last_lines(*g);
    result.details.push_back(fmt::format("console of '{}', its last lines{}:", name, lines.empty() ? ": nothing" : "; > what no step has matched"));
    result.details.insert(result.details.end(), lines.begin(), lines.end());
    describe_guest(*g, result.details);
  }
  return result;
}

}  // namespace ia64::machine::regression
