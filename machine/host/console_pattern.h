// What to wait for in a guest's console text, searched so that the result depends on the text alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/int_types.h"
#include "base/result.h"

namespace ia64::machine {

/// A string, or a regular expression. The same text gives the same match however it arrived:
///  - a string matches as soon as its last byte is there;
///  - a regular expression (RE2) matches within one line, and a line counts when it has ended: `$` is its end, `.*` all of it;
///  - a prompt expression is for a line that stays open: it matches at the first byte with which it can match at all. What
///    depends on the line's end ($, \b, \z) is refused there.
class ConsolePattern {
 public:
  enum class Kind : u8 { String, Lines, Prompt };
  struct Match {
    size_t begin = 0, end = 0;                                  ///< in the text
    std::vector<std::string> groups;                            ///< the whole match and each group; empty ones that took no part
    std::vector<std::pair<std::string, std::string>> named;     ///< (?P<name>...) that took part
  };

  static ConsolePattern string(std::string text);
  /// @param kind Lines or Prompt  @returns Invalid with the reason, and no word of the expression
  static Result<ConsolePattern> regex(const std::string& expression, Kind kind, bool ignore_case = false);

  Kind kind() const { return kind_; }
  /// Names of the groups (?P<name>...).
  std::vector<std::string> group_names() const;
  /// As it is written in a test: "text", /expression/ or /expression/p.
  std::string written() const;

  /// The first match in `text` from `from` on.
  /// @param searched  where an earlier call with the same `from` and less text ended; moved on. Starts as `from`
  /// @param ended     nothing will follow `text`: its last line has ended
  std::optional<Match> find(std::string_view text, size_t from, size_t& searched, bool ended = false) const;
  /// Whether `text` matches somewhere, taken as a whole.
  bool contained_in(std::string_view text) const;
  /// The groups of the first match in `text`, taken as a whole.
  std::optional<Match> match_in(std::string_view text) const;

 private:
  struct Compiled;
  ConsolePattern() = default;
  std::optional<Match> match(std::string_view text, size_t from, size_t end) const;
  std::optional<Match> find_string(std::string_view text, size_t& searched) const;
  std::optional<Match> find_lines(std::string_view text, size_t& searched, bool ended) const;
  std::optional<Match> find_prompt(std::string_view text, size_t from, size_t& searched) const;

  Kind kind_ = Kind::String;
  bool ignore_case_ = false;
  std::string text_;
  std::shared_ptr<const Compiled> compiled_;  // of a regular expression
};

/// `text` so that it stands for itself in a regular expression.
std::string quote_for_regex(std::string_view text);

}  // namespace ia64::machine
