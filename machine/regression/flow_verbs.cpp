// Verbs about the order of steps.
#include <fmt/format.h>

#include <charconv>

#include "machine/regression/execution.h"
#include "machine/regression/verbs.h"

namespace ia64::machine::regression {
namespace {

constexpr u64 kMostRounds = 1'000'000;

std::optional<u64> rounds_of(const std::string& text) {
  u64 n = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), n);
  const bool good = bad == std::errc{} && end == text.data() + text.size() && n >= 1 && n <= kMostRounds;
  return good ? std::optional(n) : std::nullopt;
}

Action read_repeat(StepReader& in) {
  const Template count = in.text("how often");
  in.sets("round");
  in.finish(false);
  if (in.state().repeats) in.complain_last("`repeat` within `repeat`: end the first one with `end`");
  in.state().repeats = in.place();
  return [=](Execution& x, const Step&) -> Outcome {
    const std::string text = count.expand(x.variables);
    const auto rounds = rounds_of(text);
    if (!rounds) return Failure{fmt::format("'{}' is no number of rounds, 1 to {}", text, kMostRounds), {}};
    x.begin_rounds(*rounds);
    return {};
  };
}

Action read_end(StepReader& in) {
  in.finish(false);
  if (!in.state().repeats) in.complain_last("`end` without `repeat`");
  in.state().repeats.reset();
  return [](Execution& x, const Step&) { return x.end_round(), Outcome{}; };
}

}  // namespace

std::vector<Verb> flow_verbs() {
  return {
      {"repeat", "N", "do the steps up to `end` N times; ${round} counts them from 1", read_repeat},
      {"end", "", "the last step of `repeat`", read_end},
  };
}

}  // namespace ia64::machine::regression
