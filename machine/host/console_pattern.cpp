// Search of strings and RE2 expressions in text that grows.
#include "machine/host/console_pattern.h"

#include <re2/re2.h>

#include <algorithm>

namespace ia64::machine {
namespace {

std::string_view view(const re2::StringPiece& s) { return {s.data(), s.size()}; }

/// Calls `on_item(at)` for every character of an expression that stands for itself or is an operator, and every backslash, outside
/// of character classes.
template <class F>
void for_each_outside_class(const std::string& expression, F on_item) {
  bool in_class = false;
  for (size_t i = 0; i < expression.size(); i++) {
    const char c = expression[i];
    if (!in_class) on_item(i);
    if (c == '\\') {
      i++;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      if (i + 1 < expression.size() && expression[i + 1] == '^') i++;
      if (i + 1 < expression.size() && expression[i + 1] == ']') i++;
    }
  }
}

/// The part of a prompt expression that needs the end of its line; empty when there is none.
std::string part_that_needs_the_end(const std::string& expression) {
  std::string found;
  for_each_outside_class(expression, [&](size_t i) {
    if (expression[i] == '$') found = std::string(1, '$');
    if (expression[i] == '\\' && i + 1 < expression.size() && std::string_view("bBz").find(expression[i + 1]) != std::string_view::npos)
      found = expression.substr(i, 2);
  });
  return found;
}

bool has_newline(const std::string& expression) {
  bool found = expression.find('\n') != std::string::npos;
  for_each_outside_class(expression, [&](size_t i) { found = found || expression.compare(i, 2, "\\n") == 0; });
  return found;
}

}  // namespace

struct ConsolePattern::Compiled {
  Compiled(const std::string& expression, const RE2::Options& options) : re("(?m)" + expression, options) {}
  RE2 re;
};

ConsolePattern ConsolePattern::string(std::string text) {
  ConsolePattern p;
  p.text_ = std::move(text);
  return p;
}

Result<ConsolePattern> ConsolePattern::regex(const std::string& expression, Kind kind, bool ignore_case) {
  if (has_newline(expression))
    return Error{ErrorKind::Invalid, "a regular expression matches within one line and has no \\n; use a \"string\", or one step for each line"};
  if (const std::string part = part_that_needs_the_end(expression); kind == Kind::Prompt && !part.empty())
    return Error{ErrorKind::Invalid, part + " asks for the end of a line, which a prompt does not have"};
  RE2::Options options(RE2::Latin1);
  options.set_log_errors(false);
  options.set_never_nl(true);
  options.set_case_sensitive(!ignore_case);
  auto compiled = std::make_shared<Compiled>(expression, options);
  if (!compiled->re.ok()) {
    std::string why = compiled->re.error();
    if (const size_t ours = why.find("(?m)"); ours != std::string::npos) why.erase(ours, 4);
    return Error{ErrorKind::Invalid, why};
  }
  ConsolePattern p;
  p.kind_ = kind;
  p.ignore_case_ = ignore_case;
  p.text_ = expression;
  p.compiled_ = std::move(compiled);
  return p;
}

std::vector<std::string> ConsolePattern::group_names() const {
  std::vector<std::string> names;
  if (compiled_)
    for (const auto& [name, number] : compiled_->re.NamedCapturingGroups()) names.push_back(name);
  return names;
}

std::string ConsolePattern::written() const {
  if (kind_ != Kind::String) return "/" + text_ + "/" + (kind_ == Kind::Prompt ? "p" : "") + (ignore_case_ ? "i" : "");
  std::string out = "\"";
  for (const char c : text_) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + "\"";
}

std::optional<ConsolePattern::Match> ConsolePattern::match(std::string_view text, size_t from, size_t end) const {
  const RE2& re = compiled_->re;
  // RE2 looks at what stands beside the searched part for ^ and $: behind `end` there is nothing yet.
  const re2::StringPiece all(text.data(), end);
  std::vector<re2::StringPiece> found(static_cast<size_t>(re.NumberOfCapturingGroups()) + 1);
  if (!re.Match(all, from, end, RE2::UNANCHORED, found.data(), static_cast<int>(found.size()))) return std::nullopt;
  Match m;
  m.begin = static_cast<size_t>(found[0].data() - text.data());
  m.end = m.begin + found[0].size();
  for (const auto& group : found) m.groups.emplace_back(view(group));
  for (const auto& [name, number] : re.NamedCapturingGroups())
    if (found[static_cast<size_t>(number)].data()) m.named.emplace_back(name, view(found[static_cast<size_t>(number)]));
  return m;
}

std::optional<ConsolePattern::Match> ConsolePattern::find_string(std::string_view text, size_t& searched) const {
  const size_t at = text.find(text_, searched);
  if (at == std::string_view::npos) {
    if (text.size() >= text_.size()) searched = std::max(searched, text.size() - text_.size() + 1);
    return std::nullopt;
  }
  return Match{at, at + text_.size(), {text_}, {}};
}

std::optional<ConsolePattern::Match> ConsolePattern::find_lines(std::string_view text, size_t& searched, bool ended) const {
  const size_t newline = text.rfind('\n');
  const size_t end = ended ? text.size() : newline == std::string_view::npos ? 0 : newline + 1;
  if (end <= searched) return std::nullopt;
  // A newline that ends the text would let an empty expression match behind it, in a line that is not there yet.
  auto m = match(text, searched, text[end - 1] == '\n' ? end - 1 : end);
  if (!m) searched = end;
  return m;
}

std::optional<ConsolePattern::Match> ConsolePattern::find_prompt(std::string_view text, size_t from, size_t& searched) const {
  const re2::StringPiece all(text.data(), text.size());
  const auto there = [&](size_t end) {
    return compiled_->re.Match({text.data(), end}, searched, end, RE2::UNANCHORED, nullptr, 0);
  };
  if (!there(text.size())) {
    const size_t newline = text.rfind('\n');
    if (newline != std::string_view::npos && newline + 1 > from) searched = std::max(searched, newline + 1);
    return std::nullopt;
  }
  size_t none = searched, some = text.size();  // a match is there with `some` bytes; with fewer than `none` there is none
  while (none < some) {
    const size_t middle = none + (some - none) / 2;
    there(middle) ? void(some = middle) : void(none = middle + 1);
  }
  return match(text, searched, some);
}

std::optional<ConsolePattern::Match> ConsolePattern::find(std::string_view text, size_t from, size_t& searched, bool ended) const {
  searched = std::max(searched, from);
  switch (kind_) {
    case Kind::String: return find_string(text, searched);
    case Kind::Lines: return find_lines(text, searched, ended);
    case Kind::Prompt: return find_prompt(text, from, searched);
  }
  return std::nullopt;
}

std::optional<ConsolePattern::Match> ConsolePattern::match_in(std::string_view text) const {
  if (kind_ != Kind::String) return match(text, 0, text.size());
  const size_t at = text.find(text_);
  if (at == std::string_view::npos) return std::nullopt;
  return Match{at, at + text_.size(), {text_}, {}};
}

bool ConsolePattern::contained_in(std::string_view text) const { return match_in(text).has_value(); }

std::string quote_for_regex(std::string_view text) { return RE2::QuoteMeta({text.data(), text.size()}); }

}  // namespace ia64::machine
