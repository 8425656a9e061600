// Editing one line.
#include "machine/window/prompt.h"

#include <algorithm>

namespace ia64::machine::window {

Prompt::Prompt(std::string label, std::string text, Actions actions, std::function<void(std::function<void()>)> later)
    : label_(std::move(label)), text_(decode_utf8(text)), at_(text_.size()), actions_(std::move(actions)), later_(std::move(later)) {}

std::string Prompt::bytes() const {
  std::string out;
  for (const char32_t c : text_) append_utf8(out, c);
  return out;
}

void Prompt::changed() {
  if (actions_.changed) actions_.changed(bytes());
}

void Prompt::draw(CellGrid& grid) {
  const unsigned row = grid.rows() - 2;
  grid.fill(row, 0, 1, grid.columns(), look::kPanel);
  unsigned column = grid.put(row, 1, label_ + " ", look::kPanelTitle);
  const size_t room = grid.columns() > column + 2 ? grid.columns() - column - 2 : 1;
  const size_t first = at_ >= room ? at_ - room + 1 : 0;
  for (size_t n = first; n <= text_.size() && column < grid.columns(); n++) {
    std::string c;
    append_utf8(c, n < text_.size() ? text_[n] : U' ');
    column = grid.put(row, column, c, n == at_ ? look::kChosen : look::kPanel);
  }
}

/// @returns whether the key belongs to editing
bool Prompt::edit(const KeyPress& press) {
  if (!press.key) {
    if (press.modifiers.ctrl || press.modifiers.alt || press.character < U' ' || text_.size() >= kMaxCharacters) return false;
    text_.insert(at_++, 1, press.character);
    return changed(), true;
  }
  switch (*press.key) {
    case Key::Left: at_ -= at_ > 0; return true;
    case Key::Right: at_ += at_ < text_.size(); return true;
    case Key::Home: at_ = 0; return true;
    case Key::End: at_ = text_.size(); return true;
    case Key::Backspace:
      if (at_ > 0) text_.erase(--at_, 1);
      return changed(), true;
    case Key::Delete:
      if (at_ < text_.size()) text_.erase(at_, 1);
      return changed(), true;
    default: return false;
  }
}

bool Prompt::key(const KeyPress& press) {
  if (press.key == Key::Escape) {
    if (actions_.left) actions_.left();
    return false;
  }
  if (press.key == Key::Enter) {
    if (!actions_.keep) {
      later_([enter = actions_.enter, line = bytes()] { enter(line); });
      return false;
    }
    actions_.enter(bytes());
    return true;
  }
  if (!edit(press) && actions_.other) actions_.other(press);
  return true;
}

bool Prompt::text(std::string_view bytes) {
  for (const char32_t c : decode_utf8(bytes.substr(0, bytes.find_first_of("\r\n")))) edit({.key = {}, .character = c, .modifiers = {}});
  return true;
}

}  // namespace ia64::machine::window
