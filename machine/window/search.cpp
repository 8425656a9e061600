// Line by line search.
#include "machine/window/search.h"

#include <algorithm>

namespace ia64::machine::window {
namespace {

char32_t folded(char32_t c) { return c >= U'A' && c <= U'Z' ? c + 32 : c; }

}  // namespace

void TextSearch::set_pattern(const std::string& pattern) {
  pattern_ = decode_utf8(pattern);
  std::transform(pattern_.begin(), pattern_.end(), pattern_.begin(), folded);
}

std::vector<TextSearch::Match> TextSearch::in_line(const ScreenModel& model, u64 line) const {
  std::vector<Match> out;
  if (pattern_.empty()) return out;
  std::u32string text;
  std::vector<unsigned> columns;  // of each character
  unsigned column = 0;
  for (const Cell& cell : model.line(line)) {
    for (size_t n = 0; n < cell.text.size() && cell.width && (n == 0 || cell.text[n]); n++) {
      text += cell.text[n] ? folded(cell.text[n]) : U' ';
      columns.push_back(column);
    }
    column++;
  }
  columns.push_back(column);
  for (size_t at = text.find(pattern_); at != std::u32string::npos; at = text.find(pattern_, at + 1))
    out.push_back({{line, columns[at]}, columns[at + pattern_.size()] - columns[at]});
  return out;
}

std::optional<TextSearch::Match> TextSearch::previous(const ScreenModel& model, TextPlace from) const {
  const u64 first = model.first_line(), end = model.end_line();
  const u64 start = std::clamp(from.line, first, end - 1);
  std::optional<Match> last_in_line;
  for (const Match& m : in_line(model, start))
    if (m.at < from) last_in_line = m;
  if (last_in_line) return last_in_line;
  for (u64 n = 1; n <= end - first; n++) {  // the line it began in comes last, once more and whole
    const u64 line = start >= first + n ? start - n : start - n + (end - first);
    if (const auto found = in_line(model, line); !found.empty()) return found.back();
  }
  return std::nullopt;
}

std::optional<TextSearch::Match> TextSearch::next(const ScreenModel& model, TextPlace from) const {
  const u64 first = model.first_line(), end = model.end_line();
  const u64 start = std::clamp(from.line, first, end - 1);
  for (const Match& m : in_line(model, start))
    if (m.at > from) return m;
  for (u64 n = 1; n <= end - first; n++) {
    const u64 line = start + n < end ? start + n : start + n - (end - first);
    if (const auto found = in_line(model, line); !found.empty()) return found.front();
  }
  return std::nullopt;
}

}  // namespace ia64::machine::window
