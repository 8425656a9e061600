// Drawing a menu and moving in it.
#include "machine/window/menu.h"

#include <algorithm>

namespace ia64::machine::window {

Menu::Menu(std::string title, std::vector<MenuItem> items, std::function<void(std::function<void()>)> later,
           std::function<bool(const KeyPress&)> unknown)
    : title_(std::move(title)), items_(std::move(items)), later_(std::move(later)), unknown_(std::move(unknown)) {}

void Menu::draw(CellGrid& grid) {
  unsigned label = text_columns(title_), shortcut = 0;
  for (const MenuItem& item : items_) {
    label = std::max(label, text_columns(item.label));
    shortcut = std::max(shortcut, text_columns(item.shortcut));
  }
  columns_ = std::min(grid.columns(), label + (shortcut ? shortcut + 3 : 0) + 8);
  shown_ = static_cast<unsigned>(std::min<size_t>(items_.size(), grid.rows() > 3 ? grid.rows() - 3 : 1));
  row_ = grid.rows() - 1 - (shown_ + 2);  // stands on the status bar
  column_ = 0;
  if (chosen_ < top_) top_ = chosen_;
  if (chosen_ >= top_ + shown_) top_ = chosen_ - shown_ + 1;
  draw_frame(grid, row_, column_, shown_ + 2, columns_, title_);
  for (unsigned n = 0; n < shown_; n++) {
    const MenuItem& item = items_[top_ + n];
    const unsigned row = row_ + 1 + n;
    if (item.label.empty()) {
      for (unsigned c = 0; c < columns_; c++) grid.put(row, column_ + c, c == 0 ? "├" : c + 1 == columns_ ? "┤" : "─", look::kPanelDim);
      continue;
    }
    const bool here = top_ + n == chosen_;
    const Style& style = here ? look::kChosen : look::kPanel;
    grid.fill(row, column_ + 1, 1, columns_ - 2, style);
    if (item.letter) grid.put(row, column_ + 2, std::string(1, item.letter), here ? style : look::kPanelTitle);
    grid.put(row, column_ + 5, item.label, style);
    grid.put(row, column_ + columns_ - 2 - text_columns(item.shortcut), item.shortcut, here ? style : look::kPanelDim);
  }
}

bool Menu::choose(size_t n) {
  if (items_[n].label.empty()) return true;
  later_(items_[n].action);
  return false;
}

void Menu::move(int by) {
  for (size_t n = 0; n < items_.size(); n++) {
    chosen_ = (chosen_ + items_.size() + static_cast<size_t>(by)) % items_.size();
    if (!items_[chosen_].label.empty()) return;
  }
}

bool Menu::key(const KeyPress& press) {
  if (items_.empty() || press.key == Key::Escape) return false;
  if (press.key == Key::Up) return move(-1), true;
  if (press.key == Key::Down) return move(1), true;
  if (press.key == Key::Home) return chosen_ = items_.size() - 1, move(1), true;
  if (press.key == Key::End) return chosen_ = 0, move(-1), true;
  if (press.key == Key::Enter) return choose(chosen_);
  if (!press.key && !press.modifiers.ctrl)
    for (size_t n = 0; n < items_.size(); n++)
      if (items_[n].letter && static_cast<char32_t>(items_[n].letter) == press.character) return choose(n);
  return !(unknown_ && unknown_(press));
}

bool Menu::hit(const MouseEvent& event, size_t& item) const {
  if (event.row <= row_ || event.row > row_ + shown_ || event.column >= column_ + columns_) return false;
  item = top_ + event.row - row_ - 1;
  return true;
}

bool Menu::mouse(const MouseEvent& event) {
  if (event.kind == MouseEvent::Kind::Wheel) return move(event.wheel > 0 ? -1 : 1), true;
  size_t item = 0;
  if (!hit(event, item)) return event.kind != MouseEvent::Kind::Press;
  if (!items_[item].label.empty()) chosen_ = item;
  return event.kind != MouseEvent::Kind::Press || choose(item);
}

}  // namespace ia64::machine::window
