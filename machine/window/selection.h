// The text a user marks with the mouse.
#pragma once

#include <optional>
#include <string>

#include "machine/window/screen_model.h"

namespace ia64::machine::window {

/// A place in the lines of a ScreenModel.
struct TextPlace {
  u64 line = 0;
  unsigned column = 0;
  auto operator<=>(const TextPlace&) const = default;
};

/// What one click, two and three select.
enum class SelectBy : u8 { Character, Word, Line };

/// From where the button went down to where the mouse is now. It goes when the text under it changes or is no longer kept.
class Selection {
 public:
  void start(const ScreenModel& model, TextPlace at, SelectBy by);
  /// @returns whether something changed
  bool extend(const ScreenModel& model, TextPlace to);
  void clear() { active_ = false; }
  /// Looks whether the text is still what was selected. @returns whether the selection has gone
  bool check(const ScreenModel& model);
  bool active() const { return active_; }
  bool contains(TextPlace at) const { return active_ && at >= first_ && at < end_; }
  /// Lines joined by newlines, blanks at their ends left out.
  const std::string& text() const { return text_; }

 private:
  std::string read(const ScreenModel& model) const;
  void cover(const ScreenModel& model, TextPlace a, TextPlace b);

  TextPlace anchor_, first_, end_;  ///< `end_` behind the last character
  SelectBy by_ = SelectBy::Character;
  bool active_ = false;
  std::string text_;
};

}  // namespace ia64::machine::window
