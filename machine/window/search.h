// Finding text on the screen and in what has scrolled off it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "machine/window/selection.h"

namespace ia64::machine::window {

/// A piece of text within one line; capital and small letters of ASCII are alike.
class TextSearch {
 public:
  /// @param pattern UTF-8; empty finds nothing
  void set_pattern(const std::string& pattern);
  bool active() const { return !pattern_.empty(); }
  size_t length() const { return pattern_.size(); }  ///< of the pattern in characters

  struct Match {
    TextPlace at;
    unsigned columns = 0;  ///< cells it covers
    bool operator==(const Match&) const = default;
  };
  std::vector<Match> in_line(const ScreenModel& model, u64 line) const;
  /// The nearest match before `from`, going up, then from the end on. nullopt when there is none at all.
  std::optional<Match> previous(const ScreenModel& model, TextPlace from) const;
  /// The nearest behind `from`, going down, then from the beginning on.
  std::optional<Match> next(const ScreenModel& model, TextPlace from) const;

 private:
  std::u32string pattern_;
};

}  // namespace ia64::machine::window
