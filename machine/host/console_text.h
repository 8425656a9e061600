// The guest's console output as text: without terminal control, in lines.
#pragma once

#include <string>
#include <string_view>

#include "base/int_types.h"

namespace ia64::machine {

/// Turns the bytes of a terminal into text that can be searched. What comes out depends on the bytes alone, never on how they
/// were cut into pieces.
///
/// Escape sequences vanish; those that move the cursor to another line or place, and a carriage return without a line feed, end
/// the line under way. A backspace takes nothing back. Other control characters but tab and newline vanish.
/// @source ECMA-48, 5.4 (control sequences), 8.3 (CUP, HVP, VPA)
class ConsoleText {
 public:
  /// Appends what `bytes` add to the text.
  void append(std::string_view bytes, std::string& text);

 private:
  enum class State : u8 { Ground, Escape, Charset, Control, String, StringEscape };

  void ground(char c, std::string& text);
  void escape(char c, std::string& text);
  void end_line(std::string& text);
  void put(char c, std::string& text);

  State state_ = State::Ground;
  bool carriage_return_ = false;  // seen, and what follows decides
  bool line_empty_ = true;
};

}  // namespace ia64::machine
