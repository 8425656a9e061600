// The words of a step: bare words, strings, regular expressions, each with variables in it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "machine/regression/source.h"

namespace ia64::machine::regression {

using Variables = std::map<std::string, std::string>;

/// Text with ${variables} in it.
class Template {
 public:
  struct Part {
    std::string text;       ///< or the name of a variable
    bool variable = false;
    Place place = {};
  };
  std::vector<Part> parts;

  bool has_variables() const;
  /// @param quote  applied to the values of variables
  std::string expand(const Variables& variables, const std::function<std::string(std::string_view)>& quote = {}) const;
  /// The same with `value` for every variable.
  std::string with_all(const std::string& value) const;
};

/// Cuts `text` at its ${variables}; a backslash before ${ takes its meaning away. @param place of its first byte
Template parse_template(std::string_view text, Place place, Diagnostics& diagnostics);
bool is_variable_name(std::string_view name);

struct Word {
  enum class Kind : u8 { Bare, String, Regex } kind = Kind::Bare;
  Template text;
  std::string flags;  ///< letters behind a regular expression
  Place place;

  /// A bare word without variables, for comparison with keywords; empty for anything else.
  std::string bare() const;
};

/// A step's words. `lines` is more than one where lines end with a backslash.
///
/// "..." knows \r \n \t \e \" \\ \$ \xNN; '...' knows nothing. A string that begins a further line belongs to the one before. /.../ is a regular expression, \/ a slash in it,
/// and letters may follow. # begins a comment.
/// @param first  number of the first of the lines
std::vector<Word> split_step(const std::vector<std::string>& lines, unsigned first, Diagnostics& diagnostics);

}  // namespace ia64::machine::regression
