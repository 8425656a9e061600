// A scrolling box of text.
#include "machine/window/text_box.h"

#include <fmt/format.h>

#include <algorithm>

namespace ia64::machine::window {

std::string wrapped(const std::string& line, unsigned columns) {
  std::string out;
  size_t room = columns;
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    const std::string word = line.substr(at, end - at);
    const unsigned width = text_columns(word);
    if (!out.empty()) {
      const bool fits = width + 1 <= room;
      out += fits ? ' ' : '\n';
      room = fits ? room - 1 : columns;
    }
    out += word;
    room -= std::min<size_t>(room, width);
    at = end + 1;
  }
  return out;
}

TextBox::TextBox(std::string title, const std::string& text) : title_(std::move(title)) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines_.push_back(text.substr(at, end - at));
    at = end + 1;
  }
}

void TextBox::scroll(long by) {
  const long last = static_cast<long>(lines_.size() > shown_ ? lines_.size() - shown_ : 0);
  top_ = static_cast<size_t>(std::clamp(static_cast<long>(top_) + by, 0L, last));
}

void TextBox::draw(CellGrid& grid) {
  unsigned width = text_columns(title_) + 4;
  for (const auto& line : lines_) width = std::max(width, text_columns(line));
  columns_ = std::min(grid.columns(), width + 4);
  shown_ = std::max<size_t>(1, std::min<size_t>(lines_.size(), grid.rows() > 4 ? grid.rows() - 4 : 1));
  const unsigned rows = static_cast<unsigned>(shown_) + 2;
  row_ = grid.rows() > rows + 1 ? (grid.rows() - 1 - rows) / 2 : 0;
  column_ = (grid.columns() - columns_) / 2;
  scroll(0);
  draw_frame(grid, row_, column_, rows, columns_, title_);
  for (size_t n = 0; n < shown_ && top_ + n < lines_.size(); n++) {
    const auto text = decode_utf8(lines_[top_ + n]);
    std::string cut;
    for (size_t c = 0; c < text.size() && c + 4 < columns_; c++) append_utf8(cut, text[c]);
    grid.put(row_ + 1 + static_cast<unsigned>(n), column_ + 2, cut, look::kPanel);
  }
  if (lines_.size() > shown_)
    grid.put(row_ + rows - 1, column_ + 2, fmt::format(" {}-{} of {} ", top_ + 1, top_ + shown_, lines_.size()), look::kPanelDim);
}

bool TextBox::key(const KeyPress& press) {
  if (!press.key) return press.character != U'q';
  const long page = static_cast<long>(shown_);
  switch (*press.key) {
    case Key::Escape:
    case Key::Enter: return false;
    case Key::Up: scroll(-1); break;
    case Key::Down: scroll(1); break;
    case Key::PageUp: scroll(-page); break;
    case Key::PageDown: scroll(page); break;
    case Key::Home: top_ = 0; break;
    case Key::End: scroll(static_cast<long>(lines_.size())); break;
    default: break;
  }
  return true;
}

bool TextBox::mouse(const MouseEvent& event) {
  if (event.kind == MouseEvent::Kind::Wheel) return scroll(-event.wheel), true;
  if (event.kind != MouseEvent::Kind::Press) return true;
  const bool inside = event.row >= row_ && event.row < row_ + shown_ + 2 && event.column >= column_ && event.column < column_ + columns_;
  return inside;
}

}  // namespace ia64::machine::window
