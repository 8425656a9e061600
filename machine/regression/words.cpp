// Scanner of steps.
#include "machine/regression/words.h"

#include <fmt/format.h>

#include <cctype>

namespace ia64::machine::regression {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// One line of a step.
class Scanner {
 public:
  Scanner(const std::string& line, unsigned number, Diagnostics& diagnostics) : line_(line), number_(number), diagnostics_(diagnostics) {}

  void scan(std::vector<Word>& words, bool first_line) {
    bool joins = !first_line && !words.empty() && words.back().kind == Word::Kind::String;
    for (;;) {
      while (at_ < line_.size() && is_blank(line_[at_])) at_++;
      if (at_ == line_.size() || line_[at_] == '#') return;
      Word word = next();
      if (joins && word.kind == Word::Kind::String)
        words.back().text.parts.insert(words.back().text.parts.end(), word.text.parts.begin(), word.text.parts.end());
      else
        words.push_back(std::move(word));
      joins = false;
    }
  }

 private:
  Place here(size_t at) const { return {number_, static_cast<unsigned>(at) + 1}; }
  void complain(size_t at, std::string message) { diagnostics_.add(here(at), std::move(message)); }

  Word next() {
    begin_ = at_;
    switch (line_[at_]) {
      case '"': return string();
      case '\'': return raw_string();
      case '/': return regex_or_path();
      default: return bare();
    }
  }

  Word bare() {
    while (at_ < line_.size() && !is_blank(line_[at_])) at_++;
    return {Word::Kind::Bare, parse_template(line_.substr(begin_, at_ - begin_), here(begin_), diagnostics_), {}, here(begin_)};
  }

  Word raw_string() {
    const size_t end = line_.find('\'', at_ + 1);
    if (end == std::string::npos) complain(begin_, "the string is not closed");
    at_ = end == std::string::npos ? line_.size() : end + 1;
    Template text;
    text.parts.push_back({line_.substr(begin_ + 1, end == std::string::npos ? end : end - begin_ - 1), false, here(begin_)});
    return {Word::Kind::String, std::move(text), {}, here(begin_)};
  }

  Word string() {
    Word word{Word::Kind::String, {}, {}, here(begin_)};
    std::string text;
    for (at_++; at_ < line_.size() && line_[at_] != '"';) {
      if (line_[at_] == '\\') {
        escape(text);
      } else if (line_.compare(at_, 2, "${") == 0) {
        variable(word.text, text);
      } else {
        text += line_[at_++];
      }
    }
    if (at_ >= line_.size()) complain(begin_, "the string is not closed");
    at_ = std::min(at_ + 1, line_.size());
    if (!text.empty() || word.text.parts.empty()) word.text.parts.push_back({text, false, here(begin_)});
    return word;
  }

  void escape(std::string& text) {
    static constexpr std::string_view kFrom = "rnte\"\\$", kTo = "\r\n\t\033\"\\$";
    const size_t at = at_;
    const char c = at_ + 1 < line_.size() ? line_[at_ + 1] : '\0';
    at_ = std::min(at_ + 2, line_.size());
    if (const size_t known = kFrom.find(c); c && known != std::string_view::npos) {
      text += kTo[known];
    } else if (const int high = c == 'x' && at_ < line_.size() ? hex_digit(line_[at_]) : -1, low = at_ + 1 < line_.size() ? hex_digit(line_[at_ + 1]) : -1;
               high >= 0 && low >= 0) {
      text += static_cast<char>(high * 16 + low);
      at_ += 2;
    } else {
      complain(at, "unknown escape; there are \\r \\n \\t \\e \\\" \\\\ \\$ \\xNN, and '...' takes all as it is");
    }
  }

  void variable(Template& out, std::string& text) {
    const size_t end = line_.find('}', at_);
    const std::string name = end == std::string::npos ? "" : line_.substr(at_ + 2, end - at_ - 2);
    if (!is_variable_name(name)) complain(at_, "${ begins the name of a variable, letters, digits, _ and dots up to }; write \\${ for the characters");
    if (!text.empty()) out.parts.push_back({std::exchange(text, ""), false, here(at_)});
    out.parts.push_back({name, true, here(at_)});
    at_ = end == std::string::npos ? line_.size() : end + 1;
  }

