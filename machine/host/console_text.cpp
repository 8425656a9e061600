// Terminal bytes to lines of text.
#include "machine/host/console_text.h"

namespace ia64::machine {

void ConsoleText::append(std::string_view bytes, std::string& text) {
  for (const char c : bytes) {
    switch (state_) {
      case State::Ground: ground(c, text); break;
      case State::Escape: escape(c, text); break;
      case State::Charset: state_ = State::Ground; break;
      case State::Control:
        if (c < 0x40 || c > 0x7e) break;
        state_ = State::Ground;
        if (std::string_view("HfdABEFJ").find(c) != std::string_view::npos) end_line(text);
        break;
      case State::String:  // ends with BEL or ESC backslash
        if (c == '\a') state_ = State::Ground;
        if (c == '\033') state_ = State::StringEscape;
        break;
      case State::StringEscape: state_ = State::Ground; break;
    }
  }
}

void ConsoleText::escape(char c, std::string& text) {
  state_ = State::Ground;
  if (c == '[') state_ = State::Control;
  if (c == '(' || c == ')' || c == '#' || c == '%' || c == ' ') state_ = State::Charset;
  if (c == ']' || c == 'P' || c == '^' || c == '_' || c == 'X') state_ = State::String;
  if (c == 'c' || c == 'D' || c == 'E' || c == 'M') end_line(text);
}

void ConsoleText::ground(char c, std::string& text) {
  if (c == '\r') {
    carriage_return_ = true;
    return;
  }
  if (c == '\n') {
    carriage_return_ = false;
    text += '\n';
    line_empty_ = true;
    return;
  }
  if (c == '\033') {
    state_ = State::Escape;
  } else if (c == '\t' || static_cast<u8>(c) >= ' ') {
    if (c != 0x7f) put(c, text);
  }
}

void ConsoleText::put(char c, std::string& text) {
  if (carriage_return_) end_line(text);
  text += c;
  line_empty_ = false;
}

void ConsoleText::end_line(std::string& text) {
  carriage_return_ = false;
  if (line_empty_) return;
  text += '\n';
  line_empty_ = true;
}

}  // namespace ia64::machine
