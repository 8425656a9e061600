// Selecting by character, word and line.
#include "machine/window/selection.h"

#include <algorithm>

namespace ia64::machine::window {
namespace {

/// Parts of words: what a double click takes together, paths and addresses included.
bool is_word(const Cell& cell) {
  const char32_t c = cell.text[0];
  if (cell.width == 0 || c >= 0x80) return true;
  const bool letter = (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9');
  return letter || (c && std::u32string_view(U"_-./~:@%+=&?#,").find(c) != std::u32string_view::npos);
}

TextPlace word_start(const ScreenModel& model, TextPlace at) {
  const auto cells = model.line(at.line);
  if (at.column >= cells.size()) return at;
  const bool word = is_word(cells[at.column]);
  while (at.column > 0 && is_word(cells[at.column - 1]) == word) at.column--;
  return at;
}

TextPlace word_end(const ScreenModel& model, TextPlace at) {
  const auto cells = model.line(at.line);
  if (at.column >= cells.size()) return {at.line, at.column + 1};
  const bool word = is_word(cells[at.column]);
  while (at.column < cells.size() && is_word(cells[at.column]) == word) at.column++;
  return at;
}

}  // namespace

void Selection::start(const ScreenModel& model, TextPlace at, SelectBy by) {
  anchor_ = at;
  by_ = by;
  active_ = false;
  if (by != SelectBy::Character) cover(model, at, at);
}

bool Selection::extend(const ScreenModel& model, TextPlace to) {
  const auto before = std::pair(first_, end_);
  const bool was_active = active_;
  if (by_ == SelectBy::Character && to == anchor_ && !active_) return false;
  cover(model, std::min(anchor_, to), std::max(anchor_, to));
  return !was_active || before != std::pair(first_, end_);
}

void Selection::cover(const ScreenModel& model, TextPlace a, TextPlace b) {
  first_ = a;
  end_ = {b.line, b.column + 1};
  if (by_ == SelectBy::Word) first_ = word_start(model, a), end_ = word_end(model, b);
  if (by_ == SelectBy::Line) first_.column = 0, end_ = {b.line + 1, 0};
  active_ = true;
  text_ = read(model);
}

std::string Selection::read(const ScreenModel& model) const {
  std::string out;
  for (u64 n = first_.line; n <= end_.line; n++) {
    if (n == end_.line && end_.column == 0) break;
    const size_t from = n == first_.line ? first_.column : 0;
    const size_t to = n == end_.line ? end_.column : ~size_t{0};
    if (n != first_.line) out += '\n';
    out += cells_text(model.line(n), from, to);
  }
  if (end_.column == 0) out += '\n';
  return out;
}

bool Selection::check(const ScreenModel& model) {
  if (!active_ || (first_.line >= model.first_line() && read(model) == text_)) return false;
  active_ = false;
  return true;
}

}  // namespace ia64::machine::window