  /// A slash that no other one follows begins a path.
  Word regex_or_path() {
    size_t end = at_ + 1;
    bool in_class = false;
    for (; end < line_.size(); end++) {
      if (line_[end] == '\\') {
        end++;
      } else if (in_class) {
        in_class = line_[end] != ']';
      } else if (line_[end] == '[') {
        in_class = true;
      } else if (line_[end] == '/') {
        break;
      }
    }
    if (end >= line_.size()) {
      complain(begin_, "the regular expression is not closed; a path stands in \"...\"");
      at_ = line_.size();
      return {Word::Kind::Regex, {}, {}, here(begin_)};
    }
    std::string expression;
    for (size_t i = begin_ + 1; i < end; i++) {
      if (line_.compare(i, 2, "\\/") == 0) i++;
      expression += line_[i];
    }
    at_ = end + 1;
    while (at_ < line_.size() && std::isalpha(static_cast<unsigned char>(line_[at_]))) at_++;
    if (at_ < line_.size() && !is_blank(line_[at_])) {
      complain(at_, "a blank is missing behind the regular expression; a path stands in \"...\"");
      at_ = line_.size();
    }
    return {Word::Kind::Regex, parse_template(expression, here(begin_ + 1), diagnostics_), line_.substr(end + 1, at_ - end - 1), here(begin_)};
  }

  const std::string& line_;
  const unsigned number_;
  Diagnostics& diagnostics_;
  size_t at_ = 0, begin_ = 0;
};

}  // namespace

bool is_variable_name(std::string_view name) {
  if (name.empty() || !(std::isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_')) return false;
  for (const char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.') return false;
  return true;
}

Template parse_template(std::string_view text, Place place, Diagnostics& diagnostics) {
  Template out;
  std::string literal;
  for (size_t i = 0; i < text.size();) {
    const Place here{place.line, place.column + static_cast<unsigned>(i)};
    if (text.substr(i).starts_with("\\${")) {
      literal += "${", i += 3;
    } else if (text.substr(i).starts_with("${")) {
      const size_t end = text.find('}', i);
      const std::string name(end == std::string_view::npos ? "" : text.substr(i + 2, end - i - 2));
      if (!is_variable_name(name)) diagnostics.add(here, "${ begins the name of a variable, letters, digits, _ and dots up to }");
      if (!literal.empty()) out.parts.push_back({std::exchange(literal, ""), false, place});
      out.parts.push_back({name, true, here});
      i = end == std::string_view::npos ? text.size() : end + 1;
    } else {
      literal += text[i++];
    }
  }
  if (!literal.empty() || out.parts.empty()) out.parts.push_back({literal, false, place});
  return out;
}

bool Template::has_variables() const {
  for (const Part& p : parts)
    if (p.variable) return true;
  return false;
}

std::string Template::expand(const Variables& variables, const std::function<std::string(std::string_view)>& quote) const {
  std::string out;
  for (const Part& p : parts) {
    if (!p.variable) {
      out += p.text;
      continue;
    }
    const auto value = variables.find(p.text);
    if (value != variables.end()) out += quote ? quote(value->second) : value->second;
  }
  return out;
}

std::string Template::with_all(const std::string& value) const {
  std::string out;
  for (const Part& p : parts) out += p.variable ? value : p.text;
  return out;
}

std::string Word::bare() const { return kind == Kind::Bare && !text.has_variables() ? text.with_all("") : ""; }

std::vector<Word> split_step(const std::vector<std::string>& lines, unsigned first, Diagnostics& diagnostics) {
  std::vector<Word> words;
  for (size_t i = 0; i < lines.size(); i++) {
    std::string line = lines[i];
    if (i + 1 < lines.size()) line.pop_back();  // the backslash
    Scanner(line, first + static_cast<unsigned>(i), diagnostics).scan(words, i == 0);
  }
  return words;
}

}  // namespace ia64::machine::regression
