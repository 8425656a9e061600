// Words of a step to what verbs work with.
#include "machine/regression/step_reader.h"

#include <fmt/format.h>

#include <charconv>

namespace ia64::machine::regression {
namespace {

/// @returns a complaint about the letters behind an expression
std::string bad_flags(const Word& word) {
  for (const char c : word.flags)
    if (c != 'i' && c != 'p') return fmt::format("unknown letter '{}' behind the expression; there are i (upper case is lower case) and p (prompt)", c);
  return {};
}

Result<ConsolePattern> compile(const Word& word, const std::string& text) {
  if (word.kind != Word::Kind::Regex) return ConsolePattern::string(text);
  const bool prompt = word.flags.find('p') != std::string::npos;
  return ConsolePattern::regex(text, prompt ? ConsolePattern::Kind::Prompt : ConsolePattern::Kind::Lines, word.flags.find('i') != std::string::npos);
}

}  // namespace

Result<ConsolePattern> PatternTemplate::make(const Variables& variables) const {
  if (word.kind != Word::Kind::Regex) return compile(word, word.text.expand(variables));
  return compile(word, word.text.expand(variables, [](std::string_view value) { return quote_for_regex(value); }));
}

Place StepReader::place_of_next() const {
  if (next_ < words_.size()) return words_[next_].place;
  const Place last = words_.back().place;
  const auto& lines = state_.file.source.lines();
  const size_t width = last.line >= 1 && last.line <= lines.size() ? lines[last.line - 1].size() : 0;
  return {last.line, static_cast<unsigned>(width) + 1};
}

void StepReader::complain(std::string message) { diagnostics_.add(place_of_next(), std::move(message)); }
void StepReader::complain_last(std::string message) { diagnostics_.add(words_[next_ - 1].place, std::move(message)); }

bool StepReader::keyword(std::string_view name) {
  if (at_end() || words_[next_].bare() != name) return false;
  next_++;
  return true;
}

std::string StepReader::name(const char* what) {
  const std::string word = at_end() ? "" : words_[next_].bare();
  if (word.empty())
    complain(fmt::format("{} is expected", what));
  else
    next_++;
  return word;
}

void StepReader::check_variables(const Template& text) {
  for (const Template::Part& part : text.parts)
    if (part.variable && !state_.variables.contains(part.text))
      diagnostics_.add(part.place, fmt::format("no variable '{}': neither the header nor a step before sets it; -D {}=... on the command line does", part.text, part.text));
}

Template StepReader::text(const char* what) {
  if (at_end() || words_[next_].kind == Word::Kind::Regex) {
    complain(fmt::format("{} is expected", what));
    return {};
  }
  check_variables(words_[next_].text);
  return words_[next_++].text;
}

bool StepReader::pattern_is_next() const { return !at_end() && words_[next_].kind != Word::Kind::Bare; }

PatternTemplate StepReader::pattern(const char* what) {
  if (!pattern_is_next()) {
    complain(fmt::format("{} is expected: a \"string\" or a /regular expression/", what));
    return {};
  }
  const Word& word = words_[next_++];
  check_variables(word.text);
  if (const std::string bad = bad_flags(word); !bad.empty()) complain_last(bad);
  const std::string sample = word.text.with_all("x");
  if (sample.empty()) complain_last("an empty pattern matches always");
  auto compiled = compile(word, sample);
  if (!compiled) complain_last(compiled.error().message);
  if (compiled)
    for (const std::string& group : compiled->group_names()) sets_.push_back(group);
  return {word};
}

std::optional<u64> StepReader::within() {
  if (!keyword("within")) return std::nullopt;
  const std::string written = at_end() ? "" : words_[next_].bare();
  const auto ms = parse_duration(written);
  if (!ms || *ms == 0) return complain("a time is expected, such as 30s or 2m, of the guest's clock"), std::nullopt;
  next_++;
  return ms;
}

u64 StepReader::number(const char* what, u64 most) {
  const std::string word = at_end() ? "" : words_[next_].bare();
  const bool hex = word.starts_with("0x");
  u64 n = 0;
  const char* const begin = word.data() + (hex ? 2 : 0);
  const auto [end, bad] = std::from_chars(begin, word.data() + word.size(), n, hex ? 16 : 10);
  if (bad != std::errc{} || end != word.data() + word.size() || n > most) {
    complain(fmt::format("{} is expected, a number up to {}", what, most));
    return 0;
  }
  next_++;
  return n;
}

std::string StepReader::new_variable() {
  const std::string word = name("the name of a variable");
  if (!word.empty() && !is_variable_name(word)) complain_last("the name of a variable has letters, digits and _");
  sets_.push_back(word);
  return word;
}

std::string StepReader::image() {
  const std::string word = name("the name of an image");
  if (!word.empty() && !state_.file.image(word)) complain_last(fmt::format("the header has no [images.{}]", word));
  return word;
}

void StepReader::finish(bool needs_guest) {
  if (!at_end() && diagnostics_.all().size() == complaints_before_) complain("nothing more is expected here");
  if (needs_guest && state_.guest.empty()) diagnostics_.add(words_[0].place, "the test has several guests: a line `guest NAME` says which one is meant from there on");
  state_.variables.insert(sets_.begin(), sets_.end());
}

}  // namespace ia64::machine::regression
